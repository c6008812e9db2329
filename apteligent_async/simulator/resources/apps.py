"""``/apps``: the account's apps with the attributes that were asked for."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from apteligent_async.simulator.world.traffic import Flow, NetworkGraph
from apteligent_async.simulator.world.usage import ErrorGraph, days_of, usage_of

if TYPE_CHECKING:
    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world import App

__all__ = ["list_apps"]


class _Attribute(StrEnum):
    APP_NAME = "appName"
    APP_TYPE = "appType"
    APP_VERSIONS = "appVersions"
    CRASH_PERCENT = "crashPercent"
    DAU = "dau"
    ICON_URL = "iconURL"
    LATENCY = "latency"
    LATEST_RELEASE = "latestAppStoreReleaseDate"
    LATEST_VERSION = "latestVersionString"
    LINK = "linkToAppStore"
    MAU = "mau"
    RATING = "rating"
    ROLE = "role"


def list_apps(asked: Asked) -> dict[str, Any]:
    """Answer a map by app id; all thirteen attributes if none is named (a guess: undocumented)."""
    attributes = asked.query.choices("attributes", _Attribute)
    return {"data": {app_id: _described(app, attributes) for app_id, app in asked.world.apps.items()}}


def _described(app: App, attributes: list[_Attribute]) -> dict[str, Any]:
    return {attribute.value: _value(app, attribute) for attribute in attributes}


def _value(app: App, attribute: _Attribute) -> Any:  # noqa: PLR0911, PLR0912  one line per attribute
    profile, latest = app.profile, app.latest_version
    match attribute:
        case _Attribute.APP_NAME:
            return profile.name
        case _Attribute.APP_TYPE:
            return profile.kind
        case _Attribute.APP_VERSIONS:
            return [version.name for version in app.released_versions]
        case _Attribute.CRASH_PERCENT:
            return _today(app, ErrorGraph.CRASH_PERCENT)
        case _Attribute.DAU:
            return _today(app, ErrorGraph.DAU)
        case _Attribute.MAU:
            return _today(app, ErrorGraph.MAU)
        case _Attribute.ICON_URL:
            return f"https://cdn.example.com/icons/{profile.id}.png" if latest else "None"
        case _Attribute.LATENCY:
            return _latency(app)
        case _Attribute.LATEST_RELEASE:
            return latest.released.isoformat() if latest else None
        case _Attribute.LATEST_VERSION:
            return latest.name if latest else None
        case _Attribute.LINK:
            return f"https://store.example.com/{profile.kind}/{profile.id}" if latest else None
        case _Attribute.RATING:
            return profile.rating if latest else None
        case _Attribute.ROLE:
            return "ADMIN"
        case _:
            assert_never(attribute)


def _today(app: App, graph: ErrorGraph) -> float:
    everyone = range(len(app.profile.cohorts))
    return usage_of(app.profile, app.series, everyone, days_of(graph, app.calendar.days(1))).value(graph)


def _latency(app: App) -> int:
    end = app.calendar.local_now
    return round(sum(app.traffic.by_cohort(end - timedelta(days=1), end), Flow()).value(NetworkGraph.LATENCY))
