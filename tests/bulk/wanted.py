"""Units made by hand, for a ledger and a runner that need no plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from apteligent_async import DayLabels
from apteligent_async.bulk.units import Question, Row, Unit

NOON = datetime(2016, 12, 12, 12, tzinfo=UTC)


def unit(app, *, day=12, order=0, metric="crashes", settles_at=NOON - timedelta(hours=1), **marks):
    """Make a unit of December 2016."""
    question = Question(
        endpoint="error_monitoring.graph", app=app, arguments=(("graph", metric),), day_labels=DayLabels.END
    )
    return Unit(question=question, day=date(2016, 12, day), settles_at=settles_at, order=order, **marks)


def rows_for(wanted, *values):
    """Make a row of a unit for each value."""
    day = wanted.day.isoformat()
    return [
        Row(wanted.app, "crashes", "appVersion", str(place), None, day, None, value, wanted.question.query)
        for place, value in enumerate(values)
    ]
