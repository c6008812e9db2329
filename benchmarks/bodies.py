"""Answers of a realistic size, as bytes: what decoding is measured on.

This file may import neither the package nor a rival: it is used in both environments.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BODIES", "body", "known"]

_HEX: Final = "0123456789abcdef"


_UNKNOWN: Final[dict[str, Callable[[int], dict[str, Any]]]] = {
    "": lambda _: {},
    "a number": lambda i: {"newCount": 7 * i + 1000},
    "an object": lambda i: {"newObject": {"a": i, "b": [1, 2]}},
    "a number in half": lambda i: {"newCount": i} if i % 2 else {},
}
"""What each app or slice may have that no client knows, by its place."""


def _apps(dice: Random, new: Callable[[int], dict[str, Any]]) -> Any:
    """Write 500 apps with all thirteen attributes, and what is new."""
    return {_identity(dice): _app(dice) | new(i) for i in range(500)}


def _app(dice: Random) -> dict[str, Any]:
    number = dice.randrange(1000)
    return {
        "appName": f"Application number {number}",
        "appType": dice.choice(["iOS", "Android", "html5"]),
        "appVersions": [f"{number}.{minor}.0" for minor in range(dice.randrange(1, 6))],
        "crashPercent": round(dice.random() * 5, 4),
        "dau": dice.randrange(100_000),
        "mau": dice.randrange(1_000_000),
        "iconURL": f"https://example.com/icons/{number}.png",
        "latency": dice.randrange(1000),
        "latestAppStoreReleaseDate": "2015-11-14T00:00:00",
        "latestVersionString": f"{number}.5.0",
        "linkToAppStore": f"https://example.com/store/{number}",
        "rating": round(dice.random() * 5, 1),
        "role": "admin",
    }


def _graph(dice: Random) -> Any:
    """Write 50 series, of counts and of percentages in turns; one point in a hundred is missing."""
    series = [{"name": f"series {i}", "points": _points(dice, is_share=i % 2 == 1)} for i in range(50)]
    return {"start": "2015-11-14T00:00:00", "end": "2015-12-14T00:00:00", "interval": 3600, "series": series}


def _points(dice: Random, *, is_share: bool) -> list[float | None]:
    values = [round(dice.random() * 100, 4) if is_share else dice.randrange(10_000) for _ in range(720)]
    return [None if dice.random() < 0.01 else value for value in values]


def _pie(dice: Random, new: Callable[[int], dict[str, Any]]) -> Any:
    """Write 1,000 slices, and what is new in each."""
    slices = [
        {"label": f"Device {i}", "name": f"device {i}", "value": dice.randrange(10_000), **new(i)} for i in range(1000)
    ]
    return {"start": "2015-12-13T00:00:00", "end": "2015-12-14T00:00:00", "interval": 86400, "slices": slices}


def _crash(dice: Random) -> Any:
    """Write one crash group: thirty days and the sessions of ten versions, and two stacks of forty lines."""
    versions = [f"1.0.{number}" for number in range(1, 11)]
    stack = [
        {"lineNumber": i, "trace": f"{i}  Application  0x000{i}abc -[Controller method:] + {i}"} for i in range(40)
    ]
    return {
        "hash": _identity(dice),
        "status": "known",
        "displayReason": None,
        "appType": "ios",
        "name": "NSInvalidArgumentException",
        "reason": "unrecognized selector sent to instance",
        "firstOccurred": "2014-09-08T18:56:55+00:00",
        "lastOccurred": "2015-09-03T05:38:29+00:00",
        "appTimeZoneOffset": -6,
        "dailyOccurrencesByVersion": {
            version: ["2015-09-03", [dice.randrange(100) for _ in range(30)]] for version in versions
        },
        "sessionCountsByVersion": {version: dice.randrange(500) for version in versions},
        "uniqueSessionCountsByVersion": {version: dice.randrange(500) for version in versions},
        "stacktrace": stack,
        "symbolizedStacktrace": stack,
    }


def _identity(dice: Random) -> str:
    return "".join(dice.choices(_HEX, k=24))


def body(name: str) -> bytes:
    """Write an answer, enveloped as the service does; the same each time."""
    dice = Random(1)
    what, _, unknown = name.partition(" with ")
    data = {
        "apps": lambda: _apps(dice, _UNKNOWN[unknown]),
        "graph": lambda: _graph(dice),
        "pie": lambda: _pie(dice, _UNKNOWN[unknown]),
        "crash details": lambda: _crash(dice),
    }[what]()
    return json.dumps({"data": data}).encode()


def known(name: str) -> str:
    """Name the body that has nothing unknown in it and is the same otherwise."""
    return name.partition(" with ")[0]


BODIES: Final = (
    *(f"apps with {new}" if new else "apps" for new in _UNKNOWN),
    "graph",
    *(f"pie with {new}" if new else "pie" for new in _UNKNOWN),
    "crash details",
)
"""500 apps of 13 attributes, 50 series of 720 points, 1,000 slices, one crash group; and what may be unknown."""
