"""Which cohorts a filter leaves, and which of them belong to one slice."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async.simulator.world.profile import AppProfile, Cohort

__all__ = ["Dimension", "Slice", "named", "network_name", "selected", "slices"]


class Dimension(StrEnum):
    """What cohorts differ in; a filter may name any of them."""

    APP_VERSION = "appVersion"
    CARRIER = "carrier"
    DEVICE = "device"
    OS = "os"


@frozen
class Slice:
    """A group of cohorts (their positions) under its key and the text shown for it."""

    name: str
    label: str
    cohorts: tuple[int, ...]


def named(profile: AppProfile, cohort: Cohort, dimension: Dimension) -> tuple[str, str]:
    """Return a cohort's key and label in a dimension."""
    match dimension:
        case Dimension.APP_VERSION:
            version = profile.versions[cohort.version].name
            return version, version
        case Dimension.CARRIER:
            one = profile.carriers[cohort.carrier]
        case Dimension.DEVICE:
            one = profile.devices[cohort.device]
        case Dimension.OS:
            one = profile.systems[cohort.system]
    return one.name, one.label


def network_name(name: str) -> str:
    """Return a system's key as performance data writes it: ``ios6.1`` for ``ios 6.1``."""
    return name.removeprefix("iPhone ").replace("iOS ", "ios").replace(" ", "")


def selected(profile: AppProfile, filters: Mapping[Dimension, str]) -> tuple[int, ...]:
    """Return the positions of the cohorts that match every filter."""
    return tuple(
        position
        for position, cohort in enumerate(profile.cohorts)
        if all(_matches(named(profile, cohort, dimension)[0], value) for dimension, value in filters.items())
    )


def _matches(name: str, value: str) -> bool:
    return value in (name, network_name(name))


def slices(profile: AppProfile, dimension: Dimension, cohorts: tuple[int, ...]) -> tuple[Slice, ...]:
    """Gather cohorts into slices, in no particular order."""
    gathered: dict[tuple[str, str], list[int]] = {}
    for position in cohorts:
        gathered.setdefault(named(profile, profile.cohorts[position], dimension), []).append(position)
    return tuple(Slice(name, label, tuple(members)) for (name, label), members in gathered.items())
