"""A mixed load against a hostile simulator, for as long as one likes: does anything hang, leak, or fail wrongly?

    python -m benchmarks.soak --minutes 10 --json

The simulator is a process of its own, on loopback, with the faults below. Callers of one client ask for whatever
there is, with deadlines and priorities drawn at random, and give some of their calls up. Counted are: calls; how they
ended (a result, an error of the package, an error of anybody else's; given up; or hung: not back at `GRACE_S` after its
deadline, not counting the time for which a busy machine lets this process wait); and when the client is closed, the
tasks and sockets that are left, and by how much the process has grown since its first quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import sniffio
from attrs import asdict, define, field, frozen

from apteligent_async import ApteligentClient, ApteligentError, MemoryBudget, PasswordGrant, RatePolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

__all__ = ["FAULTS", "Report", "soak"]

FAULTS = """
seed = 7
fault = [
    {kind = "refuse", probability = 0.002, reset_s = 1},
    {kind = "refuse", probability = 0.002, body = false, headers = false, retry_after = "1"},
    {kind = "limit_cut", limit = 12000, probability = 0.05},
    {kind = "clock_skew", seconds = -40, probability = 0.02},
    {kind = "fail", status = 500, body = "json", headers = true, probability = 0.01},
    {kind = "fail", status = 502, counted = false, probability = 0.01},
    {kind = "fail", status = 503, retry_after = "1", probability = 0.01},
    {kind = "fail", status = 504, body = "none", probability = 0.01},
    {kind = "error_with_200", probability = 0.01},
    {kind = "redirect", probability = 0.01},
    {kind = "revoked_token", probability = 0.01},
    {kind = "expired_token", probability = 0.01},
    {kind = "schema_drift", change = "rename", probability = 0.01},
    {kind = "schema_drift", change = "retype", share = 0.1, probability = 0.02},
    {kind = "schema_drift", change = "add", probability = 0.02},
    {kind = "schema_drift", change = "remove", probability = 0.01},
    {kind = "content_type", probability = 0.01},
    {kind = "bad_json", probability = 0.01},
    {kind = "bad_utf8", probability = 0.01},
    {kind = "not_a_number", probability = 0.01},
    {kind = "deep", probability = 0.01},
    {kind = "duplicate_keys", null = "last", probability = 0.01},
    {kind = "gzip_bomb", probability = 0.002},
    {kind = "oversized", probability = 0.001},
    {kind = "truncated", probability = 0.01},
    {kind = "reset", probability = 0.01},
    {kind = "no_answer", probability = 0.01},
    {kind = "slow_headers", seconds = 3, probability = 0.01},
    {kind = "slow_body", seconds = 3, probability = 0.01},
]
"""
"""Every kind of fault, so rare that many calls still succeed; the seed spares the first calls."""

SIMULATE = ["-c", "from apteligent_async.cli import main; main()", "simulate", "--apps", "3"]
COUNTING = ["--limit", "24000", "--bucket", "5", "--rounding", "exact"]
GRACE_S = 5.0
BEAT_S = 0.02
TIMEOUT_S = 2.0
CALLERS = 24
_MEGABYTE = 1_000_000


@frozen(kw_only=True)
class Report:
    """What became of the calls, and what is left of them.

    Attributes:
        calls: operations begun; each may send several requests.
        ok: ended in a result.
        typed_errors: ended in an error of the package.
        untyped_errors: ended in any other error.
        given_up: cancelled by their caller.
        hangs: not back long after their deadline.
        leaked_tasks: tasks that run when the client is closed and did not before it was opened.
        leaked_connections: sockets, likewise; None where the system does not tell.
        rss_growth_mb: growth of the process from its first quarter to the end; None where the system does not tell.
        errors: how often which error came.
    """

    calls: int
    ok: int
    typed_errors: int
    untyped_errors: int
    given_up: int
    hangs: int
    leaked_tasks: int
    leaked_connections: int | None
    rss_growth_mb: float | None
    errors: dict[str, int]


@define
class _Tally:
    """How calls have ended so far, and for how many seconds this process could run meanwhile."""

    ends: Counter[str] = field(factory=Counter)
    errors: Counter[str] = field(factory=Counter)
    _ran_s: float = field(default=0.0, init=False)
    _patience: dict[anyio.CancelScope, float] = field(factory=dict, init=False)

    async def keep_time(self) -> None:
        """Cancel calls whose time is up, for ever; a beat that comes late counts as one all the same."""
        while True:
            await anyio.sleep(BEAT_S)
            self._ran_s += BEAT_S
            for scope, until_s in self._patience.items():
                if until_s <= self._ran_s:
                    scope.cancel()

    async def count(self, call: Callable[[], Awaitable[object]], *, deadline_s: float, patience_s: float) -> None:
        """Make one call and note its end; `keep_time` must be running."""
        longest_s = deadline_s + GRACE_S
        end = "given_up" if patience_s < longest_s else "hangs"
        with anyio.CancelScope() as scope:
            self._patience[scope] = self._ran_s + min(patience_s, longest_s)
            try:
                end = await self._end_of(call)
            finally:
                del self._patience[scope]
        self.ends[end] += 1

    async def _end_of(self, call: Callable[[], Awaitable[object]]) -> str:
        try:
            await call()
        except ApteligentError as error:
            self.errors[type(error).__name__] += 1
            return "typed_errors"
        except Exception as error:  # noqa: BLE001  that is what is looked for
            self.errors[repr(error)] += 1
            return "untyped_errors"
        return "ok"


async def soak(seconds: float, url: str, credentials: PasswordGrant, *, seed: int = 1) -> Report:
    """Put a client of the simulator at `url` under load for so long."""
    tally, sizes = _Tally(), list[float | None]()
    tasks, sockets = _tasks(), _sockets()
    client = ApteligentClient(
        credentials, base_url=url, budget=MemoryBudget(), policy=RatePolicy(mode="exclusive"), timeout=TIMEOUT_S
    )
    async with client, anyio.create_task_group() as watch:
        watch.start_soon(tally.keep_time)
        apps = await _apps(client)
        until = anyio.current_time() + seconds
        async with anyio.create_task_group() as callers:
            for number in range(CALLERS):
                callers.start_soon(_call_until, until, client, apps, tally, Random(f"{seed}/{number}"))
            await anyio.sleep(seconds / 4)
            sizes.append(_size_mb())
            await anyio.sleep_until(until)
            sizes.append(_size_mb())
        watch.cancel_scope.cancel()
    await _settle()
    return _report(tally, sizes, tasks=_tasks() - tasks, sockets=_difference(_sockets(), sockets))


async def _apps(client: ApteligentClient) -> list[str]:
    while True:
        try:
            return [app.id for app in await client.apps.list()]
        except ApteligentError:
            await anyio.sleep(0.1)


async def _call_until(until: float, client: ApteligentClient, apps: list[str], tally: _Tally, dice: Random) -> None:
    while anyio.current_time() < until:
        deadline_s = dice.uniform(0.2, 8.0)
        patience_s = dice.uniform(0.0, 1.0) if dice.random() < 0.1 else 1e9
        priority = dice.choice(["interactive", "bulk"])
        view = client.with_options(deadline=deadline_s, priority=priority)
        call = partial(dice.choice(OPERATIONS), view, dice.choice(apps))
        await tally.count(call, deadline_s=deadline_s, patience_s=patience_s)


OPERATIONS: Sequence[Callable[[ApteligentClient, str], Awaitable[Any]]] = (
    lambda client, app: client.apps.list(),  # noqa: ARG005  one shape for all
    lambda client, app: client.discover(),  # noqa: ARG005  one shape for all
    lambda client, app: client.token(),  # noqa: ARG005  one shape for all
    lambda client, app: client.crashes.summaries(app),
    lambda client, app: anext(client.crashes.table(app).pages()),
    lambda client, app: client.exceptions.counts(app),
    lambda client, app: client.error_monitoring.pie(graph="crashes", group_by="os", app_id=app),
    lambda client, app: client.error_monitoring.graph(graph="dau", app_id=app),
    lambda client, app: client.performance_management.services(app),
    lambda client, app: client.trends.app(app),
    lambda client, app: client.live_stats.get(app),
    lambda client, app: client.transactions.summary(app),
)


def _report(tally: _Tally, sizes: Sequence[float | None], *, tasks: int, sockets: int | None) -> Report:
    growth = _difference(sizes[-1], sizes[0])
    return Report(
        calls=tally.ends.total(),
        ok=tally.ends["ok"],
        typed_errors=tally.ends["typed_errors"],
        untyped_errors=tally.ends["untyped_errors"],
        given_up=tally.ends["given_up"],
        hangs=tally.ends["hangs"],
        leaked_tasks=tasks,
        leaked_connections=sockets,
        rss_growth_mb=None if growth is None else round(growth, 1),
        errors=dict(tally.errors.most_common()),
    )


def _difference(after: Any, before: Any) -> Any:
    return None if after is None or before is None else after - before


async def _settle() -> None:
    """Let the loop close what was told to close."""
    for _ in range(10):
        await anyio.sleep(0.01)


def _tasks() -> int:
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


def _sockets() -> int | None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return None
    return sum(_target(each).startswith("socket:") for each in folder.iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # the folder's own, closed by now
        return ""


def _size_mb() -> float | None:
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return None
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE


@contextmanager
def hostile_simulator(faults: str = FAULTS) -> Iterator[tuple[str, PasswordGrant]]:
    """Run the simulator in a process of its own while the block runs; give its address and its credentials."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faults.toml"
        path.write_text(faults, encoding="utf-8")
        command = [sys.executable, *SIMULATE, *COUNTING, "--faults", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
            yield url, PasswordGrant(said["client_id"], said["username"], said["password"])
        finally:
            process.kill()
            process.communicate()


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=("asyncio", "trio"), default="asyncio")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    wanted = _arguments(given)
    with hostile_simulator() as (url, credentials):
        run = partial(soak, 60 * wanted.minutes, url, credentials, seed=wanted.seed)
        report = anyio.run(run, backend=wanted.backend)
    for name, value in asdict(report).items():
        print(f"{name:20} {value}")
    if wanted.json:
        print(json.dumps(asdict(report)))


if __name__ == "__main__":
    main()
