"""``apteligent trends``: the last month of an app, cut by version, system and device."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.families.pictures import lines_of
from apteligent_async.cli.showing.drawing import NO_DRAWING, Drawing
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import Column, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.models.apps import App
    from apteligent_async.models.trends import Trends

__all__ = ["trends"]

Series = Literal[
    "all",
    "appLoadsByVersion", "appLoadsByOs", "appLoadsByDevice",
    "crashesByVersion", "crashesByOs", "crashesByDevice",
    "crashRatioByVersion", "crashRatioByOs", "crashRatioByDevice",
    "affectedUsers", "affectedUsersRatio", "dauByVersion", "dau", "mau",
]  # fmt: skip

_DAYS = "Days begin at midnight of the app's own time zone; the last is the running one."
_SUMMARY = (
    Heading("series", "series"),
    Heading("key", "of"),
    Heading("latest", "today"),
    Heading("mean", "mean", 1),
    Heading("lowest", "lowest", 2),
    Heading("highest", "highest", 3),
)
_DAILY = (Heading("series", "series", 1), Heading("key", "of"), Heading("start", "day"), Heading("value", "value"))


def trends(
    app: str,
    /,
    *others: str,
    series: Series | None = None,
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
    drawing: Drawing = NO_DRAWING,
) -> int:
    """Sum up the last month of an app in fourteen series; or follow one of them day by day.

    Costs one call for each app, and one to find apps by name.

        apteligent trends 'Lantern Maps' --top 0
        apteligent trends 'Lantern Maps' --series crashRatioByVersion --plot
        apteligent trends 'Lantern Maps' --series all --output trends.csv

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        series: The one to show day by day, or all; it takes one to draw.
        connection: Where the service is.
        output: How to show it.
        drawing: How to draw it.

    """
    if series in {None, "all"} and (drawing.plot or drawing.chart):
        raise ConfigurationError("A picture shows one series: name it, such as --series crashRatioByVersion.")

    async def find(asker: Asker) -> View:
        apps = await asker.apps([app, *others])
        answers = await asker.each(apps, lambda each: asker.client.trends.app(each.id))
        return _summary_view(answers) if series is None else _daily_view(answers, series)

    return answer(connection, output, find, drawing=drawing)


def _summary_view(answers: Sequence[tuple[App, Trends]]) -> View:
    apps = [app for app, _ in answers]
    columns = joined([(app, _summed_up(found)) for app, found in answers])
    return View(
        title=f"The last month of {named(apps)}",
        sheets=(Sheet(columns=columns, headings=(*app_headings(apps), *_SUMMARY)),),
        notes=("--series NAME shows one of them day by day.",),
    )


def _summed_up(found: Trends) -> tuple[Column, ...]:
    """Make one row of each line: its last value, its mean and its bounds."""
    lines: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows(found.columns()):
        if row["value"] is not None:
            lines[row["series"], row["key"]].append(row["value"])
    return (
        Column(name="series", kind="text", cells=[series for series, _ in lines]),
        Column(name="key", kind="text", cells=[key for _, key in lines]),
        Column(name="latest", kind="number", cells=[values[-1] for values in lines.values()]),
        Column(name="mean", kind="number", cells=[round(math.fsum(all_) / len(all_), 2) for all_ in lines.values()]),
        Column(name="lowest", kind="number", cells=[min(values) for values in lines.values()]),
        Column(name="highest", kind="number", cells=[max(values) for values in lines.values()]),
    )


def _daily_view(answers: Sequence[tuple[App, Trends]], series: Series) -> View:
    apps = [app for app, _ in answers]
    columns = joined([(app, _of_series(found, series)) for app, found in answers])
    title = f"{'All series' if series == 'all' else series} of {named(apps)}, day by day"
    picture = None if series == "all" else _picture(columns, title, _unit(answers, series), is_of_many=len(apps) > 1)
    is_one_line = len({(row["app_id"], row["series"], row["key"]) for row in rows(columns)}) == 1
    return View(
        title=title,
        sheets=(Sheet(columns=columns, headings=(*app_headings(apps), *_DAILY), is_over_time=is_one_line),),
        notes=(_DAYS,),
        picture=picture,
    )


def _of_series(found: Trends, series: Series) -> tuple[Column, ...]:
    columns = found.columns()
    if series == "all":
        return columns
    kept = [place for place, name in enumerate(columns[0].cells) if name == series]
    return tuple(
        Column(name=column.name, kind=column.kind, cells=[column.cells[place] for place in kept]) for column in columns
    )


def _unit(answers: Sequence[tuple[App, Trends]], series: Series) -> str:
    """Read what the numbers are off the answers: ``% of app_loads`` or ``crashes``."""
    for _, found in answers:
        units = found.series[series].units if series in found.series else None
        if units is not None and units.of:
            counted = units.of.replace("_", " ")
            return f"% of {counted}" if units.type == "percent" else counted
    return "value"


def _picture(columns: tuple[Column, ...], title: str, unit: str, *, is_of_many: bool) -> Any:
    if is_of_many:
        names = [f"{row['app']}: {row['key']}" for row in rows(columns)]
        columns = (*columns, Column(name="line", kind="text", cells=names))
    return lines_of(columns, by="line" if is_of_many else "key", at="start", title=title, unit=unit, note=_DAYS)
