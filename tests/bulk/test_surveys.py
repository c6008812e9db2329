"""What is known before a pull asks: what it would cost, and whose ledger it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from served import NOW, Recorder, client_of, served

from apteligent_async import LedgerError, Plan, Wanted
from apteligent_async.bulk.preview import preview
from apteligent_async.bulk.runner import new_pull
from apteligent_async.simulator import Service, World

pytestmark = pytest.mark.anyio

PLAN = Plan(want=[Wanted("error_monitoring.pie", graph="crashes", group_by="os"), Wanted("crashes.details", most=2)])
UNITS = 4 * (1 + 1 + 2)
SURVEY = 2


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, as the ledger has a thread."""
    return request.param


async def results_of(pull):
    """Run a pull to its end."""
    return [result async for result in pull]


def stranger():
    """Make a client of another account, whose apps are others."""
    service = Service(World(seed=7, apps=2, now=NOW))
    service.issue_token(service.accounts[0].client_id)  # the first of every simulated account is the same
    return client_of(Recorder(service))


async def test_a_preview_says_what_a_pull_does(tmp_path):
    """Its units and calls are those that the pull then has, with what lists name where they were had."""
    way = served()
    async with client_of(way) as client:
        before = await preview(client, PLAN, ledger=tmp_path / "ledger")
        assert (len(before.units), before.had, len(way.sent)) == (UNITS - 8, 0, SURVEY)
        assert before.cost.calls_after == UNITS - 8
        assert before.cost.is_lower_bound
        assert not (tmp_path / "ledger").exists()
        await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
        sent = len(way.sent)
        after = await preview(client, PLAN, ledger=tmp_path / "ledger")
    assert (after.units, after.had, len(way.sent)) == ((), UNITS, sent)


@pytest.mark.parametrize("later", [0, 1])
async def test_a_ledger_is_not_filled_from_another_account(later, tmp_path):
    """Neither on the day of its last survey, when it has all that was wanted, nor on the next."""
    async with client_of(served()) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
    clock = datetime.now(UTC) + timedelta(days=later)
    async with stranger() as client:
        with pytest.raises(LedgerError, match="another account"):
            await results_of(new_pull(client, PLAN, ledger=tmp_path / "ledger", concurrency=2, clock=lambda: clock))
        with pytest.raises(LedgerError, match="another account"):
            await preview(client, PLAN, ledger=tmp_path / "ledger")


async def test_a_new_token_takes_a_pull_up(tmp_path):
    """It is the same account, as its apps show: for the two calls of a survey, nothing is had twice."""
    way = served()
    async with client_of(way) as client:
        await results_of(client.pull(PLAN, ledger=tmp_path / "ledger"))
    before = len(way.sent)
    async with client_of(way) as client:
        again = client.pull(PLAN, ledger=tmp_path / "ledger")
        assert await results_of(again) == []
    assert (again.report.skipped, len(way.sent) - before) == (UNITS, SURVEY)
