"""``apteligent watch``: recipes on their schedules, in one process, and what comes of them to Graphite."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
from attrs import frozen
from cyclopts import Parameter

from apteligent_async.bulk.recipes.recipe import find_recipe
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress
from apteligent_async.bulk.watch import Watch
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.cli.flags import Quiet  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.pulling import first_error
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.bulk.recipes.recipe import Recipe
    from apteligent_async.bulk.watch import News, Sink

__all__ = ["watch"]


def watch(
    *,
    recipe: Annotated[tuple[str, ...], Parameter(negative="")],
    folder: Path = Path("watch"),
    graphite: str | None = None,
    root: str = "apteligent",
    allow: tuple[str, ...] | None = None,
    connection: Connection = AS_USUAL,
    quiet: Quiet = False,
) -> int:
    """Run recipes on their schedules until interrupted, on one budget, behind interactive calls.

    All state is in the folder: killed at any point, the next watch finishes what was begun, makes up for missed runs by
    one run, and sends every number that a sink has not got. Numbers wait for a sink that is down for up to thirty days.

        apteligent watch --recipe daily --recipe grouped --graphite carbon.example
        apteligent watch --recipe crashes --recipe ours.toml --folder /var/lib/metrics

    Args:
        recipe: Name of a recipe (`apteligent recipes` lists them), or file of one, ending in .toml. May be given
            several times.
        folder: Folder of the ledgers, one per recipe; `apteligent serve-metrics` reads them, too.
        graphite: Carbon's address for plain text, HOST or HOST:PORT.
        root: What Graphite's paths begin with.
        allow: Savings to use, by name, in place of those that rest on facts of grade A or B.
        connection: Where the service is.
        quiet: Tell of troubles alone.

    """
    recipes = [find_recipe(each) for each in recipe]
    sinks = [] if graphite is None else [GraphiteSink(TcpAddress.parse(graphite), root=root)]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    teller = _Teller(is_quiet=quiet)
    try:
        return anyio.run(partial(_watch, connection, recipes, folder, sinks=sinks, allow=allow, teller=teller))
    except ExceptionGroup as group:
        raise first_error(group) from None


async def _watch(
    connection: Connection,
    recipes: Sequence[Recipe],
    folder: Path,
    *,
    sinks: Sequence[Sink],
    allow: Sequence[str] | None,
    teller: _Teller,
) -> int:
    """Watch until a signal comes; give the exit code for it."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with connection.client() as client, anyio.create_task_group() as tasks:
            watch = Watch(client=client, recipes=recipes, folder=folder, sinks=sinks, allow=allow, tell=teller.news)
            tasks.start_soon(watch.run)
            teller.begun(recipes, folder)
            async for caught in signals:
                tasks.cancel_scope.cancel()
                return 130 if caught == signal.SIGINT else 0
    return 0


@frozen(kw_only=True)
class _Teller:
    """Tells what happens: troubles on standard error; the rest, unless it is quiet, on standard output."""

    is_quiet: bool

    def begun(self, recipes: Sequence[Recipe], folder: Path) -> None:
        """Tell that signals are heard, so that it can be ended in order from now on."""
        self._say(f"watching {', '.join(recipe.name for recipe in recipes)} in {folder}")

    def news(self, news: News) -> None:
        """Tell what the watch tells."""
        when = "" if news.slot is None else f"{news.slot:%Y-%m-%d %H:%M}Z "
        if news.error is not None:
            whose = "" if news.sink is None else f"{news.sink} takes no numbers, which wait: "
            self._warn(f"{when}{news.recipe}: {whose}{news.error}")
            return
        for cause in news.report.causes if news.report else ():
            self._warn(f"{when}{news.recipe}: {len(cause.units)} x {cause.name}: {cause.example.message}")
        if news.missed:
            self._warn(f"{when}{news.recipe}: makes up for {news.missed} missed runs")
        self._say(f"{when}{news.recipe}: {news.points} new numbers")

    def _say(self, line: str) -> None:
        if not self.is_quiet:
            print(line, flush=True)

    def _warn(self, line: str) -> None:
        print(printable(f"apteligent: {line}"), file=sys.stderr, flush=True)
