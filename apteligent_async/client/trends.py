"""How an app did over the last month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it

if TYPE_CHECKING:
    from datetime import date, datetime

    from apteligent_async.models.trends import Trends, UserTrend

__all__ = ["AppTrends"]


@frozen(repr=False)
class AppTrends:
    """The last month, day by day: ``client.trends``."""

    _caller: Caller

    async def app(
        self,
        app_id: str,
        *,
        max_keys: int | None = None,
        start_date_inclusive: datetime | date | str | None = None,
    ) -> Trends:
        """Give fourteen metrics of an app over 31 days (grade A: the Splunk integration; a capture of 2016).

        Path: ``GET /v2/trends/{app_id}``. Counts are whole, ratios run from 0 to 100 with two decimals; days begin at
        midnight of the app's own time zone, and the last is the running one.

        Args:
            app_id: the app.
            max_keys: how many versions, systems or devices to tell apart (grade C: a dashboard, on v1 only).
            start_date_inclusive: the first day (grade C: a dashboard, on v1 only).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            endpoints.TRENDS_APP, app_id=app_id, max_keys=max_keys, start_date_inclusive=start_date_inclusive
        )

    async def dau(self, app_id: str) -> UserTrend:
        """Give an app's daily users (grade B: the mobile app; all but ``todayValue`` is a guess, grade D).

        Path: ``GET /v2/trends/dau/{app_id}``. The unit is users.

        Args:
            app_id: the app.

        Raises:
            ConfigurationError: the id cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.TRENDS_DAU, app_id=app_id)

    async def mau(self, app_id: str) -> UserTrend:
        """Give an app's monthly users (grade B: the mobile app; all but ``todayValue`` is a guess, grade D).

        Path: ``GET /v2/trends/mau/{app_id}``. The unit is users.

        Args:
            app_id: the app.

        Raises:
            ConfigurationError: the id cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.TRENDS_MAU, app_id=app_id)
