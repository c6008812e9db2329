"""The kinds of data that a plan can want: a row per kind, with the call that answers it and how its answer is read.

Kinds are called as the client's methods are. Whatever varies between them stands in this table; what calls and their
arguments may be is the business of the table of endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from apteligent_async._wire.endpoints import ENDPOINTS
from apteligent_async.bulk import group_rows, rows, userflow_rows
from apteligent_async.bulk.units import Question, Row, Unit
from apteligent_async.models.choices import AppAttribute
from apteligent_async.models.frozen import EMPTY

if TYPE_CHECKING:
    from apteligent_async._wire.calls import Endpoint

__all__ = ["FAMILIES", "LISTINGS", "Family"]

SnapshotReader: TypeAlias = Callable[[Any, Unit], Iterator[Row]]
DatedReader: TypeAlias = Callable[[Any, Question], Iterator[tuple[date, Row]]]


@frozen(kw_only=True)
class Family:
    """One kind of data.

    Attributes:
        call: the client's method that answers it.
        snapshot: reads an answer that tells of the present alone; None for a family of days.
        dated: reads an answer that tells of past days as well; None for the others.
        reach_days: how many days an answer reaches back for certain; 0 for a snapshot.
        defaults: arguments that are sent though nobody gave them, so that a row's query says all.
        version_argument: how a question is narrowed to an app version; None if it cannot be.
        listed_by: the family whose keys are what this one is asked about, one by one; None if an app is enough.
        subject: the argument that takes such a key.
        is_paged: whether an answer comes in pages.
        is_personal: whether its rows are personal data, which a plan must ask for in so many words.
    """

    call: str
    snapshot: SnapshotReader | None = None
    dated: DatedReader | None = None
    reach_days: int = 0
    defaults: Mapping[str, Any] = EMPTY
    version_argument: str | None = None
    listed_by: str | None = None
    subject: str = "hash"
    is_paged: bool = False
    is_personal: bool = False

    @property
    def row(self) -> Endpoint[Any]:
        """The call in the table of endpoints."""
        return ENDPOINTS[self.call]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What its call can be given."""
        filters = ("filters",) if self.row.takes_filters else ()
        return (*self.row.parameters, *self.row.segments, *self.defaults, *filters)


def _errors(group: str) -> dict[str, Family]:
    listed: dict[str, Any] = {"call": f"{group}.details", "listed_by": f"{group}.summaries"}
    return {
        f"{group}.summaries": Family(
            call=f"{group}.summaries", snapshot=group_rows.group_summaries, version_argument="app_version"
        ),
        # How far counts reach is not attested; thirty days are what diagnostics and details were seen to show.
        f"{group}.counts": Family(
            call=f"{group}.counts", dated=rows.daily_counts, reach_days=28, version_argument="app_version"
        ),
        f"{group}.table": Family(
            call=f"{group}.table", snapshot=group_rows.table_rows, version_argument="app_version", is_paged=True
        ),
        f"{group}.details": Family(snapshot=group_rows.group_details, **listed),
        f"{group}.breadcrumbs": Family(snapshot=group_rows.breadcrumbs, is_personal=True, **listed),
    }


def _rankings() -> dict[str, Family]:
    readers: Mapping[str, SnapshotReader] = {
        "endpoints": rows.endpoint_ranks,
        "services": rows.service_ranks,
        "geo": rows.geo_values,
    }
    common = {"limit": 10, "duration": 240, "geo_mode": True}
    return {
        f"performance_management.{name}": Family(
            call=f"performance_management.{name}",
            snapshot=reader,
            defaults={**common, "graph" if name == "geo" else "sort": "latency"},
        )
        for name, reader in readers.items()
    }


def _userflows() -> dict[str, Family]:
    listed: dict[str, Any] = {"listed_by": "transactions.details", "subject": "name"}
    month = {"period": "P1M"}
    return {
        "transactions.summary": Family(call="transactions.summary", snapshot=userflow_rows.userflow_changes),
        "transactions.ranked": Family(
            call="transactions.ranked", snapshot=userflow_rows.userflow_ranks, defaults={"category": "failed"}
        ),
        "transactions.details": Family(
            call="transactions.details", snapshot=userflow_rows.userflow_measures, defaults=month, is_paged=True
        ),
        "transactions.group": Family(call="transactions.group", snapshot=userflow_rows.userflow_outcomes, **listed),
        "transactions.traces": Family(
            call="transactions.traces",
            snapshot=userflow_rows.userflow_traces,
            defaults=month,
            is_paged=True,
            is_personal=True,
            **listed,
        ),
    }


FAMILIES: Mapping[str, Family] = {
    "apps.list": Family(call="apps.list", snapshot=rows.app_attributes, defaults={"attributes": tuple(AppAttribute)}),
    # Sixty days are the most that any client was seen to ask for; three are kept back for time zones.
    "error_monitoring.graph": Family(
        call="error_monitoring.graph", dated=rows.daily_points, reach_days=57, version_argument="filters"
    ),
    "error_monitoring.pie": Family(
        call="error_monitoring.pie",
        snapshot=rows.error_slices,
        defaults={"duration": 1440},
        version_argument="filters",
    ),
    "performance_management.pie": Family(
        call="performance_management.pie",
        snapshot=rows.performance_slices,
        defaults={"duration": 1440},
        version_argument="filters",
    ),
    **_rankings(),
    **_errors("crashes"),
    **_errors("exceptions"),
    "crashes.affected_users": Family(
        call="crashes.affected_users",
        snapshot=group_rows.affected_users,
        listed_by="crashes.summaries",
        is_personal=True,
    ),
    # Thirty-one days in the capture, of which two are kept back for time zones.
    "trends.app": Family(call="trends.app", dated=rows.daily_trends, reach_days=29),
    "trends.dau": Family(call="trends.dau", snapshot=rows.todays_users),
    "trends.mau": Family(call="trends.mau", snapshot=rows.todays_users),
    "live_stats.get": Family(call="live_stats.get", snapshot=rows.live_windows, defaults={"period": "PT5M"}),
    **_userflows(),
}
"""Every kind by its name, which is what a plan calls it."""

LISTINGS = frozenset(family.listed_by for family in FAMILIES.values() if family.listed_by is not None)
"""Families whose keys other families are asked about."""
