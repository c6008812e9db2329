"""A pull: every pie once, fifty at a time, and no failure that stops the others unheard."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import anyio
import pytest

from apteligent_async import (
    ApteligentClient,
    ErrorGraph,
    ErrorGroupBy,
    MemoryBudget,
    NotFoundError,
    PasswordGrant,
    RatePolicy,
)
from apteligent_async.cli.demo.cuts import Cut, ask, plan_of, questions_about
from apteligent_async.cli.progress import Display
from apteligent_async.cli.pulling import WORKERS, Batch, run_batch, watched
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World

pytestmark = pytest.mark.anyio

QUIET = Display(every_s=0.01, show=lambda standing: None)
UNKNOWN = Cut(graph=ErrorGraph.CRASHES, group_by=ErrorGroupBy.OS, app_ids=("f" * 24,), app_name="nobody's")


class Account:
    """A client on a simulator with five apps and more budget than is needed, and its plan."""

    def __init__(self):
        world = World(apps=5, now=datetime(2016, 12, 12, 20, tzinfo=UTC))
        service = Service(world, quota=QuotaSettings(limit=1_000_000))
        self.transport = SimulatorTransport(service, up=0.002)
        self.client = ApteligentClient(
            PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password),
            base_url="http://127.0.0.1:9",
            transport=self.transport,
            policy=RatePolicy(mode="exclusive"),
            budget=MemoryBudget(),
        )
        self.batch = Batch()
        self.kept = []

    async def __aenter__(self):
        await self.client.open()
        apps = await self.client.apps.list()
        self.questions = questions_about(apps)
        self.batch.plan(plan_of(apps, self.questions))
        return self

    async def __aexit__(self, *error):
        await self.client.aclose()

    def keep(self, cut, pie):
        """Write an answer down."""
        self.kept.append((cut, pie))

    async def run(self, keep, display=QUIET):
        """Pull everything."""
        work = partial(run_batch, self.batch, partial(ask, self.client), keep)
        await watched(self.client, self.batch, work, display=display)


async def test_every_pie_is_asked_for_once():
    """Five metrics of every app by three dimensions, and what the questions need beyond them."""
    async with Account() as account:
        await account.run(account.keep)
    cuts = [cut for cut, _ in account.kept]
    assert len(cuts) == len(set(cuts)) == account.batch.done == account.batch.total == 5 * 5 * 3 + 3
    assert {question.cut for question in account.questions} <= set(cuts)
    assert account.transport.calls == len(cuts) + 2
    assert all(pie.slices for _, pie in account.kept)


async def test_at_most_fifty_ask_at_once():
    """The tasks are as many as the budget lets through, not one per pie."""
    async with Account() as account:
        await account.run(account.keep)
    assert account.transport.most_in_flight == WORKERS == 50


async def test_a_pie_that_cannot_be_had_does_not_stop_the_others():
    """It is noted with its reason."""
    async with Account() as account:
        account.batch.plan([UNKNOWN])
        await account.run(account.keep)
    assert account.batch.done == account.batch.total - 1
    [(cut, error)] = account.batch.failures
    assert cut == UNKNOWN
    assert isinstance(error, NotFoundError)


async def test_rows_that_cannot_be_kept_end_it_with_that_error():
    """One error comes out, not a group of as many as there are tasks."""

    def keep(cut, pie):
        raise OSError("full")

    async with Account() as account:
        with pytest.raises(OSError, match=r"^full$"):
            await account.run(keep)
        assert account.batch.done == 0


async def test_cancelling_it_leaves_what_was_kept():
    """It ends at once, and the pull says how far it was."""
    async with Account() as account:
        with anyio.CancelScope() as scope:

            def keep(cut, pie):
                account.keep(cut, pie)
                scope.cancel()

            await account.run(keep)
    assert scope.cancelled_caught
    assert 1 <= len(account.kept) <= WORKERS
    assert account.batch.done == len(account.kept)


async def test_the_last_standing_shown_is_the_end():
    """Whatever the display's pace, it ends with everything done."""
    shown = []
    async with Account() as account:
        await account.run(account.keep, display=Display(every_s=60, show=shown.append))
    assert [(each.done, each.total) for each in shown] == [(0, 78), (78, 78)]
