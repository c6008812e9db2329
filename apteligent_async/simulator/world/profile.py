"""What an app is like: invented once from the seed, the same whatever the date.

An app's users are some hundred *cohorts*: people with one version, system, device and carrier. Every count is dealt
out to the cohorts once, and every grouping and filter is a sum over them; so slices always add up to the total.
"""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.simulator.world.catalog import (
    ANDROID,
    APP_NAMES,
    CARRIERS,
    IOS,
    SERVICES,
    VERSION_NAMES,
    Named,
    Platform,
    Service,
)
from apteligent_async.simulator.world.dice import dice, digest

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import date

__all__ = ["AppProfile", "Cohort", "Version", "invent", "invent_dormant"]

_COHORTS_PER_VERSION = 22
_UTC_OFFSETS_H = (-8, -6, -5, 0, 1, 9)
_EU_SITE = "00444503"


@frozen
class Version:
    """A release: name, first day, crash rate against the app's, and the part of its users that never update."""

    name: str
    released: date
    crash_factor: float
    lingering: float


@frozen(kw_only=True)
class Cohort:
    """Users that are alike: the positions of their version, system, device and carrier in the profile.

    `share` is the part of the version's users; the factors compare the cohort with the app.
    """

    version: int
    system: int
    device: int
    carrier: int
    share: float
    crash_factor: float
    latency_factor: float


@frozen(kw_only=True)
class AppProfile:
    """Everything about an app that no date changes.

    Attributes:
        id: 24 hexadecimal digits, or 40 that end in the European site's mark.
        kind: ``ios`` or ``android``.
        offset_h: hours east of UTC at which its days begin.
        daily_loads: app loads on an ordinary day of the reference year.
        weekend_factor: Saturdays and Sundays against other days.
        crash_percent: crashes per 100 loads.
        loads_per_user: app loads of one user in one day.
        requests_per_load: network requests per app load.
        latency_ms: mean over all requests.
        services: with this app's own weights.
    """

    id: str
    name: str
    kind: str
    seed: str
    offset_h: int
    daily_loads: int
    weekend_factor: float
    crash_percent: float
    loads_per_user: float
    requests_per_load: float
    latency_ms: float
    rating: float
    versions: tuple[Version, ...]
    systems: tuple[Named, ...]
    devices: tuple[Named, ...]
    carriers: tuple[Named, ...]
    services: tuple[Service, ...]
    cohorts: tuple[Cohort, ...]

    def version_shares(self, day: date) -> list[float]:
        """Return each version's part of the users on a day: releases spread in about a week and fade with the next."""
        if not self.versions:
            return []
        reached = [1.0, *(_adoption((day - version.released).days) for version in self.versions[1:]), 0.0]
        return [
            max(now - after, version.lingering * now)
            for version, (now, after) in zip(self.versions, pairwise(reached), strict=True)
        ]


def _adoption(age_days: int) -> float:
    return 0.0 if age_days < 0 else 1 / (1 + math.exp((4 - age_days) / 1.8))


def invent(seed: int, rank: int, *, latest_release: date, is_european: bool) -> AppProfile:
    """Make up the app with the given rank of popularity (0 is the most popular)."""
    words = f"{seed}/{rank}"
    throw = dice("app", words)
    platform = IOS if throw.random() < 0.55 else ANDROID
    versions = _versions(throw, latest_release)
    carriers = tuple(CARRIERS[:1]) + tuple(sorted(throw.sample(CARRIERS[1:], 9), key=CARRIERS.index))
    first, second = (throw.choice(words) for words in APP_NAMES)
    return AppProfile(
        id=_app_id(words, is_european=is_european),
        name=f"{first} {second}",
        kind=platform.kind,
        seed=words,
        offset_h=throw.choice(_UTC_OFFSETS_H),
        daily_loads=max(90, int(900_000 * throw.uniform(0.7, 1.3) / (rank + 1) ** 1.35)),
        weekend_factor=throw.uniform(0.7, 1.35),
        crash_percent=throw.uniform(0.2, 2.4),
        loads_per_user=throw.uniform(1.8, 4.5),
        requests_per_load=throw.uniform(3, 12),
        latency_ms=throw.uniform(180, 620),
        rating=round(throw.uniform(2.6, 4.8), 1),
        versions=versions,
        systems=platform.systems,
        devices=platform.devices,
        carriers=carriers,
        services=tuple(throw.sample(SERVICES, throw.randint(6, len(SERVICES)))),
        cohorts=_cohorts(throw, platform, versions, carriers),
    )


def invent_dormant(seed: int, rank: int, *, is_european: bool) -> AppProfile:
    """Make up an app that nobody has released yet: no version, no user, no traffic."""
    words = f"{seed}/{rank}"
    return AppProfile(
        id=_app_id(words, is_european=is_european),
        name="Unreleased Prototype",
        kind=ANDROID.kind,
        seed=words,
        offset_h=0,
        daily_loads=0,
        weekend_factor=1.0,
        crash_percent=0.0,
        loads_per_user=1.0,
        requests_per_load=0.0,
        latency_ms=0.0,
        rating=0.0,
        versions=(),
        systems=(),
        devices=(),
        carriers=(),
        services=(),
        cohorts=(),
    )


def _app_id(words: str, *, is_european: bool) -> str:
    digits = digest("app-id", words)
    return digits[:32] + _EU_SITE if is_european else digits[:24]


def _versions(throw: random.Random, latest_release: date) -> tuple[Version, ...]:
    names = throw.choice(VERSION_NAMES)
    released = latest_release - timedelta(days=throw.randint(2, 20))
    versions: list[Version] = []
    for name in reversed(names):
        versions.append(Version(name, released, throw.uniform(0.5, 1.9), throw.uniform(0.004, 0.06)))
        released -= timedelta(days=throw.randint(12, 45))
    return tuple(reversed(versions))


def _cohorts(
    throw: random.Random, platform: Platform, versions: Sequence[Version], carriers: Sequence[Named]
) -> tuple[Cohort, ...]:
    cohorts: list[Cohort] = []
    for version in range(len(versions)):
        sizes = [throw.expovariate(1) + 0.05 for _ in range(_COHORTS_PER_VERSION)]
        cohorts += [
            Cohort(
                version=version,
                system=_pick(throw, platform.systems),
                device=_pick(throw, platform.devices),
                carrier=_pick(throw, carriers),
                share=size / sum(sizes),
                crash_factor=throw.uniform(0.4, 1.8),
                latency_factor=throw.uniform(0.6, 1.6),
            )
            for size in sizes
        ]
    return tuple(cohorts)


def _pick(throw: random.Random, among: Sequence[Named]) -> int:
    return throw.choices(range(len(among)), [one.weight for one in among])[0]
