"""How many calls a second, and at what cost: ours and other HTTP clients against a bare server on loopback.

    python -m benchmarks.throughput --json
    python -m benchmarks.throughput --quick

`cpu_us`, the figure to trust, is processor time of the client's process per call. Every measurement has a process of
its own, on one core, and the server has another; the order is shuffled in each round. Every client reads the whole
body and what it says of the budget. `apteligent_async` is everything: arguments checked, token, line, retries and
decoding included. `httpx` has one pool with as many connections as there are calls in flight.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING, Final

from attrs import asdict, evolve, frozen

from benchmarks.http_sample import Task
from benchmarks.loopback import BUDGETS
from benchmarks.rivals.environment import RivalError, ask, ask_own, prepare
from benchmarks.rivals.http import RIVALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["LEVELS", "OURS", "Row", "main", "ratios_of"]

LEVELS: Final = (1, 10, 50, 200)
"""Calls in flight."""

OURS: Final = "apteligent_async"
_COUNTED: Final = f"{OURS}, a budget that never binds"
_SEND: Final = "AsyncClient.send over our transport"
_HTTPX: Final = "httpx"
_ON_TRIO: Final = (OURS, _SEND, _HTTPX)
_ON_ASYNCIO: Final = (OURS, _COUNTED, _SEND, _HTTPX, "httpx, default limits")

_FEW: Final = LEVELS[1]
_SLOWEST_S: Final = 120.0  # real time for one measurement


@frozen(kw_only=True)
class Row:
    """One client at one level, over all rounds: medians; `spread` is that of `cpu_us`, (most - least) / median."""

    client: str
    backend: str
    in_flight: int
    req_per_s: float
    cpu_us: float
    spread: float


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    wanted = _parser().parse_args(given)
    tasks = [*_tasks(wanted.only, RIVALS if wanted.rivals and not wanted.quick else ())]
    if any(task.client in RIVALS for task in tasks):
        prepare()
    if wanted.quick:
        tasks = [evolve(task, seconds=0.05) for task in tasks if task.in_flight == _FEW]
    with ExitStack() as stack:
        urls = {budget: stack.enter_context(_server(budget)) for budget in BUDGETS}
        rows = _measured([evolve(each, url=urls[each.url]) for each in tasks], 1 if wanted.quick else wanted.rounds)
    ratios = ratios_of(rows)
    _show(rows, ratios)
    if wanted.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "ratios": ratios}))


def ratios_of(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Compare processor time per call: each client's over ours, by calls in flight; and what ours adds to sending."""
    cost = {(row.client, row.backend, row.in_flight): row.cpu_us for row in rows}
    ratios: dict[str, dict[str, float]] = {}
    for (client, backend, level), cpu_us in cost.items():
        ours = cost.get((OURS, backend, level))
        if ours is None or client == OURS:
            continue
        ratios.setdefault(f"{client} / {OURS}, {backend}", {})[str(level)] = round(cpu_us / ours, 2)
        if client == _SEND:
            ratios.setdefault(f"µs over {_SEND}, {backend}", {})[str(level)] = round(ours - cpu_us, 1)
    return ratios


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="a moment of each, 10 calls in flight, no rivals")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each cell (5)")
    parser.add_argument("--only", help="measure clients again whose name holds this text, besides ours")
    parser.add_argument("--no-rivals", dest="rivals", action="store_false", help="what needs no other environment")
    return parser


def _tasks(only: str | None, rivals: Iterable[str]) -> Iterator[Task]:
    """Name every cell; in place of an address stands what the server says of its budget."""
    _, client_core = _cores()
    cells = [*((name, "asyncio") for name in (*_ON_ASYNCIO, *rivals)), *((name, "trio") for name in _ON_TRIO)]
    for client, backend in cells:
        if only is not None and client != OURS and only not in client:
            continue
        budget = "counted" if client == _COUNTED else "unlimited"
        for level in LEVELS:
            yield Task(client=client, backend=backend, url=budget, in_flight=level, seconds=1.0, core=client_core)


def _measured(tasks: Sequence[Task], rounds: int) -> list[Row]:
    found: dict[Task, list[Mapping[str, float]]] = {task: [] for task in tasks}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for task in random.sample(tasks, len(tasks)):
            try:
                found[task].append(_sampled(task))
            except RivalError as error:
                if task.client not in RIVALS:
                    raise
                print(f"{task.client}, {task.in_flight} in flight: not measured: {error}", file=sys.stderr)
    return [_row(task, samples) for task, samples in found.items() if samples]


def _sampled(task: Task) -> Mapping[str, float]:
    asked = ask if task.client in RIVALS else ask_own
    sample: Mapping[str, float] = asked("benchmarks.http_sample", [json.dumps(asdict(task))], timeout_s=_SLOWEST_S)
    return sample


def _row(task: Task, samples: Sequence[Mapping[str, float]]) -> Row:
    costs = [sample["cpu_us"] for sample in samples]
    return Row(
        client=task.client,
        backend=task.backend,
        in_flight=task.in_flight,
        req_per_s=round(median(sample["req_per_s"] for sample in samples), 1),
        cpu_us=round(median(costs), 1),
        spread=round((max(costs) - min(costs)) / median(costs), 3),
    )


def _cores() -> tuple[int | None, int | None]:
    """Give a core to the server and another to the clients, where there are two to choose from."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (allowed[-1], allowed[0]) if len(allowed) > 1 else (None, None)


@contextmanager
def _server(budget: str) -> Iterator[str]:
    core, _ = _cores()
    place = [] if core is None else ["--core", str(core)]
    command = [sys.executable, "-m", "benchmarks.loopback", budget, *place]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def _show(rows: Iterable[Row], ratios: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'client':46} {'backend':8} {'in flight':>9} {'calls/s':>9} {'CPU µs':>9} {'spread':>7}")
    for row in rows:
        print(
            f"{row.client:46} {row.backend:8} {row.in_flight:9} {row.req_per_s:9.0f} {row.cpu_us:9.0f} "
            f"{row.spread:7.0%}"
        )
    for name, by_level in ratios.items():
        print(f"{name:70} " + "  ".join(f"{level}: {value:g}" for level, value in by_level.items()))


if __name__ == "__main__":
    main()
