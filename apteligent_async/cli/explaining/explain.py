"""``apteligent explain``: why each call of a recorded run waited."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  the command line reads the annotation
from typing import TYPE_CHECKING, Any

from attrs import asdict
from rich.text import Text

from apteligent_async.cli.explaining.replay import replay
from apteligent_async.cli.explaining.timeline import LEGEND, call_lines, group_text, headlines, window_table
from apteligent_async.cli.explaining.waits import groups_of
from apteligent_async.cli.flags import AsJson  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.output import open_console, print_json
from apteligent_async.errors import ConfigurationError
from apteligent_async.event_log import read_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from apteligent_async.cli.explaining.story import Call, Story

__all__ = ["explain"]

_MOST_GROUPS = 200


def explain(
    file: Path,
    *,
    call: int | None = None,
    as_json: AsJson = False,
) -> None:
    """Tell from a log of events why its calls waited: the whole run window by window, or one call from end to end.

    `EventLog` writes such a log, and so does `apteligent demo --events FILE`. Times are seconds since its first event;
    in the JSON object, instants are on the log's own clock.

        apteligent explain events.jsonl
        apteligent explain events.jsonl --call 25

    Args:
        file: The log; a last line that was cut short does no harm.
        call: Tell of the call with this number only.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    story = _story_in(file)
    chosen = None if call is None else _chosen(story, call)
    console = open_console(as_json=as_json)
    if chosen is None:
        _show_run(console, story)
    else:
        _show_lines(console, call_lines(chosen, story), indent=13)
    if as_json:
        print_json(_run_figures(story) if chosen is None else _call_figures(chosen, story))


def _story_in(path: Path) -> Story:
    try:
        story = replay(read_events(path))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}.") from error
    if story is None:
        raise ConfigurationError(f"{path} holds no events.")
    return story


def _chosen(story: Story, ticket: int) -> Call:
    if ticket not in story.calls:
        known = f"its calls are numbered {min(story.calls)} to {max(story.calls)}" if story.calls else "it has no call"
        raise ConfigurationError(f"There is no call {ticket} in this log: {known}.")
    return story.calls[ticket]


def _show_run(console: Console, story: Story) -> None:
    _show_lines(console, headlines(story), indent=2)
    console.print()
    console.print(window_table(story, width=console.width))
    _show_lines(console, [LEGEND], indent=2)
    groups = groups_of(story)
    if groups:
        console.print()
        _show_lines(console, (group_text(group, story) for group in groups[:_MOST_GROUPS]), indent=2)
    if len(groups) > _MOST_GROUPS:
        console.print(f"... and {len(groups) - _MOST_GROUPS} more; --json gives all of them.")


def _show_lines(console: Console, lines: Iterable[str], *, indent: int) -> None:
    """Print lines, what does not fit wrapped and set in."""
    for line in lines:
        first, *rest = Text(line).wrap(console, console.width - indent)
        console.print(first.plain.rstrip())
        for part in rest:
            console.print(" " * indent + part.plain.rstrip())


def _run_figures(story: Story) -> dict[str, Any]:
    return {
        "calls": len(story.calls),
        "counted": len(story.charges),
        "began_at": story.began_at,
        "seconds": round(story.ended_at - story.began_at, 3),
        "rate_limited": story.refusals,
        "waited": {cause: round(seconds, 3) for cause, seconds in story.waited.items()},
        "windows": [asdict(window) for window in story.windows],
        "groups": [asdict(group) for group in groups_of(story)],
    }


def _call_figures(call: Call, story: Story) -> dict[str, Any]:
    waits = [asdict(reason) for wait in call.waits for reason in story.reasons(wait)]
    return {**asdict(call), "waits": waits}
