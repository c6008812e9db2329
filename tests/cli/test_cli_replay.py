"""A log read by an outside program: it knows what the service has counted, and why every call waited."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs_on_record import UP_S, events_of, record

from apteligent_async import Event
from apteligent_async._scheduling.signals import Cause
from apteligent_async.cli.explaining.reasons import REASONS, sentence_of
from apteligent_async.cli.explaining.replay import replay
from apteligent_async.cli.explaining.story import BACKOFF, UNKNOWN
from apteligent_async.cli.explaining.timeline import call_lines, group_text, headlines, window_table
from apteligent_async.cli.explaining.waits import groups_of

pytestmark = pytest.mark.anyio

RUNS = {
    "calm": {"calls": 70},
    "retries": {"calls": 70, "trouble": 0.15, "seed": 1},
    "cancellations": {"calls": 120, "impatient": 0.7, "seed": 2},
    "a 429": {"calls": 30, "initial_use": 20},
    "all of it": {"calls": 120, "trouble": 0.1, "impatient": 0.4, "initial_use": 20, "seed": 3},
    "all of it, again": {"calls": 120, "trouble": 0.2, "impatient": 0.4, "initial_use": 20, "seed": 4},
}


@pytest.fixture(params=RUNS)
async def run(request, tmp_path):
    """Give the log of a run that has the budget to itself, and the service's own books."""
    books = await record(tmp_path / "log", mode="exclusive", **RUNS[request.param])
    return request.param, tmp_path / "log", books


def counted_by(path):
    """Say what the service has counted, by the rule in `event_log` and nothing of ours but the file."""
    starts, last = [], {}
    for line in path.read_text().splitlines():
        event = json.loads(line)
        name, call = event["name"], event["detail"].get("call")
        was_start = last.get(call) == "call.start"
        if name == "call.start":
            starts.append((event["at"], call))
        elif was_start and (name == "call.withdrawn" or event["detail"].get("outcome") == "not sent"):
            starts.remove(next(one for one in reversed(starts) if one[1] == call))
        last[call] = name
    return [at for at, _ in starts]


async def test_the_services_count_is_rebuilt_exactly(run):
    """Every request that the service has counted is in the log, at its instant, and nothing else is."""
    _, path, books = run
    arrived = [entry.at for entry in books]
    assert [at + UP_S for at in counted_by(path)] == pytest.approx(arrived, abs=1e-6)
    assert [at + UP_S for at in replay(events_of(path)).charges] == pytest.approx(arrived, abs=1e-6)


async def test_the_runs_have_in_them_what_they_are_for(run):
    """The troubles that the count must survive have happened."""
    name, path, books = run
    seen = defaultdict(int)
    for event in events_of(path):
        seen[event.name, event.detail.get("outcome", event.detail.get("was_started"))] += 1
    assert len(books) > 20
    assert sum(entry.is_refused for entry in books) >= seen["call.answer", "limited"]
    assert bool(seen["call.answer", "limited"]) == ("initial_use" in RUNS[name])
    if "trouble" in RUNS[name]:
        assert seen["call.answer", "not sent"]
        assert seen["call.answer", "link failed"]
    if "impatient" in RUNS[name]:
        assert seen["call.withdrawn", False]
        assert seen["call.abandoned", None]


async def test_every_wait_has_a_reason(run):
    """The reasons of a wait follow each other, and fill it from end to end."""
    _, path, _ = run
    story = replay(events_of(path))
    waits = [wait for call in story.calls.values() for wait in call.waits if wait.seconds > 0.01]
    assert waits
    for wait in waits:
        reasons = story.reasons(wait)
        ends = [wait.began_at, *(one.ended_at for one in reasons)]
        assert [one.began_at for one in reasons] == pytest.approx(ends[:-1], abs=0.002)
        assert reasons[-1].ended_at == pytest.approx(wait.ended_at, abs=0.002)
        assert UNKNOWN not in {one.cause for one in reasons}


async def test_the_line_never_waits_for_more_than_the_run_took(run):
    """Stretches are in order and apart, so that their seconds can be added up."""
    _, path, _ = run
    story = replay(events_of(path))
    instants = [at for one in story.line for at in (one.began_at, one.ended_at)]
    assert instants == sorted(instants)
    assert sum(story.waited.values()) <= story.ended_at - story.began_at + 1e-6


async def test_windows_hold_what_the_service_gave(tmp_path):
    """Seventy calls and a login fill three windows of twenty and begin a fourth."""
    await record(tmp_path / "log", calls=70, mode="exclusive")
    story = replay(events_of(tmp_path / "log"))
    assert [(one.started, one.known) for one in story.windows] == [(20, 20)] * 3 + [(11, 20)]
    assert [one.others for one in story.windows] == [0] * 4


async def test_a_wait_is_told_in_words(tmp_path):
    """Who used the budget, and when the reset was expected; a 429 and a pause are told as what they are."""
    await record(tmp_path / "log", calls=70, mode="exclusive")
    story = replay(events_of(tmp_path / "log"))
    told = [group_text(group, story) for group in groups_of(story)]
    drained = next(text for text in told if text.startswith("Window 2"))
    assert "the budget of the window was used up (20 of 20 by this client); the reset was expected at +6" in drained
    await record(tmp_path / "log", calls=70, mode="exclusive", **{k: RUNS["all of it"][k] for k in ("trouble", "seed")})
    story = replay(events_of(tmp_path / "log"))
    causes = {one.cause for call in story.calls.values() for wait in call.waits for one in story.reasons(wait)}
    assert BACKOFF in causes


async def test_a_429_is_told_as_the_gate_that_it_is(tmp_path):
    """A call that is refused waits for the reset that the refusal stated."""
    await record(tmp_path / "log", calls=30, mode="exclusive", initial_use=20)
    story = replay(events_of(tmp_path / "log"))
    assert story.refusals == 1
    assert story.waited["refused"] > 30
    assert sum(window.refused for window in story.windows) == 1
    assert "x" in drawn(window_table(story, width=80))


@pytest.mark.parametrize("policy", [{"mode": "polite"}, {"mode": "shared", "share": 0.5}, {"mode": "shared"}])
async def test_other_policies_are_explained_too(tmp_path, policy):
    """No wait is left without a reason where the policy holds calls back."""
    await record(tmp_path / "log", calls=40, **policy)
    story = replay(events_of(tmp_path / "log"))
    causes = {one.cause for call in story.calls.values() for wait in call.waits for one in story.reasons(wait)}
    assert causes <= {cause.value for cause in Cause}
    assert {"polite": "pace", "shared": "share" if "share" in policy else "drained"}[policy["mode"]] in causes


def scripted(*lines):
    """Make the story of events that are written as an instant, a name and a detail."""
    return replay(Event(name, float(at), detail) for at, name, detail in lines)


ONE = {"call": 1, "label": "apps.list", "cost": 1, "left": 0}
TWO = {"call": 2, "label": "apps.list", "cost": 1, "left": 0}


def test_a_start_that_was_given_back_has_cost_nothing():
    """Its caller had gone before it was sent; that the call comes back later is another start."""
    story = scripted((0, "call.start", ONE), (1, "call.withdrawn", ONE | {"was_started": True}), (5, "call.start", ONE))
    assert story.charges == [5.0]
    assert [(wait.began_at, wait.ended_at) for wait in story.calls[1].waits] == [(0.0, 0.0), (1.0, 5.0)]


def test_the_line_waits_only_while_somebody_waits():
    """What it was blocked by holds until a call starts, and counts for nothing while nobody is there."""
    blocked = (0, "line.blocked", {"cause": "drained", "until": 60.0})
    story = scripted(
        (0, "call.queued", ONE),
        blocked,
        (10, "call.withdrawn", ONE),
        (30, "call.queued", TWO),
        (60, "call.start", TWO),
        (60, "call.queued", ONE | {"call": 3}),
        (70, "call.start", ONE | {"call": 3}),
    )
    assert [(one.began_at, one.ended_at, one.cause) for one in story.line] == [(0, 10, "drained"), (30, 60, "drained")]
    assert [one.cause for one in story.reasons(story.calls[3].waits[0])] == [UNKNOWN]


def test_a_stretch_is_one_however_often_its_end_was_moved():
    """The pace of a policy is said anew with every look; people want the last word."""
    story = scripted(
        (0, "call.queued", ONE),
        *((at, "line.blocked", {"cause": "pace", "until": at + 9.0}) for at in range(5)),
        (5, "call.start", ONE),
    )
    [reason] = story.reasons(story.calls[1].waits[0])
    assert (reason.seconds, reason.until) == (5.0, 13.0)


def test_a_budget_that_others_used_is_not_put_on_this_client():
    """Where somebody else was seen, the words say whose calls are known."""
    story = scripted(
        (0, "call.start", ONE),
        (1, "others.seen", {}),
        (1, "call.queued", TWO),
        (1, "line.blocked", {"cause": "drained", "until": 60.0}),
        (60, "call.start", TWO),
    )
    [stretch] = story.line
    assert "used up (2 calls by this client, the rest by others); the reset" in sentence_of(stretch, story)


def test_a_call_that_waits_at_the_end_of_the_log_is_told_so():
    """Its wait has no end, and it is not taken for one that started."""
    story = scripted((0, "call.queued", ONE), (0, "line.blocked", {"cause": "probe"}), (4, "others.seen", {}))
    [wait] = story.calls[1].waits
    assert (wait.seconds, wait.ended_in) == (4.0, None)
    assert "call 1 (still waiting), apps.list, waited 4.0 s" in group_text(groups_of(story)[0], story)


def test_every_cause_has_words():
    """A new cause of the scheduler needs a row here."""
    assert set(REASONS) == {cause.value for cause in Cause} | {BACKOFF, UNKNOWN}
    assert all(reason.short.isascii() and reason.sentence.isascii() for reason in REASONS.values())


def drawn(table):
    """Give a table's cells as text."""
    return "\n".join("".join(map(str, column.cells)) for column in table.columns)


ODD = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3) | st.lists(st.integers())
DETAILS = st.fixed_dictionaries(
    {"call": st.integers(1, 4) | ODD},
    optional=dict.fromkeys(["cost", "left", "waited_s", "start_at", "until", "ends_at", "ahead"], ODD)
    | dict.fromkeys(["label", "lane", "cause", "outcome"], st.text(max_size=5) | ODD),
)
NAMES = ["call.queued", "call.start", "call.answer", "call.abandoned", "call.again", "call.withdrawn", "call.shed"]
NAMES += ["call.rejected", "call.given_up", "line.blocked", "window.open", "others.seen", "gate.close", "call.x", "?"]
EVENTS = st.builds(Event, st.sampled_from(NAMES), st.floats(-1e11, 1e11) | st.integers(0, 9), DETAILS)


@given(st.lists(EVENTS, min_size=1, max_size=30))
def test_no_log_is_too_odd(events):
    """Whatever the events say, in whatever order, there is a story, and it is told without a control character."""
    story = replay(events)
    assert sum(window.started for window in story.windows) == len(story.charges)
    told = [*headlines(story), *(group_text(group, story) for group in groups_of(story))]
    told += [line for call in story.calls.values() for line in call_lines(call, story)]
    told += [sentence_of(one, story) for one in story.line]
    assert all(text.isprintable() for text in told)
    assert drawn(window_table(story, width=60))


def test_no_events_are_no_story():
    """There is nothing to tell."""
    assert replay([]) is None
