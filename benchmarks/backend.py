"""What a FastAPI backend of several workers costs the service: pages for a crowd, beside a bulk pull.

A simulated service, uvicorn workers and a bulk pull, each in processes of their own, share one SQLite budget. Two
hundred browsers ask for the same few pages at once while nothing is kept yet; then they go on, some of them asking
for `/healthz`, whose 99th percentile says what this machine can do.

    python -m benchmarks.backend --json
    python -m benchmarks.backend --cache memory --workers 2

`upstream_calls` are the requests that the service got for pages, `coalesced` the page requests that an identical call
in flight answered; `p50_ms` and `p99_ms` are those of pages that were kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, frozen

from apteligent_async import ApteligentClient, StaticToken
from benchmarks.pages import Visit, crowd, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Found", "measure"]

_PULL: Final = """
import anyio, sys, warnings
from apteligent_async import ApteligentClient, SQLiteBudget

async def main():
    warnings.simplefilter("ignore")  # spans of days that nobody has seen in use
    async with ApteligentClient(budget=SQLiteBudget(sys.argv[1])) as client:
        bulk, refused = client.with_options(priority="bulk"), []
        client.on_event(lambda event: event.detail.get("outcome") == "limited" and refused.append(event))
        for number in range(10**9):
            await bulk.error_monitoring.graph(graph="crashes", app_id=sys.argv[2], duration=1440 * (1 + number % 30))
            print(number + 1, len(refused), flush=True)

anyio.run(main)
"""
_HEALTHZ_EVERY: Final = 5
_BUCKET_S: Final = 6  # short: the pull uses up what there is, and the crowd shall not wait a minute for the rest
_START_S: Final = 60.0


@frozen(kw_only=True)
class Plan:
    """How large a run is."""

    workers: int
    browsers: int
    rounds: int
    queries: int
    limit: int
    cache: str


@frozen(kw_only=True)
class Found:
    """What one run brought; milliseconds in real time."""

    requests: int
    upstream_calls: int
    hit_ratio: float
    coalesced: int
    rate_limited: int
    p50_ms: float | None
    p99_ms: float | None
    healthz_p99_ms: float | None
    cache: str
    workers: int
    queries: int
    bulk_calls: int
    statuses: dict[str, int]


def measure(plan: Plan) -> Found:
    """Run everything once."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {**os.environ, **stack.enter_context(_service(plan.limit)), "BACKEND_FOLDER": str(folder)}
        app_ids = asyncio.run(_app_ids(environment, plan.queries))
        pulled = stack.enter_context(_pull(environment, folder, app_ids[0]))
        with _workers(plan, {**environment, "BACKEND_CACHE": plan.cache}) as port:
            cold, warm = asyncio.run(_visit(plan, port, [f"/page/{app_id}" for app_id in app_ids]))
        bulk_calls, bulk_refused = pulled()
        return _found(plan, folder, [*cold, *warm], warm, bulk_calls=bulk_calls, bulk_refused=bulk_refused)


async def _visit(plan: Plan, port: int, pages: Sequence[str]) -> tuple[list[Visit], list[Visit]]:
    at_once = [[pages[browser % len(pages)]] for browser in range(plan.browsers)]
    later = [
        [
            "/healthz" if (browser + turn) % _HEALTHZ_EVERY == 0 else pages[(browser + turn) % len(pages)]
            for turn in range(plan.rounds)
        ]
        for browser in range(plan.browsers)
    ]
    return await crowd(port, at_once), await crowd(port, later)


def _found(
    plan: Plan, folder: Path, visits: Sequence[Visit], warm: Sequence[Visit], *, bulk_calls: int, bulk_refused: int
) -> Found:
    counts: Counter[str] = Counter()
    for file in folder.glob("worker-*.json"):
        counts.update(json.loads(file.read_text()))
    hits = counts["fresh"] + counts["stale"] + counts["joined"]
    cached = [visit.took_ms for visit in warm if visit.source in {"fresh", "stale"}]
    return Found(
        requests=len(visits),
        upstream_calls=counts["pages"],
        hit_ratio=round(hits / max(hits + counts["missed"], 1), 4),
        coalesced=counts["joined"],
        rate_limited=counts["rate_limited"] + bulk_refused,
        p50_ms=percentile(cached, 0.5),
        p99_ms=percentile(cached, 0.99),
        healthz_p99_ms=percentile([each.took_ms for each in warm if each.path == "/healthz"], 0.99),
        cache=plan.cache,
        workers=plan.workers,
        queries=plan.queries,
        bulk_calls=bulk_calls,
        statuses=dict(Counter(str(visit.status) for visit in visits)),
    )


async def _app_ids(environment: dict[str, str], count: int) -> list[str]:
    async with ApteligentClient(
        StaticToken(environment["APTELIGENT_TOKEN"]), base_url=environment["APTELIGENT_BASE_URL"]
    ) as client:
        return [app.id for app in (await client.apps.list())[:count]]


@contextmanager
def _service(limit: int) -> Iterator[dict[str, str]]:
    """Serve a simulated service; give the environment of its clients."""
    command = [sys.executable, "-c", "from apteligent_async.cli import main; main()", "simulate"]
    command += ["--limit", str(limit), "--bucket", str(_BUCKET_S)]
    with _process(command, stdout=subprocess.PIPE) as service:
        told = dict(_lines_of(service, 5))
        yield {
            "APTELIGENT_BASE_URL": told["listening on"],
            "APTELIGENT_CLIENT_ID": told["client_id"],
            "APTELIGENT_TOKEN": told["token"],
        }


def _lines_of(service: subprocess.Popen[str], count: int) -> Iterator[tuple[str, str]]:
    assert service.stdout is not None
    for _ in range(count):
        line = service.stdout.readline().strip()
        name, _, value = line.partition("=") if "=" in line else line.rpartition(" ")
        yield name, value


@contextmanager
def _pull(environment: dict[str, str], folder: Path, app_id: str) -> Iterator[Any]:
    """Pull in bulk, without an end; give what says how many calls it made and how many were refused."""
    log = folder / "pull.log"
    command = [sys.executable, "-c", _PULL, str(folder / "budget.sqlite"), app_id]

    def pulled() -> tuple[int, int]:
        lines = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        calls, refused = lines[-1].split() if lines else ("0", "0")
        return int(calls), int(refused)

    with log.open("w") as out, _process(command, stdout=out, env=environment):
        yield pulled


@contextmanager
def _workers(plan: Plan, environment: dict[str, str]) -> Iterator[int]:
    """Serve the backend; give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.backend_app:app", "--port", str(port)]
    command += ["--workers", str(plan.workers), "--log-level", "warning", "--no-access-log"]
    with _process(command, env=environment):
        _wait_for(port)
        yield port


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            visits = asyncio.run(crowd(port, [["/readyz"]] * 8))
        except (OSError, EOFError):
            visits = []
        if visits and all(visit.status == 200 for visit in visits):
            return
        if time.monotonic() > until:
            raise TimeoutError("the backend has not come up")
        time.sleep(0.2)


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backend", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="two workers, fewer browsers and rounds")
    parser.add_argument("--cache", choices=("memory", "sqlite"), default="sqlite", help="where pages are kept")
    parser.add_argument("--workers", type=int, default=4, help="uvicorn processes")
    parser.add_argument("--limit", type=int, default=600, help="calls a minute that the service allows")
    wanted = parser.parse_args(given)
    plan = Plan(
        workers=2 if wanted.quick else wanted.workers,
        browsers=60 if wanted.quick else 200,
        rounds=10 if wanted.quick else 50,
        queries=5,
        limit=wanted.limit,
        cache=wanted.cache,
    )
    found = asdict(measure(plan))
    for name, value in found.items():
        print(f"{name:16} {value}")
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
