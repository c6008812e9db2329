"""Kill a pull again and again, and see whether anything is lost, fetched twice or different in the end.

`apteligent pull` runs in a process of its own against the simulator on loopback and is killed (SIGKILL) at random
points, from its start to its last write, and started again. Whenever it comes to its end, its output is compared with
that of a pull that nobody disturbed, byte for byte, and a new one begins. The simulator writes down every call, so that
what is asked for a second time shows.

    python -m benchmarks.killtest --kills 100 --json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
from attrs import asdict, define, field, frozen

from apteligent_async import ApteligentClient, MemoryBudget, Plan, StaticToken
from apteligent_async.bulk.expanding import expand
from apteligent_async.bulk.planner import schedule
from apteligent_async.bulk.survey import take_survey
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apteligent_async.bulk.units import Fetch

__all__ = ["Figures", "kill_often"]

_COMMAND: Final = [sys.executable, "-c", "from apteligent_async.cli import main; main()"]
_LIMIT: Final = 10**6
_NOW: Final = datetime(2016, 12, 12, 20, tzinfo=UTC)
_LATENCY_S: Final = 0.02
_WORKERS: Final = 8
_EARLY: Final = 0.15
"""Part of the kills that come while the program still starts."""

_PLAN: Final = """
[[want]]
what = "error_monitoring.graph"
graph = ["crashes", "appLoads", "crashPercent", "dau", "affectedUsers"]
days = 7

[[want]]
what = "error_monitoring.pie"
graph = ["crashes", "appLoads", "dau"]
group_by = ["os", "device", "appVersion", "carrier"]

[[want]]
what = "apps.list"
attributes = ["rating", "dau"]

[[want]]
what = "crashes.table"

[[want]]
what = "crashes.details"
most = 3
"""

Target = tuple[str, tuple[tuple[str, str], ...]]
"""Where a call goes: its path and its query."""


@frozen(kw_only=True)
class Figures:
    """What came of it.

    Attributes:
        kills: how often the pull was killed.
        identical: whether every output was that of an undisturbed pull.
        refetched: calls for units that were in the ledger already.
        lost: units that a finished pull did not have.
        corrupt: ledgers that did not pass SQLite's integrity check after a kill.
        rounds: pulls that came to their end.
        seconds: how long all of it took.
    """

    kills: int
    identical: bool
    refetched: int
    lost: int
    corrupt: int
    rounds: int
    seconds: float


@frozen
class _Calls:
    """The calls that a simulator wrote down; others follow while it runs."""

    path: Path

    def __len__(self) -> int:
        return self.path.read_bytes().count(b"\n")

    def since(self, begin: int) -> list[Target]:
        """Read where the calls went, from one of them on."""
        lines = self.path.read_text(encoding="utf-8").splitlines()[begin:]
        return [(call["path"], tuple(map(tuple, call["query"]))) for call in map(json.loads, lines)]


@contextmanager
def _simulating(apps: int, calls: Path) -> Iterator[tuple[str, str]]:
    """Run `apteligent simulate` in a process of its own; give its address and a token."""
    calls.touch()
    flags = ["--now", _NOW.isoformat(), "--apps", str(apps), "--limit", str(_LIMIT), "--latency", str(_LATENCY_S)]
    command = [*_COMMAND, "simulate", *flags, "--calls", str(calls)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        lines = [simulator.stdout.readline().rstrip("\n") for _ in range(5)]
        try:
            yield lines[0].removeprefix("listening on "), lines[-1].removeprefix("token=")
        finally:
            simulator.kill()


@define(eq=False, kw_only=True)
class _Ward:
    """A pull that is killed and started again; the state is its ledger, its output, and what has been seen.

    Attributes:
        calls: what the simulator was asked.
        url: where that is.
        token: what it accepts.
        folder: where the plan is, and everything else.
        targets: the calls that each unit takes, by its key.
        refetched: as in `Figures`.
        corrupt: as in `Figures`.
    """

    calls: _Calls
    url: str
    token: str
    folder: Path
    targets: dict[str, frozenset[Target]] = field(factory=dict)
    refetched: int = 0
    corrupt: int = 0

    @property
    def ledger(self) -> Path:
        return self.folder / "round" / "ledger.sqlite"

    @property
    def output(self) -> bytes:
        return (self.folder / "round" / "rows.jsonl").read_bytes()

    def start(self) -> subprocess.Popen[bytes]:
        flags = ["--out", str(self.folder / "round"), "--concurrency", str(_WORKERS), "--quiet"]
        return subprocess.Popen(
            [*_COMMAND, "pull", str(self.folder / "plan.toml"), *flags, "--base-url", self.url],
            env={**os.environ, "APTELIGENT_TOKEN": self.token},
            stdout=subprocess.DEVNULL,
        )

    def had(self) -> set[str]:
        """Name the units that the ledger has, and see whether it is whole."""
        if not self.ledger.exists():
            return set()
        with closing(sqlite3.connect(self.ledger)) as ledger:
            self.corrupt += ledger.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
            if not ledger.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                return set()
            return {key for (key,) in ledger.execute("SELECT key FROM units WHERE fetched_at IS NOT NULL")}

    def note_calls(self, had: set[str], since: int) -> None:
        """Count the calls for units that were there before."""
        known = {target for key in had for target in self.targets[key]}
        self.refetched += sum(target in known for target in self.calls.since(since))


def kill_often(kills: int, *, apps: int = 8, seed: int = 1) -> Figures:
    """Kill a pull so many times.

    Args:
        kills: how often.
        apps: how many apps there are to pull.
        seed: chooses the points.
    """
    began_at, dice = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, _simulating(apps, Path(folder) / "calls.jsonl") as (url, token):
        ward = _Ward(calls=_Calls(Path(folder) / "calls.jsonl"), url=url, token=token, folder=Path(folder))
        (ward.folder / "plan.toml").write_text(_PLAN, encoding="utf-8")
        ward.targets = anyio.run(_targets, apps)
        expected, span_s = _undisturbed(ward)
        done = rounds = lost = 0
        identical = True
        while True:
            is_killed = _run(ward, dice, span_s if done < kills else None)
            done += is_killed
            if is_killed:
                continue
            rounds += 1
            lost += len(ward.targets.keys() - ward.had())
            identical = identical and ward.output == expected
            shutil.rmtree(ward.folder / "round")
            if done == kills:
                break
    return Figures(
        kills=done,
        identical=identical,
        refetched=ward.refetched,
        lost=lost,
        corrupt=ward.corrupt,
        rounds=rounds,
        seconds=round(time.monotonic() - began_at, 1),
    )


def _undisturbed(ward: _Ward) -> tuple[bytes, float]:
    """Give the output of a pull that nobody disturbs, and the time from its first call to its end."""
    since, process = len(ward.calls), ward.start()
    _await_call(ward, process, since)
    called_at = time.monotonic()
    if process.wait():
        raise RuntimeError("the pull fails by itself")
    output, span_s = ward.output, time.monotonic() - called_at
    shutil.rmtree(ward.folder / "round")
    return output, span_s


def _run(ward: _Ward, dice: random.Random, span_s: float | None) -> bool:
    """Run the pull once; kill it within a span unless there is none, and say whether it was killed."""
    had, since = ward.had(), len(ward.calls)
    process = ward.start()
    if span_s is not None:
        if dice.random() >= _EARLY:
            _await_call(ward, process, since)
        time.sleep(dice.uniform(0, span_s))
        process.kill()
    code = process.wait()
    time.sleep(_LATENCY_S)  # what it sent last is on its way
    ward.note_calls(had, since)
    if span_s is None and code:
        raise RuntimeError(f"the pull ended with {code}")
    return code != 0


def _await_call(ward: _Ward, process: subprocess.Popen[bytes], since: int) -> None:
    """Wait until the pull has made a call, or has ended without one."""
    while len(ward.calls) == since and process.poll() is None:
        time.sleep(0.001)


async def _targets(apps: int) -> dict[str, frozenset[Target]]:
    """Find out which calls each unit takes, by making them one by one of the same account in this process."""
    asked: list[Target] = []
    service = Service(
        World(seed=1, apps=apps, now=_NOW),
        quota=QuotaSettings(limit=_LIMIT),
        witness=lambda call, answer, at: asked.append((call.path, call.query)),  # noqa: ARG005  a witness's signature
    )
    plan, found = Plan.from_toml(_PLAN), dict[str, frozenset[Target]]()
    listed: dict[str, list[str]] = {}
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))
    transport, budget = SimulatorTransport(service), MemoryBudget()
    async with ApteligentClient(token, base_url="http://127.0.0.1:9", transport=transport, budget=budget) as client:
        survey = await take_survey(client, clock=datetime.now(UTC), plan=plan)
        for _ in range(2):  # what lists name is known when the lists were had
            units = expand(plan, survey.apps, survey.now, listed=listed)
            for fetch in schedule([unit for unit in units if unit.key not in found]):
                since = len(asked)
                named = await _named(client, fetch)
                found |= dict.fromkeys((unit.key for unit in fetch.units), frozenset(asked[since:]))
                listed |= named
    return found


async def _named(client: ApteligentClient, fetch: Fetch) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {unit.key: [] for unit in fetch.units if unit.is_listing}
    async for answer in fetch.answers(client):
        for key, rows in fetch.rows_of(answer).items():
            if key in named:
                named[key] = list(dict.fromkeys(row.key for row in rows if row.key is not None))
    return named


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.killtest", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="how often to kill (%(default)s)")
    parser.add_argument("--apps", type=int, default=8, help="apps to pull (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the points (%(default)s)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    wanted = parser.parse_args(given)
    figures = asdict(kill_often(wanted.kills, apps=wanted.apps, seed=wanted.seed))
    for line in _lines(figures):
        print(line)
    if wanted.json:
        print(json.dumps(figures))


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    for name, value in figures.items():
        yield f"{name:10} {value}"


if __name__ == "__main__":
    main()
