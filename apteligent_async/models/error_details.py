"""Everything that the service knows of one group of crashes or handled exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async.models.breadcrumbs import BreadcrumbTrace  # noqa: TC001  cattrs resolves it
from apteligent_async.models.choices import AppType, ErrorStatus  # noqa: TC001  cattrs resolves it
from apteligent_async.models.days import DailyArray  # noqa: TC001  cattrs resolves it
from apteligent_async.models.diagnostics import Diagnostics  # noqa: TC001  cattrs resolves it
from apteligent_async.models.frozen import EMPTY, FrozenMapping
from apteligent_async.models.result import Number, Part, Result, Scalar
from apteligent_async.models.tables import Column
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ErrorDetails", "StackLine"]


@frozen(kw_only=True)
class StackLine(Part):
    """One line of a stack (grade B).

    Attributes:
        line_number: its number, from 0.
        trace: its text.
        suspect: whether to look here first.
    """

    line_number: Scalar = None
    trace: str | None = None
    suspect: Scalar = None


@frozen(kw_only=True, repr=False)
class ErrorDetails(Result):
    """One group in full (scalars and by-version parts: grade A1; the rest: B).

    Attributes:
        app_id: the app.
        app_type: its platform.
        hash: the group's opaque name.
        unsymbolized_hash: the same before its stack was readable.
        name: class of the error.
        reason: what the error said.
        display_reason: a better text for people, or None.
        class_name: the service's own kind of group.
        status: ``known``, ``unresolved``, ``resolved``, or the text as sent.
        suspect_line: the line of code to look at first, or None.
        app_time_zone_offset: hours from GMT at which the app's days begin.
        first_occurred_text: when it was first seen, as sent.
        last_occurred_text: when it was last seen, as sent.
        num_occurrences: how often it happened, over a window that nobody knows.
        daily_occurrences_by_version: counts by day of each app version and of their ``total``.
        session_counts_by_version: sessions of each version; ``total`` is their sum.
        unique_session_counts_by_version: users of each version; ``total`` is not their sum, as users overlap.
        stacktrace: the stack as recorded.
        symbolized_stacktrace: the stack with names.
        breadcrumb_traces: what users did before: personal data.
        diagnostics: under which conditions it happened.
        other_crashes: not attested; kept as sent.
        legacy_crashes: not attested; kept as sent.
    """

    app_id: str | None = None
    app_type: AppType | str | None = None
    hash: str | None = None
    unsymbolized_hash: str | None = None
    name: str | None = None
    reason: str | None = None
    display_reason: str | None = None
    class_name: str | None = None
    status: ErrorStatus | str | None = None
    suspect_line: str | None = None
    app_time_zone_offset: Number | None = None
    first_occurred_text: str | None = None
    last_occurred_text: str | None = None
    num_occurrences: Number | None = None
    daily_occurrences_by_version: FrozenMapping[DailyArray] | None = None
    session_counts_by_version: FrozenMapping[Number | None] | None = None
    unique_session_counts_by_version: FrozenMapping[Number | None] | None = None
    stacktrace: tuple[StackLine, ...] | None = None
    symbolized_stacktrace: tuple[StackLine, ...] | None = None
    breadcrumb_traces: tuple[BreadcrumbTrace, ...] | None = None
    diagnostics: Diagnostics | None = None
    other_crashes: Any = None
    legacy_crashes: Any = None

    @property
    def first_occurred(self) -> datetime | None:
        """When it was first seen."""
        return parse_time(self.first_occurred_text)

    @property
    def last_occurred(self) -> datetime | None:
        """When it was last seen."""
        return parse_time(self.last_occurred_text)

    def columns(self) -> tuple[Column, ...]:
        """Give one row per app version, ``total`` among them: sessions and users."""
        sessions = self.session_counts_by_version or EMPTY
        users = self.unique_session_counts_by_version or EMPTY
        versions = list(dict.fromkeys([*sessions, *users]))
        return (
            Column(name="version", kind="text", cells=versions),
            Column(name="session_count", kind="number", cells=[sessions.get(version) for version in versions]),
            Column(name="unique_session_count", kind="number", cells=[users.get(version) for version in versions]),
        )

    def headline(self) -> str:
        """Name the error and its state."""
        return f"{self.name or self.hash or 'without a name'} ({self.status or 'status unknown'})"
