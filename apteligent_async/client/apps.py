"""The caller's apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it
from apteligent_async.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apteligent_async.models.apps import App, Apps
    from apteligent_async.models.choices import AppAttribute, Unchecked

__all__ = ["AppDirectory"]


@frozen(repr=False)
class AppDirectory:
    """The caller's apps: ``client.apps``."""

    _caller: Caller

    async def list(self, attributes: Iterable[AppAttribute | str | Unchecked] | None = None) -> Apps:
        """List the caller's apps, in the service's order (grade A: both integrations; the mobile app).

        Path: ``GET /v2/apps``. One call answers for all apps; no paging is attested.

        Args:
            attributes: what to ask for; None asks for all thirteen, as the answer without is undocumented.
        """
        return await self._caller.call(endpoints.APPS_LIST, attributes=attributes)

    async def get(self, app_id: str) -> App:
        """Give one app by its id, from a list of all: the service has no call for a single one.

        Path: ``GET /v2/apps``.

        Args:
            app_id: the app's id, as in `list`.

        Raises:
            NotFoundError: no app of this account has the id.
        """
        apps = await self.list()
        try:
            return apps.by_id[app_id]
        except KeyError:
            raise NotFoundError(
                f"No app of this account has the id {app_id!r}; apps.list() gives those that there are.",
                endpoint=endpoints.APPS_LIST.name,
            ) from None
