"""One crash, or one handled exception, as facts and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async.cli.families.breadcrumb_view import breadcrumb_sheet
from apteligent_async.cli.showing.views import Heading, Sheet, View
from apteligent_async.models.frozen import EMPTY
from apteligent_async.models.quantities import parse_flag
from apteligent_async.models.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apteligent_async.models.apps import App
    from apteligent_async.models.breadcrumbs import AffectedUsers, BreadcrumbTrace
    from apteligent_async.models.error_details import ErrorDetails

__all__ = ["Details", "details_view"]

_ON_REQUEST = "Personal data on request alone: --users lists who met it, --breadcrumbs what they did before."


@frozen(kw_only=True)
class Details:
    """What was found of one group of errors, and what of it was asked for.

    Attributes:
        app: whose it is.
        error: what the service knows.
        users: who met it; None where nobody asked: personal data.
        traces: what users did before; None where nobody asked: personal data.
        has_versions: whether its versions were asked for.
        has_conditions: whether its conditions were asked for.
    """

    app: App
    error: ErrorDetails
    users: AffectedUsers | None
    traces: Sequence[BreadcrumbTrace] | None
    has_versions: bool
    has_conditions: bool

    @property
    def is_personal(self) -> bool:
        """Whether personal data was asked for."""
        return self.users is not None or self.traces is not None


def details_view(details: Details) -> View:
    """Show the facts and the stack, and what else was asked for."""
    error = details.error
    return View(
        title=f"{error.name or 'Error'} in {details.app.name}",
        facts=tuple((name, value) for name, value in _facts(error) if value not in {None, ""}),
        sheets=tuple(_sheets(details)),
        notes=() if details.is_personal else (_ON_REQUEST,),
    )


def _facts(error: ErrorDetails) -> Iterator[tuple[str, Any]]:
    yield "reason", error.display_reason or error.reason
    yield "look at", error.suspect_line
    yield "status", error.status
    yield "users", (error.unique_session_counts_by_version or EMPTY).get("total")
    yield "sessions", (error.session_counts_by_version or EMPTY).get("total")
    yield "first seen", error.first_occurred
    yield "last seen", error.last_occurred
    yield "hash", error.hash


def _sheets(details: Details) -> Iterator[Sheet]:
    yield _stack(details.error)
    if details.has_versions:
        headings = (
            Heading("version", "version"),
            Heading("unique_session_count", "users"),
            Heading("session_count", "sessions"),
        )
        yield Sheet(name="versions", title="By version", columns=details.error.columns(), headings=headings)
    if details.has_conditions:
        yield _conditions(details.error)
    if details.traces is not None:
        yield breadcrumb_sheet(details.traces)
    if details.users is not None:
        yield _affected(details.users)


def _stack(error: ErrorDetails) -> Sheet:
    lines = error.symbolized_stacktrace or error.stacktrace or ()
    marks = [">" if _is_suspect(line.suspect) else "" for line in lines]
    return Sheet(
        name="stack",
        title="Stack" if error.symbolized_stacktrace else "Stack, without names",
        columns=(
            Column(name="line", kind="text", cells=[_text(line.line_number) for line in lines]),
            Column(name="suspect", kind="text", cells=marks),
            Column(name="trace", kind="text", cells=[line.trace for line in lines]),
        ),
        headings=(Heading("suspect", ""), Heading("line", "line"), Heading("trace", "trace")),
    )


def _is_suspect(sent: Any) -> bool:
    return parse_flag(sent) is True if isinstance(sent, str | bool) else bool(sent)


def _text(sent: Any) -> str | None:
    return None if sent is None else str(sent)


def _conditions(error: ErrorDetails) -> Sheet:
    tallies = error.diagnostics.discrete_diagnostic_data if error.diagnostics else None
    rows = [(name, tally.label, tally.count) for name, listed in (tallies or EMPTY).items() for tally in listed]
    return Sheet(
        name="conditions",
        title="Conditions",
        columns=(
            Column(name="condition", kind="text", cells=[name for name, _, _ in rows]),
            Column(name="value", kind="text", cells=[label for _, label, _ in rows]),
            Column(name="count", kind="number", cells=[count for _, _, count in rows]),
        ),
        headings=(Heading("condition", "condition"), Heading("value", "value"), Heading("count", "times")),
    )


def _affected(users: AffectedUsers) -> Sheet:
    return Sheet(
        name="users",
        title=f"Affected users: {len(users)}",
        columns=users.columns(),
        headings=(
            Heading("username", "user"),
            Heading("system", "system", 1),
            Heading("model", "device", 2),
            Heading("app_version", "version", 3),
            Heading("crash_last_occurred", "last met it", 4),
            Heading("carrier", "carrier", 5),
            Heading("locale", "language", 6),
            Heading("last_login_time", "last seen", 7),
        ),
    )
