"""A look from outside at a budget that processes share."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import anyio
import httpx
import pytest
from attrs import evolve
from counterparts import APPS

from apteligent_async import ApteligentClient, RatePolicy, SQLiteBudget, StaticToken
from apteligent_async._budgets import census
from apteligent_async._budgets.hosts import host_id
from apteligent_async._budgets.shared import account_key
from apteligent_async._budgets.store import Told
from apteligent_async._scheduling.fleet import Step
from apteligent_async._scheduling.fleet_text import advance, fleet_of, text_of
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Span

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1:9"
STEP = Step(member="m", policy=RatePolicy(), host=host_id(), pid=os.getppid())


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on both loops, in real time: the file is read by a thread."""
    return request.param


class Held(httpx.AsyncBaseTransport):
    """A service that answers when it is let go, and says that much is left."""

    def __init__(self):
        self.asked, self.goes = anyio.Event(), anyio.Event()

    async def handle_async_request(self, request):
        """Wait."""
        self.asked.set()
        await self.goes.wait()
        headers = {"Rate-Limit-Limit": "60", "Rate-Limit-Remaining": "60", "Rate-Limit-Reset": "60"}
        return httpx.Response(200, headers=headers, json=APPS, request=request)


def counted(*steps, clock="c", now=100.0, at=100.0, change=lambda _: None):
    """Take steps of members and look at what the store then knows, at an instant of its clock."""
    text = None
    for step in steps:
        text, _ = advance(text, step, hypotheses=ALL_HYPOTHESES, clock="c", now=now)
    fleet = fleet_of(text)
    change(fleet)
    return census._census(fleet_of(text_of(fleet)), Told(text, clock=clock, now=at))


async def test_it_shows_who_holds_what_and_what_waits(tmp_path, monkeypatch):
    """A call under way is leased and those behind it wait; once they are answered the budget is known."""
    budget, service = SQLiteBudget(tmp_path / "budget.db"), Held()
    credentials = StaticToken("t", client_id="id")
    account = f"{ORIGIN} id"
    monkeypatch.setattr(census, "os", SimpleNamespace(getpid=lambda: 0))
    async with (
        ApteligentClient(credentials, base_url=ORIGIN, transport=service, budget=budget) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(3):
            tasks.start_soon(client.apps.list)
        await service.asked.wait()
        await anyio.sleep(0.05)
        during = await census.take_census(SQLiteBudget(budget.path), account)
        service.goes.set()
    after = await census.take_census(SQLiteBudget(budget.path), account)
    [member] = during.residents
    assert (member.pid, member.is_here, member.standing, member.held) == (os.getpid(), True, "present", 1)
    assert (during.held, during.queued) == (1, {"token": 0, "interactive": 2, "bulk": 0})
    assert during.outdated == "has heard of no window yet"
    assert (after.held, sum(after.queued.values()), after.outdated) == (0, 0, "")
    assert after.budget.limit == 60


async def test_a_look_changes_nothing(tmp_path):
    """The state before and after it is the same, and where there is none, none is told."""
    budget = SQLiteBudget(tmp_path / "budget.db")
    store = budget.lines.open_store(account_key("a"))
    assert await census.take_census(budget, "a") is None
    await store.change(lambda told: (advance(told.text, STEP, hypotheses=ALL_HYPOTHESES, clock="c", now=1.0)[0], None))
    before = (await store.look()).text
    assert await census.take_census(budget, "a") is not None
    assert (await store.look()).text == before
    await store.aclose()


def test_one_that_has_ended_is_gone_and_holds_until_it_is_written_off():
    """What it waited for no longer counts; holding nothing, it is not shown at all."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = evolve(STEP, member="dead", pid=ended.pid)
    found = counted(evolve(dead, cost=1, wanted=(0, 0, 5, 0)))
    [member] = found.residents
    assert (member.standing, member.held, found.held) == ("gone", 1, 1)
    assert sum(found.queued.values()) == 0
    assert counted(dead).residents == ()


@pytest.mark.parametrize(("later_s", "standing"), [(10, "present"), (31, "silent")])
def test_one_of_another_host_is_silent_when_it_is_overdue(later_s, standing):
    """Its process cannot be seen from here, even if the number is that of one which has ended."""
    step = evolve(STEP, host="elsewhere", pid=2**22 + 1, cost=1, wanted=(0, 0, 1, 0))
    [member] = counted(step, at=100.0 + later_s).residents
    assert (member.is_here, member.standing, member.held) == (False, standing, 1)


def test_one_that_waits_for_a_reset_is_not_silent():
    """However far the reset lies ahead, it will come when it said."""

    def wait(fleet):
        fleet.members["m"].asks_at, fleet.members["m"].wanted = 2000.0, (0, 0, 0, 7)

    found = counted(STEP, at=1900.0, change=wait)
    assert (found.residents[0].standing, found.queued["bulk"]) == ("present", 7)


@pytest.mark.parametrize(
    ("ends", "at", "clock", "outdated"),
    [
        (None, 100, "c", "has heard of no window yet"),
        (Span(159, 160), 159.5, "c", ""),
        (Span(159, 160), 160, "c", "knows of a window that is over"),
        (Span(159, 160), 101, "other", "is of an earlier run of this machine"),
    ],
)
def test_it_says_whether_the_present_budget_is_known(ends, at, clock, outdated):
    """Within the window that it has heard of it is; nobody of another clock is told of."""

    def state(fleet):
        fleet.budget.windows.ends = ends

    found = counted(STEP, at=at, clock=clock, change=state)
    assert found.outdated == outdated
    assert len(found.residents) == (clock == "c")


def test_a_shut_gate_is_known():
    """After a 429 nobody need ask before the reset, though no window was stated."""

    def shut(fleet):
        fleet.budget.gate.shut(150.0)

    assert counted(STEP, at=149, change=shut).outdated == ""
    assert counted(STEP, at=150, change=shut).outdated


def test_its_own_process_is_not_counted():
    """Whoever only looks is no member."""
    assert counted(evolve(STEP, pid=os.getpid())).residents == ()
