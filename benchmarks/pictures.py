"""Draws the guide's pictures from the logs of real runs, and prints what each of them shows.

python -m benchmarks.pictures                    # writes docs/pictures/*.svg
python -m benchmarks.pictures --to folder --json
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from apteligent_async._scheduling.policy import Mode
from benchmarks.bounds import Trip, windows
from benchmarks.recordings import (
    BACKLOG,
    BUDGET,
    TRIP_S,
    WINDOW_S,
    record_line,
    record_mode,
    record_one_budget,
    record_two,
)
from benchmarks.svg import Drawing, Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from apteligent_async.cli.explaining.story import Call, Story

__all__ = ["PICTURES", "draw_line", "draw_modes", "draw_neighbours", "main"]

_HOME: Final = Path(__file__).parents[1] / "docs" / "pictures"
_WIDTH: Final = 760
_MARGIN: Final = 20
_STRIP: Final = 82
_ANSWER: Final = 0.8
"""The height of an answer among those of its two seconds."""
_REFUSED: Final = "limited"
_WAIT_INKS: Final = {"drained": "wait", "reserve": "third"}
"""The inks of what calls wait for; the first answers of windows, and others on their way, are the ink's of calls."""


def draw_line() -> Drawing:
    """Draw what is left while a line is worked off, and under it what each of its calls waited for."""
    story = record_line()
    calls = sorted(story.calls.values(), key=lambda call: call.attempts[0].started_at)
    x = Scale((0, 125), (52, _WIDTH - _MARGIN))
    drawing = Drawing(_WIDTH, 436, f"45 bulk calls and an urgent one, 20 a minute: {_told([story])}")
    drawing.text(_MARGIN, 28, "What is left of the window, and the calls that start")
    _draw_seconds(drawing, x, top=40, bottom=380, last=120)
    inks = {ink: [call for call in calls if _ink_of(call) == ink] for ink in ("first", "second")}
    _draw_left(drawing, story, x, Scale((0, 20), (140, 52)), ticks=(0, 10, 20), inks=inks)
    drawing.text(_MARGIN, 176, "What each call waits for, one row a call")
    for row, call in enumerate(calls):
        _draw_waits(drawing, call, story, x, y=190 + 4 * row)
    for words, ink, place in (
        ("budget used up", "wait", 52),
        ("reserve kept for urgent calls", "third", 186),
    ):
        drawing.bar(place, 414, 14, 6, ink=ink)
        drawing.text(place + 20, 421, words, ink="quiet")
    for words, ink, place in (("bulk call starts", "first", 408), ("urgent call starts", "second", 540)):
        drawing.dots([(place, 417)], ink=ink, radius=3)
        drawing.text(place + 9, 421, words, ink="quiet")
    return drawing


def draw_modes() -> Drawing:
    """Draw what is left, and the calls that start, for one backlog in each mode."""
    shortest_s = windows(
        n=BACKLOG, budget=BUDGET, window_s=WINDOW_S, left=BUDGET, ends_in_s=WINDOW_S, trip=Trip(TRIP_S, TRIP_S)
    )
    stories = {mode: record_mode(mode) for mode in get_args(Mode)}
    told = "; ".join(f"{mode}: {_told([story])}" for mode, story in stories.items())
    drawing = Drawing(_WIDTH, 260, f"{BACKLOG} calls at {BUDGET} a minute. {told}")
    panel, gap = 214, 19
    for number, (mode, story) in enumerate(stories.items()):
        left = 48 + number * (panel + gap)
        drawing.text(left, 28, mode, size=14)
        seconds = _ended_s([story])
        drawing.text(left, 46, f"{seconds:.0f} s, {seconds / shortest_s:.2f} times the shortest", ink="quiet")
        x, ticks = Scale((0, 105), (left, left + panel)), () if number else (0, 30, 60)
        _draw_seconds(drawing, x, top=58, bottom=206, last=90)
        _draw_left(
            drawing, story, x, Scale((0, BUDGET), (202, 66)), ticks=ticks, inks={"first": [*story.calls.values()]}
        )
    words = (
        "Line: calls left. Dots: calls that start. Dashes: the reset. The shortest: for who knows the budget's future."
    )
    drawing.text(48, 246, words, ink="quiet")
    return drawing


def draw_neighbours() -> Drawing:
    """Draw the answers to two clients of one client id: without knowing of each other, and with one budget."""
    runs = {f"two clients, {mode}": record_two(mode) for mode in get_args(Mode)}
    runs["two clients, one budget"] = [record_one_budget()]
    told = "; ".join(f"{name}: {_told(stories)}" for name, stories in runs.items())
    drawing = Drawing(_WIDTH, 56 + _STRIP * len(runs), f"{BACKLOG} calls at {BUDGET} a minute. {told}")
    x = Scale((0, 90), (210, _WIDTH - _MARGIN))
    _draw_seconds(drawing, x, top=14, bottom=14 + _STRIP * len(runs), last=90)
    for row, (name, stories) in enumerate(runs.items()):
        bottom = 6 + _STRIP * (row + 1)
        refused = sum(story.refusals for story in stories)
        drawing.text(_MARGIN, bottom - 30, name)
        words = f"{refused} refused, {_ended_s(stories):.0f} s"
        drawing.text(_MARGIN, bottom - 13, words, ink="alarm" if refused else "quiet")
        _draw_answers(drawing, stories, x, bottom=bottom)
    bottom = drawing.height - 12
    for words, ink, place in (("answered", "first", 210), ("refused with 429", "alarm", 300)):
        drawing.bar(place, bottom - 7, 10, 7, ink=ink)
        drawing.text(place + 16, bottom, words, ink="quiet")
    drawing.text(_WIDTH - _MARGIN, bottom, "height: calls in 2 s", ink="quiet", anchor="end")
    return drawing


PICTURES: Final[Mapping[str, Callable[[], Drawing]]] = {
    "line": draw_line,
    "modes": draw_modes,
    "neighbours": draw_neighbours,
}
"""What is drawn, by the file's name without its ending."""


def _draw_seconds(drawing: Drawing, x: Scale, *, top: float, bottom: float, last: int) -> None:
    """Draw an axis of seconds with a dashed line at each reset."""
    drawing.line([(x.places[0], bottom), (x.places[1], bottom)], ink="grid")
    for second in range(0, last + 1, 30):
        drawing.text(x(second), bottom + 16, f"{second} s", ink="quiet", size=11, anchor="middle")
        if second and not second % WINDOW_S:
            drawing.line([(x(second), top), (x(second), bottom)], ink="quiet", dashes="2 4")


def _ink_of(call: Call) -> str:
    return "first" if call.lane == "bulk" else "second"


def _draw_left(
    drawing: Drawing, story: Story, x: Scale, y: Scale, *, ticks: Sequence[int], inks: Mapping[str, Sequence[Call]]
) -> None:
    """Draw how many calls were proven to be left, down with each start and up with each window."""
    for tick in ticks:
        drawing.text(x.places[0] - 10, y(tick) + 4, str(tick), ink="quiet", size=11, anchor="end")
    for window in story.windows:
        points = [(x(window.began_at), y(window.known))]
        for attempt in story.attempts_in(window):
            points += [(x(attempt.started_at), points[-1][1]), (x(attempt.started_at), y(attempt.left))]
        ended_at = min(story.end_of(window), x.values[1])
        drawing.line([*points, (x(ended_at), points[-1][1])], ink="wait", width=1.5)
    for ink, calls in inks.items():
        drawing.dots([(x(one.started_at), y(one.left)) for call in calls for one in call.attempts], ink=ink)


def _draw_waits(drawing: Drawing, call: Call, story: Story, x: Scale, *, y: float) -> None:
    for wait in call.waits:
        for reason in story.reasons(wait):
            began = x(reason.began_at)
            drawing.bar(began, y, x(reason.ended_at) - began, 2.6, ink=_WAIT_INKS.get(reason.cause, "first"))
    drawing.dots([(x(call.attempts[0].started_at), y + 1.3)], ink=_ink_of(call))


def _draw_answers(drawing: Drawing, stories: Sequence[Story], x: Scale, *, bottom: float) -> None:
    """Draw a bar for every two seconds, refusals on top."""
    attempts = [attempt for story in stories for attempt in story.attempts]
    answered = Counter(int(one.started_at // 2) for one in attempts if one.outcome != _REFUSED)
    refused = Counter(int(one.started_at // 2) for one in attempts if one.outcome == _REFUSED)
    width = x(2) - x(0) - 1
    for slot in sorted(answered | refused):
        top = bottom
        for ink, answers in (("first", answered[slot]), ("alarm", refused[slot])):
            height = round(_ANSWER * answers, 1)
            top = round(top - height, 1)
            if height:
                drawing.bar(x(2 * slot), top, width, height, ink=ink)


def _ended_s(stories: Iterable[Story]) -> float:
    return max(story.ended_at - story.began_at for story in stories)


def _told(stories: Sequence[Story]) -> str:
    """Say what a run came to, in the words that stand for the picture."""
    calls = sum(len(story.calls) for story in stories)
    refused = sum(story.refusals for story in stories)
    return f"{calls} calls in {_ended_s(stories):.0f} s, {refused} refused"


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=_HOME, help="the folder to write to")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    wanted = parser.parse_args(given)
    wanted.to.mkdir(parents=True, exist_ok=True)
    shown = {}
    for name, draw in PICTURES.items():
        drawing = draw()
        shown[name] = drawing.words
        (wanted.to / f"{name}.svg").write_text(drawing.to_svg(), encoding="utf-8", newline="\n")
        print(f"{name:12} {drawing.words}")
    if wanted.json:
        print(json.dumps({"pictures": shown}))


if __name__ == "__main__":
    main()
