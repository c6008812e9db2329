"""``apteligent crashes``, ``exceptions`` and ``crash``: groups of errors, and one of them in full."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from attrs import evolve, frozen
from cyclopts import Parameter

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.error_view import Details, details_view
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.flags import Day, Flag  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by
from apteligent_async.errors import ConfigurationError, NotFoundError
from apteligent_async.models.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.client import ApteligentClient
    from apteligent_async.client.crashes import ErrorGroups
    from apteligent_async.models.apps import App
    from apteligent_async.models.breadcrumbs import AffectedUser, BreadcrumbTrace
    from apteligent_async.models.error_details import ErrorDetails
    from apteligent_async.models.error_groups import ErrorSummaries, ErrorSummary

__all__ = ["Listed", "Sections", "crash", "crashes", "exceptions"]

Status = Literal["known", "unresolved", "resolved"]
Key = Literal["users", "sessions", "last-seen", "rank"]
Kind = Literal["crash", "exception"]
Named = TypeVar("Named", "AffectedUser", "BreadcrumbTrace")

_COLUMNS: dict[Key, str] = {
    "users": "unique_session_count",
    "sessions": "session_count",
    "last-seen": "last_occurred",
    "rank": "rank",
}
_HEADINGS = (
    Heading("short", "hash", is_whole=True),
    Heading("name", "error", ends_tell=True),
    Heading("unique_session_count", "users", 1),
    Heading("suspect_line", "look at", 2, ends_tell=True),
    Heading("status", "status", 3),
    Heading("session_count", "sessions", 4),
    Heading("last_occurred", "last seen", 5),
    Heading("reason", "reason", 6),
)
_NAMES: dict[Kind, tuple[str, str]] = {
    "crash": ("crashes", ""),
    "exception": ("handled exceptions", " --kind exception"),
}
_SHORTEST_HASH = 8
_SHORTEST_WHOLE_HASH = 16


@Parameter(name="*")
@frozen(kw_only=True)
class Listed:
    """Which errors to list, and how.

    Attributes:
        sort_by: What to sort by, the largest or latest first; rank weighs users and sessions alike.
        status: Only those in this state.
        app_version: Only those of this version.
        since: Only those seen on this day (2016-12-01) or later.
    """

    sort_by: Key = "users"
    status: Status | None = None
    app_version: str | None = None
    since: Day = None


@Parameter(name="*")
@frozen(kw_only=True)
class Sections:
    """What to show of an error besides what it is and its stack.

    Attributes:
        users: List the users who met it.
        breadcrumbs: Show what users did before, session by session.
        user: Only this user, who met it, and what he did before.
        versions: Count its sessions and users by app version.
        conditions: Count it by device, system, carrier, language and so on.
    """

    users: Flag = False
    breadcrumbs: Flag = False
    user: str | None = None
    versions: Flag = False
    conditions: Flag = False

    @property
    def has_users(self) -> bool:
        """Whether to ask who met it."""
        return self.users or self.user is not None

    @property
    def has_breadcrumbs(self) -> bool:
        """Whether to tell what users did before."""
        return self.breadcrumbs or self.user is not None

    def of_user(self, listed: Iterable[Named]) -> tuple[Named, ...]:
        """Leave out other users than the one who was asked for."""
        return tuple(each for each in listed if self.user is None or each.username == self.user)


def crashes(
    app: str,
    /,
    *others: str,
    listed: Listed = Listed(),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """List an app's crashes, those of most users first.

    Costs one call for each app, and one to find apps by name.

        apteligent crashes 'Lantern Maps'
        apteligent crashes Lantern --status unresolved --since 2016-12-01
        apteligent crashes '*' --top 10 --sort-by rank

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        listed: Which, and how.
        connection: Where the service is.
        output: How to show it.

    """
    return answer(connection, output, partial(_summaries, wanted=[app, *others], kind="crash", listed=listed))


def exceptions(
    app: str,
    /,
    *others: str,
    listed: Listed = Listed(),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """List an app's handled exceptions, those of most users first.

    Costs one call for each app, and one to find apps by name.

        apteligent exceptions 'Lantern Maps'
        apteligent exceptions 'lantern*' --sort-by sessions --output exceptions.csv

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        listed: Which, and how.
        connection: Where the service is.
        output: How to show it.

    """
    return answer(connection, output, partial(_summaries, wanted=[app, *others], kind="exception", listed=listed))


def crash(
    app: str,
    hash: str | None = None,  # noqa: A002  the service's word
    /,
    *,
    kind: Kind = "crash",
    sections: Sections = Sections(),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """Show one crash: what it is, its stack and, if asked for, what led to it, to whom and under which conditions.

    Users and what they did are personal data, and are shown only with --users, --breadcrumbs or --user. Costs one call,
    one more for each of: an app given by name, a hash not given whole, --users or --user.

        apteligent crash 'Lantern Maps'
        apteligent crash 'Lantern Maps' 7eb5a1c9 --users --breadcrumbs
        apteligent crash 'Lantern Maps' 7eb5a1c9 --user amelia
        apteligent crash Lantern 7eb5a1c9 --conditions --output conditions.csv

    Args:
        app: Name or id.
        hash: The crash's hash, or its beginning, as `apteligent crashes` shows it; without, the one of most users.
        kind: Whether it is a crash or a handled exception.
        sections: What else to show.
        connection: Where the service is.
        output: How to show it.

    """
    if sections.has_users and kind == "exception":
        raise ConfigurationError("The service lists the users of crashes alone: leave out --users and --user.")

    async def find(asker: Asker) -> View:
        chosen = await asker.app(app)
        found = await _details(_groups(asker.client, kind), chosen, hash, conditions=sections.conditions)
        return details_view(await _with_sections(asker.client, chosen, found, sections))

    return answer(connection, output, find)


async def _with_sections(client: ApteligentClient, app: App, error: ErrorDetails, sections: Sections) -> Details:
    """Ask for what was not sent with the details, and leave out what nobody asked for."""
    users = await client.crashes.affected_users(app.id, error.hash or "") if sections.has_users else None
    return Details(
        app=app,
        error=error,
        users=users and evolve(users, items=sections.of_user(users)),
        traces=sections.of_user(error.breadcrumb_traces or ()) if sections.has_breadcrumbs else None,
        has_versions=sections.versions,
        has_conditions=sections.conditions,
    )


async def _summaries(asker: Asker, *, wanted: Sequence[str], kind: Kind, listed: Listed) -> View:
    ask = partial(
        _groups(asker.client, kind).summaries,
        status=listed.status,
        app_version=listed.app_version,
        last_occurred_start=listed.since,
    )
    answers = await asker.each(await asker.apps(wanted), lambda each: ask(each.id))
    apps = [app for app, _ in answers]
    columns = joined([(app, (_short_hashes(found), _ranks(found), *found.columns())) for app, found in answers])
    columns = sorted_by(columns, _COLUMNS[listed.sort_by], is_descending=True)
    name, option = _NAMES[kind]
    return View(
        title=f"{len(columns[0].cells)} {name} of {named(apps)}, by {listed.sort_by.replace('-', ' ')}",
        sheets=(Sheet(columns=columns, headings=(*app_headings(apps), *_HEADINGS)),),
        notes=(f"Next: apteligent crash APP HASH{option}",),
    )


def _short_hashes(found: ErrorSummaries) -> Column:
    """Cut hashes to the shortest length at which those of an app differ: what `apteligent crash` takes."""
    hashes = [summary.hash for summary in found]
    longest = max(map(len, hashes), default=_SHORTEST_HASH)
    length = next(
        (length for length in range(_SHORTEST_HASH, longest) if len({text[:length] for text in hashes}) == len(hashes)),
        longest,
    )
    return Column(name="short", kind="text", cells=[text[:length] for text in hashes])


def _ranks(found: ErrorSummaries) -> Column:
    """Rank errors by the length of the vector of their users and sessions."""
    ranks = [math.hypot(_users(summary), summary.session_count or 0) for summary in found]
    return Column(name="rank", kind="number", cells=ranks)


def _groups(client: ApteligentClient, kind: Kind) -> ErrorGroups:
    return client.crashes if kind == "crash" else client.exceptions


async def _details(groups: ErrorGroups, app: App, text: str | None, *, conditions: bool) -> ErrorDetails:
    """Ask for what could be a whole hash at once, and look anything else up in the list."""
    if text is not None and len(text) >= _SHORTEST_WHOLE_HASH:
        try:
            return await groups.details(app.id, text, diagnostics=conditions)
        except NotFoundError:
            pass  # it may be the beginning of a longer one
    found = _meant(await groups.summaries(app.id), app, text)
    return await groups.details(app.id, found.hash, diagnostics=conditions)


def _meant(summaries: ErrorSummaries, app: App, text: str | None) -> ErrorSummary:
    alike = [each for each in summaries if text is None or each.hash.startswith(text)]
    if not alike:
        known = f"no hash begins with {text!r}" if text else "it has none"
        raise ConfigurationError(f"There is no such crash or exception in {app.name}: {known}.")
    if text is not None and len(alike) > 1:
        several = ", ".join(f"{each.hash} ({each.name})" for each in alike[:5])
        raise ConfigurationError(f"{text!r} is the beginning of {len(alike)} hashes: {several}. Give more of it.")
    return max(alike, key=_users)


def _users(summary: ErrorSummary) -> Any:
    return summary.unique_session_count or 0
