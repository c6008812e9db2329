"""``apteligent watch``: recipes on their schedules, in one process, and what comes of them to Graphite."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import anyio
from cyclopts import Parameter

from apteligent_async.bulk.recipes.recipe import find_recipe
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress
from apteligent_async.bulk.watch import Watch
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), negative="")] = False,
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
    tell = partial(_tell, is_quiet=quiet)
    try:
        return anyio.run(partial(_watch, connection, recipes, folder, sinks=sinks, allow=allow, tell=tell))
    except ExceptionGroup as group:
        raise _first(group) from None


async def _watch(
    connection: Connection,
    recipes: Sequence[Recipe],
    folder: Path,
    *,
    sinks: Sequence[Sink],
    allow: Sequence[str] | None,
    tell: Callable[[News], None],
) -> int:
    """Watch until a signal comes; give the exit code for it."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with connection.client() as client, anyio.create_task_group() as tasks:
            tasks.start_soon(
                Watch(client=client, recipes=recipes, folder=folder, sinks=sinks, allow=allow, tell=tell).run
            )
            async for caught in signals:
                tasks.cancel_scope.cancel()
                return 130 if caught == signal.SIGINT else 0
    return 0


def _tell(news: News, *, is_quiet: bool) -> None:
    when = "" if news.slot is None else f"{news.slot:%Y-%m-%d %H:%M}Z "
    if news.error is not None:
        print(f"apteligent: {when}{news.recipe}: {printable(str(news.error))}", file=sys.stderr, flush=True)
        return
    failed = news.report.failed if news.report else 0
    if failed or news.missed:
        print(f"apteligent: {when}{news.recipe}: {failed} failed, {news.missed} missed", file=sys.stderr, flush=True)
    if not is_quiet:
        print(f"{when}{news.recipe}: {news.points} new numbers", flush=True)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(cast("ExceptionGroup[Exception]", error)) if isinstance(error, ExceptionGroup) else error
