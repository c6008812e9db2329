"""``apteligent services`` and ``endpoints``: what an app calls over the network, the slowest first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from apteligent_async.cli.asking import Connection, answer
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.families.metrics import UNITS, Minutes, Ranking, latest
from apteligent_async.cli.formats import Output
from apteligent_async.cli.views import Heading, Sheet, View, sorted_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.models.apps import App
    from apteligent_async.models.performance import EndpointRanking, ServiceRanking

__all__ = ["endpoints", "services"]

Most = Annotated[int, Parameter(validator=Number(gte=1, lte=1000))]

_WINDOW = 240
"""Minutes that rankings look back: what the service's own integration asked for."""


def services(
    app: str,
    /,
    *others: str,
    sort_by: Ranking = "latency",
    limit: Most = 10,
    duration: Minutes = _WINDOW,
    connection: Connection = Connection(),  # noqa: B008  frozen
    output: Output = Output(),  # noqa: B008  frozen
) -> int:
    """Rank the services that an app calls.

    Costs one call for each app, and one to find apps by name.

        apteligent services 'Lantern Maps'
        apteligent services '*' --sort-by errors --limit 3 --duration 1d

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        sort_by: What to rank by, the largest first.
        limit: How many of each app.
        duration: How far to look back: 15m, 1h, 4h, 8h, 12h, 1d, 2d, 7d or 30d.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        ask = partial(
            asker.client.performance_management.services, sort=sort_by, limit=limit, duration=duration or _WINDOW
        )
        answers = await asker.each(await asker.apps([app, *others]), lambda each: ask(each.id))
        title = f"Services of {named([each for each, _ in answers])} by {sort_by}, {latest(duration or _WINDOW)}"
        return _view(answers, (Heading("name", "service"),), title=title, unit=UNITS[sort_by])

    return answer(connection, output, find)


def endpoints(
    app: str,
    /,
    *others: str,
    sort_by: Ranking = "latency",
    limit: Most = 10,
    duration: Minutes = _WINDOW,
    connection: Connection = Connection(),  # noqa: B008  frozen
    output: Output = Output(),  # noqa: B008  frozen
) -> int:
    """Rank the addresses that an app calls.

    Costs one call for each app, and one to find apps by name.

        apteligent endpoints 'Lantern Maps'
        apteligent endpoints 'lantern*' --sort-by volume --output endpoints.csv

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        sort_by: What to rank by, the largest first.
        limit: How many of each app.
        duration: How far to look back: 15m, 1h, 4h, 8h, 12h, 1d, 2d, 7d or 30d.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        ask = partial(
            asker.client.performance_management.endpoints, sort=sort_by, limit=limit, duration=duration or _WINDOW
        )
        answers = await asker.each(await asker.apps([app, *others]), lambda each: ask(each.id))
        title = f"Addresses of {named([each for each, _ in answers])} by {sort_by}, {latest(duration or _WINDOW)}"
        return _view(answers, (Heading("domain", "host"), Heading("uri", "path")), title=title, unit=UNITS[sort_by])

    return answer(connection, output, find)


def _view(
    answers: Sequence[tuple[App, EndpointRanking | ServiceRanking]],
    headings: tuple[Heading, ...],
    *,
    title: str,
    unit: str,
) -> View:
    columns = sorted_by(joined([(app, found.columns()) for app, found in answers]), "value", is_descending=True)
    headings = (*app_headings([app for app, _ in answers]), *headings, Heading("value", unit))
    return View(title=title, sheets=(Sheet(columns=columns, headings=headings),))
