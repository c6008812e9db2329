"""``apteligent pull``: everything that a plan wants, into a ledger that survives a kill, and from there into a file."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path  # noqa: TC003  the command line reads the annotations
from typing import TYPE_CHECKING, Any

import anyio
from attrs import evolve, frozen
from cyclopts import Parameter

from apteligent_async import Plan, PullReport, RatePolicy
from apteligent_async.bulk.preview import preview
from apteligent_async.bulk.recipes.recipe import find_recipe
from apteligent_async.bulk.runner import new_pull
from apteligent_async.bulk.sinks.files import POINTS_FILE, write_points_file
from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.watch import begin_slot, write_points
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.cli.dry_run import figures_of, print_preview
from apteligent_async.cli.export import Writing
from apteligent_async.cli.flags import (  # noqa: TC001  the command line reads the annotations
    Amount,
    AsJson,
    Flag,
    PositiveAmount,
    Quiet,
)
from apteligent_async.cli.progress import SILENT, showing
from apteligent_async.cli.pulling import watched
from apteligent_async.cli.showing.output import open_console, open_progress_console, print_json
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async import ApteligentClient
    from apteligent_async.bulk.preview import Preview
    from apteligent_async.bulk.recipes.recipe import Recipe
    from apteligent_async.bulk.runner import Pull
    from apteligent_async.cli.progress import Display

__all__ = ["pull"]

_MOST_GAPS = 10

_WRITING = Writing()


@Parameter(name="*", group="Pull")
@frozen(kw_only=True)
class Manner:
    """How a pull is run.

    Attributes:
        ledger: File that remembers what was had; without, ledger.sqlite in the folder of the output. It belongs to one
            account and outlives the run: the next one asks only for what is missing.
        settle_days: Days after its end that a day's data may still change, in place of the plan's.
        concurrency: Calls at once.
        allow: Savings to use, by name, in place of those that rest on facts of grade A or B; --dry-run lists them.
    """

    ledger: Path | None = None
    settle_days: Amount | None = None
    concurrency: PositiveAmount | None = None
    allow: tuple[str, ...] | None = None

    def adapted(self, plan: Plan) -> Plan:
        """Give a plan as the flags want it."""
        return plan if self.settle_days is None else evolve(plan, settle_days=self.settle_days)


_MANNER = Manner()


def pull(
    plan: Path | None = None,
    *,
    recipe: str | None = None,
    manner: Manner = _MANNER,
    writing: Writing = _WRITING,
    connection: Connection = AS_USUAL,
    dry_run: Flag = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Pull everything that a plan wants into a ledger, and write what the ledger holds as a file.

    Killed at any point, it is taken up where it was. Run again on a later day, it adds that day, and repeats what was
    not final. Exits with 0 when everything is there, with 3 when some of it could not be had.

        apteligent pull plan.toml --dry-run
        apteligent pull plan.toml --out metrics --format csv
        apteligent pull --recipe daily

    Args:
        plan: TOML file that says what is wanted.
        recipe: Recipe in place of a plan: a name (`apteligent recipes` lists them), or a file ending in .toml. What can
            still change is pulled again in each of its periods, and its numbers over time go to points.jsonl.
        manner: How it is run.
        writing: Where the rows go.
        connection: Where the service is.
        dry_run: Say what would be asked for, and what that costs, and ask for none of it.
        quiet: Show no progress.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    task = _task(plan, recipe, manner.ledger or writing.out / "ledger.sqlite", manner)
    console = open_console(as_json=as_json)
    if dry_run:
        found, code = anyio.run(task.preview, connection), 0
        print_preview(console, found)
        figures = figures_of(found)
    else:
        report = anyio.run(partial(task.run, connection, is_quiet=quiet))
        code, figures = 0 if report.is_complete else 3, _figures(report, writing.out)
        console.print("\n".join([*_sentences(report), *task.written(writing)]), soft_wrap=True)
    if as_json:
        print_json(figures)
    return code


@frozen(kw_only=True)
class _Task:
    """What is to be done, whoever does it."""

    plan: Plan
    ledger: Path
    manner: Manner
    recipe: Recipe | None = None

    async def preview(self, connection: Connection) -> Preview:
        async with connection.client() as client:
            return await preview(client, self.plan, ledger=self.ledger, allow=self.manner.allow)

    def written(self, writing: Writing) -> Iterator[str]:
        """Write what the ledger holds, and say so."""
        yield writing.sentence(writing.write(self.ledger))
        if self.recipe is not None:
            count = anyio.run(write_points_file, self.ledger, writing.out)
            yield f"{count:,} numbers in {writing.out / POINTS_FILE}"

    async def run(self, connection: Connection, *, is_quiet: bool) -> PullReport:
        console = open_progress_console()
        async with connection.client() as client:
            with showing(console) if not is_quiet else nullcontext(SILENT) as display:
                if self.recipe is None:
                    return await self._shown(client, display)
                async with Spool(self.ledger) as spool:
                    slot = await begin_slot(self.recipe, spool, datetime.now(UTC))
                    report = await self._shown(client, display, renewed_at=slot.opened_at)
                    await write_points(self.recipe, spool, slot)
                    return report

    async def _shown(self, client: ApteligentClient, display: Display, **options: Any) -> PullReport:
        """Pull while the display shows how far it is."""
        view = client.with_options(priority="bulk", cache="bypass")
        workers = self.manner.concurrency or RatePolicy().max_in_flight
        pull = new_pull(view, self.plan, ledger=self.ledger, concurrency=workers, allow=self.manner.allow, **options)
        return await watched(client, _Progress(pull), partial(_finish, pull), display=display)


def _task(plan: Path | None, recipe: str | None, ledger: Path, manner: Manner) -> _Task:
    if (plan is None) == (recipe is None):
        raise ConfigurationError("Give the file of a plan, or --recipe and a name: one of them.")
    if plan is not None:
        return _Task(plan=manner.adapted(Plan.load(plan)), ledger=ledger, manner=manner)
    found = find_recipe(recipe or "")
    return _Task(plan=manner.adapted(found.plan), ledger=ledger, manner=manner, recipe=found)


async def _finish(pull: Pull) -> PullReport:
    async with pull:
        async for result in pull:
            if result.error is not None:
                problem = f"{result.unit.app} {result.unit.endpoint}: {result.error.message}"
                print(f"apteligent: {printable(problem)}", file=sys.stderr)
    return pull.report


@frozen
class _Progress:
    """A pull as the display wants it: it counts units where there is nothing else to count."""

    _pull: Pull

    @property
    def done(self) -> int:
        report = self._pull.report
        return report.ok + report.skipped

    @property
    def total(self) -> int:
        return self._pull.report.units

    @property
    def failures(self) -> range:
        return range(self._pull.report.failed)

    @property
    def waiting(self) -> range:
        return range(self._pull.waiting)


def _sentences(report: PullReport) -> Iterator[str]:
    yield f"{report.ok} of {report.units} units came, {report.skipped} were there already, {report.failed} failed."
    pace = f"{report.calls} calls in {report.seconds:.1f} s, {report.rate_limited} answered 429"
    yield f"{pace}, {report.retried} sent again; together they waited {report.waited_s:.0f} s for the budget."
    for cause in report.causes:
        yield printable(f"{len(cause.units)} x {cause.name}: {cause.example.message}")
    for key in report.gaps[:_MOST_GAPS]:
        yield printable(f"gap: {key} was never had, and can be had no more")
    if len(report.gaps) > _MOST_GAPS:
        yield f"and {len(report.gaps) - _MOST_GAPS} more gaps"
    for endpoint, unknown in report.drift.items():
        yield printable(f"news of the service in {endpoint}: {', '.join(unknown)}")


def _figures(report: PullReport, folder: Path) -> dict[str, Any]:
    return {
        "units": report.units,
        "ok": report.ok + report.skipped,
        "failed": report.failed,
        "calls": report.calls,
        "rate_limited": report.rate_limited,
        "seconds": round(report.seconds, 3),
        "output": str(folder),
    }
