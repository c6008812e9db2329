"""The runner: what is missing is asked for once, what came is kept, and whoever leaves leaves nothing behind."""

from __future__ import annotations

import gc
import sqlite3
from contextlib import aclosing, closing

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import Recorder, client_of, served, world

from apteligent_async import (
    AuthenticationError,
    ClientStateError,
    ConfigurationError,
    LedgerError,
    LedgerInUse,
    NotFoundError,
    Plan,
    ResponseError,
    RetryPolicy,
)
from apteligent_async.bulk.ledger import DiskLedger
from apteligent_async.bulk.ledger_file import LedgerFile
from apteligent_async.bulk.outputs import write_output
from apteligent_async.bulk.runner import PullOptions
from apteligent_async.bulk.wanted import Wanted

pytestmark = pytest.mark.anyio

PLAN = Plan(
    want=[
        Wanted("error_monitoring.graph", graph=["crashes", "appLoads"], days=3),
        Wanted("error_monitoring.pie", graph="crashes", group_by="os"),
        Wanted("crashes.details", most=2),
    ]
)
UNITS = 4 * (2 * 3 + 1 + 1 + 2)
SURVEY = 2
CALLS = SURVEY + 4 * (2 + 1 + 1 + 2)
NO_RETRY = RetryPolicy(max_attempts=1)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, as the ledger has a thread."""
    return request.param


class Failing(Recorder):
    """A way to the simulator on which some calls fail."""

    def __init__(self, fails, **delays):
        super().__init__(served().service, **delays)
        self.fails = fails

    async def handle_async_request(self, request):
        """Fail, or pass the request on."""
        status = self.fails(request, len(self.sent))
        if status:
            self.sent.append((request.method, request.url.path, []))
            await anyio.lowlevel.checkpoint()
            return httpx.Response(status, json={"message": "no"}, request=request)
        return await super().handle_async_request(request)


async def results_of(pull):
    """Run a pull to its end."""
    return [result async for result in pull]


def rows_in(path):
    """Give every row of a ledger, without its time."""
    with closing(LedgerFile.reading(path)) as file:
        return [row[:-1] for row in file.rows()]


async def expected(tmp_path):
    """Give the rows of a pull that nobody disturbs."""
    async with client_of(served()) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "expected"))
    return rows_in(tmp_path / "expected")


@pytest.mark.parametrize("kept", [True, False])
async def test_every_unit_comes_once(kept, tmp_path):
    """With its rows, also those that lists name; the report adds up, and nothing is asked for twice."""
    way = served()
    async with client_of(way) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger" if kept else None)
        results = await results_of(pull)
    keys = [result.unit.key for result in results]
    assert len(keys) == len(set(keys)) == UNITS
    assert all(result.rows and result.error is None for result in results)
    report = pull.report
    assert (report.units, report.ok, report.failed, report.skipped) == (UNITS, UNITS, 0, 0)
    assert (report.calls, report.rate_limited, report.retried) == (len(way.sent), 0, 0)
    assert report.is_complete
    targets = [str(each) for each in way.sent]
    assert len(targets) == len(set(targets)) == CALLS
    if kept:
        assert sorted(map(repr, rows_in(tmp_path / "ledger"))) == sorted(
            repr((*row,)) for r in results for row in r.rows
        )


async def test_a_finished_run_is_no_work(tmp_path):
    """The second costs no call, not even for the apps."""
    way = served()
    async with client_of(way) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
        before = len(way.sent)
        pull = client.pull(PLAN, ledger=tmp_path / "ledger")
        assert await results_of(pull) == []
    assert len(way.sent) == before
    assert (pull.report.units, pull.report.skipped, pull.report.calls) == (UNITS, UNITS, 0)
    assert pull.report.is_complete


async def test_one_failure_stops_nothing_and_is_told_by_cause(tmp_path):
    """What failed is asked for again by `retry`, and nothing else is."""
    way = Failing(lambda request, n: 404 if "crash/details" in request.url.path or "/pie" in request.url.path else 0)
    async with client_of(way, retry=NO_RETRY) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger")
        results = await results_of(pull)
        failed = [result.unit.key for result in results if result.error]
        [cause] = pull.report.causes
        assert (cause.name, sorted(cause.units)) == ("NotFoundError", sorted(failed))
        assert isinstance(cause.example, NotFoundError)
        assert pull.report.failed == len(failed) > 0
        assert not pull.report.is_complete
        way.fails, before = (lambda request, n: 0), len(way.sent)
        again = pull.report.retry()
        assert sorted(result.unit.key for result in await results_of(again)) == sorted(failed)
        assert len(way.sent) - before == len(failed)
    assert again.report.is_complete
    assert rows_in(tmp_path / "ledger") == await expected(tmp_path)


async def test_a_pull_without_a_file_retries_what_is_missing():
    """It knows what it had for as long as it lives."""
    way = Failing(lambda request, n: 500 if "/pie" in request.url.path else 0)
    async with client_of(way, retry=NO_RETRY) as client:
        pull = client.pull(PLAN)
        await results_of(pull)
        way.fails = lambda request, n: 0
        assert len(await results_of(pull.report.retry())) == pull.report.failed == 4


async def test_strict_raises_everything_at_the_end(tmp_path):
    """After all units were tried, in one group; without, nothing is raised."""
    way = Failing(lambda request, n: 500 if "/pie" in request.url.path else 0)
    async with client_of(way, retry=NO_RETRY) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger", strict=True)
        with pytest.raises(ExceptionGroup, match=f"4 of {UNITS} units") as caught:
            await results_of(pull)
    assert len(caught.value.exceptions) == 4
    assert pull.report.ok == UNITS - 4


async def test_a_dead_token_is_not_tried_on_every_call(tmp_path):
    """After a few refusals in a row the rest is given up without a call; a new token takes it up."""
    way = Failing(lambda request, n: 401 if n > SURVEY + 5 else 0)
    async with client_of(way) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger", concurrency=2)
        await results_of(pull)
    assert {cause.name for cause in pull.report.causes} == {"AuthenticationError"}
    assert isinstance(pull.report.causes[0].example, AuthenticationError)
    assert len(way.sent) <= SURVEY + 5 + 6
    async with client_of(served()) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
    assert rows_in(tmp_path / "ledger") == await expected(tmp_path)


async def test_a_call_for_many_is_taken_apart_where_one_may_be_to_blame():
    """Each app is then asked for by itself, and one failure is one unit."""
    plan = Plan(
        want=[Wanted("error_monitoring.pie", graph=["crashes", "dau"], group_by="appId")], offset_hours={"*": 0}
    )
    bad = next(iter(world().apps))

    def fails(request, n):
        return 400 if "/pie" in request.url.path and bad in str(request.url) else 0

    async with client_of(Failing(fails)) as client:
        results = await results_of(client.pull(plan))
    assert {result.unit.app for result in results if result.error} == {bad}
    assert len(results) == 8
    assert sum(result.error is None for result in results) == 6


async def test_an_answer_that_says_nothing_of_a_unit_is_a_failure(monkeypatch):
    """Silence is not an empty answer."""
    from apteligent_async.bulk.units import Fetch

    rows_of = Fetch.rows_of

    def forgetful(fetch, answer):
        dealt = dict(rows_of(fetch, answer))
        dealt.pop(fetch.units[-1].key)
        return dealt

    monkeypatch.setattr(Fetch, "rows_of", forgetful)
    plan = Plan(want=[Wanted("error_monitoring.graph", graph="crashes", days=3)])
    async with client_of(served()) as client:
        results = await results_of(client.pull(plan))
    assert sum(isinstance(result.error, ResponseError) for result in results) == 4
    assert len(results) == 12


async def test_leaving_the_loop_keeps_what_was_finished(tmp_path):
    """`async with` waits until nothing runs: the ledger is free, and the next pull asks for the rest alone."""
    way = served()
    async with client_of(way) as client:
        async with client.pull(PLAN, ledger=tmp_path / "ledger", concurrency=2) as pull:
            async for _ in pull:
                break
        assert client.budget().in_flight == 0
        done = pull.report.ok
        assert 0 < done < UNITS
        again = client.pull(PLAN, ledger=tmp_path / "ledger")
        await results_of(again)
        assert again.report.skipped == done
    assert rows_in(tmp_path / "ledger") == await expected(tmp_path)


async def test_a_loop_that_is_just_left_ends_by_itself(tmp_path):
    """Nobody has to close anything: it stops as soon as the loop is forgotten."""
    way = served()
    async with client_of(way) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger", concurrency=2)
        async for _ in pull:
            break
        gc.collect()
        with anyio.fail_after(5):
            await pull._run.has_ended.wait()
        asked = len(way.sent)
        await anyio.sleep(0.05)
        assert len(way.sent) == asked < CALLS
        ledger = DiskLedger(tmp_path / "ledger")
        await ledger.open()
        await ledger.aclose()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(after_s=st.floats(0, 0.3), concurrency=st.integers(1, 12))
def test_cancellation_at_any_instant_loses_nothing(after_s, concurrency, tmp_path_factory, anyio_backend):
    """Nothing runs afterwards, the ledger is free, and taking it up gives the same rows."""
    folder = tmp_path_factory.mktemp("cancelled")

    async def main():
        way = served(up=0.003, down=0.003)
        async with client_of(way) as client:
            with anyio.move_on_after(after_s):
                await results_of(client.pull(PLAN, ledger=folder / "ledger", concurrency=concurrency))
            snapshot = client.budget()
            assert (snapshot.in_flight, sum(snapshot.queued.values())) == (0, 0)
            again = client.pull(PLAN, ledger=folder / "ledger")
            await results_of(again)
            assert again.report.ok + again.report.skipped == UNITS
        assert rows_in(folder / "ledger") == await expected(folder)

    anyio.run(main, backend=anyio_backend)


async def test_a_slow_consumer_is_waited_for():
    """Workers stop when nobody takes what they bring."""
    way = served()
    async with client_of(way) as client, aclosing(aiter(client.pull(PLAN, concurrency=3))) as results:
        await anext(results)
        await anyio.sleep(0.2)
        assert len(way.sent) <= SURVEY + 1 + 2 * 3


async def test_no_more_calls_are_under_way_than_were_asked_for():
    """The workers are as many, whatever waits."""
    way = served(up=0.005)
    async with client_of(way) as client:
        await results_of(client.pull(PLAN, concurrency=3))
    assert way.most_in_flight == 3


async def test_two_pulls_on_one_ledger_exclude_each_other(tmp_path):
    """The second fails at once; one pull cannot be run twice at a time either."""
    async with client_of(served()) as client, client.pull(PLAN, ledger=tmp_path / "ledger") as first:
        async for _ in first:
            with pytest.raises(LedgerInUse):
                await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
            with pytest.raises(ClientStateError):
                await results_of(first)
            break


async def test_a_full_disk_ends_it_and_room_takes_it_up(tmp_path, monkeypatch):
    """The error is one, not one for each worker, and what was committed is there."""
    commit, calls = LedgerFile.commit, []

    def full(file, batch, fetched_at):
        calls.append(batch)
        if len(calls) > 4:
            raise sqlite3.OperationalError("database or disk is full")
        commit(file, batch, fetched_at)

    monkeypatch.setattr(LedgerFile, "commit", full)
    async with client_of(served()) as client:
        pull = client.pull(PLAN, ledger=tmp_path / "ledger")
        with pytest.raises(LedgerError, match="disk is full"):
            await results_of(pull)
        assert not pull.report.is_finished
        monkeypatch.undo()
        again = pull.report.retry()
        await results_of(again)
        assert again.report.skipped == pull.report.ok > 0
    assert rows_in(tmp_path / "ledger") == await expected(tmp_path)


async def test_a_wrong_number_of_workers_is_refused():
    """Before anything is asked."""
    with pytest.raises(ConfigurationError, match="above 0"):
        client_of(served()).pull(PLAN, concurrency=0)
    assert PullOptions(concurrency=1).concurrency == 1


async def test_a_client_that_is_not_open_is_said():
    """By the loop, not by a task that nobody sees."""
    with pytest.raises(ClientStateError, match="not been entered"):
        await results_of(client_of(served()).pull(PLAN))


async def test_outputs_are_the_same_however_the_pull_was_interrupted(tmp_path):
    """Byte by byte: in another order, with other workers, in three pieces."""
    async with client_of(served()) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "whole", concurrency=1))
        for _ in range(3):
            async with client.pull(PLAN, ledger=tmp_path / "pieces", concurrency=7) as pull:
                async for _ in pull:
                    if pull.report.ok >= 9:
                        break
        await results_of(client.pull(PLAN, ledger=tmp_path / "pieces"))
    for name in ("whole", "pieces"):
        write_output(tmp_path / name, tmp_path / f"{name}-out", "jsonl")
    assert (tmp_path / "whole-out" / "rows.jsonl").read_bytes() == (tmp_path / "pieces-out" / "rows.jsonl").read_bytes()
