"""Play thousands of random cases and count the 429s that the scheduler could have avoided.

What *avoidable* means stands in `benchmarks.runs`.

    python -m benchmarks.fuzz --runs 2000 --json
    python -m benchmarks.fuzz --replay 17 --trace
    python -m benchmarks.fuzz --zoo weighted --runs 2000
    python -m benchmarks.fuzz --zoo goal2 --runs 300
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Final

from attrs import asdict, frozen

from benchmarks.cases import KINDS, draw_case, draw_cell, draw_weighted
from benchmarks.core import new_brain
from benchmarks.lost import goal2
from benchmarks.runs import Run, line_of, play, ratios_by_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from apteligent_async._scheduling.policy import Mode
    from benchmarks.cases import Case

__all__ = ["Report", "summarise"]


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
        ratios_by_server=ratios_by_kind(runs),
        broken=sum(bool(run.broken) for run in runs),
        worst=[line_of(run) for run in sorted(runs, key=_badness, reverse=True)[:shown]],
    )


def _badness(run: Run) -> tuple[bool, int, bool, float]:
    return bool(run.broken), run.avoidable, run.is_wrong, run.ratio or 0.0


_DRAWS: Final[dict[str, Callable[[str, int], Case]]] = {
    "all": draw_case,
    "weighted": draw_weighted,
    "goal2": draw_cell,
}


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
    print(line_of(run))
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
    parser.add_argument("--zoo", choices=("all", "weighted", "goal2"), default="all")
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
        _replay(wanted.replay, wanted.seed, draw=_DRAWS[wanted.zoo], mode=wanted.mode, is_traced=wanted.trace)
        return
    if wanted.zoo == "goal2":
        found = goal2(wanted.runs, wanted.seed)
        print(json.dumps(found, indent=2))
    else:
        cases = (_DRAWS[wanted.zoo](wanted.seed, number) for number in _counted(wanted.runs))
        chosen = (case for case in cases if wanted.server in (None, case.kind))
        runs = [play(case, new_brain("exclusive")) for case in chosen]
        report = summarise(runs, shown=wanted.worst)
        _print_report(report)
        found = asdict(report)
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
