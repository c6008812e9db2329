"""What a command has found, once: terminals, files and pictures are all made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.showing.pictures import Picture
    from apteligent_async.models.tables import Column

__all__ = ["Heading", "Sheet", "View", "sorted_by"]


@frozen
class Heading:
    """How a terminal shows one column of a sheet.

    Attributes:
        column: the column's name.
        text: what stands above it.
        rank: which columns go first where there is no room: those with the highest rank. 0 always stays.
        is_whole: whether a part of its text would be of no use, as of an id.
        ends_tell: whether the end of its text tells more than the beginning, as of the full name of a class.
    """

    column: str
    text: str
    rank: int = 0
    is_whole: bool = False
    ends_tell: bool = False


@frozen(kw_only=True)
class Sheet:
    """One table.

    Attributes:
        name: its key in JSON.
        title: what it tells; empty where the view's title says so.
        columns: all of it, for files.
        headings: what a terminal shows of it, in that order.
        is_over_time: whether the rows go from the earliest to the latest: then the latest stay where not all do.
    """

    name: str = "rows"
    title: str = ""
    columns: tuple[Column, ...]
    headings: tuple[Heading, ...]
    is_over_time: bool = False

    @property
    def length(self) -> int:
        """How many rows it has."""
        return len(self.columns[0].cells) if self.columns else 0

    def shortened(self, count: int) -> Sheet:
        """Give the same with so many rows at most: the first, or the latest of those over time."""
        kept = slice(max(self.length - count, 0), None) if self.is_over_time else slice(count)
        return evolve(self, columns=tuple(evolve(each, cells=each.cells[kept]) for each in self.columns))


@frozen(kw_only=True)
class View:
    """What a command shows.

    Attributes:
        title: what was asked, and of which app and window.
        facts: single values with their names, above the tables.
        sheets: the tables; files of one table hold the last.
        notes: what to know when reading it, and what to do next; for people.
        picture: the same as bars or lines, if it makes any.
        failures: what could not be had, each with the reason.
    """

    title: str
    facts: tuple[tuple[str, Any], ...] = ()
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()
    picture: Picture | None = field(default=None, repr=False)
    failures: tuple[tuple[str, str], ...] = ()


def sorted_by(columns: Sequence[Column], key: str, *, is_descending: bool) -> tuple[Column, ...]:
    """Sort rows by one column; those without a value come last."""
    cells = next(column.cells for column in columns if column.name == key)
    with_value = [place for place, cell in enumerate(cells) if cell is not None]
    without = [place for place, cell in enumerate(cells) if cell is None]
    order = [*sorted(with_value, key=lambda place: cells[place], reverse=is_descending), *without]
    return tuple(evolve(column, cells=[column.cells[place] for place in order]) for column in columns)
