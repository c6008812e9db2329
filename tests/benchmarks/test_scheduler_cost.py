"""The cost benchmark runs in its short form and measures what it says; no figure is a test."""

from __future__ import annotations

import asyncio
import json

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import scheduler_cost
from benchmarks.own_costs import ANYIO, BARE, DISPATCHER
from benchmarks.rivals import environment
from benchmarks.rivals.costs import LIMITERS
from benchmarks.waiting import ORDERS, costs_of, order_of

TURNSTILES = [pytest.param(each, id=each.client) for each in (DISPATCHER, BARE, ANYIO)]


@settings(deadline=None)
@given(st.sampled_from(ORDERS), st.integers(0, 200))
def test_every_order_names_each_waiter_once(order, count):
    """Whichever the order, every waiter leaves exactly once."""
    assert sorted(order_of(order, count)) == list(range(count))


def test_orders_differ():
    """Oldest first counts up, newest first counts down, random does neither."""
    oldest, newest, mixed = (order_of(order, 50) for order in ORDERS)
    assert oldest == newest[::-1] == sorted(mixed)
    assert mixed not in (oldest, newest)


@pytest.mark.parametrize("turnstile", TURNSTILES)
def test_wide_turnstiles_let_everybody_through(turnstile):
    """A wide turnstile never keeps anybody waiting for another."""

    async def main():
        acquire = turnstile.wide()
        await acquire()
        with anyio.fail_after(5):
            for _ in range(30):
                await acquire()

    asyncio.run(main())


@pytest.mark.parametrize("turnstile", TURNSTILES)
def test_dripping_turnstiles_let_a_whole_line_through(turnstile):
    """A dripping turnstile serves a line of any length in the end."""

    async def main():
        acquire = turnstile.dripping()
        async with asyncio.timeout(20):
            await asyncio.gather(*[acquire() for _ in range(300)])

    asyncio.run(main())


@pytest.mark.parametrize("turnstile", TURNSTILES)
def test_shut_turnstiles_keep_everybody_and_let_everybody_leave(turnstile):
    """Nobody passes a shut turnstile, and all who wait can be cancelled."""

    async def main():
        acquire = turnstile.shut()
        waiting = [asyncio.ensure_future(acquire()) for _ in range(20)]
        await asyncio.wait(waiting, timeout=0.02)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting, return_exceptions=True)
        assert all(task.cancelled() for task in waiting)

    asyncio.run(main())


def test_costs_have_all_four_measurements():
    """One limiter yields a free acquire, grants with few and many waiters, a weight, and three cancellations."""
    costs = asyncio.run(costs_of(BARE, few=5, many=20))
    assert [cost.measure for cost in costs][:4] == ["free acquire", "grant", "grant", "bytes per waiter"]
    assert [cost.measure for cost in costs][4:] == [f"cancel {order}" for order in ORDERS]
    assert all(cost.value >= 0 for cost in costs)


def test_short_form_prints_rows(capsys):
    """The short form needs no other package, and its last line holds the rows of core, loop and limiters."""
    scheduler_cost.main(["--quick", "--json"])
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert {row["measure"] for row in rows if row["client"] == "apteligent_async core"} >= {
        "submit + due",
        "grant (settle + due)",
        "bytes per waiter",
        "cancel random",
    }
    assert {"tenacity's loop", "anyio's cancel scope", "anyio.CapacityLimiter"} <= {row["client"] for row in rows}
    assert {row["client"] for row in rows if row["measure"] == "wake-ups per grant"} == {
        f"apteligent_async core, {mode}" for mode in ("exclusive", "shared", "polite")
    }


@pytest.mark.skipif(not environment.is_ready(), reason="the rivals' environment is not installed")
@pytest.mark.parametrize("name", LIMITERS)
def test_every_rival_can_be_measured(name):
    """Each real limiter yields all measurements in its own process."""
    found = environment.ask("benchmarks.rivals.costs", [name, "10", "50"], timeout_s=60)
    assert [each["client"] for each in found] == [name] * 7


def test_a_rival_that_fails_is_named(monkeypatch, capsys):
    """A limiter that cannot be measured is named on stderr with the reason, and the rest goes on."""

    def fail(module, arguments, *, timeout_s):
        raise environment.RivalError(f"no module named {arguments[0]}")

    monkeypatch.setattr(scheduler_cost, "ask", fail)
    assert list(scheduler_cost.rivals(few=1, many=1)) == []
    assert "aiolimiter: not measured with 1 waiters: no module named aiolimiter" in capsys.readouterr().err


def test_a_rival_that_comes_to_no_end_is_asked_for_less(monkeypatch, capsys):
    """Where a hundred waiters are too many for it, ten are measured; stderr says so."""

    def ask(module, arguments, *, timeout_s):
        if arguments[2] == "100":
            raise environment.RivalError("no end")
        return [{"client": arguments[0], "measure": "grant", "value": 1.0, "unit": "s", "waiters": int(arguments[2])}]

    monkeypatch.setattr(scheduler_cost, "ask", ask)
    found = [(cost.client, cost.waiters) for cost in scheduler_cost.rivals(few=10, many=100)]
    assert found == [(name, 10) for name in LIMITERS]
    assert "pyrate-limiter: not measured with 100 waiters: no end" in capsys.readouterr().err
