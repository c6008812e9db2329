"""``apteligent services`` and ``endpoints``: what an app calls over the network, the slowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from attrs import frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.families.metrics import UNITS, Minutes, Ranking, latest, window_of
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.models.apps import App
    from apteligent_async.models.performance import EndpointRanking, ServiceRanking

__all__ = ["Ranked", "endpoints", "services"]

Most = Annotated[int, Parameter(validator=Number(gte=1, lte=1000))]

_WINDOW = 240
"""Minutes that rankings look back: what the service's own integration asked for."""


@Parameter(name="*")
@frozen(kw_only=True)
class Ranked:
    """What is ranked, and by what.

    Attributes:
        sort_by: What to rank by, the largest first.
        limit: How many of each app.
        duration: How far to look back: 15m, 1h, 4h, 8h, 12h, 1d, 2d, 7d or 30d.
    """

    sort_by: Ranking = "latency"
    limit: Most = 10
    duration: Minutes = _WINDOW

    @property
    def arguments(self) -> dict[str, Any]:
        """The same, as the client takes it."""
        return {"sort": self.sort_by, "limit": self.limit, **window_of(self.duration)}


def services(
    app: str,
    /,
    *others: str,
    ranked: Ranked = Ranked(),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """Rank the services that an app calls.

    Costs one call for each app, and one to find apps by name.

        apteligent services 'Lantern Maps'
        apteligent services '*' --sort-by errors --limit 3 --duration 1d

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        ranked: How to rank them.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        ask = asker.client.performance_management.services
        apps = await asker.apps([app, *others])
        answers = await asker.each(apps, lambda each: ask(each.id, **ranked.arguments))
        return _view("Services", answers, ranked, Heading("name", "service"))

    return answer(connection, output, find)


def endpoints(
    app: str,
    /,
    *others: str,
    ranked: Ranked = Ranked(),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """Rank the addresses that an app calls.

    Costs one call for each app, and one to find apps by name.

        apteligent endpoints 'Lantern Maps'
        apteligent endpoints 'lantern*' --sort-by volume --output endpoints.csv

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        ranked: How to rank them.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        ask = asker.client.performance_management.endpoints
        apps = await asker.apps([app, *others])
        answers = await asker.each(apps, lambda each: ask(each.id, **ranked.arguments))
        return _view("Addresses", answers, ranked, Heading("domain", "host"), Heading("uri", "path"))

    return answer(connection, output, find)


def _view(
    what: str, answers: Sequence[tuple[App, EndpointRanking | ServiceRanking]], ranked: Ranked, *about: Heading
) -> View:
    apps = [app for app, _ in answers]
    columns = sorted_by(joined([(app, found.columns()) for app, found in answers]), "value", is_descending=True)
    headings = (*app_headings(apps), *about, Heading("value", UNITS[ranked.sort_by]))
    return View(
        title=f"{what} of {named(apps)} by {ranked.sort_by}, {latest(ranked.duration or _WINDOW)}",
        sheets=(Sheet(columns=columns, headings=headings),),
    )
