"""One crash or exception group in full, and the users that it hit.

Scalars and by-version maps are as captured. Traces and stacks are known from client code only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.resources.breadcrumbs import traces
from apteligent_async.simulator.resources.diagnostics import affected_users, diagnostics
from apteligent_async.simulator.resources.errors import dated, distinct_sessions, summed
from apteligent_async.simulator.world.error_groups import Kind

if TYPE_CHECKING:
    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App
    from apteligent_async.simulator.world.error_groups import ErrorGroup

__all__ = ["details", "user_data"]

_DETAILED_DAYS = 30


def details(asked: Asked, *, kind: Kind) -> dict[str, Any]:
    """Answer a group.

    ``get_other_crashes`` and, of exceptions, ``dailyOccurrences`` come only if they are asked for. ``diagnostics`` come
    as soon as they are named: the mobile app sends ``false`` and reads them all the same.
    """
    app = asked.app()
    group = _known(app, kind, asked.path["hash"])
    body = _scalars(app, group) | _sessions(app, group) | _stacks(group)
    body["breadcrumbTraces"] = traces(app, group, affected_users(app, group).values())
    if kind is Kind.CRASH or asked.query.flag("dailyOccurrences"):
        body["dailyOccurrencesByVersion"] = _daily(app, group)
    if asked.query.text("diagnostics") is not None:
        body["diagnostics"] = diagnostics(app, group)
    if asked.query.flag("get_other_crashes"):
        like = [one.hash for one in app.groups(kind).listed if one.name == group.name and one is not group]
        body |= {"otherCrashes": like, "legacyCrashes": []}
    return {"data": body}


def user_data(asked: Asked) -> dict[str, Any]:
    """Answer the users that a crash hit: the same as in its diagnostics."""
    app = asked.app()
    group = _known(app, Kind.CRASH, asked.path["hash"])
    return {"data": [{**user, "system_version": user["system"]} for user in affected_users(app, group).values()]}


def _known(app: App, kind: Kind, group_hash: str) -> ErrorGroup:
    group = app.groups(kind).find(group_hash)
    if group is None:
        raise Refusal(404, f"no such {kind.value}")
    return group


def _scalars(app: App, group: ErrorGroup) -> dict[str, Any]:
    groups = app.groups(group.kind)
    span = groups.span(group)
    return {
        "appId": app.profile.id,
        "appType": app.profile.kind,
        "appTimeZoneOffset": app.profile.offset_h,
        "hash": group.hash,
        "unsymbolizedHash": group.hash,
        "name": group.name,
        "reason": group.reason,
        "displayReason": group.display_reason,
        "class": "GroupedSymbolicatedCrashLog" if group.is_symbolized else "GroupedCrashLog",
        "status": group.status,
        "suspectLine": group.suspect_line,
        "firstOccurred": app.utc(span.first).isoformat(),
        "lastOccurred": app.utc(span.last).isoformat(),
    }


def _sessions(app: App, group: ErrorGroup) -> dict[str, Any]:
    sessions = app.groups(group.kind).sessions(group)
    total = sum(sessions.values())
    return {
        "numOccurrences": app.groups(group.kind).occurrences(group),
        "sessionCountsByVersion": {**sessions, "total": total},
        "uniqueSessionCountsByVersion": distinct_sessions(sessions),
    }


def _daily(app: App, group: ErrorGroup) -> dict[str, Any]:
    days = app.calendar.days(_DETAILED_DAYS)
    columns = app.groups(group.kind).by_version(group, days)
    last = days[-1].isoformat()
    return {
        **{name: dated(last, column) for name, column in columns.items()},
        "total": dated(last, summed(columns, len(days))),
    }


def _stacks(group: ErrorGroup) -> dict[str, Any]:
    frames = [
        "libsystem_kernel.dylib 0x000000019 __pthread_kill + 8",
        f"App 0x{group.hash[:9]} main + 116",
        "libdyld.dylib 0x000000018 start + 4",
    ]
    symbolized = [frames[0], group.suspect_line or frames[1], frames[2]]
    return {
        "stacktrace": _numbered(frames, None),
        "symbolizedStacktrace": _numbered(symbolized, group.suspect_line),
    }


def _numbered(frames: list[str], suspect: str | None) -> list[dict[str, Any]]:
    return [{"line_number": number, "trace": frame, "suspect": frame == suspect} for number, frame in enumerate(frames)]
