"""One row of an answer that states no window: the day of asking stands in for its start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apteligent_async.bulk.units import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apteligent_async.bulk.units import Unit

__all__ = ["figure_row", "figure_rows"]


def figure_rows(item: object, names: Mapping[str, str], unit: Unit, place: tuple[str, str]) -> Iterator[Row]:
    """Make a row of each figure that an item has: attributes of its model with the service's words for them."""
    for attribute, metric in names.items():
        figure = getattr(item, attribute)
        if figure is not None:
            yield figure_row(unit, metric, figure, place)


def figure_row(unit: Unit, metric: str, figure: object, place: tuple[str | None, str | None] = (None, None)) -> Row:
    """Make a row of what has no window of its own; a text goes into the label."""
    is_number = isinstance(figure, int | float) and not isinstance(figure, bool)
    label = None if is_number or figure is None else _shown(figure)
    value: Any = figure if is_number else None
    return Row(unit.app, metric, *place, label, unit.day.isoformat(), None, value, unit.question.query)


def _shown(figure: object) -> str:
    return str(figure).lower() if isinstance(figure, bool) else str(figure)
