"""Crash groups and groups of handled exceptions: what they are called, and how often each struck on a day.

Every crash of the app's series is dealt to a group that exists in its version, so that the groups of a day add up to
the app's crashes of that day, version by version.
"""

from __future__ import annotations

import math
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.simulator.world.dice import dice, digest

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import date

    from apteligent_async.simulator.world.clock import AppCalendar
    from apteligent_async.simulator.world.profile import AppProfile
    from apteligent_async.simulator.world.series import Series

__all__ = ["HISTORY_DAYS", "ErrorGroup", "ErrorGroups", "Kind", "Span"]

HISTORY_DAYS = 100
"""How far back occurrences are remembered; a group that did not strike since is not listed."""

_EXCEPTIONS_PER_LOAD = 0.04

_NAMES = {
    "ios": (
        ("SIGSEGV", "Segmentation fault", "-[{0}ViewController viewDidLoad] ({0}ViewController.m:{1})"),
        (
            "NSInvalidArgumentException",
            "unrecognized selector sent to instance",
            "-[{0}Cell configure:] ({0}Cell.m:{1})",
        ),
        ("NSRangeException", "index {1} beyond bounds [0 .. 3]", "-[{0}Model itemAt:] ({0}Model.m:{1})"),
        ("SIGABRT", "Abort trap", "+[{0}Store shared] ({0}Store.m:{1})"),
        ("EXC_BAD_ACCESS", "KERN_INVALID_ADDRESS at 0x{1}", "{0}Session.resume() ({0}Session.swift:{1})"),
    ),
    "android": (
        ("java.lang.NullPointerException", "null reference & no fallback", "com.example.{0}.onResume({0}.java:{1})"),
        ("java.lang.OutOfMemoryError", "bitmap size exceeds VM budget", "com.example.{0}Cache.put({0}Cache.java:{1})"),
        ("java.lang.IllegalStateException", "<fragment> not attached", "com.example.{0}Pager.show({0}Pager.java:{1})"),
        ("android.database.SQLException", "no such table: items", "com.example.{0}Dao.all({0}Dao.java:{1})"),
    ),
}
_PLACES = ("Login", "Cart", "Feed", "Settings", "Player", "Map", "Search", "Camera")
_STATUSES = ("unresolved", "unresolved", "unresolved", "known", "resolved")


class Kind(StrEnum):
    """The two symmetrical families, as paths spell them."""

    CRASH = "crash"
    EXCEPTION = "exception"


@frozen(kw_only=True)
class ErrorGroup:
    """One group: a signature that many crashes share.

    Attributes:
        hash: opaque; 56 hexadecimal digits for crashes, 16 for exceptions.
        position: its place in the daily counts.
        weight: how often it strikes among its like.
        first_version: position of the first version that has it.
        older_factor: how many occurrences there were before the history, per occurrence in it.
    """

    hash: str
    kind: Kind
    position: int
    name: str
    reason: str
    display_reason: str | None
    status: str
    suspect_line: str | None
    is_symbolized: bool
    weight: float
    first_version: int
    older_factor: float


@frozen
class Span:
    """When a group was first and last seen: naive instants on the app's wall clock."""

    first: datetime
    last: datetime


@frozen
class _Past:
    """A group's history: how often it struck each version, and its first and last day in it."""

    by_version: dict[str, int]
    first: date
    last: date


class ErrorGroups:
    """All groups of one kind of one app; its state is a cache of days."""

    def __init__(self, profile: AppProfile, calendar: AppCalendar, series: Series, kind: Kind) -> None:
        self._profile = profile
        self._calendar = calendar
        self._series = series
        self._kind = kind
        self._days: dict[date, list[list[int]]] = {}

    @cached_property
    def _invented(self) -> tuple[ErrorGroup, ...]:
        return _invent(self._profile, self._kind) if self._profile.versions else ()

    @cached_property
    def _pasts(self) -> tuple[_Past, ...]:
        return tuple(self._past_of(group) for group in self._invented)

    @cached_property
    def listed(self) -> tuple[ErrorGroup, ...]:
        """The groups that struck within the history, most frequent first."""
        struck = [group for group in self._invented if self.occurrences(group)]
        return tuple(sorted(struck, key=lambda group: -self.occurrences(group)))

    def occurrences(self, group: ErrorGroup) -> int:
        """Return how often a group struck within the history."""
        return sum(self._pasts[group.position].by_version.values())

    def find(self, group_hash: str) -> ErrorGroup | None:
        """Return the listed group with a hash."""
        return next((group for group in self.listed if group.hash == group_hash), None)

    def by_version(self, group: ErrorGroup, days: Sequence[date]) -> dict[str, list[int]]:
        """Return a group's count per day for every version that it struck in those days."""
        rows = [self._day(day)[group.position] for day in days]
        columns = {version.name: [row[place] for row in rows] for place, version in enumerate(self._profile.versions)}
        return {name: column for name, column in columns.items() if any(column)}

    def total(self, group: ErrorGroup, day: date) -> int:
        """Return how often a group struck on a day."""
        return sum(self._day(day)[group.position])

    def app_total(self, day: date, version: str | None = None) -> int:
        """Return how often all groups struck on a day, in one version or in all."""
        names = [one.name for one in self._profile.versions]
        counts = self._struck(day)
        return sum(count for name, count in zip(names, counts, strict=True) if version in (None, name))

    def sessions(self, group: ErrorGroup) -> dict[str, int]:
        """Return the sessions since the beginning that a group ended, per version."""
        struck = self._pasts[group.position].by_version
        return {name: count + int(count * group.older_factor) for name, count in struck.items()}

    def span(self, group: ErrorGroup) -> Span:
        """Return when a group was first and last seen: the more often it strikes on its last day, the later."""
        past = self._pasts[group.position]
        throw = dice("span", self._profile.seed, group.hash)
        early, late = throw.uniform(0, 0.3), 1 - throw.uniform(0.01, 0.3) / max(1, self.total(group, past.last))
        if group.older_factor:
            first = self._at(self._history[0] - timedelta(days=throw.randint(1, 200)), early)
        else:
            first = self._at(past.first, early)
        return Span(first, self._at(past.last, late))

    @cached_property
    def _history(self) -> tuple[date, ...]:
        return self._calendar.days(HISTORY_DAYS)

    def _past_of(self, group: ErrorGroup) -> _Past:
        struck = [day for day in self._history if self.total(group, day)]
        by_version = {name: sum(counts) for name, counts in self.by_version(group, struck).items()}
        return _Past(by_version, *((struck[0], struck[-1]) if struck else (self._history[0], self._history[0])))

    def _at(self, day: date, share: float) -> datetime:
        seconds = self._calendar.elapsed_s if day == self._calendar.today else 86_400
        return datetime.combine(day, time()) + timedelta(seconds=int(seconds * share))

    def _struck(self, day: date) -> list[int]:
        counts = [0] * len(self._profile.versions)
        for cohort, crashes, loads in zip(
            self._profile.cohorts, self._series.crashes(day), self._series.loads(day), strict=True
        ):
            counts[cohort.version] += crashes if self._kind is Kind.CRASH else loads
        if self._kind is Kind.EXCEPTION:
            counts = [int(count * _EXCEPTIONS_PER_LOAD) for count in counts]
        return counts

    def _day(self, day: date) -> list[list[int]]:
        if day not in self._days:
            self._days[day] = self._deal(day)
        return self._days[day]

    def _deal(self, day: date) -> list[list[int]]:
        """Deal a day's strikes to the groups of each version by systematic sampling: exact, and fair to rare groups."""
        table = [[0] * len(self._profile.versions) for _ in self._invented]
        shift = dice("deal", self._profile.seed, self._kind, day.toordinal()).random()
        for version, strikes in enumerate(self._struck(day)):
            members = [group for group in self._invented if group.first_version <= version]
            scale = strikes / sum(group.weight for group in members)
            reached, before = shift, 0
            for group in members[:-1] if strikes else ():
                reached += group.weight * scale
                table[group.position][version] = min(strikes, math.floor(reached)) - before
                before = min(strikes, math.floor(reached))
            table[members[-1].position][version] = strikes - before
        return table


def _invent(profile: AppProfile, kind: Kind) -> tuple[ErrorGroup, ...]:
    throw = dice("faults", profile.seed, kind)
    count = 6 + min(40, int(2.2 * math.log2(profile.daily_loads)))
    return tuple(_one(profile, kind, position, throw) for position in range(count))


def _one(profile: AppProfile, kind: Kind, position: int, throw: random.Random) -> ErrorGroup:
    name, reason, suspect = throw.choice(_NAMES[profile.kind])
    place, line = throw.choice(_PLACES), throw.randint(12, 980)
    is_symbolized = throw.random() < 0.8
    # The first group is in every version, so that no strike is left without a group.
    first_version = 0 if position == 0 else throw.randrange(len(profile.versions))
    return ErrorGroup(
        hash=digest(kind, profile.seed, position)[: 56 if kind is Kind.CRASH else 16],
        kind=kind,
        position=position,
        name=name,
        reason=reason.format(place, line),
        display_reason=reason.format(place, line).capitalize() if throw.random() < 0.3 else None,
        status=throw.choice(_STATUSES),
        suspect_line=suspect.format(place, line) if is_symbolized else None,
        is_symbolized=is_symbolized,
        weight=1 / (position + 1) ** 1.25,
        first_version=first_version,
        older_factor=throw.uniform(0.5, 6) if first_version == 0 else 0.0,
    )
