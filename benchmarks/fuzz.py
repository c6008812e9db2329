"""Play thousands of random cases and count the 429s that the scheduler could have avoided.

A 429 is *avoidable* unless the oracle saw foreign use, a limit cut, a lost header or a false reset in the same window,
or refused without a reason, or it was the first call of a cold start with nothing left.

    python -m benchmarks.fuzz --runs 2000 --json
    python -m benchmarks.fuzz --replay 17 --trace
    python -m benchmarks.fuzz --zoo goal2 --runs 300
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, define, field, frozen

from apteligent_async._scheduling.signals import Job, Lane
from benchmarks.bounds import Trip, makespan_bound
from benchmarks.cases import KINDS, START_AT, Case, draw_case, draw_cell
from benchmarks.core import Verdicts, books_of, new_brain, verdicts_of
from benchmarks.player import Client, Player, StuckError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from apteligent_async._scheduling.policy import Mode
    from benchmarks.player import Brain
    from benchmarks.zoo import Answer

__all__ = ["Report", "Run", "goal2", "play", "summarise"]

_LOST_WINDOW: Final = 0.7  # of a window beyond the bound: more than any probe or rounding costs


@define(kw_only=True)
class Run:
    """What became of one case.

    Attributes:
        avoidable: 429s that nothing excuses.
        cold: 1 if the very first call found nothing left.
        excused: other 429s, by what the oracle saw.
        makespan_s: seconds from the first submission to the last end.
        bound_s: the clairvoyant bound, or None where none is known for this case.
        broken: what went wrong in the scheduler itself, or nothing.
    """

    case: Case
    avoidable: int = 0
    cold: int = 0
    excused: Counter[str] = field(factory=Counter)
    makespan_s: float = 0.0
    bound_s: float | None = None
    verdicts: Verdicts = field(factory=Verdicts)
    broken: str = ""

    @property
    def ratio(self) -> float | None:
        """Makespan over bound; None for unbounded, broken and single-window cases, where it says nothing."""
        if self.bound_s is None or self.broken or self.bound_s < self.case.window_s / 10:
            return None
        return self.makespan_s / self.bound_s

    @property
    def has_lost_window(self) -> bool:
        """Whether the run took most of a window longer than it had to."""
        return self.bound_s is not None and self.makespan_s - self.bound_s > _LOST_WINDOW * self.case.window_s

    @property
    def is_wrong(self) -> bool:
        """Whether the scheduler settled a question about the server's words falsely."""
        dialect, found = self.case.dialect, self.verdicts
        return found.is_speed not in (None, dialect.is_speed) or found.is_before not in (None, dialect.is_before)

    def note_refusal(self, _: Client, answer: Answer, __: float) -> None:
        """Sort one 429 by whose fault it was."""
        if "cold start" in answer.excuses:
            self.cold += 1
        elif answer.excuses:
            self.excused.update(answer.excuses[:1])
        else:
            self.avoidable += 1


def play(case: Case, brain: Brain, *, tape: Callable[[str], object] | None = None) -> Run:
    """Play one case with one scheduler that has the budget to itself."""
    run, server, client = Run(case=case), case.server(), Client(brain)
    if case.is_clean:
        run.bound_s = _bound_s(case)
    dice = Random(f"{case.seed} link")
    span_s = case.window_s * (case.n / case.budget + 2)
    player = Player(
        server=server,
        link=case.link,
        dice=dice,
        now=START_AT,
        whims=case.whims,
        foreign=case.foreign,
        tape=tape,
        books=books_of,
        on_refusal=run.note_refusal,
        most_events=200 * case.n + 20_000,
        horizon_at=START_AT + 100 * span_s + 100_000,
    )
    for after_s, size in case.batches:
        player.submit(client, _jobs(case, size, dice), at=START_AT + after_s)
    try:
        player.run()
    except StuckError as stuck:
        run.broken = str(stuck)
    except Exception as error:  # noqa: BLE001  the subject of the test may fail in any way, and the fuzzer goes on
        run.broken = f"{error!r} at {_place(error)}"
    run.makespan_s = client.done_at - START_AT
    run.verdicts = verdicts_of(brain)
    return run


def _bound_s(case: Case) -> float:
    meter = case.server().meter
    return makespan_bound(meter, now=START_AT, n=case.n, trip=Trip(case.link.up_s, case.link.down_s))


def _jobs(case: Case, size: int, dice: Random) -> list[Job]:
    if case.number % 4:
        return [Job() for _ in range(size)]
    lanes = (Lane.INTERACTIVE, Lane.BULK)
    return [Job(lane=dice.choice(lanes), flow=dice.randint(0, 3)) for _ in range(size)]


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"


@frozen(kw_only=True)
class Report:
    """The figures of many runs; the first seven are the interface, the rest says where they come from."""

    runs: int
    avoidable_429s: int
    cold_429s: int
    undecided: int
    wrong_verdicts: int
    worst_makespan_ratio: float | None
    median_makespan_ratio: float | None
    measured_ratios: int
    excused_429s: dict[str, int]
    avoidable_by_server: dict[str, int]
    ratios_by_server: dict[str, list[float]]
    broken: int
    worst: list[str]


def summarise(runs: Sequence[Run], *, shown: int = 5) -> Report:
    """Add up runs; `worst` names the runs to replay first."""
    ratios = [run.ratio for run in runs if run.ratio is not None]
    return Report(
        runs=len(runs),
        avoidable_429s=sum(run.avoidable for run in runs),
        cold_429s=sum(run.cold for run in runs),
        undecided=sum(run.verdicts.is_speed is None for run in runs),
        wrong_verdicts=sum(run.is_wrong for run in runs),
        worst_makespan_ratio=round(max(ratios), 4) if ratios else None,
        median_makespan_ratio=round(median(ratios), 4) if ratios else None,
        measured_ratios=len(ratios),
        excused_429s=dict(sum((run.excused for run in runs), Counter())),
        avoidable_by_server=dict(Counter(kind for run in runs for kind in [run.case.kind] * run.avoidable)),
        ratios_by_server=_by_kind(runs),
        broken=sum(bool(run.broken) for run in runs),
        worst=[_line(run) for run in sorted(runs, key=_badness, reverse=True)[:shown]],
    )


def _by_kind(runs: Iterable[Run]) -> dict[str, list[float]]:
    """Return the median and the ninetieth percentile of the ratio for every way of counting."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if run.ratio is not None:
            found.setdefault(run.case.kind, []).append(run.ratio)
    return {kind: [round(median(ratios), 4), round(_p90(ratios), 4)] for kind, ratios in sorted(found.items())}


def _p90(values: Sequence[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def _badness(run: Run) -> tuple[bool, int, bool, float]:
    return bool(run.broken), run.avoidable, run.is_wrong, run.ratio or 0.0


def _line(run: Run) -> str:
    case, ratio = run.case, run.ratio
    parts = [
        f"#{case.number} {case.kind} B={case.budget} W={case.window_s:g} N={case.n} r={2 * case.link.up_s:g}",
        f"{'speed' if case.dialect.is_speed else 'count'}/{'before' if case.dialect.is_before else 'after'}",
        f"V {case.dialect.remaining} R {case.dialect.reset} refused {case.refusals.value}",
        f"[{', '.join(case.troubles) or 'no trouble'}]",
        f"avoidable {run.avoidable}",
    ]
    if ratio is not None:
        parts.append(f"ratio {ratio:.3f}")
    if run.is_wrong:
        parts.append(f"WRONG {run.verdicts}")
    if run.broken:
        parts.append(f"BROKEN {run.broken}")
    return ", ".join(parts)


def goal2(runs: int, seed: str) -> dict[str, Any]:
    """Play the cells of the makespan goal in both modes; return each mode's ratios and the windows it lost."""
    found: dict[str, Any] = {"runs": runs}
    for mode in ("exclusive", "shared"):
        played, again = [], []
        for number in _counted(runs):
            brain = new_brain(mode)
            played.append(play(draw_cell(seed, number), brain))
            again.append(play(draw_cell(seed, number), new_brain(mode, learned=brain.learned())))
        ratios = [run.ratio for run in played if run.ratio is not None]
        lost = [_line(run) for run in played if run.has_lost_window]
        found[mode] = {
            "median": round(median(ratios), 4),
            "p90": round(_p90(ratios), 4),
            "worst": round(max(ratios), 4),
            "by_server": _by_kind(played),
            "avoidable_429s": sum(run.avoidable for run in played),
            "broken": sum(bool(run.broken) for run in played),
            "lost_windows": len(lost),
            "lost_windows_once_learned": sum(run.has_lost_window for run in again),
            "avoidable_429s_once_learned": sum(run.avoidable for run in again),
            "lost": lost,
        }
    return found


def _counted(runs: int) -> Iterable[int]:
    """Count runs, and say now and then on stderr how far it is."""
    began = time.perf_counter()
    for number in range(runs):
        if number and number % 500 == 0:
            speed = 60 * number / (time.perf_counter() - began)
            print(f"{number} of {runs}, {speed:.0f} a minute", file=sys.stderr)
        yield number


def _replay(number: int, seed: str, *, draw: Callable[[str, int], Case], mode: Mode, is_traced: bool) -> Run:
    case = draw(seed, number)
    print(case)
    run = play(case, new_brain(mode), tape=print if is_traced else None)
    print(_line(run))
    print(f"makespan {run.makespan_s:.3f} bound {run.bound_s} cold {run.cold} excused {dict(run.excused)}")
    print(f"verdicts {run.verdicts}, truth: speed {case.dialect.is_speed}, before {case.dialect.is_before}")
    return run


def _print_report(report: Report) -> None:
    for name, value in asdict(report).items():
        if name != "worst":
            print(f"{name:24} {value}")
    print("worst runs (replay with --replay K --trace):")
    for line in report.worst:
        print(" ", line)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--zoo", choices=("all", "goal2"), default="all")
    parser.add_argument("--server", choices=tuple(KINDS), help="only the runs on this kind of server")
    parser.add_argument("--mode", choices=("exclusive", "shared", "polite"), default="exclusive", help="of a replay")
    parser.add_argument("--replay", type=int, metavar="K", help="play run K alone")
    parser.add_argument("--trace", action="store_true", help="print every event of the replayed run")
    parser.add_argument("--worst", type=int, default=10, help="how many of the worst runs to name")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    wanted = _arguments(given)
    if wanted.replay is not None:
        draw = draw_cell if wanted.zoo == "goal2" else draw_case
        _replay(wanted.replay, wanted.seed, draw=draw, mode=wanted.mode, is_traced=wanted.trace)
        return
    if wanted.zoo == "goal2":
        found = goal2(wanted.runs, wanted.seed)
        print(json.dumps(found, indent=2))
    else:
        cases = (draw_case(wanted.seed, number) for number in _counted(wanted.runs))
        chosen = (case for case in cases if wanted.server in (None, case.kind))
        runs = [play(case, new_brain("exclusive")) for case in chosen]
        report = summarise(runs, shown=wanted.worst)
        _print_report(report)
        found = asdict(report)
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
