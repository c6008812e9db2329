"""What must be known before a plan can be expanded: the apps, and what day it is where the service stands.

A survey is taken once a day and kept beside the ledger, so that a pull that is started again expands to the same units.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async.errors import AuthenticationError, BadRequestError, NotFoundError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async.client import ApteligentClient
    from apteligent_async.models.apps import App

__all__ = ["AppFacts", "Survey", "take_survey"]


@frozen(kw_only=True)
class AppFacts:
    """What a plan needs to know of an app.

    Attributes:
        id: the app id.
        name: its name; the id where it has none.
        versions: its versions, as the service lists them.
        latest_version: the version in its store, or None.
    """

    id: str
    name: str
    versions: tuple[str, ...] = ()
    latest_version: str | None = None


@frozen(kw_only=True)
class Survey:
    """The apps of an account, and the service's clock.

    Attributes:
        apps: all of them, in the service's order.
        now: the service's instant when the survey was taken, aware; what `expand` is told.
        taken_at: the same by this machine's clock; when the dates of the two differ in days, believe the service.
    """

    apps: tuple[AppFacts, ...]
    now: datetime
    taken_at: datetime

    def is_fresh(self, clock: datetime) -> bool:
        """Whether it was taken on the day (UTC) that this machine's clock shows, so that no other is needed."""
        return self.taken_at.astimezone(UTC).date() == clock.astimezone(UTC).date()

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON, to be kept."""
        apps = [
            {"id": app.id, "name": app.name, "versions": list(app.versions), "latest_version": app.latest_version}
            for app in self.apps
        ]
        return {"apps": apps, "now": self.now.isoformat(), "taken_at": self.taken_at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Survey:
        """Read what `to_json` gave."""
        return cls(
            apps=tuple(AppFacts(**{**app, "versions": tuple(app["versions"])}) for app in kept["apps"]),
            now=datetime.fromisoformat(kept["now"]),
            taken_at=datetime.fromisoformat(kept["taken_at"]),
        )


async def take_survey(client: ApteligentClient, *, clock: datetime) -> Survey:
    """List the apps and ask for the service's clock: two calls.

    The service tells the time only in passing: the last live window (grade B) ends now. Where it has no live
    statistics, this machine's clock is believed.

    Args:
        client: whom to ask.
        clock: what this machine's clock shows, aware.
    """
    listed = await client.apps.list(["appName", "appVersions", "latestVersionString"])
    apps = tuple(_facts(app) for app in listed)
    now = await _service_clock(client, apps[0].id) if apps else None
    return Survey(apps=apps, now=now or clock, taken_at=clock)


async def _service_clock(client: ApteligentClient, app_id: str) -> datetime | None:
    try:
        live = await client.live_stats.get(app_id)
    except (AuthenticationError, BadRequestError, NotFoundError, ResponseError):
        return None  # an account's plan may not have them
    ends = [window.end for window in live.periodic_data if window.end is not None and window.end.tzinfo is not None]
    return max(ends) if ends else None


def _facts(app: App) -> AppFacts:
    versions = tuple(app.app_versions or ())
    return AppFacts(id=app.id, name=app.name, versions=versions, latest_version=app.latest_version_string)
