"""A story drawn for terminals: its windows as strips of time, and its waits as sentences. Plain ASCII, no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from apteligent_async.cli.explaining.reasons import reason_of, sentence_of, since_start
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async.cli.explaining.story import Attempt, Call, Story, Stretch, Window
    from apteligent_async.cli.explaining.waits import WaitGroup

__all__ = ["LEGEND", "call_lines", "group_text", "headlines", "window_table"]

LEGEND = "# calls start   - budget used up   x stopped by a 429   ~ other waits   | reset"

_MOST_WINDOWS = 50
_MOST_LABELS = 3
_LONGEST_LABEL = 40
_HEADINGS = ("", "from", "calls", "429s", "reset")
_STRIP_POSITION = 2
_SHORTEST_STRIP = 10
_LEAST_SHARE = 0.05


def headlines(story: Story) -> Iterator[str]:
    """Say the whole log in a few lines: calls, seconds, 429s, windows, and what the line waited for how long."""
    seconds, starts = story.ended_at - story.began_at, len(story.charges)
    yield (
        f"{_counted(len(story.calls), 'call')} in {seconds:.1f} s; the service has counted "
        f"{_counted(starts, 'request')}, "
        f"{story.refusals} of them answered 429; windows seen: {len(story.windows)}."
    )
    if not story.waited:
        yield "No call waited in line."
        return
    waited_s = sum(story.waited.values())
    yield f"Calls waited in line for {waited_s:.1f} s ({_share(waited_s, seconds)} of the time):"
    for cause, cause_s in story.waited.items():
        yield f"  {cause_s:8.1f} s  {_share(cause_s, seconds):>4}  {reason_of(cause).short}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def window_table(story: Story, *, width: int) -> Table:
    """Draw a strip of time for each of the first windows, with the calls that started and those known to be left."""
    shown = story.windows[:_MOST_WINDOWS]
    rows = [_facts(window, story) for window in shown]
    taken = sum(max(map(len, column)) + 1 for column in zip(_HEADINGS, *rows, strict=True))
    cells = max(width - taken - 1, _SHORTEST_STRIP)
    table = Table(box=None, padding=(0, 1, 0, 0))
    for position, heading in enumerate(_HEADINGS):
        if position == _STRIP_POSITION:
            table.add_column("timeline", no_wrap=True, overflow="crop", max_width=cells)
        table.add_column(heading, justify="right", no_wrap=True)
    for window, facts in zip(shown, rows, strict=True):
        table.add_row(*facts[:_STRIP_POSITION], _strip(story, window, cells), *facts[_STRIP_POSITION:])
    hidden = len(story.windows) - len(shown)
    if hidden:
        table.add_row("", "", f"and {hidden} more")
    return table


def _facts(window: Window, story: Story) -> tuple[str, ...]:
    return (
        str(window.number),
        since_start(window.began_at, story),
        f"{window.started} of {window.known}",
        str(window.refused),
        "unknown" if window.ends_at is None else since_start(window.ends_at, story),
    )


def group_text(group: WaitGroup, story: Story) -> str:
    """Say in a sentence or two why a group of calls waited."""
    spread = f"{group.longest_s:.1f} s"
    if group.longest_s - group.shortest_s >= 0.1:
        spread = f"{group.shortest_s:.1f} to {spread}"
    text = f"Window {group.window}: {_members(group)}, {_labels(group)}, waited {spread}: "
    text += f"{sentence_of(group.reason, story)}."
    others = [one for one in group.others if one.seconds >= _LEAST_SHARE * group.longest_s]
    if others:
        text += " Besides: " + ", ".join(_aside(one, story) for one in others) + "."
    return text


def call_lines(call: Call, story: Story) -> Iterator[str]:
    """Tell one call's life, in the order of time."""
    lane = f" in the lane {printable(call.lane)[:_LONGEST_LABEL]}" if call.lane else ""
    ahead = "" if call.ahead is None else f", {call.ahead:.0f} calls before it"
    yield f"{_at(call.joined_at, story)}  call {call.ticket}, {_label(call.label)}, joins the line{lane}{ahead}"
    moments = [(wait.began_at, 0, tuple(_wait_lines(call, number, story))) for number, wait in enumerate(call.waits)]
    moments += [(one.started_at, 1, tuple(_attempt_lines(one, story))) for one in call.attempts]
    for _, _, lines in sorted(moments):
        yield from lines
    if call.end is not None:
        yield f"{'':>11}  it has left the line: {call.end}"


def _aside(stretch: Stretch, story: Story) -> str:
    number = story.window_at(stretch.began_at).number
    return f"{reason_of(stretch.cause).short} in window {number} ({stretch.seconds:.1f} s)"


def _wait_lines(call: Call, number: int, story: Story) -> Iterator[str]:
    for part in story.reasons(call.waits[number]):
        yield f"{_at(part.began_at, story)}  waits {part.seconds:.1f} s: {sentence_of(part, story)}"


def _attempt_lines(attempt: Attempt, story: Story) -> Iterator[str]:
    number = story.window_at(attempt.started_at).number
    yield f"{_at(attempt.started_at, story)}  starts in window {number}; {attempt.left:.0f} more calls are proven"
    if attempt.ended_at is not None:
        yield f"{_at(attempt.ended_at, story)}  {printable(attempt.outcome or '')[:_LONGEST_LABEL]}"


def _strip(story: Story, window: Window, cells: int) -> str:
    """Draw one window: starts over waits over nothing; the length stands for the time until the next window."""
    began_at, ended_at = window.began_at, story.end_of(window)
    per_s = (cells - 1) / max(ended_at - began_at, 0.001)
    strip = [" "] * cells
    for stretch in story.line_between(began_at, ended_at):
        first = int((max(stretch.began_at, began_at) - began_at) * per_s)
        last = int((min(stretch.ended_at, ended_at) - began_at) * per_s)
        for cell in range(first, last):
            strip[cell] = reason_of(stretch.cause).mark
    for attempt in story.attempts_in(window):
        strip[min(int((attempt.started_at - began_at) * per_s), cells - 2)] = "#"
    if window.number < len(story.windows):
        strip[-1] = "|"
    return "".join(strip)


def _members(group: WaitGroup) -> str:
    count, first, last = len(group.tickets), group.tickets[0], group.tickets[-1]
    if count == 1:
        return f"call {first} (still waiting)" if group.unended else f"call {first}"
    waiting = f"; {group.unended} still waiting" if group.unended else ""
    return f"{count} calls ({first} to {last}{waiting})"


def _labels(group: WaitGroup) -> str:
    named = ", ".join(_label(label) for label in group.labels[:_MOST_LABELS])
    hidden = len(group.labels) - _MOST_LABELS
    return f"{named} and {hidden} more" if hidden > 0 else named


def _label(label: str) -> str:
    return printable(label)[:_LONGEST_LABEL] or "without a name"


def _at(at: float, story: Story) -> str:
    return f"{since_start(at, story):>11}"


def _share(part: float, whole: float) -> str:
    return f"{part / max(whole, 0.001):.0%}"
