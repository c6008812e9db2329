"""The apps of one account at one instant of the calendar."""

from __future__ import annotations

from copy import copy
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from apteligent_async.simulator.world.clock import AppCalendar
from apteligent_async.simulator.world.error_groups import ErrorGroups, Kind
from apteligent_async.simulator.world.profile import invent, invent_dormant
from apteligent_async.simulator.world.series import Series
from apteligent_async.simulator.world.traffic import Traffic
from apteligent_async.simulator.world.userflows import Userflows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apteligent_async.simulator.world.profile import AppProfile, Version

__all__ = ["App", "World"]

_RELEASE_RHYTHM_DAYS = 28
_APPS_WITHOUT_DORMANT = 10


class App:
    """One app at one instant; everything that costs time is made when first asked for."""

    def __init__(self, profile: AppProfile, now: datetime) -> None:
        self.profile = profile
        self.calendar = AppCalendar(now, profile.offset_h)

    def at(self, now: datetime) -> App:
        """Return the app at a later instant."""
        later = App(self.profile, now)
        if "series" in self.__dict__:
            later.series = self.series.moved(later.calendar)
        return later

    @property
    def released_versions(self) -> tuple[Version, ...]:
        """The versions that users can have today, oldest first."""
        return tuple(version for version in self.profile.versions if version.released <= self.calendar.today)

    @property
    def latest_version(self) -> Version | None:
        """The newest release; None for an app that has none."""
        released = self.released_versions
        return released[-1] if released else None

    @cached_property
    def series(self) -> Series:
        """App loads and crashes by day."""
        return Series(self.profile, self.calendar)

    @cached_property
    def _groups(self) -> Mapping[Kind, ErrorGroups]:
        return {kind: ErrorGroups(self.profile, self.calendar, self.series, kind) for kind in Kind}

    def groups(self, kind: Kind) -> ErrorGroups:
        """Return the groups of crashes or of handled exceptions."""
        return self._groups[kind]

    def utc(self, local: datetime) -> datetime:
        """Return the instant at which the app's wall clock shows a naive time."""
        return (local - timedelta(hours=self.profile.offset_h)).replace(tzinfo=UTC)

    @cached_property
    def userflows(self) -> Userflows:
        """What users set out to do."""
        return Userflows(self.profile, self.series)

    @cached_property
    def traffic(self) -> Traffic:
        """Network requests by minute."""
        return Traffic(self.profile, self.series)


class World:
    """All apps that an account can see, the most popular first.

    The same seed, number of apps and instant give the same answers, always. Days that are over also stay the same when
    only the instant moves, within the four weeks of a release rhythm.

    Attributes:
        seed: any integer.
        now: the instant that is today; aware. It is told, never read from a clock.
        apps: by id, in the service's order.
    """

    def __init__(self, *, seed: int = 1, apps: int = 40, now: datetime, is_european: bool = False) -> None:
        if now.tzinfo is None:
            raise ValueError("the calendar's now must be aware: it needs an offset from UTC")
        self.seed = seed
        self.now = now.astimezone(UTC)
        profiles = _profiles(seed, apps, _last_release(self.now), is_european=is_european)
        self.apps: Mapping[str, App] = {profile.id: App(profile, self.now) for profile in profiles}

    def at(self, now: datetime) -> World:
        """Return the same world at a later instant; nothing new is released meanwhile."""
        later = copy(self)
        later.now = now.astimezone(UTC)
        later.apps = {app_id: app.at(later.now) for app_id, app in self.apps.items()}
        return later

    def __repr__(self) -> str:
        return f"<World seed={self.seed} apps={len(self.apps)} now={self.now.isoformat()}>"


def _last_release(now: datetime) -> date:
    ordinal = now.toordinal()
    return date.fromordinal(ordinal - ordinal % _RELEASE_RHYTHM_DAYS)


def _profiles(seed: int, apps: int, latest_release: date, *, is_european: bool) -> Sequence[AppProfile]:
    dormant = 1 if apps > _APPS_WITHOUT_DORMANT else 0
    profiles = [
        invent(seed, rank, latest_release=latest_release, is_european=is_european) for rank in range(apps - dormant)
    ]
    return profiles + [invent_dormant(seed, apps - 1, is_european=is_european)] * dormant
