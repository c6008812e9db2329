"""``apteligent apps``: which apps there are, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.selection import chosen_apps
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by
from apteligent_async.models.apps import Apps

if TYPE_CHECKING:
    from apteligent_async.cli.asking import Asker

__all__ = ["apps"]

Key = Literal["crash-percent", "dau", "mau", "latency", "rating", "name"]

_HEADINGS = (
    Heading("app_name", "app"),
    Heading("crash_percent", "crash %", 1),
    Heading("dau", "users/day", 2),
    Heading("app_type", "type", 3),
    Heading("rating", "rating", 6),
    Heading("latency", "latency ms", 4),
    Heading("mau", "users/month", 5),
    Heading("latest_version_string", "in store", 8),
    Heading("id", "id", 7, is_whole=True),
    Heading("role", "role", 9),
)
_COLUMNS: dict[Key, str] = {"crash-percent": "crash_percent", "name": "app_name"}
_RISING = {"name", "rating"}


def apps(
    *apps: str,
    sort_by: Key = "crash-percent",
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """List the apps with their crash rate, users, latency and rating; the worst come first.

    Costs one call.

        apteligent apps
        apteligent apps 'lantern*' --sort-by latency
        apteligent apps --output apps.csv

    Args:
        apps: Names, ids or patterns such as 'lantern*'; all apps without.
        sort_by: What to sort by: lowest rating first, names from A to Z, all else from the largest.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        everything = await asker.client.apps.list()
        found = Apps(items=chosen_apps(everything.items, apps))
        columns = sorted_by(found.columns(), _COLUMNS.get(sort_by, sort_by), is_descending=sort_by not in _RISING)
        return View(
            title=f"{len(found)} apps, by {sort_by.replace('-', ' ')}",
            sheets=(Sheet(columns=columns, headings=_HEADINGS),),
            notes=("Next: apteligent pie APP --by os, or apteligent crashes APP",),
        )

    return answer(connection, output, find)
