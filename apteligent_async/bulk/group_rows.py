"""Answers about groups of crashes and exceptions, as rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from apteligent_async._wire.codec import unstructure
from apteligent_async.bulk.figures import figure_row, figure_rows
from apteligent_async.models.frozen import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async.bulk.units import Row, Unit
    from apteligent_async.models.breadcrumbs import AffectedUsers
    from apteligent_async.models.diagnostics import Diagnostics
    from apteligent_async.models.error_details import ErrorDetails
    from apteligent_async.models.error_groups import ErrorPage, ErrorSummaries

    Rows = Iterator[Row]

__all__ = ["affected_users", "breadcrumbs", "group_details", "group_summaries", "table_rows"]

_SUMMARY_FIGURES = {
    "session_count": "sessionCount",
    "unique_session_count": "uniqueSessionCount",
    "last_occurred_text": "lastOccurred",
    "status": "status",
    "name": "name",
    "reason": "reason",
    "display_reason": "displayReason",
    "suspect_line": "suspectLine",
    "is_symbolized_text": "isSymbolized",
}
_TABLE_FIGURES = {
    "total_occurrences": "total_occurrences",
    "num_unique_sessions": "num_unique_sessions",
    "first_occurred_time_text": "first_occurred_time",
    "last_occurred_time_text": "last_occurred_time",
    "status": "status",
    "name": "name",
    "reason": "reason",
    "display_reason": "display_reason",
    "class_name": "class_name",
}
_DETAIL_FIGURES = {
    "num_occurrences": "numOccurrences",
    "first_occurred_text": "firstOccurred",
    "last_occurred_text": "lastOccurred",
    "status": "status",
    "name": "name",
    "reason": "reason",
    "display_reason": "displayReason",
    "class_name": "class",
    "suspect_line": "suspectLine",
}
_USER_FIGURES = {
    "username": "username",
    "app_version": "app_version",
    "crash_last_occurred_iso_text": "crash_last_occurred_iso",
    "last_login_time_iso_text": "last_login_time_iso",
    "locale": "locale",
    "system": "system",
    "system_version": "system_version",
    "carrier": "carrier",
    "model": "model",
}


def group_summaries(answer: ErrorSummaries, unit: Unit) -> Rows:
    """One row per group and figure."""
    for group in answer:
        yield from figure_rows(group, _SUMMARY_FIGURES, unit, ("hash", group.hash))


def table_rows(answer: ErrorPage, unit: Unit) -> Rows:
    """One row per group and figure of a page; daily arrays are left out, as nobody knows which way they run."""
    for group in answer:
        yield from figure_rows(group, _TABLE_FIGURES, unit, ("hash", group.hash))


def group_details(answer: ErrorDetails, unit: Unit) -> Rows:
    """One row per figure of a group, per version, and per condition that diagnostics tell; nobody's personal data."""
    hash_ = unit.question.argument("hash")
    yield from figure_rows(answer, _DETAIL_FIGURES, unit, ("hash", hash_))
    by_version = {
        "sessionCountsByVersion": answer.session_counts_by_version,
        "uniqueSessionCountsByVersion": answer.unique_session_counts_by_version,
    }
    for metric, counts in by_version.items():
        for version, value in (counts or EMPTY).items():
            yield figure_row(unit, metric, value, ("hash/appVersion", f"{hash_}/{version}"))
    if unit.question.argument("diagnostics") and answer.diagnostics is not None:
        yield from _conditions(answer.diagnostics, unit, hash_)


def _conditions(found: Diagnostics, unit: Unit, hash_: str) -> Rows:
    for dimension, tallies in (found.discrete_diagnostic_data or EMPTY).items():
        for tally in tallies:
            yield figure_row(unit, "diagnostics", tally.count, (f"hash/{dimension}", f"{hash_}/{tally.label}"))
    for country, regions in (found.geo_data or EMPTY).items():
        for region, point in regions.regions.items():
            yield figure_row(unit, "diagnostics", point.count, ("hash/country/region", f"{hash_}/{country}/{region}"))


def breadcrumbs(answer: ErrorDetails, unit: Unit) -> Rows:
    """One row per trace, as JSON: personal data."""
    hash_ = unit.question.argument("hash")
    for i, trace in enumerate(answer.breadcrumb_traces or ()):
        text = json.dumps(unstructure(trace), sort_keys=True)
        yield figure_row(unit, "breadcrumbs", text, ("hash/trace", f"{hash_}/{i}"))


def affected_users(answer: AffectedUsers, unit: Unit) -> Rows:
    """One row per user and figure: personal data."""
    hash_ = unit.question.argument("hash")
    for i, user in enumerate(answer):
        yield from figure_rows(user, _USER_FIGURES, unit, ("hash/user", f"{hash_}/{i}"))
