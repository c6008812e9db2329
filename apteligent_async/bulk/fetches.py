"""Calls, and how their answers are dealt out to units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from apteligent_async.bulk.families import FAMILIES
from apteligent_async.bulk.rows import top_slices
from apteligent_async.bulk.units import Fetch, Row, Saving, Unit
from apteligent_async.bulk.windows import graph_minutes
from apteligent_async.models.choices import AppAttribute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from apteligent_async.bulk.units import RowReader
    from apteligent_async.models.apps import Apps
    from apteligent_async.models.monitoring import Pie, Slice
    from apteligent_async.models.result import Result
    from apteligent_async.models.trends import Trends

__all__ = ["attributes_fetch", "plain_fetch", "totals_fetch", "trends_fetch"]

Dealt = Mapping[str, Iterable[Row]]


def plain_fetch(units: Sequence[Unit]) -> Fetch:
    """Ask one question by itself, about all the days of it that are wanted."""
    first = units[0]
    family = FAMILIES[first.endpoint]
    if first.endpoint == "apps.list":
        return attributes_fetch(units, saving=None)
    arguments = {"app_id": first.app, **dict(first.question.arguments)}
    if first.endpoint == "error_monitoring.graph":
        oldest = max(unit.age_days for unit in units)
        arguments["duration"] = graph_minutes(oldest, offset_hours=first.offset_hours)
    read: RowReader = _deal_days if family.dated else _deal_snapshot
    return Fetch(endpoint=family.call, arguments=arguments, units=tuple(units), is_paged=family.is_paged, read=read)


def attributes_fetch(units: Sequence[Unit], *, saving: Saving | None) -> Fetch:
    """Ask for all attributes of all apps of some units at once."""
    wanted = {attribute for unit in units for attribute in unit.question.argument("attributes")}
    attributes = [attribute.value for attribute in AppAttribute if attribute in wanted]
    return Fetch(
        endpoint="apps.list",
        arguments={"attributes": attributes},
        units=tuple(units),
        saving=saving,
        read=_deal_attributes,
    )


def totals_fetch(units: Sequence[Unit], *, saving: Saving) -> Fetch:
    """Ask for the totals of several apps in one pie."""
    question = units[0].question
    return Fetch(
        endpoint=question.endpoint,
        arguments={"app_ids": [unit.app for unit in units], **dict(question.arguments)},
        units=tuple(units),
        saving=saving,
        read=_deal_totals,
    )


def trends_fetch(units: Sequence[Unit], *, saving: Saving) -> Fetch:
    """Ask for an app's trends in place of its pies."""
    return Fetch(
        endpoint="trends.app",
        arguments={"app_id": units[0].app},
        units=tuple(units),
        saving=saving,
        read=_deal_trends,
    )


def _deal_snapshot(answer: Result, units: Sequence[Unit]) -> Dealt:
    return {unit.key: _snapshot_rows(answer, unit) for unit in units}


def _snapshot_rows(answer: Any, unit: Unit) -> Iterable[Row]:
    reader = FAMILIES[unit.endpoint].snapshot
    assert reader is not None  # noqa: S101  the caller asks for snapshots alone
    return reader(answer, unit)


def _deal_days(answer: Result, units: Sequence[Unit]) -> Dealt:
    """Deal out the rows of those days that units are about; a day without a row was not answered."""
    reader = FAMILIES[units[0].endpoint].dated
    assert reader is not None  # noqa: S101  the caller asks for days alone
    keys = {unit.day: unit.key for unit in units}
    found: dict[date, list[Row]] = {}
    for day, row in reader(answer, units[0].question):
        if day in keys:
            found.setdefault(day, []).append(row)
    return {keys[day]: rows for day, rows in found.items()}


def _deal_attributes(answer: Apps, units: Sequence[Unit]) -> Dealt:
    return {unit.key: _snapshot_rows(answer.by_id[unit.app], unit) for unit in units if unit.app in answer.by_id}


def _deal_totals(answer: Pie, units: Sequence[Unit]) -> Dealt:
    """Deal out one slice per app; if a slice is nobody's, apps without one were not answered, rather than empty."""
    named = {part.name for part in answer.slices}
    is_by_id = named <= {unit.app for unit in units}
    return {
        unit.key: _snapshot_rows(evolve(answer, slices=_slices_of(unit, answer)), unit)
        for unit in units
        if is_by_id or unit.app in named
    }


def _slices_of(unit: Unit, answer: Pie) -> tuple[Slice, ...]:
    return tuple(part for part in answer.slices if part.name == unit.app)


def _deal_trends(answer: Trends, units: Sequence[Unit]) -> Dealt:
    pies = [unit for unit in units if unit.question.top is not None]
    days = [unit for unit in units if unit.question.top is None]
    dealt = {unit.key: top_slices(answer, unit) for unit in pies}
    return {**dealt, **(_deal_days(answer, days) if days else {})}
