"""``/liveStats``: what came in today, and in the last five minutes by ten seconds.

The moments are those of the world's calendar; what they hold is part of the same day in error monitoring.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.world.usage import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App

__all__ = ["live_stats"]

_STEP = timedelta(seconds=10)
_STEPS = 30
_DAY = timedelta(days=1)


class _Period(StrEnum):
    DAY = "P1D"
    MINUTES = "PT5M"


def live_stats(asked: Asked) -> dict[str, Any]:
    """Answer one bucket for today (it ends at midnight to come), or thirty that end at the last full ten seconds."""
    app = asked.app()
    try:
        period = _Period(asked.path["period"])
    except ValueError:
        raise Refusal(400, "period must be P1D or PT5M") from None
    match period:
        case _Period.DAY:
            midnight = datetime.combine(app.calendar.today, time())
            starts, step = [midnight], _DAY
        case _Period.MINUTES:
            now = app.calendar.local_now.replace(microsecond=0)
            end = now - timedelta(seconds=now.second % 10)
            starts, step = [end - _STEP * back for back in range(_STEPS, 0, -1)], _STEP
        case _:
            assert_never(period)
    return {"data": _stats(app, starts, step)}


def _stats(app: App, starts: Sequence[datetime], step: timedelta) -> dict[str, Any]:
    buckets = [_bucket(app, start, start + step) for start in starts]
    loads, crashes = (sum(bucket[key] for bucket in buckets) for key in ("appLoads", "crashes"))
    return {"crashPercentage": percent(crashes, loads), "periodicData": buckets}


def _bucket(app: App, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "start": app.utc(start).isoformat(),
        "end": app.utc(end).isoformat(),
        "appLoads": app.series.arrived(app.series.loads, start, end),
        "crashes": app.series.arrived(app.series.crashes, start, end),
    }
