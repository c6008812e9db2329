"""The rows of crashes and of handled exceptions: the same calls twice, with ``crash`` or ``exception`` in the path.

Two orders of path were in use against v2, the app id last or in the middle; the first is asked, the second is each
row's `alternative`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async._wire.calls import Endpoint, Grade, Parameter
from apteligent_async._wire.parameters import days, flag, instant, one_of, whole
from apteligent_async.models.breadcrumbs import AffectedUsers
from apteligent_async.models.choices import ErrorStatus, SortOrder, TableSort
from apteligent_async.models.error_details import ErrorDetails
from apteligent_async.models.error_groups import ErrorCounts, ErrorPage, ErrorSummaries

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CRASHES", "CRASH_USERS", "EXCEPTIONS", "ErrorEndpoints"]

_APP_VERSION = {"app_version": Parameter(sent_as="appVersion")}


@frozen(kw_only=True)
class ErrorEndpoints:
    """The rows of one kind of error.

    Attributes:
        summaries: all groups that fit.
        counts: errors by day.
        table: groups, page by page.
        details: one group in full.
    """

    summaries: Endpoint[ErrorSummaries]
    counts: Endpoint[ErrorCounts]
    table: Endpoint[ErrorPage]
    details: Endpoint[ErrorDetails]

    def rows(self) -> Iterable[Endpoint[Any]]:
        """Give all of them."""
        return (self.summaries, self.counts, self.table, self.details)


def _rows(group: str, kind: str) -> ErrorEndpoints:
    return ErrorEndpoints(
        summaries=_summaries(group, kind),
        counts=Endpoint(
            name=f"{group}.counts",
            template=f"/v2/app/{kind}/counts/{{app_id}}",
            alternative=f"/v2/app/{{app_id}}/{kind}/counts",
            result=ErrorCounts,
            grade=Grade.B,
            source="the Splunk integration, in both orders; no capture",
            parameters=_APP_VERSION,
        ),
        table=_table(group, kind),
        details=_details(group, kind),
    )


def _summaries(group: str, kind: str) -> Endpoint[ErrorSummaries]:
    return Endpoint(
        name=f"{group}.summaries",
        template=f"/v2/app/{kind}/summaries/{{app_id}}",
        alternative=f"/v2/app/{{app_id}}/{kind}/summaries",
        result=ErrorSummaries,
        grade=Grade.B,
        source="the Splunk integration, the New Relic one in the other order; status and sorting are a dashboard's (C)",
        parameters={
            "last_occurred_start": Parameter(sent_as="lastOccurredStart", encode=instant),
            "last_occurred_end": Parameter(sent_as="lastOccurredEnd", encode=instant),
            "first_occurred_start": Parameter(sent_as="firstOccurredStart", encode=instant),
            "first_occurred_end": Parameter(sent_as="firstOccurredEnd", encode=instant),
            "status": Parameter(sent_as="status", encode=one_of(ErrorStatus)),
            **_APP_VERSION,
            "sort_by": Parameter(sent_as="sortBy"),
            "sort_order": Parameter(sent_as="sortOrder"),
        },
    )


def _table(group: str, kind: str) -> Endpoint[ErrorPage]:
    return Endpoint(
        name=f"{group}.table",
        template=f"/v2/{kind}/paginatedtable/{{app_id}}",
        alternative=f"/v2/{{app_id}}/{kind}/paginatedtable",
        result=ErrorPage,
        grade=Grade.B,
        source="the Splunk integration and a mobile app, the New Relic one in the other order; no full row",
        parameters={
            "page_num": Parameter(sent_as="pageNum", encode=whole),
            **_APP_VERSION,
            "period": Parameter(sent_as="period", encode=days),
            "start_date": Parameter(sent_as="startDate", encode=instant),
            "end_date": Parameter(sent_as="endDate", encode=instant),
            "sort_by": Parameter(sent_as="sortBy", encode=one_of(TableSort)),
            "sort_order": Parameter(sent_as="sortOrder", encode=one_of(SortOrder)),
        },
    )


def _details(group: str, kind: str) -> Endpoint[ErrorDetails]:
    return Endpoint(
        name=f"{group}.details",
        template=f"/v2/{kind}/{{app_id}}/{{hash}}",
        result=ErrorDetails,
        grade=Grade.B,
        source="both integrations and a mobile app; scalars and counts were captured on v1 (A1)",
        parameters={
            "diagnostics": Parameter(sent_as="diagnostics", encode=flag),
            "get_other_crashes": Parameter(sent_as="get_other_crashes", encode=flag),
            "daily_occurrences": Parameter(sent_as="dailyOccurrences", encode=flag),
        },
        is_personal=True,
    )


CRASHES = _rows("crashes", "crash")
EXCEPTIONS = _rows("exceptions", "exception")
CRASH_USERS = Endpoint(
    name="crashes.affected_users",
    template="/v2/crash/userData/{app_id}/{hash}",
    result=AffectedUsers,
    grade=Grade.B,
    source="a mobile app; no capture",
    is_personal=True,
)
