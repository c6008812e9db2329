"""What must be known before a plan can be expanded: the apps, and what day it is where the service stands.

A survey is taken once a day and kept beside the ledger, so that a pull that is started again expands to the same units.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import asdict, evolve, frozen

from apteligent_async.bulk.expanding import chosen_apps, offset_of
from apteligent_async.errors import AuthenticationError, BadRequestError, LedgerError, NotFoundError, ResponseError
from apteligent_async.models.frozen import EMPTY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import time

    from apteligent_async.bulk.plan import Plan
    from apteligent_async.client import ApteligentClient
    from apteligent_async.models.apps import App

__all__ = ["AppFacts", "Survey", "take_survey"]

_NOT_TOLD = (AuthenticationError, BadRequestError, NotFoundError, ResponseError)
"""What an account whose plan lacks a kind of data may be answered."""


@frozen(kw_only=True)
class AppFacts:
    """What a plan needs to know of an app.

    Attributes:
        id: the app id.
        name: its name; the id where it has none.
        versions: its versions, as the service lists them.
        latest_version: the version in its store, or None.
        offset_hours: hours from GMT at which its days begin; None where nobody needed to know.
    """

    id: str
    name: str
    versions: tuple[str, ...] = ()
    latest_version: str | None = None
    offset_hours: float | None = None


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

    def instant_of(self, clock: datetime) -> datetime:
        """Tell the service's instant at an instant of this machine's clock."""
        return self.now + (clock - self.taken_at)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON, to be kept."""
        apps = [asdict(app) for app in self.apps]
        return {"apps": apps, "now": self.now.isoformat(), "taken_at": self.taken_at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Survey:
        """Read what `to_json` gave."""
        return cls(
            apps=tuple(map(_facts_from, kept["apps"])),
            now=datetime.fromisoformat(kept["now"]),
            taken_at=datetime.fromisoformat(kept["taken_at"]),
        )


def _facts_from(kept: Mapping[str, Any]) -> AppFacts:
    restored: dict[str, Any] = {**kept, "versions": tuple(kept["versions"])}
    return AppFacts(**restored)


async def take_survey(
    client: ApteligentClient, *, clock: datetime, plan: Plan | None = None, before: Survey | None = None
) -> Survey:
    """List the apps, ask for the service's clock, and for the apps' time zones where that saves calls.

    Two calls, and one more per app that is new, if the plan must know the apps' days, or wants totals of apps by so
    many questions that asking for apps of one time zone together saves more than that.

    The service tells the time only in passing: the last live window (grade B) ends now. Where it has no live
    statistics, this machine's clock is believed. Time zones are those at whose midnights the days of trends begin
    (grade A: a capture of 2016).

    Args:
        client: whom to ask.
        clock: what this machine's clock shows, aware.
        plan: what is to be pulled; without, time zones are not asked for.
        before: an earlier survey of the account, whose time zones still hold.

    Raises:
        LedgerError: the earlier survey is another account's.
    """
    listed = await client.apps.list(["appName", "appVersions", "latestVersionString"])
    known = {} if before is None else {app.id: app.offset_hours for app in before.apps}
    apps = tuple(_facts(app, known.get(app.id)) for app in listed)
    if known and apps and known.keys().isdisjoint(app.id for app in apps):
        raise LedgerError("This ledger belongs to another account: it knows none of this one's apps. Choose another.")
    now = await _service_clock(client, apps[0].id) if apps else None
    if plan is not None:
        unknown = {app.id for app in chosen_apps(plan, apps) if offset_of(plan, app) is None}
        if plan.local_days or _is_worthwhile(plan, len(unknown)):
            apps = tuple([await _located(client, app) if app.id in unknown else app for app in apps])
    return Survey(apps=apps, now=now or clock, taken_at=clock)


async def _service_clock(client: ApteligentClient, app_id: str) -> datetime | None:
    try:
        live = await client.live_stats.get(app_id)
    except _NOT_TOLD:
        return None
    ends = [window.end for window in live.periodic_data if window.end is not None and window.end.tzinfo is not None]
    return max(ends) if ends else None


def _is_worthwhile(plan: Plan, n_apps: int) -> bool:
    """Whether knowing the time zones of so many apps saves more calls than finding them out, on the first day even."""
    totals = [
        wanted
        for wanted in plan.want
        for arguments in wanted.combinations()
        if arguments.get("group_by") == "appId" and wanted.top is None
    ]
    return len(totals) * (n_apps - 1) > n_apps


async def _located(client: ApteligentClient, app: AppFacts) -> AppFacts:
    try:
        trends = await client.trends.app(app.id)
    except _NOT_TOLD:
        return app
    lines = [line for trend in trends.series.values() for line in (trend.categories or EMPTY).values()]
    starts = {start.astimezone(UTC).time() for line in lines for start in line.starts if _is_aware(start)}
    return evolve(app, offset_hours=_offset(starts.pop())) if len(starts) == 1 else app


def _is_aware(instant: datetime | None) -> TypeGuard[datetime]:
    return instant is not None and instant.tzinfo is not None


def _offset(midnight: time) -> float:
    """Turn the hour in UTC at which a day begins into an offset, from 11 hours behind to 12 ahead."""
    hours = midnight.hour + midnight.minute / 60
    return -hours if hours < 12 else 24 - hours


def _facts(app: App, offset_hours: float | None) -> AppFacts:
    return AppFacts(
        id=app.id,
        name=app.name,
        versions=tuple(app.app_versions or ()),
        latest_version=app.latest_version_string,
        offset_hours=offset_hours,
    )
