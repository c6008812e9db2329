"""The ``diagnostics`` part of a group: thirty-one days of occurrences, broken down in every way.

Every breakdown adds up to the chart, as in the captured answer. The chart is oldest first and its days are counted from
``pointStart``.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from apteligent_async.simulator.resources.breadcrumbs import written
from apteligent_async.simulator.world.catalog import COUNTRIES
from apteligent_async.simulator.world.dice import dice, digest
from apteligent_async.simulator.world.grouping import Dimension, named
from apteligent_async.simulator.world.series import deal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async.simulator.world import App
    from apteligent_async.simulator.world.error_groups import ErrorGroup

__all__ = ["affected_users", "diagnostics"]

_CHARTED_DAYS = 31
_USERS = 4
_MEMORY_STEP_MB = 256
_MEMORY_BINS = (4, 9, 16, 22, 18, 11, 7, 4, 3, 2, 1, 1, 1, 1, 0, 0)
_LOCALES = {"en": 50.0, "nl": 14.0, "de": 12.0, "ja": 9.0, "pt-br": 8.0, "": 4.0, "es-mx": 3.0}
_YES_NO = {"on_wifi": (45, 55), "on_cellular_data": (60, 40), "online": (3, 97)}


def diagnostics(app: App, group: ErrorGroup) -> dict[str, Any]:
    """Return the object; Android has other keys than iOS, as captured."""
    days = app.calendar.days(_CHARTED_DAYS)
    struck = {name: sum(column) for name, column in app.groups(group.kind).by_version(group, days).items()}
    versions: list[list[Any]] = [[name, count] for name, count in struck.items()]
    total = sum(struck.values())
    first_day = datetime.combine(days[0], time(), UTC)
    return {
        "continuous_bar_diagnostic_data": {"memory_usage": _memory_bars(total)},
        "continuous_diagnostic_data": _extremes(app),
        "geo_data": _geography(total),
        "discrete_diagnostic_data": _discrete(app, versions, total),
        "chart_data": [
            {
                "name": "Occurrences",
                "id": "total",
                "pointStart": int(first_day.timestamp() * 1000) + 119,
                "pointInterval": 86_400_000,
                "data": [app.groups(group.kind).total(group, day) for day in days],
                "showInLegend": False,
            }
        ],
        "affected_users": affected_users(app, group),
        "affected_versions": versions,
        "num_geo_points": 0,
        "discrete_bar_diagnostic_data": {} if app.profile.kind == "ios" else _network_bars(total),
    }


def affected_users(app: App, group: ErrorGroup) -> dict[str, dict[str, Any]]:
    """Return a few made-up users by hash; each one's last crash falls on a day that the chart has occurrences for."""
    groups = app.groups(group.kind)
    users: dict[str, dict[str, Any]] = {}
    for number, day in enumerate(reversed(app.calendar.days(_CHARTED_DAYS))):
        at = _instant_on(app, day.toordinal())
        struck = groups.by_version(group, [day])
        if struck and at is not None and len(users) < _USERS:
            user_hash = digest("user", app.profile.seed, group.hash, number)
            users[user_hash] = _user(app, number, next(iter(struck)), at)
    return users


def _instant_on(app: App, ordinal: int) -> datetime | None:
    """Return an instant that is on the same day in UTC and on the app's clock, and not after now."""
    day_start = datetime.combine(datetime.fromordinal(ordinal), time(), UTC)
    local_start = day_start - timedelta(hours=app.profile.offset_h)
    at = max(day_start, local_start) + timedelta(minutes=20)
    return at if at <= app.calendar.now else None


def _user(app: App, number: int, version: str, at: datetime) -> dict[str, Any]:
    throw = dice("user", app.profile.seed, number)
    cohort = throw.choice(app.profile.cohorts)
    is_known = throw.random() < 0.5
    return {
        "username": f"user-{throw.randrange(10_000)}",
        "app_version": version,
        "crash_last_occurred_iso": at.isoformat(timespec="milliseconds"),
        "last_login_time_iso": written(at - timedelta(minutes=throw.randint(2, 600))),
        "locale": "en" if is_known else None,
        "system": app.profile.systems[cohort.system].name if is_known else None,
        "carrier": app.profile.carriers[cohort.carrier].name if is_known else None,
        "model": app.profile.devices[cohort.device].name if is_known else None,
        "metadata": {"plan": "gold"} if throw.random() < 0.3 else None,
    }


def _discrete(app: App, versions: list[list[Any]], total: int) -> dict[str, Any]:
    models = _dealt(_popularity(app, Dimension.DEVICE), total)
    orientations = {"Portrait": 80.0, "LandscapeLeft": 8.0, "LandscapeRight": 7.0, "FaceUp": 5.0}
    shared = {
        "orientation": _dealt(orientations, total),
        "locale": _dealt(_LOCALES, total),
        "carrier": _dealt(_popularity(app, Dimension.CARRIER), total),
        "model": models,
        "app_version": versions,
        "system_version": _dealt(_popularity(app, Dimension.OS), total),
    }
    if app.profile.kind != "ios":
        return shared
    return shared | {
        **{name: _dealt({"No": no, "Yes": yes}, total) for name, (no, yes) in _YES_NO.items()},
        "form_factor": _form_factors(models),
        "status_bar_orientation": [["Portrait", total]],
    }


def _popularity(app: App, dimension: Dimension) -> dict[str, float]:
    weights: dict[str, float] = {}
    for cohort in app.profile.cohorts:
        name, _ = named(app.profile, cohort, dimension)
        weights[name] = weights.get(name, 0.0) + cohort.share
    return weights


def _dealt(weights: Mapping[str, float], total: int) -> list[list[Any]]:
    return [[label, count] for label, count in zip(weights, deal(total, list(weights.values())), strict=True)]


def _form_factors(models: list[list[Any]]) -> list[list[Any]]:
    forms = ("iPhone", "iPad", "iPod")
    return [[form, sum(count for model, count in models if model.startswith(form))] for form in forms]


def _geography(total: int) -> dict[str, Any]:
    counts = deal(total, [country.weight for country in COUNTRIES])
    geography: dict[str, Any] = {}
    for country, count in zip(COUNTRIES, counts, strict=True):
        elsewhere = count // 5
        geography[country.code] = {
            "--NAME--": country.name,
            country.region: [country.latitude, country.longitude, count - elsewhere],
            "null": [country.latitude, country.longitude, elsewhere],
        }
    return geography


def _memory_bars(total: int) -> dict[str, Any]:
    edges = [_MEMORY_STEP_MB * number for number in range(len(_MEMORY_BINS) + 1)]
    return {
        "data": list(deal(total, _MEMORY_BINS)),
        "categories": [f"{low} MB-{high} MB" for low, high in pairwise(edges)],
    }


def _network_bars(total: int) -> dict[str, Any]:
    answers = ["CONNECTED", "DISCONNECTED"]
    return {
        "wifi": {"data": list(deal(total, (60, 40))), "categories": answers},
        "mobile_network": {"data": list(deal(total, (35, 65))), "categories": answers},
    }


def _extremes(app: App) -> dict[str, Any]:
    shared = {
        "battery_level": {"max": "1.0", "average": "0.61", "min": "0.02"},
        "memory_usage": {"max": "2522 MB", "average": "913 MB", "min": "1 MB"},
        "disk_space_free": {"max": "48211 MB", "average": "5668 MB", "min": "0 MB"},
    }
    if app.profile.kind == "ios":
        return shared
    return shared | {
        "disk_space_total": {"max": "55344 MB", "average": "21950 MB", "min": "1011 MB"},
        "sd_space_free": {"max": "48211 MB", "average": "7201 MB", "min": "0 MB"},
        "sd_space_total": {"max": "121942 MB", "average": "24110 MB", "min": "0 MB"},
    }
