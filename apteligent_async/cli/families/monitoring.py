"""``apteligent pie`` and ``apteligent graph``: one metric by group, or over time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.families.metrics import (
    UNITS,
    Dimension,
    Metric,
    Minutes,
    filters_of,
    is_of_errors,
    window_of,
)
from apteligent_async.cli.families.pictures import bars_of, lines_of
from apteligent_async.cli.flags import Day, Flag  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.drawing import NO_DRAWING, Drawing
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.apps import App
from apteligent_async.models.times import span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.client.error_monitoring import ErrorMonitoring
    from apteligent_async.client.performance_management import PerformanceManagement
    from apteligent_async.models.monitoring import Graph, Pie

__all__ = ["graph", "pie"]

Filters = Annotated[tuple[str, ...], Parameter(name="--filter", negative="")]

_DAYS = "A day names the bucket that ends with it; the service does not say which midnight it means."


def pie(
    app: str,
    /,
    *others: str,
    graph: Metric = "crashPercent",
    by: Dimension = "appVersion",
    duration: Minutes = None,
    filters: Filters = (),
    together: Flag = False,
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
    drawing: Drawing = NO_DRAWING,
) -> int:
    """Break one metric down into groups, the largest first: which OS crashes most, which version is used most.

    Costs one call for each app, or one for all of them with --together, and one to find apps by name.

        apteligent pie 'Lantern Maps' --graph crashPercent --by os
        apteligent pie Lantern --graph latency --by service --duration 4h --plot
        apteligent pie '*' --together --by appId --chart worst.html

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        graph: The metric: of errors, or (latency, volume, errors, dataIn, dataOut) of the network.
        by: What to cut it by; service goes with metrics of the network alone.
        duration: How far to look back: days (30d) for errors, 15m to 30d for the network. A day without.
        filters: Narrow it down, such as os='iOS 10.2'; also appVersion, carrier, device.
        together: Count all the apps together.
        connection: Where the service is.
        output: How to show it.
        drawing: How to draw it.

    """
    if by == "service" and is_of_errors(graph):
        raise ConfigurationError(f"{graph} cannot be cut by service: latency, volume, errors, dataIn and dataOut can.")
    arguments = {"graph": graph, "group_by": by, "filters": filters_of(filters), **window_of(duration)}
    find = _one_pie if together else _pies
    return answer(connection, output, partial(find, wanted=[app, *others], arguments=arguments), drawing=drawing)


def graph(
    app: str,
    /,
    *others: str,
    graph: Metric = "crashes",
    duration: Minutes = None,
    start: Day = None,
    end: Day = None,
    filters: Filters = (),
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
    drawing: Drawing = NO_DRAWING,
) -> int:
    """Follow one metric over time, one row for each day.

    Costs one call for each app, and one to find apps by name.

        apteligent graph 'Lantern Maps' --graph dau
        apteligent graph 'lantern*' --graph crashPercent --duration 90d --plot
        apteligent graph Lantern --graph crashes --chart crashes.svg

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        graph: The metric: of errors, or (latency, volume, errors, dataIn, dataOut) of the network, for which nothing
            attests that the service has graphs.
        duration: How far to look back: days (30d) for errors, 15m to 30d for the network. A month without.
        start: First day (2016-12-01), in place of a duration.
        end: Last day.
        filters: Narrow it down, such as os='iOS 10.2'; also appVersion, carrier, device.
        connection: Where the service is.
        output: How to show it.
        drawing: How to draw it.

    """
    window = {"start": start, "end": end, **window_of(duration)}
    arguments = {"graph": graph, "filters": filters_of(filters), **window}
    return answer(connection, output, partial(_graphs, wanted=[app, *others], arguments=arguments), drawing=drawing)


async def _pies(asker: Asker, *, wanted: Sequence[str], arguments: dict[str, Any]) -> View:
    call = _family(asker, arguments["graph"]).pie
    answers = await asker.each(await asker.apps(wanted), lambda app: call(app_id=app.id, **arguments))
    return _pie_view(answers, graph=arguments["graph"], by=arguments["group_by"])


async def _one_pie(asker: Asker, *, wanted: Sequence[str], arguments: dict[str, Any]) -> View:
    apps = await asker.apps(wanted)
    found = await _family(asker, arguments["graph"]).pie(app_ids=[app.id for app in apps], **arguments)
    together = App(id=apps[0].name if len(apps) == 1 else f"{len(apps)} apps together")
    return _pie_view([(together, found)], graph=arguments["graph"], by=arguments["group_by"])


async def _graphs(asker: Asker, *, wanted: Sequence[str], arguments: dict[str, Any]) -> View:
    call = _family(asker, arguments["graph"]).graph
    answers = await asker.each(await asker.apps(wanted), lambda app: call(app_id=app.id, **arguments))
    return _graph_view(answers, graph=arguments["graph"])


def _family(asker: Asker, graph: str) -> ErrorMonitoring | PerformanceManagement:
    return asker.client.error_monitoring if is_of_errors(graph) else asker.client.performance_management


def _pie_view(answers: Sequence[tuple[App, Pie]], *, graph: str, by: str) -> View:
    apps, first = [app for app, _ in answers], answers[0][1]
    title = f"{graph} by {by}, {named(apps)}, {span(first.start, first.end)}"
    rows = joined([(app, answered.columns()) for app, answered in answers])
    columns = sorted_by(rows, "value", is_descending=True)
    headings = (*app_headings(apps), Heading("label", by), Heading("value", UNITS[graph]), Heading("name", "name", 1))
    picture = bars_of(columns, title=title, unit=UNITS[graph], is_of_many=len(apps) > 1)
    return View(title=title, sheets=(Sheet(columns=columns, headings=headings),), picture=picture)


def _graph_view(answers: Sequence[tuple[App, Graph]], *, graph: str) -> View:
    apps, first = [app for app, _ in answers], answers[0][1]
    title = f"{graph}, {named(apps)}, {span(first.start, first.end)}"
    columns = joined([(app, answered.columns()) for app, answered in answers])
    headings = (
        *app_headings(apps),
        Heading("bucket", "day" if is_of_errors(graph) else "time"),
        Heading("value", UNITS[graph]),
    )
    return View(
        title=title,
        sheets=(Sheet(columns=columns, headings=headings, is_over_time=len(apps) == 1),),
        notes=(_DAYS,),
        picture=lines_of(columns, by="app", at="bucket", title=title, unit=UNITS[graph], note=_DAYS),
    )
