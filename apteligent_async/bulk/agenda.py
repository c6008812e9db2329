"""What a pull has to do: the units of a plan, when each was had, and so which are due. Pure, nothing is asked here.

Units are made when they are looked at, so that a million of them take the memory of their questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.bulk.planner import calls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from apteligent_async.bulk.expanding import Span
    from apteligent_async.bulk.units import Fetch, Question, Row, Unit

    Dated = Iterator[tuple[Unit, datetime | None]]

__all__ = ["Agenda", "names_in", "units_of"]


def units_of(spans: Iterable[Span]) -> Iterator[Unit]:
    """Give the units of a plan one by one."""
    return (unit for span in spans for unit in span)


def names_in(rows: Iterable[Row]) -> tuple[str, ...]:
    """Give what a list names, each name once."""
    return tuple(dict.fromkeys(row.key for row in rows if row.key is not None))


@frozen(kw_only=True)
class Agenda:
    """Units, and when each was had.

    Attributes:
        spans: the questions of the plan.
        had: for each of their units, in order, when it was had; None if it was not.
        now: the instant that the plan was expanded at.
        renewed_at: as for `Unit.is_due`.
        allow: names of the savings to use, as for `schedule`.
        done: questions that have been dealt with; their units are left out.
    """

    spans: Sequence[Span]
    had: Sequence[datetime | None]
    now: datetime
    renewed_at: datetime | None = None
    allow: Collection[str] | None = None
    done: Collection[Question] = ()

    def __iter__(self) -> Dated:
        """Give every unit with the instant at which it was had."""
        return self._dated(span for span in self.spans if span.question not in self.done)

    @property
    def listings(self) -> Dated:
        """The units that name what others are about, done or not, likewise."""
        return self._dated(span for span in self.spans if span.is_listing)

    @property
    def due(self) -> Iterator[Unit]:
        """The units that are to be asked for."""
        return (unit for unit, fetched_at in self if self.is_due(unit, fetched_at))

    @property
    def calls(self) -> Iterator[Fetch]:
        """The calls that bring them; those for several questions last."""
        return calls(self.due, allow=self.allow)

    def is_due(self, unit: Unit, fetched_at: datetime | None) -> bool:
        """Whether to ask for a unit, which was had at an instant or not at all."""
        return unit.is_due(fetched_at, now=self.now, renewed_at=self.renewed_at)

    def _dated(self, spans: Iterable[Span]) -> Dated:
        for span in spans:
            yield from zip(span, self.had[span.order : span.order + len(span)], strict=True)
