"""Tables turned into pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apteligent_async.cli.showing.pictures import Line, Picture
from apteligent_async.models.tables import printable, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from apteligent_async.models.tables import Column

__all__ = ["bars_of", "lines_of"]

_MOST_BARS = 50


def bars_of(columns: Sequence[Column], *, title: str, unit: str, is_of_many: bool) -> Picture | None:
    """Draw the rows of pies as bars, in their order; None if no row has a value.

    Args:
        columns: with ``app``, ``name``, ``label`` and ``value``.
        title: of the picture.
        unit: what the values count.
        is_of_many: whether each bar has to name its app.
    """
    found = [row for row in rows(columns) if row["value"] is not None][:_MOST_BARS]
    if not found:
        return None
    names = [row["label"] or row["name"] for row in found]
    labels = [f"{row['app']}: {name}" for row, name in zip(found, names, strict=True)] if is_of_many else names
    return Picture(
        kind="bars",
        title=printable(title),
        series=(Line(name=unit, points=tuple(row["value"] for row in found)),),
        labels=tuple(map(printable, labels)),
        unit=unit,
    )


def lines_of(columns: Sequence[Column], *, by: str, at: str, title: str, unit: str, note: str = "") -> Picture | None:
    """Draw rows as lines over time; None if no row has a value.

    Args:
        columns: with ``value`` and the two that are named.
        by: the column that tells lines apart.
        at: the column of instants.
        title: of the picture.
        unit: what the values count.
        note: how the instants are to be read.
    """
    found = [row for row in rows(columns) if row[at] is not None]
    if all(row["value"] is None for row in found):
        return None
    instants = sorted({row[at].replace(tzinfo=None) for row in found})
    return Picture(
        kind="lines",
        title=printable(title),
        series=tuple(_line(name, found, instants, by=by, at=at) for name in dict.fromkeys(row[by] for row in found)),
        labels=_labels(instants),
        unit=unit,
        note=note,
    )


def _line(name: str, found: Sequence[dict[str, Any]], instants: Sequence[datetime], *, by: str, at: str) -> Line:
    points = {row[at].replace(tzinfo=None): row["value"] for row in found if row[by] == name}
    return Line(name=printable(name), points=tuple(points.get(instant) for instant in instants))


def _labels(instants: Sequence[datetime]) -> tuple[str, ...]:
    """Write days where every instant is at the same time of day, and times of day where not."""
    is_daily = len({instant.time() for instant in instants}) == 1
    return tuple(f"{instant:%Y-%m-%d}" if is_daily else f"{instant:%Y-%m-%d %H:%M}" for instant in instants)
