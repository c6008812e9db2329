"""One crash or exception group in full, and the users that it hit.

Scalars and by-version maps are as captured. Traces and stacks are known from client code only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.resources.breadcrumbs import traces
from apteligent_async.simulator.resources.diagnostics import affected_users, diagnostics
from apteligent_async.simulator.resources.errors import dated, distinct_sessions, summed
from apteligent_async.simulator.world.faults import Kind

if TYPE_CHECKING:
    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App
    from apteligent_async.simulator.world.faults import Fault

__all__ = ["details", "user_data"]

_DETAILED_DAYS = 30


def details(asked: Asked, *, kind: Kind) -> dict[str, Any]:
    """Answer a group.

    ``get_other_crashes`` and, of exceptions, ``dailyOccurrences`` come only if they are asked for. ``diagnostics`` come
    as soon as they are named: the mobile app sends ``false`` and reads them all the same.
    """
    app = asked.app()
    fault = _known(app, kind, asked.path["hash"])
    body = _scalars(app, fault) | _sessions(app, fault) | _stacks(fault)
    body["breadcrumbTraces"] = traces(app, fault, affected_users(app, fault).values())
    if kind is Kind.CRASH or asked.query.flag("dailyOccurrences"):
        body["dailyOccurrencesByVersion"] = _daily(app, fault)
    if asked.query.text("diagnostics") is not None:
        body["diagnostics"] = diagnostics(app, fault)
    if asked.query.flag("get_other_crashes"):
        like = [one.hash for one in app.faults(kind).listed if one.name == fault.name and one is not fault]
        body |= {"otherCrashes": like, "legacyCrashes": []}
    return {"data": body}


def user_data(asked: Asked) -> dict[str, Any]:
    """Answer the users that a crash hit: the same as in its diagnostics."""
    app = asked.app()
    fault = _known(app, Kind.CRASH, asked.path["hash"])
    return {"data": [{**user, "system_version": user["system"]} for user in affected_users(app, fault).values()]}


def _known(app: App, kind: Kind, fault_hash: str) -> Fault:
    fault = app.faults(kind).find(fault_hash)
    if fault is None:
        raise Refusal(404, f"no such {kind.value}")
    return fault


def _scalars(app: App, fault: Fault) -> dict[str, Any]:
    faults = app.faults(fault.kind)
    span = faults.span(fault)
    return {
        "appId": app.profile.id,
        "appType": app.profile.kind,
        "appTimeZoneOffset": app.profile.offset_h,
        "hash": fault.hash,
        "unsymbolizedHash": fault.hash,
        "name": fault.name,
        "reason": fault.reason,
        "displayReason": fault.display_reason,
        "class": "GroupedSymbolicatedCrashLog" if fault.is_symbolized else "GroupedCrashLog",
        "status": fault.status,
        "suspectLine": fault.suspect_line,
        "firstOccurred": app.utc(span.first).isoformat(),
        "lastOccurred": app.utc(span.last).isoformat(),
    }


def _sessions(app: App, fault: Fault) -> dict[str, Any]:
    sessions = app.faults(fault.kind).sessions(fault)
    total = sum(sessions.values())
    return {
        "numOccurrences": app.faults(fault.kind).occurrences(fault),
        "sessionCountsByVersion": {**sessions, "total": total},
        "uniqueSessionCountsByVersion": distinct_sessions(sessions),
    }


def _daily(app: App, fault: Fault) -> dict[str, Any]:
    days = app.calendar.days(_DETAILED_DAYS)
    columns = app.faults(fault.kind).by_version(fault, days)
    last = days[-1].isoformat()
    return {
        **{name: dated(last, column) for name, column in columns.items()},
        "total": dated(last, summed(columns, len(days))),
    }


def _stacks(fault: Fault) -> dict[str, Any]:
    frames = [
        "libsystem_kernel.dylib 0x000000019 __pthread_kill + 8",
        f"App 0x{fault.hash[:9]} main + 116",
        "libdyld.dylib 0x000000018 start + 4",
    ]
    symbolized = [frames[0], fault.suspect_line or frames[1], frames[2]]
    return {
        "stacktrace": _numbered(frames, None),
        "symbolizedStacktrace": _numbered(symbolized, fault.suspect_line),
    }


def _numbered(frames: list[str], suspect: str | None) -> list[dict[str, Any]]:
    return [{"line_number": number, "trace": frame, "suspect": frame == suspect} for number, frame in enumerate(frames)]
