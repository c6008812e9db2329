"""What a few of the affected users did before a crash: traces with every type of breadcrumb that clients know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.world.dice import dice, digest
from apteligent_async.simulator.world.error_groups import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apteligent_async.simulator.world import App
    from apteligent_async.simulator.world.error_groups import ErrorGroup

__all__ = ["traces", "written"]

_TRACES = 3


def traces(app: App, group: ErrorGroup, users: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the last few traces of a group, newest first; none if no user of it is known."""
    last = app.utc(app.groups(group.kind).span(group).last)
    return [
        {"username": user["username"], **_trace(app, group, last - timedelta(minutes=17 * number), number)}
        for number, user in zip(range(_TRACES), cycle(users), strict=False)
    ]


def written(at: datetime) -> str:
    """Write an instant as traces have it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _trace(app: App, group: ErrorGroup, at: datetime, number: int) -> dict[str, Any]:
    throw = dice("trace", app.profile.seed, group.hash, number)
    cohort = throw.choice([one for one in app.profile.cohorts if one.version >= group.first_version])
    return {
        "traceTs": written(at),
        "appVersion": app.profile.versions[cohort.version].name,
        "deviceId": digest("device", app.profile.seed, group.hash, number)[:32],
        "device": app.profile.devices[cohort.device].label,
        "os": app.profile.systems[cohort.system].name,
        "parsedBreadcrumbs": _crumbs(group, at),
    }


def _crumbs(group: ErrorGroup, at: datetime) -> list[dict[str, Any]]:
    ending = "crash" if group.kind is Kind.CRASH else "handledException"
    request = {
        "url": "https://api.example.com/v3/feed?page=2&sort=new",
        "httpMethod": "GET",
        "latencyMs": 412,
        "httpStatusCode": 200,
        "bytesReceived": 20_480,
        "bytesSent": 310,
    }
    told: tuple[tuple[str, int, dict[str, Any]], ...] = (
        ("sessionStart", 1, {}),
        ("applicationEvent", 3, {"event": "foregrounded"}),
        ("viewLoad", 5, {"viewName": "FeedView", "event": "loaded"}),
        ("networkChange", 4, {"change": "wifi"}),
        ("network", 2, request),
        ("user", 1, {"text": "tapped <buy>", "priority": "normal"}),
        (ending, 7 if group.kind is Kind.CRASH else 6, {"name": group.name, "reason": group.reason}),
    )
    return [
        {
            "deviceOccurredTs": written(at - timedelta(seconds=11 * (len(told) - 1 - place))),
            "type": kind,
            "typeCode": code,
            "payload": payload,
        }
        for place, (kind, code, payload) in enumerate(told)
    ]
