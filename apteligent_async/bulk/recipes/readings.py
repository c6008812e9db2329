"""How the rows of a run become numbers over time: the little that a plan cannot say. Pure.

| reading | what becomes of a row | at |
| --- | --- | --- |
| ``daily`` | one number for a day that is over | the app's midnight at which the day began |
| ``running`` | one number, of several days the newest; groups may be merged, percentages by weight | the run's slot |
| ``windows`` | one number | the end of the window that the service states |
| ``buckets`` | one number per short window | the window's beginning |
| ``growth`` | sessions since the run before, from counts that only grow | the run's slot |
| ``release`` | as ``daily``, and adoption; crashes of one cause merged and ranked | midnight, or the slot |
"""

from __future__ import annotations

import math
import re  # noqa: TC003  attrs shows it
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime  # noqa: TC003  attrs shows it
from fnmatch import fnmatchcase
from typing import TypeAlias

from attrs import evolve, frozen

from apteligent_async.bulk.recipes.points import AppLabel, Point, instant_of
from apteligent_async.bulk.units import Row

__all__ = ["READINGS", "MergeRule", "Occasion", "Reading", "merged"]

_WEIGHTS = {"crashPercent": "appLoads", "affectedUserPercent": "dau"}
"""What percentages are percentages of: what to weigh them by."""

_REST = "other"
_COUNTS = {"uniqueSessionCount", "sessionCount"}
_GROWING = {"crashes.summaries": "crashes", "exceptions.summaries": "exceptions"}
_COUNTED = {"crashes.counts": "crashCount", "exceptions.counts": "exceptionCount"}
"""What to call counts of both kinds, so that they can be told apart."""


@frozen(kw_only=True)
class MergeRule:
    """Puts the groups of a grouping whose label or name a pattern is found in together, under one name."""

    grouping: str
    name: str
    pattern: re.Pattern[str]

    def fits(self, row: Row) -> bool:
        """Whether it is about the group of a row."""
        texts = (row.label or "", row.key or "")
        return row.grouping == self.grouping and any(self.pattern.search(text) for text in texts)


@frozen(kw_only=True)
class Occasion:
    """What the rows of a run are read with.

    Attributes:
        section: the recipe's name.
        slot: the instant that the run was for.
        apps: the apps, by id.
        merge: how groups are put together.
        only: globs of the groups that are told of.
    """

    section: str
    slot: datetime
    apps: Mapping[str, AppLabel]
    merge: tuple[MergeRule, ...] = ()
    only: tuple[str, ...] = ("*",)

    def tells_of(self, row: Row) -> bool:
        """Whether a row's group is told of."""
        texts = [text for text in (row.key, row.label) if text is not None]
        return not texts or any(fnmatchcase(text, glob) for text in texts for glob in self.only)

    def point(self, row: Row, at: int | None = None) -> Point:
        """Make a point of a row that has a number, at the slot if not otherwise."""
        return Point(
            app=self.apps[row.app].name,
            section=self.section,
            metric=_COUNTED.get(_call(row), row.metric),
            grouping=row.grouping,
            key=row.key,
            at=int(self.slot.timestamp()) if at is None else at,
            value=float(row.value or 0),
        )


Read: TypeAlias = Callable[[Iterable[Row], Occasion], Iterator[Point]]


@frozen
class Reading:
    """A way to read rows, and whether it wants days that are over and nothing else."""

    read: Read
    needs_whole_days: bool = False

    def points(self, rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
        """Read the rows of a run; those without a finite number, and those of unknown apps, become no point."""
        yield from self.read([row for row in rows if row.app in occasion.apps and occasion.tells_of(row)], occasion)


def _numbers(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row.value is not None and math.isfinite(row.value))


def _daily(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    for row in _numbers(rows):
        yield from _dated(row, row.start, occasion)


def _windows(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    for row in _numbers(rows):
        yield from _dated(row, row.end, occasion)


def _buckets(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    """Leave out what is about all windows at once: it would be dated like the first of them."""
    for row in _numbers(rows):
        if row.metric != "crashPercentage":
            yield from _dated(row, row.start, occasion)


def _dated(row: Row, text: str | None, occasion: Occasion) -> Iterator[Point]:
    at = None if text is None else instant_of(text, occasion.apps[row.app].offset_hours)
    if at is not None:
        yield occasion.point(row, at)


def _running(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    for row in merged(_newest(_numbers(rows)), occasion.merge):
        yield occasion.point(row)


def _newest(rows: Iterable[Row]) -> Iterable[Row]:
    """Leave out what is about earlier days or windows than another row that answers the same."""
    found: dict[tuple[str | None, ...], Row] = {}
    for row in rows:
        known = found.setdefault((*_group(row), row.metric, row.query), row)
        if (row.start or "") > (known.start or ""):
            found[(*_group(row), row.metric, row.query)] = row
    return found.values()


def merged(rows: Iterable[Row], rules: tuple[MergeRule, ...]) -> Iterator[Row]:
    """Put groups together: counts are summed, percentages weighed by what they are percentages of.

    A group that no rule fits becomes ``other``; groupings without rules stay as they are. A percentage whose weights
    were not pulled, or are all 0, is left out rather than made up.
    """
    listed = list(rows)
    groupings = {rule.grouping for rule in rules}
    weights = {(row.app, row.grouping, row.key, row.metric): row.value or 0 for row in listed}
    together: dict[tuple[str, str | None, str, str], list[Row]] = defaultdict(list)
    for row in listed:
        if row.grouping not in groupings:
            yield row
            continue
        name = next((rule.name for rule in rules if rule.fits(row)), _REST)
        together[row.app, row.grouping, name, row.metric].append(row)
    for (_, _, name, metric), members in together.items():
        weigh = _WEIGHTS.get(metric)
        factors = [1.0 if weigh is None else weights.get((*_group(row), weigh), 0) for row in members]
        value = sum((row.value or 0) * factor for row, factor in zip(members, factors, strict=True))
        whole = 1.0 if weigh is None else sum(factors)
        if whole:
            yield members[0]._replace(key=name, label=name, value=value / whole)


def _call(row: Row) -> str:
    return row.query.partition("#")[0].partition("?")[0]


def _group(row: Row) -> tuple[str, str | None, str | None]:
    return row.app, row.grouping, row.key


def _growth(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    """Turn the sessions of each listed group since the beginning into those since the run before."""
    for row in _numbers(rows):
        kind = _GROWING.get(_call(row))
        if kind is not None and row.metric == "sessionCount":
            point = occasion.point(row._replace(metric="sessions", grouping=kind))
            yield evolve(point, total_of=f"{row.app}|{row.query}")


def _release(rows: Iterable[Row], occasion: Occasion) -> Iterator[Point]:
    listed = list(rows)
    followed = [row for row in listed if _call(row) == "error_monitoring.graph"]
    yield from _daily(followed, occasion)
    yield from _daily(_adoption(listed, {(row.app, row.key) for row in followed}), occasion)
    yield from _running(_ranked(listed), evolve(occasion, merge=()))


def _adoption(rows: Iterable[Row], versions: Container[tuple[str, str | None]]) -> Iterator[Row]:
    """Tell which part of a day's users had a version: of all users, not of those of the five top versions."""
    listed = [row for row in rows if _call(row) == "trends.app"]
    users = {(row.app, row.start): row.value or 0 for row in listed if row.metric == "dau"}
    for row in listed:
        total = users.get((row.app, row.start))
        if row.metric == "dauByVersion" and (row.app, row.key) in versions and total:
            yield row._replace(metric="adoptionPercent", value=100 * (row.value or 0) / total)


def _ranked(rows: Iterable[Row]) -> Iterator[Row]:
    """Rank crashes by the length of the vector of their users and sessions; groups of one name and reason are one.

    Where a plan wants several lists, as of several versions, it is the first that is ranked.
    """
    lists: dict[str, str] = {}
    groups: dict[tuple[str, str | None], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if _call(row) == "crashes.summaries" and lists.setdefault(row.app, row.query) == row.query:
            groups[row.app, row.key][row.metric] = row
    causes: dict[tuple[str, str | None, str | None], list[dict[str, Row]]] = defaultdict(list)
    for (app, _), found in groups.items():
        if found.keys() >= _COUNTS:
            causes[app, _label(found.get("name")), _label(found.get("reason"))].append(found)
    for alike in causes.values():
        users, sessions = (
            [found[metric].value or 0 for found in alike] for metric in ("uniqueSessionCount", "sessionCount")
        )
        first = max(alike, key=_users)["uniqueSessionCount"]
        yield first._replace(metric="rank", grouping="crash", value=math.hypot(sum(users), sum(sessions)))


def _users(found: Mapping[str, Row]) -> float:
    return found["uniqueSessionCount"].value or 0


def _label(row: Row | None) -> str | None:
    return None if row is None else row.label


READINGS: Mapping[str, Reading] = {
    "daily": Reading(_daily, needs_whole_days=True),
    "running": Reading(_running),
    "windows": Reading(_windows),
    "buckets": Reading(_buckets),
    "growth": Reading(_growth),
    "release": Reading(_release, needs_whole_days=True),
}
"""Every reading by its name, which is what a recipe calls it."""
