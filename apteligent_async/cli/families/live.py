"""``apteligent live``: what happens in an app right now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import anyio
from attrs import evolve

from apteligent_async.cli.asking import AS_USUAL, Connection, answer
from apteligent_async.cli.families.following import Following, json_line, text_line
from apteligent_async.cli.families.joined import app_headings, joined, named
from apteligent_async.cli.flags import (  # noqa: TC001  the command line reads the annotations
    Flag,
    PositiveAmount,
    PositiveDuration,
)
from apteligent_async.cli.selection import find_apps
from apteligent_async.cli.showing.formats import AS_TABLE, Output
from apteligent_async.cli.showing.views import Heading, Sheet, View, sorted_by
from apteligent_async.models.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apteligent_async.cli.asking import Asker
    from apteligent_async.cli.families.following import LiveLine
    from apteligent_async.models.apps import App
    from apteligent_async.models.live import LiveStats

__all__ = ["live"]

_HEADINGS = (
    Heading("start", "from"),
    Heading("app_loads", "app loads"),
    Heading("crashes", "crashes"),
    Heading("end", "to", 1),
)


def live(
    app: str,
    /,
    *others: str,
    period: Literal["PT5M", "P1D"] = "PT5M",
    follow: Flag = False,
    every: PositiveDuration = 30.0,
    rounds: PositiveAmount | None = None,
    connection: Connection = AS_USUAL,
    output: Output = AS_TABLE,
) -> int:
    """Show an app's loads and crashes of the last five minutes, or of a day.

    Costs one call for each app, and one to find apps by name; with --follow, one for each app and round.

        apteligent live 'Lantern Maps'
        apteligent live 'lantern*' --follow --every 10
        apteligent live '*' --period P1D

    Args:
        app: Name, id, or pattern such as 'lantern*'.
        others: More apps.
        period: PT5M for five minutes in short windows, P1D for a day in one.
        follow: Print each new window as a line, until interrupted; with --json, as one JSON object.
        every: Seconds from round to round of --follow.
        rounds: Rounds of --follow after which to end.
        connection: Where the service is.
        output: How to show it.

    """
    if follow:
        write = json_line if output.as_json else text_line
        return anyio.run(partial(_follow, connection, [app, *others], write, every_s=every, rounds=rounds))

    async def find(asker: Asker) -> View:
        apps = await asker.apps([app, *others])
        return _view(await asker.each(apps, lambda each: asker.client.live_stats.get(each.id, period)))

    return answer(connection, output, find)


async def _follow(
    connection: Connection,
    wanted: Sequence[str],
    write: Callable[[LiveLine], str],
    *,
    every_s: float,
    rounds: int | None,
) -> int:
    """Follow apps; give the exit code: 0, or 3 where some call failed."""
    async with connection.client() as client:
        view = client.with_options(deadline=connection.deadline)
        apps = await find_apps(view, wanted)
        following = Following(client=view, apps=apps, every_s=every_s, tell=lambda line: print(write(line), flush=True))
        return 3 if await following.run(rounds) else 0


def _view(answers: Sequence[tuple[App, LiveStats]]) -> View:
    apps = [app for app, _ in answers]
    columns = joined([(app, found.columns()) for app, found in answers])
    windows = Sheet(columns=columns, headings=(*app_headings(apps), *_HEADINGS), is_over_time=len(apps) == 1)
    title = f"Right now in {named(apps)}"
    if len(answers) == 1:
        return View(title=title, facts=(("crash %", answers[0][1].crash_percentage),), sheets=(windows,))
    return View(title=title, sheets=(_rates(answers), evolve(windows, title="By window")))


def _rates(answers: Sequence[tuple[App, LiveStats]]) -> Sheet:
    rates = joined(
        [
            (app, (Column(name="crash_percentage", kind="number", cells=[found.crash_percentage]),))
            for app, found in answers
        ]
    )
    columns = sorted_by(rates, "crash_percentage", is_descending=True)
    return Sheet(
        name="rates", columns=columns, headings=(Heading("app", "app"), Heading("crash_percentage", "crash %"))
    )
