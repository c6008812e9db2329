"""The loop that people write, over the client alone: what a pull must come to, cell by cell."""

from __future__ import annotations

from datetime import datetime, timedelta

DAY = timedelta(days=1)


def next_day(day):
    """Name the day after one."""
    return (datetime.fromisoformat(day) + DAY).date().isoformat()


async def points(client, app, *, graph, days, newest, **more):
    """Follow one metric over the last sixty days; keep the days that are wanted."""
    answer = await client.error_monitoring.graph(graph=graph, app_id=app, duration=86400, **more)
    end = datetime.fromisoformat(answer.end_text).date()
    for back, value in enumerate(reversed(answer.series[0].points)):
        day = end - back * DAY
        if newest - days * DAY < day <= newest:
            yield day.isoformat(), (day + DAY).isoformat(), value


async def counts(group, app, *, days, newest, **more):
    """Count errors by day; keep the days that are wanted."""
    for count in await group.counts(app, **more):
        day = count.date_text
        if (newest - days * DAY).isoformat() < day <= newest.isoformat():
            yield day, next_day(day), count.value


async def error_pie(client, app, *, graph, group_by, **more):
    """Cut a day's metric; the service names the day before as the start and the day itself as the end."""
    pie = await client.error_monitoring.pie(graph=graph, group_by=group_by, app_id=app, **more)
    return [
        (graph, group_by, part.name, part.label, next_day(pie.start_text[:10]), next_day(pie.end_text[:10]), part.value)
        for part in pie.slices
    ]


async def performance_pie(client, app, *, graph, group_by, **more):
    """Cut a metric of the network; the window is stated on the app's clock."""
    pie = await client.performance_management.pie(graph=graph, group_by=group_by, app_id=app, **more)
    return [(graph, group_by, part.name, part.label, pie.start_text, pie.end_text, part.value) for part in pie.slices]


def told(grouping, key, facts, asked_on):
    """Write the facts of one thing, in the service's own words, numbers as values and texts as labels."""
    for metric, fact in facts.items():
        if isinstance(fact, int | float):
            yield metric, grouping, key, None, asked_on, None, fact
        elif fact is not None:
            yield metric, grouping, key, fact, asked_on, None, None


async def pages(paged):
    """Read all that a list holds."""
    return [item async for item in paged]
