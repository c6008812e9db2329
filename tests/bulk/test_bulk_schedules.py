"""A plan that is pulled now and then into one ledger: no day is left out, none is there twice."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta

import pytest
from own_client import client_of
from pulled import NOW, facts, world

from apteligent_async import Plan, StaticToken, Wanted
from apteligent_async.bulk.ledger_file import LedgerFile
from apteligent_async.bulk.runner import new_pull
from apteligent_async.simulator import QuotaSettings, Service, SimulatorTransport

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, as the ledger has a thread."""
    return request.param


async def pull_on(day, plan, ledger):
    """Pull on a day, where both clocks show it; give the report and how many calls there were."""
    now = NOW + timedelta(days=day)
    service = Service(world().at(now), quota=QuotaSettings(limit=10**6))
    way = SimulatorTransport(service)
    async with client_of(way, StaticToken(service.issue_token(service.accounts[0].client_id))) as client:
        pull = new_pull(client, plan, ledger=ledger, concurrency=4, clock=lambda: now)
        async for result in pull:
            assert result.error is None
        return pull.report, way.calls


def stored(ledger):
    """Read the rows of a ledger."""
    with closing(LedgerFile.reading(ledger)) as file:
        return list(file.rows())


async def test_a_pull_that_was_not_run_for_days_makes_up_for_them(tmp_path):
    """Every day has one row per app afterwards, in order, and those that had settled were not asked for again."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="appLoads", days=3)])
    ledger = tmp_path / "pull.sqlite"
    first, _ = await pull_on(0, plan, ledger)
    assert (first.units, first.ok) == (3 * len(facts()), 3 * len(facts()))
    again, calls = await pull_on(0, plan, ledger)
    assert (again.ok, again.skipped, calls) == (0, first.units, 0)
    late, calls = await pull_on(9, plan, ledger)
    assert calls == 2 + len(facts())
    assert (late.units, late.failed, late.gaps) == (12 * len(facts()), 0, ())
    for app in facts():
        days = [date.fromisoformat(row[5]) for row in stored(ledger) if row[0] == app.id]
        assert days == [days[0] + timedelta(days=step) for step in range(12)]


async def test_what_is_final_is_what_the_service_says_in_the_end(tmp_path):
    """The running day's value is replaced by the whole day's, once the day is over."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="appLoads", days=1)], apps=facts()[0].id)
    ledger = tmp_path / "pull.sqlite"
    await pull_on(0, plan, ledger)
    ((*_, running, _, _),) = stored(ledger)
    await pull_on(1, plan, ledger)
    (*_, whole, _, _), _ = stored(ledger)
    assert whole > running


async def test_a_day_that_the_service_forgot_is_reported_as_a_gap(tmp_path):
    """After two months without a pull, the days that no call tells of any more are named, and are no failure."""
    plan = Plan(want=[Wanted("trends.app", days=2)], apps=facts()[0].id)
    ledger = tmp_path / "pull.sqlite"
    await pull_on(0, plan, ledger)
    report, _ = await pull_on(40, plan, ledger)
    assert report.failed == 0
    assert len(report.gaps) == 40 - 29  # the newest 29 are told, and the two oldest of the 42 were had


@pytest.mark.parametrize("settle_days", [0, 2])
@pytest.mark.parametrize("hours", [0, 5, 6, 17])
async def test_tomorrow_adds_a_day_and_repeats_what_was_not_settled(hours, settle_days, tmp_path):
    """At any hour: the new day, the one that was running, and as many before it as may still change."""
    want = [Wanted("error_monitoring.graph", graph="crashes", days=5)]
    plan = Plan(want=want, apps=facts()[0].id, settle_days=settle_days)
    reports = [(await pull_on(hours / 24 + later, plan, tmp_path / "ledger"))[0] for later in (0, 1)]
    assert [report.ok for report in reports] == [5, 1 + 1 + settle_days]
    assert [len(stored(tmp_path / "ledger")), reports[1].gaps] == [6, ()]
