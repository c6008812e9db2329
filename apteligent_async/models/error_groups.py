"""Groups of crashes or handled exceptions: in lists, by day, and in the paginated table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.models.choices import ErrorStatus  # noqa: TC001  cattrs resolves it
from apteligent_async.models.days import DailyArray  # noqa: TC001  cattrs resolves it
from apteligent_async.models.frozen import FrozenMapping  # noqa: TC001  cattrs resolves it
from apteligent_async.models.quantities import parse_flag, parse_whole
from apteligent_async.models.result import Listing, Number, Part
from apteligent_async.models.tables import Column, columns_of
from apteligent_async.models.times import parse_date, parse_time

if TYPE_CHECKING:
    import datetime as dt


__all__ = ["DailyCount", "ErrorCounts", "ErrorPage", "ErrorRow", "ErrorSummaries", "ErrorSummary", "Pagination"]


@frozen(kw_only=True)
class ErrorSummary(Part):
    """One group as the summaries tell it (grade A1 for crashes, B for exceptions).

    Attributes:
        hash: its opaque name, for details.
        name: class of the error, such as ``NSRangeException``.
        reason: what the error said.
        display_reason: a better text for people, or None.
        status: ``known``, ``unresolved``, ``resolved``, or the text as sent.
        last_occurred_text: when it was last seen, as sent.
        session_count: sessions that had it.
        unique_session_count: users that had it.
        suspect_line: the line of code to look at first, or None.
        is_symbolized_text: whether its stack is readable, as sent: the text ``true`` or ``false``.
    """

    hash: str
    name: str | None = None
    reason: str | None = None
    display_reason: str | None = None
    status: ErrorStatus | str | None = None
    last_occurred_text: str | None = None
    session_count: Number | None = None
    unique_session_count: Number | None = None
    suspect_line: str | None = None
    is_symbolized_text: str | bool | None = None

    @property
    def last_occurred(self) -> dt.datetime | None:
        """When it was last seen."""
        return parse_time(self.last_occurred_text)

    @property
    def is_symbolized(self) -> bool | None:
        """Whether its stack is readable."""
        return parse_flag(self.is_symbolized_text)


@frozen(kw_only=True, repr=False)
class ErrorSummaries(Listing[ErrorSummary]):
    """All groups that fit the question; no paging is attested."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per group."""
        return columns_of(
            self.items,
            hash="text",
            name="text",
            reason="text",
            display_reason="text",
            status="text",
            last_occurred="instant",
            session_count="number",
            unique_session_count="number",
            suspect_line="text",
            is_symbolized="flag",
        )


@frozen(kw_only=True)
class DailyCount(Part):
    """The errors of one day (grade B).

    Attributes:
        date_text: the day as sent.
        value: how many.
    """

    date_text: str
    value: Number | None = None

    @property
    def date(self) -> dt.date | None:
        """The day, in the app's own time zone."""
        return parse_date(self.date_text)


@frozen(kw_only=True, repr=False)
class ErrorCounts(Listing[DailyCount]):
    """Errors by day, oldest first; the last is the running day (grade B)."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per day."""
        return columns_of(self.items, date="day", value="number")


@frozen(kw_only=True)
class Pagination(Part):
    """Where a page stands (grade B).

    Attributes:
        page_num_text: its number, from 1, as sent.
        total_pages_text: how many there are, as sent.
    """

    page_num_text: str | int | float | None = None
    total_pages_text: str | int | float | None = None

    @property
    def page_num(self) -> int | None:
        """Its number, from 1."""
        return parse_whole(self.page_num_text)

    @property
    def total_pages(self) -> int | None:
        """How many pages there are."""
        return parse_whole(self.total_pages_text)


@frozen(kw_only=True)
class ErrorRow(Part):
    """One group as the paginated table tells it (grade B: no full row was ever captured).

    Attributes:
        hash: its opaque name, for details.
        name: class of the error.
        reason: what the error said.
        display_reason: a better text for people, or None.
        status: ``known``, ``unresolved``, ``resolved``, or the text as sent.
        class_name: the service's own kind of group.
        total_occurrences: how often it happened.
        num_unique_sessions: users that had it.
        first_occurred_time_text: when it was first seen, as sent.
        last_occurred_time_text: when it was last seen, as sent.
        daily_occurrences: counts by day, in a direction that is disputed.
        daily_occurrences_by_version: the same by app version.
        app_timezone_offset: hours from GMT at which the app's days begin.
    """

    hash: str
    name: str | None = None
    reason: str | None = None
    display_reason: str | None = None
    status: ErrorStatus | str | None = None
    class_name: str | None = None
    total_occurrences: Number | None = None
    num_unique_sessions: Number | None = None
    first_occurred_time_text: str | int | float | None = None
    last_occurred_time_text: str | int | float | None = None
    daily_occurrences: DailyArray | None = None
    daily_occurrences_by_version: FrozenMapping[DailyArray] | None = None
    app_timezone_offset: Number | None = None

    @property
    def first_occurred_time(self) -> dt.datetime | None:
        """When it was first seen."""
        return parse_time(self.first_occurred_time_text)

    @property
    def last_occurred_time(self) -> dt.datetime | None:
        """When it was last seen."""
        return parse_time(self.last_occurred_time_text)


@frozen(kw_only=True, repr=False)
class ErrorPage(Listing[ErrorRow]):
    """One page of the table.

    Attributes:
        pagination: where it stands; None if the service did not say, so there is no other.
    """

    pagination: Pagination | None = None

    @property
    def page_num(self) -> int:
        """Its number, from 1."""
        return (self.pagination and self.pagination.page_num) or 1

    @property
    def total_pages(self) -> int:
        """How many pages there are."""
        return (self.pagination and self.pagination.total_pages) or self.page_num

    def columns(self) -> tuple[Column, ...]:
        """Give one row per group."""
        return columns_of(
            self.items,
            hash="text",
            name="text",
            reason="text",
            display_reason="text",
            status="text",
            total_occurrences="number",
            num_unique_sessions="number",
            first_occurred_time="instant",
            last_occurred_time="instant",
        )

    def headline(self) -> str:
        """Say how many rows there are, and on which page."""
        return f"{self.page_num} of {self.total_pages}, {len(self.items)} rows"
