"""The log of events: what is written is read again, whatever happens to the writer or the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async import ConfigurationError, Event, EventLog, read_events

PLAIN = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text()
EVENTS = st.builds(Event, st.text(), st.floats(-1e9, 1e9), st.dictionaries(st.text(max_size=9), PLAIN, max_size=4))


def written(path, *events):
    """Write a log of events; give its path."""
    with EventLog(path) as log:
        for event in events:
            log(event)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Give the path of a log that the next one replaces."""
    return tmp_path_factory.mktemp("log") / "events.jsonl"


@given(st.lists(EVENTS, max_size=5))
def test_what_is_written_is_read_again(path, events):
    """Names, instants and plain values survive as they are, line ends within texts included."""
    assert list(read_events(written(path, *events))) == events
    assert len(path.read_text(encoding="utf-8").split("\n")) == len(events) + 1


@pytest.mark.parametrize(("flow", "kept"), [(("team", 3), "('team', 3)"), (frozenset(), "frozenset()"), (7, 7)])
def test_any_flow_can_be_kept(path, flow, kept):
    """A flow may be whatever can be hashed; what JSON does not have becomes text."""
    [event] = read_events(written(path, Event("call.queued", 1.0, {"flow": flow})))
    assert event.detail == {"flow": kept}


def test_an_infinite_forecast_is_none(path):
    """Every line is JSON that any program reads."""
    written(path, Event("call.rejected", 1.0, {"eta_s": float("inf")}))
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["detail"] == {"eta_s": None}


def test_each_event_is_on_disk_at_once(path):
    """A kill loses nothing of what happened before."""
    log = EventLog(path)
    log(Event("gate.open", 1.0, {}))
    assert [event.name for event in read_events(path)] == ["gate.open"]
    log.close()


@given(cut=st.integers(0, 400))
def test_a_log_may_be_cut_anywhere(path, cut):
    """All whole lines are read; the rest of the last one is left out."""
    written(path, *(Event("call.start", float(at), {"call": at, "label": "äöü"}) for at in range(5)))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(cut % len(whole), whole.index(b"\n") + 1)])
    kept = path.read_bytes()
    assert len(list(read_events(path))) - kept.count(b"\n") in {0, 1}
    assert [event.at for event in read_events(path)][: kept.count(b"\n")] == [*map(float, range(kept.count(b"\n")))]


NOT_EVENTS = ["{}\n", "[1]", '{"name": 1, "at": 2, "detail": {}}', '{"name": "x", "at": NaN, "detail": {}}\n']
NOT_EVENTS += [
    '{"name": "x", "at": 1e300, "detail": {}}',
    "\0" * 200_000,
    "[" * 60_000,
    "9" * 60_000,
    "\n",
    "# A title",
]


@pytest.mark.parametrize("text", NOT_EVENTS)
def test_another_file_is_no_event_log(path, text):
    """The error says so, and names the line."""
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"events\.jsonl is no event log: line 1 is not an event\."):
        list(read_events(path))


def test_a_line_in_between_is_not_passed_over(path):
    """Only the last line can have been cut; damage elsewhere is said."""
    written(path, Event("a", 1.0, {}))
    path.write_text(path.read_text() + "damage\n" + path.read_text())
    with pytest.raises(ConfigurationError, match="line 2"):
        list(read_events(path))


def test_a_line_that_has_no_end_is_damage_too(path):
    """It is not read to its end, and not taken for the last one."""
    written(path, Event("a", 1.0, {}))
    path.write_text(path.read_text() + "x" * 70_000)
    with pytest.raises(ConfigurationError, match="line 2"):
        list(read_events(path))


def test_an_empty_log_has_no_events(path):
    """That is a run in which nothing happened."""
    assert list(read_events(written(path))) == []


def test_a_full_disk_ends_the_log_once():
    """The first failure is raised, and the events after it cost nothing."""
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    log = EventLog("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        log(Event("a", 1.0, {}))
    log(Event("b", 1.0, {}))
    log.close()
