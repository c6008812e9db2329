"""Pictures in a terminal: bars by rich, lines by plotext, as wide as the terminal allows."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, TypeGuard

from rich.cells import cell_len, set_cell_size
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from apteligent_async.cli.showing.pictures import Line, Picture

__all__ = ["draw"]

_COLOURS = ("cyan", "magenta", "green", "orange", "blue+", "red", "gray")
_STYLES = ("color(6)", "color(5)", "color(2)", "color(3)", "color(12)", "color(1)", "color(8)")
_MARKS = "*o+x#@="
_MOST_LINES = len(_MARKS)
_LINE_ROWS = 16
_LEAST_WIDTH = 30
_LEAST_SPREAD = 1e-300
"""Below this a quarter of it is no number any more."""

_MARGIN = 20


def draw(picture: Picture, console: Console) -> None:
    """Print a picture; without colour, lines differ by the characters that they are made of.

    Raises:
        ConfigurationError: plotext is not installed, or too old.
    """
    title, unit = Text(printable(picture.title), style="bold"), Text(printable(picture.unit), style="dim")
    drawn = [line for line in picture.series if any(_is_finite(point) for point in line.points)]
    if not drawn:
        console.print(title, Text("Nothing to draw: there are no values.", style="dim"), sep="\n")
        return
    if picture.kind == "bars":
        console.print(title, unit, _bars(picture, drawn[0], console.width), sep="\n")
    else:
        console.print(title, unit, *_lines(picture, drawn[:_MOST_LINES], console), sep="\n")
    for remark in _remarks(picture, len(drawn)):
        console.print(Text(printable(remark), style="dim"))


def _remarks(picture: Picture, n_lines: int) -> Iterator[str]:
    if picture.note:
        yield picture.note
    if picture.kind == "lines" and n_lines > _MOST_LINES:
        yield f"{n_lines - _MOST_LINES} more lines are not drawn."


def _bars(picture: Picture, line: Line, width: int) -> Table:
    """Give a table of names, bars and values; names take at most half of the width."""
    bars = [(name, point) for name, point in zip(picture.labels, line.points, strict=True) if _is_finite(point)]
    longest = max(value for _, value in bars) or 1
    digits = _digits(value for _, value in bars)
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for name, value in bars:
        bar = ProgressBar(total=longest, completed=value, complete_style="cyan", finished_style="cyan")
        table.add_row(Text(_shortened(printable(name), width // 2)), bar, f"{value:,.{digits}f}")
    return table


def _lines(picture: Picture, drawn: Sequence[Line], console: Console) -> Iterator[Text]:
    has_colour = console.color_system is not None and not console.no_color
    canvas = _canvas(picture, drawn, max(console.width, _LEAST_WIDTH), has_colour=has_colour)
    yield Text.from_ansi(canvas)
    if len(drawn) > 1:
        yield _legend(drawn, console.width, has_colour=has_colour)


def _canvas(picture: Picture, drawn: Sequence[Line], width: int, *, has_colour: bool) -> str:
    """Draw the lines between their axes; plotext has one figure for the whole process, so it is cleared first."""
    plotext = _plotext()
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(width=False, height=False)
    figure.theme("simple")
    figure.plot_size(width, _LINE_ROWS)
    heights = _heights([point for line in drawn for point in line.points if _is_finite(point)])
    digits = _digits(heights)
    figure.ruler("y").lim(heights[0], heights[-1])
    figure.ruler("y").ticks(heights, [f"{height:,.{digits}f}" for height in heights])
    places = _tick_places(picture.labels, width)
    figure.ruler("x").lim(0, max(len(picture.labels) - 1, 1))
    figure.ruler("x").ticks(places, [printable(picture.labels[place]) for place in places])
    for number, line in enumerate(drawn):
        mark = plotext.marker("braille" if has_colour or len(drawn) == 1 else _MARKS[number], _COLOURS[number])
        for run in _runs(line.points):
            signal = figure.signal([place for place, _ in run], [value for _, value in run], marker=mark)
            figure.draw(signal.lines())
    return str(figure.build().string(not has_colour)).rstrip("\n")


def _plotext() -> Any:
    try:
        import plotext  # type: ignore[import-untyped]  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        plotext = None
    if not hasattr(plotext, "figure"):
        raise ConfigurationError("--plot needs plotext 6: pip install --upgrade 'apteligent-async[cli]'.")
    return plotext


def _legend(drawn: Sequence[Line], width: int, *, has_colour: bool) -> Text:
    """Name the lines; a name takes at most half of the width, and is never broken."""
    legend = Text()
    for number, line in enumerate(drawn):
        mark = "──" if has_colour else _MARKS[number]
        name = f" {_shortened(printable(line.name), width // 2)}"
        row = legend.plain.rpartition("\n")[2]
        if cell_len(row + mark + name) > width:
            legend.append("\n")
        legend.append(mark, style=_STYLES[number]).append(f"{name}   ")
    return legend


def _shortened(name: str, most: int) -> str:
    """Cut a name in its middle: what tells names apart stands at either end."""
    if cell_len(name) <= most:
        return name
    head = set_cell_size(name, (most - 1) // 2).rstrip()
    room = most - 1 - cell_len(head)
    return f"{head}…{next(name[at:] for at in range(len(name) + 1) if cell_len(name[at:]) <= room)}"


def _runs(points: Sequence[float | None]) -> Iterator[Sequence[tuple[int, float]]]:
    """Split a line where it has no value."""
    known = ((place, point) for place, point in enumerate(points))
    for is_there, run in itertools.groupby(known, key=lambda each: _is_finite(each[1])):
        if is_there:
            yield [(place, point) for place, point in run if point is not None]


def _heights(values: Sequence[float]) -> Sequence[float]:
    """Choose four to six round numbers around the values, from 0 unless all of them are far from it."""
    highest, lowest = max(values), min(values)
    floor = lowest if lowest < 0 or highest > lowest > highest / 2 else 0.0
    spread = max(highest - floor or abs(highest) or 1.0, _LEAST_SPREAD)
    power = 10.0 ** math.floor(math.log10(spread / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= spread / 4 - 1e-12)
    first, last = math.floor(floor / step), math.ceil(highest / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _tick_places(labels: Sequence[str], width: int) -> Sequence[int]:
    """Choose the labels to write, first and last among them, so that they do not touch.

    The outer ones are written inwards and the others centred, so neighbours need one and a half times their length.
    """
    last = len(labels) - 1
    room = max(map(cell_len, labels)) * 3 // 2 + 2
    step = max(math.ceil(last * room / max(width - _MARGIN, room)), 1)
    return [*range(0, last - step + 1, step), last] if last else [0]


def _digits(values: Iterable[float]) -> int:
    """Say how many decimals tell the values apart: none for whole numbers, two for what is small."""
    known = list(values)
    if all(value % 1 == 0 for value in known):
        return 0
    return 2 if max(map(abs, known)) < 100 else 1


def _is_finite(point: float | None) -> TypeGuard[float]:
    return point is not None and math.isfinite(point)
