"""Groups of crashes and of handled exceptions: in lists, by day, page by page, in full.

Both families are alike, so they share their methods, against the habit of this package; only crashes have users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async._wire.error_endpoints import ErrorEndpoints  # noqa: TC001  attrs shows it
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it
from apteligent_async.client.paging import Paged, Place

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta

    from apteligent_async._wire.calls import Endpoint, Found
    from apteligent_async.models.breadcrumbs import AffectedUsers
    from apteligent_async.models.choices import ErrorStatus, SortOrder, TableSort, Unchecked
    from apteligent_async.models.error_details import ErrorDetails
    from apteligent_async.models.error_groups import ErrorCounts, ErrorPage, ErrorRow, ErrorSummaries

__all__ = ["Crashes", "ErrorGroups", "Exceptions"]


@frozen(repr=False)
class ErrorGroups:
    """One family of errors. In paths, ``{kind}`` is ``crash`` or ``exception``.

    Lists were asked for on two paths, and both worked (grade B): the app's id last, or by ``alternative_path`` first.
    """

    _caller: Caller
    _rows: ErrorEndpoints

    async def summaries(
        self,
        app_id: str,
        *,
        last_occurred_start: datetime | date | str | None = None,
        last_occurred_end: datetime | date | str | None = None,
        first_occurred_start: datetime | date | str | None = None,
        first_occurred_end: datetime | date | str | None = None,
        status: ErrorStatus | str | Unchecked | None = None,
        app_version: str | None = None,
        sort_by: str | Unchecked | None = None,
        sort_order: str | Unchecked | None = None,
        alternative_path: bool = False,
    ) -> ErrorSummaries:
        """List all groups that fit (grade B: both integrations; items were captured on v1).

        Path: ``GET /v2/app/{kind}/summaries/{app_id}``. The whole list comes at once: no paging is attested.

        Args:
            app_id: the app.
            last_occurred_start: groups last seen from here on; a time with an offset is sent in UTC.
            last_occurred_end: groups last seen until here.
            first_occurred_start: groups first seen from here on (grade C: a third party, on v1).
            first_occurred_end: groups first seen until here (grade C: a third party, on v1).
            status: ``known``, ``unresolved`` or ``resolved`` (grade C: a dashboard).
            app_version: one version alone (grade C: a dashboard).
            sort_by: such as ``sessionCount`` or ``uniqueSessionCount`` (grade C: a dashboard; the set is not known).
            sort_order: such as ``descending``; ``desc`` and ``DESC`` were seen as well (grade C).
            alternative_path: ask ``/v2/app/{app_id}/{kind}/summaries`` (grade B: the New Relic integration).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            _on_path(self._rows.summaries, is_alternative=alternative_path),
            app_id=app_id,
            last_occurred_start=last_occurred_start,
            last_occurred_end=last_occurred_end,
            first_occurred_start=first_occurred_start,
            first_occurred_end=first_occurred_end,
            status=status,
            app_version=app_version,
            sort_by=sort_by,
            sort_order=sort_order,
        )

    async def counts(
        self, app_id: str, *, app_version: str | None = None, alternative_path: bool = False
    ) -> ErrorCounts:
        """Count an app's errors by day, today last (grade B: the Splunk integration, in both orders of path).

        Path: ``GET /v2/app/{kind}/counts/{app_id}``. How many days come back is not attested.

        Args:
            app_id: the app.
            app_version: one version alone.
            alternative_path: ask ``/v2/app/{app_id}/{kind}/counts``.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            _on_path(self._rows.counts, is_alternative=alternative_path), app_id=app_id, app_version=app_version
        )

    def table(
        self,
        app_id: str,
        *,
        app_version: str | None = None,
        period: int | timedelta | Unchecked | None = None,
        start_date: datetime | date | str | None = None,
        end_date: datetime | date | str | None = None,
        sort_by: TableSort | str | Unchecked | None = None,
        sort_order: SortOrder | str | Unchecked | None = None,
        prefetch: int = 0,
        alternative_path: bool = False,
    ) -> Paged[ErrorRow, ErrorPage]:
        """List groups with their figures, page by page (grade B: the Splunk integration, the mobile app; no full row).

        Path: ``GET /v2/{kind}/paginatedtable/{app_id}``. Iterate over what this gives for rows, or over its
        ``pages()``; a page is asked for when the one before has been used up.

        Args:
            app_id: the app.
            app_version: one version, or ``all``.
            period: days to look back, or a timedelta; 1, 7 and 30 are attested.
            start_date: from when on; a time with an offset is sent in UTC.
            end_date: until when.
            sort_by: ``usersAffected``, ``timesOccurred``, ``firstOccurred`` or ``lastOccurred``.
            sort_order: ``ascending`` or ``descending``.
            prefetch: how many pages to ask for together with the next one, once the first has told how many there
                are. The next is handed out when all of them have come: nothing is fetched while nobody waits.
            alternative_path: ask ``/v2/{app_id}/{kind}/paginatedtable`` (grade B: the New Relic integration).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            ResponseError: on the way: the service's count of pages cannot be right.
        """
        fetch = self._caller.page_fetcher(
            _on_path(self._rows.table, is_alternative=alternative_path),
            app_id=app_id,
            app_version=app_version,
            period=period,
            start_date=start_date,
            end_date=end_date,
            sort_by=sort_by,
            sort_order=sort_order,
        )
        return Paged(fetch, _place, prefetch=prefetch)

    async def details(
        self,
        app_id: str,
        hash: str,  # noqa: A002  the service's word
        *,
        diagnostics: bool = False,
        get_other_crashes: bool = False,
        daily_occurrences: bool = False,
    ) -> ErrorDetails:
        """Tell all about one group (grade B: both integrations, the mobile app; scalars and counts captured on v1).

        Path: ``GET /v2/{kind}/{app_id}/{hash}``. Holds personal data: breadcrumbs and affected users.

        Args:
            app_id: the app.
            hash: the group's, from a summary or a row of the table.
            diagnostics: ask for the conditions of the errors; they were seen to come unasked as well.
            get_other_crashes: ask for other crashes of the group's users.
            daily_occurrences: ask for counts by day and version.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(
            self._rows.details,
            app_id=app_id,
            hash=hash,
            diagnostics=diagnostics or None,
            get_other_crashes=get_other_crashes or None,
            daily_occurrences=daily_occurrences or None,
        )


@frozen(repr=False)
class Exceptions(ErrorGroups):
    """Handled exceptions: ``client.exceptions``."""


@frozen(repr=False)
class Crashes(ErrorGroups):
    """Crashes: ``client.crashes``."""

    async def affected_users(self, app_id: str, hash: str) -> AffectedUsers:  # noqa: A002  the service's word
        """List the users who met a crash: personal data (grade B: the mobile app; no paging is attested).

        Path: ``GET /v2/crash/userData/{app_id}/{hash}``.

        Args:
            app_id: the app.
            hash: the crash's, from a summary or a row of the table.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.CRASH_USERS, app_id=app_id, hash=hash)


def _on_path(endpoint: Endpoint[Found], *, is_alternative: bool) -> Endpoint[Found]:
    return endpoint.with_alternative_path() if is_alternative else endpoint


def _place(page: ErrorPage, asked: int) -> Place:
    stated = page.pagination
    if stated is None:
        return Place(number=asked, last=asked)
    return Place(number=stated.page_num or asked, last=stated.total_pages or 0)
