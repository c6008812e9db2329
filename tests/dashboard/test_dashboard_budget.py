"""The budget as the page tells it: in words, as a line of callers, and as events."""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async import ClientStateError, Event
from apteligent_async.dashboard.line import Line
from apteligent_async.dashboard.rendering import age_words, number
from apteligent_async.dashboard.standing import standing_of
from apteligent_async.dashboard.stream import LONGEST_S, TICK_S, budget_events, message
from apteligent_async.testing import ApteligentServer


async def snapshot_after(calls, **quota):
    """Give a client's budget after some calls, one after the other."""
    server = ApteligentServer(apps=1, **quota)
    async with server.client() as client:
        for _ in range(calls):
            await client.apps.list()
        return client.budget()


@pytest.mark.anyio
async def test_a_standing_is_one_of_five_and_says_why():
    """Unknown, ready, waiting, used up, refused: each as the budget is."""
    unknown = await snapshot_after(0)
    ready, used_up = await snapshot_after(1, limit=5), await snapshot_after(1, limit=1)
    waiting = evolve(ready, queued={"bulk": 3}, waits_for="answers")
    elsewhere = evolve(ready, queued_elsewhere={"bulk": 3})
    refused = evolve(ready, is_gated=True, waits_for="refused")
    found = [standing_of(each) for each in (unknown, ready, waiting, elsewhere, used_up, refused)]
    assert [each.state for each in found] == ["unknown", "ready", "waiting", "waiting", "used-up", "refused"]
    assert [bool(each.reason) for each in found] == [False, False, True, False, True, True]
    assert found[2].announcement.startswith("Calls wait: all calls that are proven safe are under way")
    assert found[0].whole is None
    assert (found[1].whole, found[4].left, found[4].percent) == (5, 0, 0)
    assert {fact.term: fact.text for fact in found[2].facts}["In line"] == "3 bulk"
    assert {fact.term: fact.text for fact in found[3].facts}["In other processes"] == "3 bulk"
    resets = [standing_of(evolve(ready, reset_s=seconds)).facts[0].text for seconds in (None, 0.2, 0.0)]
    assert resets == ["not stated", "in 1 s", "has passed"]


@pytest.mark.anyio
async def test_the_line_is_the_one_that_the_budget_counts(anyio_backend_name):
    """With more calls than budget, those shown in line are those that the snapshot counts, at every moment."""
    server, line, seen = ApteligentServer(apps=2, limit=4, bucket_s=10), Line(), []
    async with server.client(transport=server.transport(up=0.2)) as client:
        client.on_event(line)
        bulk = client.with_options(priority="bulk")

        async def look():
            for _ in range(60):
                await anyio.sleep(0.5)
                waiting = line.waiting(now=anyio.current_time())
                counted = dict.fromkeys(client.budget().queued, 0)
                for each in waiting:
                    counted[each.lane] += each.count
                seen.append(counted == client.budget().queued)
                assert all(each.longest_s >= 0 for each in waiting)

        async with anyio.create_task_group() as group:
            group.start_soon(look)
            for each in [client, bulk, client, bulk, bulk, bulk]:
                group.start_soon(each.apps.list)
        assert all(seen)
        assert line.waiting(now=anyio.current_time()) == []
        assert not line._started


def test_calls_are_grouped_and_the_longest_wait_comes_first():
    """By endpoint and lane; a call that failed waits again in its old lane."""
    line = Line()
    for call, lane, at in [(1, "bulk", 0.0), (2, "bulk", 1.0), (3, "interactive", 2.0)]:
        line(Event("call.queued", at, {"call": call, "label": "apps.list", "lane": lane}))
    line(Event("call.start", 3.0, {"call": 2, "label": "apps.list"}))
    line(Event("call.again", 4.0, {"call": 2, "label": "apps.list"}))
    line(Event("window.open", 4.0, {"left": 1}))
    found = [(each.lane, each.count, each.longest_s) for each in line.waiting(now=5.0)]
    assert found == [("bulk", 2, 5.0), ("interactive", 1, 3.0)]


@pytest.mark.anyio
async def test_a_stream_tells_changes_beats_in_between_and_ends():
    """After its longest time at the latest; at once where the server ends."""
    told = iter(["one", "one", "two"] + ["two"] * 1000)

    async def tell():
        return next(told)

    began = anyio.current_time()
    events = [event async for event in budget_events(tell, is_ending=bool)]
    assert events[1:4] == [message("budget", "one"), message("beat", ""), message("budget", "two")]
    assert anyio.current_time() - began == pytest.approx(LONGEST_S)
    began, ending = anyio.current_time(), iter([False, False, True])
    assert len([event async for event in budget_events(tell, is_ending=lambda: next(ending))]) == 3
    assert anyio.current_time() - began == pytest.approx(2 * TICK_S)


@pytest.mark.anyio
async def test_a_stream_ends_with_the_client():
    """A client that is closed has no budget to tell of."""

    async def tell():
        raise ClientStateError("closed")

    assert len([event async for event in budget_events(tell, is_ending=bool)]) == 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_stream(text):
    """Every line of it is a line of data, so that nothing in it can begin an event of its own."""
    lines = message("budget", text).split("\n")
    assert lines[0] == "event: budget"
    assert lines[-2:] == ["", ""]
    assert all(line.startswith("data: ") for line in lines[1:-2])
    assert [line.removeprefix("data: ") for line in lines[1:-2]] == (text.splitlines() or [""])


@given(st.floats(min_value=0, max_value=1e9))
def test_ages_are_told_in_one_unit(seconds):
    """Never more than four digits below years, and never wrong by more than half a unit."""
    amount, unit = age_words(seconds).split("\u202f")
    length = {"s": 1, "min": 60, "h": 3600, "days": 86_400}[unit]
    assert abs(int(amount) * length - seconds) <= length / 2 + 1e-6 * seconds


def test_a_figure_that_is_missing_is_a_dash():
    """As is one that is no number; others have thin spaces between thousands."""
    assert [number(None), number(float("nan")), number(1234567.891, 1)] == ["–", "–", "1\u202f234\u202f567.9"]  # noqa: RUF001  a dash
