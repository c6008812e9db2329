"""Views drawn for terminals: tables that fit the width, by leaving out columns before shortening what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import Console, JustifyMethod

    from apteligent_async.cli.showing.views import Heading, Sheet, View
    from apteligent_async.models.tables import Column

__all__ = ["MOST_ROWS", "print_view"]

MOST_ROWS = 20
"""Rows that a terminal shows where nobody says how many."""

_GAP = 3
"""Between two columns: padding on either side of the divider."""

_LEAST_TEXT = 14
_LEAST_NAME = 16
"""Of the columns that always stay: what a row is about has to be told."""


@frozen(kw_only=True)
class _Strip:
    """A column as it is drawn: its heading, its cells as text, and the widths it would like and can do with."""

    heading: Heading
    cells: Sequence[str]
    is_text: bool

    @property
    def natural(self) -> int:
        return max(map(cell_len, (self.heading.text, *self.cells)))

    @property
    def least(self) -> int:
        if not self.is_text or self.heading.is_whole:
            return self.natural
        return min(self.natural, max(_LEAST_TEXT if self.heading.rank else _LEAST_NAME, cell_len(self.heading.text)))

    def shown(self, width: int) -> Sequence[str]:
        """Give the cells, without the beginning of what is too long where the end tells more."""
        return [_ending(cell, width) for cell in self.cells] if self.heading.ends_tell else self.cells


def print_view(console: Console, view: View, *, most_rows: int | None) -> None:
    """Print a view's title, facts, tables and notes.

    Args:
        console: whose width everything fits.
        view: what to print; its texts are made harmless here.
        most_rows: of each table; None prints all.
    """
    _print_line(console, view.title, style="bold")
    if view.facts:
        console.print(_facts_grid(view))
    for sheet in view.sheets:
        if sheet.title:
            console.print()
            _print_line(console, sheet.title, style="bold")
        _print_sheet(console, sheet, most_rows=most_rows)
    for note in view.notes:
        _print_line(console, note, style="dim")


def _print_line(console: Console, text: str, *, style: str) -> None:
    console.print(Text(printable(text), style=style))


def _facts_grid(view: View) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in view.facts:
        grid.add_row(Text(printable(name), style="dim"), Text(printable(_plain(value))))
    return grid


def _print_sheet(console: Console, sheet: Sheet, *, most_rows: int | None) -> None:
    if not sheet.length:
        _print_line(console, "Nothing.", style="dim")
        return
    shown = sheet if most_rows is None else sheet.shortened(most_rows)
    strips, left_out = _fitting(tuple(_strips(shown)), console.width)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    widths = _widths(strips, console.width)
    for strip, width in zip(strips, widths, strict=True):
        justify: JustifyMethod = "left" if strip.is_text else "right"
        table.add_column(strip.heading.text, justify=justify, width=width, no_wrap=True, overflow="ellipsis")
    for row in zip(*(strip.shown(width) for strip, width in zip(strips, widths, strict=True)), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    for remark in _remarks(sheet, sheet.length - shown.length, [strip.heading.text for strip in left_out]):
        _print_line(console, remark, style="dim")


def _remarks(sheet: Sheet, rows: int, columns: Sequence[str]) -> Iterator[str]:
    if rows > 0:
        yield f"and {rows} {'earlier' if sheet.is_over_time else 'more'}: --top 0 shows all"
    if columns:
        yield f"no room for {', '.join(columns)}: --format json shows all"


def _strips(sheet: Sheet) -> Iterator[_Strip]:
    columns = {column.name: column for column in sheet.columns}
    for heading in sheet.headings:
        column = columns.get(heading.column)
        if column is not None and any(cell is not None for cell in column.cells):
            yield _Strip(heading=heading, cells=_texts(column), is_text=column.kind == "text")


def _fitting(strips: tuple[_Strip, ...], width: int) -> tuple[tuple[_Strip, ...], tuple[_Strip, ...]]:
    """Leave out the columns of the highest ranks until the rest fits; give what stays, and what does not."""
    stay = strips
    while sum(strip.least + _GAP for strip in stay) - _GAP > width:
        worst = max(stay, key=lambda strip: strip.heading.rank)
        if worst.heading.rank == 0:
            break
        stay = tuple(strip for strip in stay if strip is not worst)
    return stay, tuple(strip for strip in strips if strip not in stay)


def _widths(strips: tuple[_Strip, ...], width: int) -> list[int]:
    """Shorten the widest texts until all columns fit, to what they can do with at first and below that if they must."""
    widths = [strip.natural for strip in strips]
    room = width - _GAP * (len(strips) - 1)
    for bounds in ([strip.least for strip in strips], [1 if strip.is_text else strip.natural for strip in strips]):
        while sum(widths) > room and (wider := [place for place, bound in enumerate(bounds) if widths[place] > bound]):
            widths[max(wider, key=widths.__getitem__)] -= 1
    return widths


def _texts(column: Column) -> list[str]:
    if column.kind == "number":
        digits = 2 if any(cell is not None and cell % 1 for cell in column.cells) else 0
        return ["" if cell is None else f"{cell:,.{digits}f}" for cell in column.cells]
    if column.kind == "instant":
        minutes = [_plain(cell) for cell in column.cells]
        seconds = ["" if cell is None else _zoned(cell, "%Y-%m-%d %H:%M:%S") for cell in column.cells]
        return minutes if len(set(minutes)) == len(set(seconds)) else seconds
    return [printable(_plain(cell)) for cell in column.cells]


def _ending(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    kept = text[max(len(text) - width + 1, 0) :]
    while cell_len(kept) >= width:
        kept = kept[1:]
    return f"…{kept}"


def _plain(value: Any) -> str:
    """Write a cell for people."""
    if value is None:
        return ""
    if hasattr(value, "strftime"):
        return _zoned(value, "%Y-%m-%d %H:%M") if hasattr(value, "hour") else value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _zoned(instant: datetime, pattern: str) -> str:
    zone = f"{instant:%z}"
    return instant.strftime(pattern) + ("Z" if zone == "+0000" else zone)
