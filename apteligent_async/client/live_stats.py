"""How an app does right now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it

if TYPE_CHECKING:
    from datetime import timedelta

    from apteligent_async.models.choices import LivePeriod, Unchecked
    from apteligent_async.models.live import LiveStats

__all__ = ["LiveStatistics"]


@frozen(repr=False)
class LiveStatistics:
    """What happens right now: ``client.live_stats``."""

    _caller: Caller

    async def get(self, app_id: str, period: LivePeriod | timedelta | str | Unchecked = "PT5M") -> LiveStats:
        """Count an app's loads and crashes of the last minutes, or of a day (grade B: the mobile app).

        Path: ``GET /v2/liveStats/{app_id}/{period}``. The crash percentage runs from 0 to 100.

        Args:
            app_id: the app.
            period: ``PT5M`` for many short windows, ``P1D`` for a single one; or a timedelta of that length.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.LIVE_STATS, app_id=app_id, period=period)
