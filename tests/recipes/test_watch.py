"""The watch: each slot once, missed ones made up for once, long ones merged, failures mended, and a clean end."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import anyio
import anyio.to_thread
import pytest
from own_client import assert_clean
from watched import BEGAN, Account, at_once, watch_for

from apteligent_async import ConfigurationError, LedgerInUse
from apteligent_async.bulk.ledger import DiskLedger
from apteligent_async.bulk.recipes.recipe import Recipe
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import Watch, begin_slot, ledger_of, write_points
from apteligent_async.simulator import FaultRule, FaultSchedule
from apteligent_async.simulator.faults import Fail

pytestmark = pytest.mark.anyio

TOTALS = Recipe.from_toml(
    '[recipe]\nevery_minutes = 10\n[[want]]\nwhat = "error_monitoring.pie"\n'
    'graph = ["crashes", "appLoads"]\ngroup_by = "os"\n',
    name="totals",
)
GROWTH = Recipe.from_toml(
    '[recipe]\nevery_minutes = 10\npoints = "growth"\n[[want]]\nwhat = "crashes.summaries"\n', name="growth"
)
DAILY = Recipe.from_toml(
    'complete_days = true\nsettle_days = 0\nlocal_days = true\n[recipe]\npoints = "daily"\n'
    '[[want]]\nwhat = "error_monitoring.graph"\ngraph = "crashes"\ndays = 2\n',
    name="daily",
)
MINUTE = 60.0
WITHIN_S = 0.7
"""Two calls for the survey and the first pie take 0.6 s: the second pie is under way."""

PIES = "/v2/errorMonitoring/pie"


@pytest.fixture(autouse=True)
def without_threads(monkeypatch):
    """Write files at once, as virtual time has no threads."""
    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)


async def instants_of(folder, recipe):
    """Tell at which minutes since the beginning a recipe has numbers, and how many."""
    found = {}
    async with Spool(ledger_of(folder, recipe)) as spool:
        for each in await spool.unread("nobody", most=10**6):
            minute = (each.point.at - int(BEGAN.timestamp())) / 60
            found[minute] = found.get(minute, 0) + 1
    return found


def pies_of(account):
    """Tell at which minutes pies were asked for."""
    return [round((at - BEGAN) / timedelta(minutes=1), 1) for at, path, _ in account.asked if path == PIES]


async def test_each_slot_is_run_once(tmp_path):
    """Every ten minutes, both questions, and one number for each group."""
    account, news = Account(), []
    await watch_for(account, 35 * MINUTE, recipes=[TOTALS], folder=tmp_path, tell=news.append)
    found = await instants_of(tmp_path, TOTALS)
    assert list(found) == [0, 10, 20, 30]
    assert len(set(found.values())) == 1
    assert [round(minute) for minute in pies_of(account)] == [0, 0, 10, 10, 20, 20, 30, 30]
    assert [each.missed for each in news] == [0, 0, 0, 0]
    assert all(each.report.is_complete for each in news)


async def test_missed_slots_are_made_up_for_by_one(tmp_path):
    """After an hour's sleep the last slot is run and no other, and it says how many there would have been."""
    account, news = Account(), []
    await watch_for(account, 5 * MINUTE, recipes=[TOTALS], folder=tmp_path)
    await anyio.sleep(60 * MINUTE)
    await watch_for(account, 3 * MINUTE, recipes=[TOTALS], folder=tmp_path, tell=news.append)
    assert list(await instants_of(tmp_path, TOTALS)) == [0, 60]
    assert [each.missed for each in news] == [5]


async def test_a_run_that_takes_longer_than_its_period_is_one(tmp_path):
    """At one call a minute 24 pies take longer than their slot: the slots that they overlap are one, the last."""
    slow = Recipe.from_toml(
        '[recipe]\nevery_minutes = 10\n[[want]]\nwhat = "error_monitoring.pie"\n'
        'graph = ["crashes", "appLoads", "dau", "crashPercent", "affectedUsers", "affectedUserPercent"]\n'
        'group_by = ["os", "device", "appVersion", "carrier"]\n',
        name="slow",
    )
    account, news = Account(limit=1), []
    await watch_for(account, 70 * MINUTE, recipes=[slow], folder=tmp_path, tell=news.append)
    found = list(await instants_of(tmp_path, slow))
    missed = sum(each.missed for each in news)
    assert len(found) + missed == found[-1] / 10 + 1
    assert missed
    assert len(pies_of(account)) in range(24 * len(found), 24 * len(found) + 24)
    assert all(each.report.is_complete for each in news)


async def test_what_was_begun_is_finished_by_the_next_process(tmp_path):
    """Cut off within a run: what had come is not asked for again, and the slot is whole in the end."""
    account = Account(limit=100)
    await watch_for(account, WITHIN_S, recipes=[TOTALS], folder=tmp_path, concurrency=1)
    assert len(pies_of(account)) == 2
    await watch_for(account, 5 * MINUTE, recipes=[TOTALS], folder=tmp_path)
    assert len(pies_of(account)) == 3
    assert list(await instants_of(tmp_path, TOTALS)) == [0]


async def test_what_came_before_the_end_is_not_lost_by_sleeping(tmp_path):
    """Taken up after its slot has passed, what had come of it is written, and nothing more is asked for it."""
    account = Account(limit=100)
    await watch_for(account, WITHIN_S, recipes=[TOTALS], folder=tmp_path, concurrency=1)
    await anyio.sleep(30 * MINUTE)
    await watch_for(account, 5 * MINUTE, recipes=[TOTALS], folder=tmp_path)
    found = await instants_of(tmp_path, TOTALS)
    assert list(found) == [0, 30]
    assert found[30] == 2 * found[0]
    assert len(pies_of(account)) == 4


async def test_what_failed_is_asked_for_again_within_its_slot(tmp_path):
    """The service is down for three minutes: the slot is whole all the same, with its own instant."""
    faults = FaultSchedule([FaultRule(Fail(status=503), path=PIES, until_s=180.0)])
    account, news = Account(faults=faults, limit=100), []
    await watch_for(account, 9 * MINUTE, recipes=[TOTALS], folder=tmp_path, tell=news.append)
    assert list(await instants_of(tmp_path, TOTALS)) == [0]
    [over] = [each for each in news if each.points is not None]
    assert over.report.is_complete


async def test_a_service_that_is_away_is_waited_for(tmp_path):
    """Where not even the apps can be listed, the watch tells so and goes on."""
    faults = FaultSchedule([FaultRule(Fail(status=503), until_s=1500.0)])
    account, news = Account(faults=faults, limit=100), []
    await watch_for(account, 35 * MINUTE, recipes=[TOTALS], folder=tmp_path, tell=news.append)
    assert any(each.error is not None for each in news)
    assert 30 in await instants_of(tmp_path, TOTALS)


async def test_sessions_add_up_across_restarts(tmp_path):
    """The New Relic job counted from daily lists that it read in both directions; ours adds up, whoever restarts it.

    The process is ended between runs and in the middle of one: for each crash, the numbers are as many sessions as its
    count has grown by since the first list, none missed and none counted twice.
    """
    counts = []

    def witness(call, answer, _):
        if "/summaries/" in call.path:
            counts.append({each["hash"]: each["sessionCount"] for each in json.loads(answer.body)["data"]})

    account = Account(limit=100, witness=witness)
    for minutes in (12, 25, 0.01, 31):
        await watch_for(account, minutes * MINUTE, recipes=[GROWTH], folder=tmp_path)
    grown = Counter()
    async with Spool(ledger_of(tmp_path, GROWTH)) as spool:
        for each in await spool.unread("nobody", most=10**6):
            grown[each.point.key] += each.point.value
    highest = {hash_: max(each.get(hash_, 0) for each in counts) for found in counts for hash_ in found}
    expected = {hash_: count - counts[0].get(hash_, 0) for hash_, count in highest.items()}
    assert len(counts) > 4
    assert grown == {hash_: growth for hash_, growth in expected.items() if growth}
    assert grown.total() > 10


async def test_a_day_is_asked_for_when_the_apps_own_day_has_ended(tmp_path):
    """Hourly runs cost no call until midnight has passed where the app is; the number is that of the whole day."""
    account = Account()
    await watch_for(account, 25 * 60 * MINUTE, recipes=[DAILY], folder=tmp_path)
    app = next(iter(account.service.world.apps.values()))
    asked = [at for at, path, _ in account.asked if path == "/v2/errorMonitoring/graph"]
    assert len(asked) == 2
    midnight = app.calendar.starts_at(app.calendar.today)
    assert timedelta(0) <= asked[1] - midnight <= timedelta(minutes=61)
    yesterday = app.calendar.today - timedelta(days=1)
    async with Spool(ledger_of(tmp_path, DAILY)) as spool:
        told = {each.point.at: each.point.value for each in await spool.unread("nobody", most=9)}
    begins_at = int(app.calendar.starts_at(yesterday).timestamp())
    assert told[begins_at] == sum(app.series.crashes(yesterday))


async def test_a_day_that_has_just_begun_has_no_totals(tmp_path):
    """At the app's midnight the service names no group: that run is over, and is not asked for again."""
    account, news = Account(limit=100), []
    app = next(iter(account.service.world.apps.values()))
    midnight = app.calendar.starts_at(app.calendar.today + timedelta(days=1))
    await anyio.sleep((midnight - BEGAN).total_seconds() - 10 * MINUTE)
    await watch_for(account, 25 * MINUTE, recipes=[TOTALS], folder=tmp_path, tell=news.append)
    begun = [each for each in news if each.slot == midnight]
    assert [(each.points, each.report.is_complete, each.report.ok) for each in begun] == [(0, True, 2)]
    assert len(pies_of(account)) == 6
    instants = await instants_of(tmp_path, TOTALS)
    assert [BEGAN + timedelta(minutes=minute) - midnight for minute in instants] == [
        timedelta(minutes=minutes) for minutes in (-10, 10)
    ]


async def test_bulk_stays_behind_interactive_calls(tmp_path):
    """Somebody who asks on the same budget waits for a part of a minute; the watch waits for many of them."""
    many = Recipe.from_toml(
        '[recipe]\n[[want]]\nwhat = "error_monitoring.pie"\ngraph = ["crashes", "appLoads", "dau", "crashPercent"]\n'
        'group_by = ["os", "device", "appVersion", "carrier"]\n',
        name="many",
    )
    account, waits = Account(apps=12, limit=20), []
    async with account.client() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(Watch(client=client, recipes=[many], folder=tmp_path, clock=account.clock).run)
        for _ in range(5):
            await anyio.sleep(70)
            assert client.budget().queued["bulk"]
            began_at = anyio.current_time()
            await client.trends.dau(next(iter(account.service.world.apps)))
            waits.append(anyio.current_time() - began_at)
        tasks.cancel_scope.cancel()
    assert max(waits) <= 60


async def test_nothing_is_left_behind(tmp_path):
    """Cut off at any of many points, the client is clean and the ledger free."""
    for seconds in (0.05, 0.25, 0.55, 1.05, 30):
        account = Account()
        async with account.client() as client:
            with anyio.move_on_after(seconds):
                await Watch(client=client, recipes=[TOTALS], folder=tmp_path, clock=account.clock).run()
            assert_clean(client)
        ledger = DiskLedger(ledger_of(tmp_path, TOTALS))
        await ledger.open()
        await ledger.aclose()


class SlowSink:
    """A sink that gives no receipt for its first so many batches."""

    name = "slow"

    def __init__(self, without):
        self.without = without
        self.taken = []

    async def deliver(self, points):
        """Take points, sooner or later."""
        if self.without:
            self.without -= 1
            await anyio.sleep(MINUTE)
        self.taken += points


async def test_a_sink_without_a_receipt_is_told_once_and_gets_everything(tmp_path):
    """It is given ten seconds, tried again every ten, and named with the reason when the trouble begins."""
    account, news, sink = Account(limit=100), [], SlowSink(without=6)
    await watch_for(account, 5 * MINUTE, recipes=[TOTALS], folder=tmp_path, sinks=[sink], tell=news.append)
    troubles = [each for each in news if each.error is not None]
    assert [(each.sink, str(each.error)) for each in troubles] == [("slow", "no receipt within 10 s")]
    async with Spool(ledger_of(tmp_path, TOTALS)) as spool:
        assert sink.taken == await spool.unread("nobody", most=10**6)
    assert sink.taken


async def test_two_watches_do_not_share_a_ledger(tmp_path):
    """The second says so and ends."""
    account = Account()
    ledger = DiskLedger(ledger_of(tmp_path, TOTALS))
    await ledger.open()
    try:
        with pytest.raises(ExceptionGroup) as caught:
            await watch_for(account, 60, recipes=[TOTALS], folder=tmp_path)
        assert caught.group_contains(LedgerInUse)
    finally:
        await ledger.aclose()


async def test_two_watches_do_not_share_a_folder(tmp_path):
    """Not even while both sleep: a second one would deliver the same numbers once more. It says so, and ends."""
    account = Account(limit=100)
    async with account.client() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(Watch(client=client, recipes=[TOTALS], folder=tmp_path, clock=account.clock).run)
        await anyio.sleep(MINUTE)
        with pytest.raises(ExceptionGroup) as caught:
            await Watch(client=client, recipes=[TOTALS], folder=tmp_path, clock=account.clock).run()
        assert caught.group_contains(LedgerInUse, match="a watch that is running")
        tasks.cancel_scope.cancel()
    await watch_for(account, MINUTE, recipes=[TOTALS], folder=tmp_path / "made" / "here")
    assert await instants_of(tmp_path / "made" / "here", TOTALS)


async def test_names_must_differ(tmp_path):
    """Two recipes of one name would share a ledger."""
    async with Account().client() as client:
        with pytest.raises(ConfigurationError, match="several recipes 'totals'"):
            Watch(client=client, recipes=[TOTALS, TOTALS], folder=tmp_path)


async def test_by_hand_a_slot_is_taken_up(tmp_path):
    """Within a period it is the same run; what an earlier one left open is written first."""
    async with Spool(tmp_path / "l") as spool:
        first = await begin_slot(TOTALS, spool, BEGAN)
        assert await begin_slot(TOTALS, spool, BEGAN + timedelta(minutes=9)) == first
        later = await begin_slot(TOTALS, spool, BEGAN + timedelta(minutes=11))
        assert later.at == BEGAN + timedelta(minutes=10)
        assert await write_points(TOTALS, spool, later) == 0
        assert not (await spool.slot()).is_open
