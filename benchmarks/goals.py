"""How honest the forecasts are, how soon an urgent call starts, and how kind the modes are to others, in virtual time.

Each figure is one of the scheduler's goals: the part of calls that start when the forecast said, deadlines that were
admitted and missed, what a rejection takes, the wait of urgent calls before a backlog of ten windows, fairness between
clients that know nothing of each other, and how a stranger fares beside them.

    python -m benchmarks.goals --json
"""

from __future__ import annotations

import argparse
import json
import math
import time
from random import Random
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from attrs import define, evolve, field, frozen

from apteligent_async._scheduling.signals import Job, Lane
from benchmarks.core import new_brain
from benchmarks.makespan import measure_ours
from benchmarks.meters import FixedWindow, LazyWindow
from benchmarks.player import Client, Player
from benchmarks.scenarios import SCENARIOS, START_AT
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async._scheduling.policy import Mode
    from apteligent_async._scheduling.scheduler import Admission, Scheduler
    from benchmarks.meters import Meter
    from benchmarks.scenarios import Scenario

__all__ = ["deadlines", "forecasts", "kindness", "rejection_ms", "urgent_waits"]

_TRIP_S: Final = 0.2
_LINK: Final = Link(up_s=_TRIP_S / 2, down_s=_TRIP_S / 2)
_BUDGETS: Final = (20, 60, 600)
_WINDOW_S: Final = 60.0
_LENGTHS_S: Final = (_WINDOW_S, 300.0)
"""What windows may be long whose length nobody knows when deadlines are judged."""


@frozen
class _Start:
    """What was promised to a call, and what became of it."""

    lane: Lane
    at: float
    expected_s: float
    took_s: float


@define(eq=False)
class Watched:
    """A scheduler whose forecasts are written down beside what happened.

    Attributes:
        starts: the first start of every call.
        rejected: calls whose deadline was called hopeless.
        late: admitted calls that started after their deadline.
    """

    inner: Scheduler
    starts: list[_Start] = field(factory=list, init=False)
    rejected: int = field(default=0, init=False)
    late: int = field(default=0, init=False)
    _promised: dict[Job, float] = field(factory=dict, init=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def submit(self, job: Job, *, now: float) -> Admission:
        """Write down the forecast for a call that joins the line; whom its deadline keeps out joins without one."""
        if not job.ticket:
            priority = "bulk" if job.lane is Lane.BULK else "interactive"
            self._promised[job] = self.inner.snapshot(now=now).eta(priority=priority)
        admission = self.inner.submit(job, now=now)
        if admission.is_admitted:
            return admission
        self.rejected += 1
        job.deadline_at = math.inf
        return self.inner.submit(job, now=now)

    def due(self, *, now: float) -> Sequence[Job]:
        """Write down when a call starts."""
        started = self.inner.due(now=now)
        for job in started:
            if job.attempts == 1:
                took_s = now - job.submitted_at
                self.starts.append(_Start(job.lane, job.submitted_at, self._promised[job], took_s))
                self.late += now > job.deadline_at
        return started


def _meters(budget: int, dice: Random, window_s: float) -> tuple[Meter, Meter]:
    phase_s = dice.random() * window_s
    used = dice.randint(0, budget)
    return (
        FixedWindow(budget=budget, window_s=window_s, began_at=START_AT - phase_s, used=used),
        LazyWindow(budget=budget, window_s=window_s),
    )


def _player(meter: Meter, dice: Random) -> Player:
    server = Server(meter=meter, dialect=Dialect(), dice=dice)
    return Player(server=server, link=_LINK, dice=dice, now=START_AT, horizon_at=START_AT + 1e5)


def _cases(runs: int, seed: str, *, window_s: float = _WINDOW_S) -> list[tuple[int, Meter, Random]]:
    dice = Random(seed)
    budgets = [budget for _ in range(runs) for budget in _BUDGETS]
    return [(budget, meter, dice) for budget in budgets for meter in _meters(budget, dice, window_s)]


def forecasts(mode: Mode, runs: int, seed: str, *, lane: Lane = Lane.INTERACTIVE) -> dict[str, float]:
    """Promise starts to a backlog of five windows and to those who come after it; return how often it was kept."""
    errors: list[float] = []
    kept = 0
    for budget, meter, dice in _cases(runs, f"{seed} forecasts {mode}"):
        game, brain = _player(meter, dice), Watched(new_brain(mode))
        client = Client(brain)
        game.submit(client, [Job()])
        game.submit(client, [Job(lane=lane) for _ in range(5 * budget)], at=START_AT + 2 + dice.random())
        for _ in range(budget):
            game.submit(client, [Job(lane=lane)], at=START_AT + 5 + dice.random() * 5 * _WINDOW_S)
        game.run()
        for start in brain.starts[1:]:
            error_s = abs(start.took_s - start.expected_s)
            errors.append(error_s)
            kept += error_s <= max(1.0, 0.02 * start.expected_s)
    return {"calls": len(errors), "kept": round(kept / len(errors), 4), "p99_error_s": round(_p99(errors), 2)}


def deadlines(mode: Mode, runs: int, seed: str, *, lane: Lane = Lane.INTERACTIVE) -> dict[str, int]:
    """Give a backlog random deadlines; return how many were refused, and how many admitted ones were missed."""
    rejected = missed = calls = 0
    lengths = [(each, case) for each in _LENGTHS_S for case in _cases(runs, f"{seed} deadlines {mode}", window_s=each)]
    for window_s, (budget, meter, dice) in lengths:
        game, brain = _player(meter, dice), Watched(new_brain(mode))
        client = Client(brain)
        game.submit(client, [Job()])
        game.run()
        latest_s = [dice.random() * 8 * window_s for _ in range(4 * budget)]
        wanted = [Job(lane=lane, deadline_at=game.now + within_s) for within_s in latest_s]
        game.submit(client, wanted)
        game.run()
        calls, rejected, missed = calls + len(wanted), rejected + brain.rejected, missed + brain.late
    return {"calls": calls, "rejected": rejected, "admitted_and_missed": missed}


def rejection_ms(waiting: int = 10_000) -> float:
    """Return the milliseconds of real time that it takes to refuse a hopeless deadline behind a long line."""
    brain = new_brain("exclusive")
    jobs = [Job() for _ in range(waiting)]
    for job in jobs:
        brain.submit(job, now=0.0)
    brain.due(now=0.0)
    spans = []
    for _ in range(200):
        began = time.perf_counter()
        brain.submit(Job(deadline_at=1.0), now=0.5)
        spans.append(1e3 * (time.perf_counter() - began))
    return round(max(spans), 4)


def urgent_waits(mode: Mode, runs: int, seed: str) -> dict[str, float]:
    """Put urgent calls before a bulk backlog of ten windows; return what they wait.

    There are half as many as the reserve holds, at instants at which it still holds one: it shrinks with the window.
    """
    waits: list[float] = []
    for budget, meter, dice in _cases(runs, f"{seed} urgent {mode}"):
        if not isinstance(meter, FixedWindow):
            continue  # where windows begin with a call, nobody knows beforehand when they do
        began_at = meter.began_at
        game, brain = _player(meter, dice), Watched(new_brain(mode))
        client = Client(brain)
        game.submit(client, [Job(lane=Lane.BULK) for _ in range(10 * budget)])
        for window in range(1, 9):
            for _ in range(max(budget // 20, 1)):
                at = began_at + (window + 0.1 + 0.35 * dice.random()) * _WINDOW_S
                game.submit(client, [Job(lane=Lane.INTERACTIVE)], at=at)
        game.run()
        waits += [start.took_s for start in brain.starts if start.lane is Lane.INTERACTIVE]
    return {"calls": len(waits), "p50_s": round(sorted(waits)[len(waits) // 2], 3), "p99_s": round(_p99(waits), 3)}


def kindness(runs: int) -> dict[str, Any]:
    """Let clients that know nothing of each other share, and a stranger beside one.

    Returns:
        The least fairness among two to eight polite clients, the refusals of a shared one in a window on average, for
        the number of them that has most, and the stranger's success beside each.
    """
    crowds = [evolve(SCENARIOS["2 processes"], name=f"{n} processes", processes=n, n=60 * n) for n in range(2, 9)]
    fair = [measure_ours("polite", crowd).jain or 0.0 for crowd in crowds]
    strangers = {}
    for mode in ("polite", "shared"):
        alike = [evolve(SCENARIOS["stranger"], name=f"stranger {run}") for run in range(runs)]
        rows = [measure_ours(mode, scenario) for scenario in alike]  # type: ignore[arg-type]
        strangers[mode] = round(sum(row.foreign_success or 0.0 for row in rows) / len(rows), 3)
    return {
        "polite_jain_least": min(fair),
        "shared_429s_per_process_and_window": round(max(_refusals(crowd, runs) for crowd in crowds), 3),
        "stranger_success": strangers,
    }


def _refusals(crowd: Scenario, runs: int) -> float:
    """Count the 429s of one of many clients in one window, on average over several sizes of the backlog."""
    refused = windows = 0.0
    for run in range(runs):
        row = measure_ours("shared", evolve(crowd, name=f"{crowd.name}, {run}", n=crowd.n + 7 * run))
        refused += row.rate_limited
        windows += crowd.processes * row.makespan / crowd.window_s
    return refused / windows


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[-1]


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.goals", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="rounds of each, over three budgets and two servers")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    wanted = parser.parse_args(given)
    found: dict[str, Any] = {"rejection_ms": rejection_ms(), "kindness": kindness(wanted.runs)}
    for mode in ("exclusive", "shared"):
        found[mode] = {
            "forecasts": forecasts(mode, wanted.runs, wanted.seed),
            "bulk_forecasts": forecasts(mode, wanted.runs, wanted.seed, lane=Lane.BULK),
            "deadlines": deadlines(mode, wanted.runs, wanted.seed),
            "bulk_deadlines": deadlines(mode, wanted.runs, wanted.seed, lane=Lane.BULK),
            "urgent": urgent_waits(mode, wanted.runs, wanted.seed),
        }
    print(json.dumps(found, indent=2))
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
