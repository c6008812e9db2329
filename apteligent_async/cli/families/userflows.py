"""``apteligent userflows``: what users set out to do, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by
from apteligent_async.models.transactions import TransactionGroups

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.client import ApteligentClient
    from apteligent_async.models.apps import App
    from apteligent_async.models.tables import Column
    from apteligent_async.models.transactions import TransactionOutcomes

__all__ = ["userflows"]

_FLOWS = (
    Heading("name", "userflow"),
    Heading("failRate", "failed %"),
    Heading("failedTransactions", "failed", 1),
    Heading("startedTransactions", "started", 2),
    Heading("meanForegroundTime", "seconds", 3),
    Heading("succeededTransactions", "succeeded", 4),
    Heading("failedMoneyValue", "value at risk", 5),
)
_OUTCOMES = (
    Heading("outcome", "ended"),
    Heading("count", "times"),
    Heading("rate", "%"),
    Heading("mean_duration", "seconds", 1),
    Heading("money_value", "value", 2),
)
_NOTES = ("Nobody knows in which unit the service counts money.",)


def userflows(
    app: str,
    /,
    *others: str,
    flow: str | None = None,
    period: str = "P1M",
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """List an app's userflows, those that fail most first; or show how one of them ended.

    Costs one call for each app and page of userflows, and one to find apps by name.

        apteligent userflows 'Lantern Maps'
        apteligent userflows 'Lantern Maps' --flow 'Add to cart'
        apteligent userflows 'lantern*' --output userflows.csv

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        flow: The name of one userflow, as it is listed: shows how it ended, and how often.
        period: How far to look back, as an ISO duration (P1M, P1D, PT1H, PT15M); not used with --flow.
        connection: Where the service is.
        output: How to show it.

    """

    async def find(asker: Asker) -> View:
        apps = await asker.apps([app, *others])
        if flow is not None:
            outcomes = await asker.each(apps, _group(asker.client, flow))
            found = [each for each, _ in outcomes]
            columns = joined([(each, result.columns()) for each, result in outcomes])
            return _view(f"How {flow!r} ended in {named(found)}", found, columns, _OUTCOMES)
        listed = await asker.each(apps, lambda each: _all_flows(asker.client, each, period))
        found = [each for each, _ in listed]
        columns = joined([(each, result.columns()) for each, result in listed])
        if any(column.name == "failRate" for column in columns):
            columns = sorted_by(columns, "failRate", is_descending=True)
        return _view(f"Userflows of {named(found)}, {period}", found, columns, _FLOWS)

    return answer(connection, output, find)


def _group(client: ApteligentClient, flow: str) -> Callable[[App], Awaitable[TransactionOutcomes]]:
    return lambda app: client.transactions.group(app.id, flow)


async def _all_flows(client: ApteligentClient, app: App, period: str) -> TransactionGroups:
    return TransactionGroups(items=tuple([group async for group in client.transactions.details(app.id, period)]))


def _view(title: str, apps: Sequence[App], columns: tuple[Column, ...], headings: tuple[Heading, ...]) -> View:
    sheet = Sheet(columns=columns, headings=(*app_headings(apps), *headings))
    return View(title=title, sheets=(sheet,), notes=_NOTES)
