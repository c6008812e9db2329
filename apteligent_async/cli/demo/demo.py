"""``apteligent demo``: a pull that is larger than its rate budget, against the simulator, and what it found."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
from attrs import asdict
from cyclopts import Parameter
from cyclopts.validators import Number

from apteligent_async.cli.demo.recording import recording
from apteligent_async.cli.demo.run import DemoRun
from apteligent_async.cli.demo.summary import Figures, sentences
from apteligent_async.cli.demo.tables import bar_table
from apteligent_async.cli.flags import (  # noqa: TC001  the command line reads the annotations
    AsJson,
    PositiveAmount,
    PositiveDuration,
    Quiet,
)
from apteligent_async.cli.showing.output import CannotWrite, open_console, print_json
from apteligent_async.event_log import EventLog
from apteligent_async.simulator import QuotaSettings, Service, World, serve

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console

    from apteligent_async.cli.demo.recording import Recorder

__all__ = ["demo"]

_LATENCY_S = 0.05


def demo(
    *,
    output: Path = Path("demo-output"),
    events: Path | None = None,
    apps: Annotated[int, Parameter(validator=Number(gte=1, lte=200))] = 40,
    limit: PositiveAmount = 600,
    bucket: PositiveDuration = 10.0,
    seed: int = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Pull metrics of a simulated account as fast as its rate budget allows, and answer four questions with them.

    Starts the simulator on loopback: no account and no network are needed. As it stands it takes about a minute.

        apteligent demo
        apteligent demo --apps 3 --events events.jsonl

    Args:
        output: Folder for metrics.jsonl and metrics.csv; those of an earlier run are replaced.
        events: File to log what happens in the line, for `apteligent explain`.
        apps: How many apps the account has; each is worth 15 calls.
        limit: Calls per minute that the simulator allows.
        bucket: Length of its quota's bucket, in seconds.
        seed: Chooses the account's world, and how much of the first bucket has passed.
        quiet: Show no progress.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    console = open_console(as_json=as_json)
    service = _service(seed, apps=apps, limit=limit, bucket_s=bucket)
    with (
        recording(output) as recorder,
        _logging(events) as listeners,
        serve(service, latency=_LATENCY_S) as url,
    ):
        run = DemoRun(console, listeners, is_quiet=quiet)
        console.print(f"Simulator on {url}: {limit} calls a minute in buckets of {bucket:g} s", soft_wrap=True)
        is_interrupted = not _perform(run, url, recorder)
    bound_s = None if is_interrupted else _bound_s(service, run)
    figures = _figures(service, run, output, bound_s=bound_s)
    _report(console, run, sentences(figures, rows=recorder.rows), is_interrupted=is_interrupted)
    if as_json:
        print_json(asdict(figures))
    return 130 if is_interrupted else run.exit_code


def _perform(run: DemoRun, url: str, recorder: Recorder) -> bool:
    """Tell whether it came to its end, or was interrupted."""
    try:
        anyio.run(run.perform, url, recorder)
    except KeyboardInterrupt:
        return False
    return True


@contextmanager
def _logging(path: Path | None) -> Generator[Sequence[EventLog]]:
    if path is None:
        yield ()
        return
    try:
        log = EventLog(path)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}. Choose another with --events.") from error
    with log:
        yield (log,)


def _service(seed: int, *, apps: int, limit: int, bucket_s: float) -> Service:
    world = World(seed=seed, apps=apps, now=datetime.now(UTC))
    passed = random.Random(seed).uniform(0.2, 0.6)  # noqa: S311  where in its first bucket the demo comes
    quota = QuotaSettings(limit=limit, bucket_s=bucket_s, starts_at=time.monotonic() - passed * bucket_s)
    return Service(world, quota=quota)


def _bound_s(service: Service, run: DemoRun) -> float:
    quota = service.quota()
    return quota.bound_seconds(len(quota.log), ready_at=run.stretch.began_at, round_trip=_LATENCY_S)


def _figures(service: Service, run: DemoRun, output: Path, *, bound_s: float | None) -> Figures:
    return Figures.of(
        service.quota(),
        run.stretch,
        free_calls=run.free_calls,
        bound_s=bound_s,
        failed=len(run.batch.failures),
        output=str(output),
    )


def _report(console: Console, run: DemoRun, summary: tuple[str, ...], *, is_interrupted: bool) -> None:
    for question in run.questions:
        pie = run.answers.get(question.cut)
        if pie is not None:
            console.print()
            console.print(bar_table(question.text, pie.slices, about=question.cut.app_name, unit=question.unit))
    if is_interrupted:
        console.print(f"\nInterrupted: {run.batch.done} of {run.batch.total} pies came, and their rows are on disk.")
    for reason in run.reasons:
        console.print(reason, soft_wrap=True)
    console.print()
    for sentence in summary:
        console.print(sentence, soft_wrap=True)
