"""One case played by one scheduler, and what became of it.

A 429 is *avoidable* unless the oracle saw foreign use, a limit cut, a lost header or a false reset in the same window,
or refused without a reason, or it was the first call of a cold start with nothing left.
"""

from __future__ import annotations

import traceback
from collections import Counter
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from attrs import define, field

from apteligent_async._scheduling.signals import Job, Lane
from benchmarks.bounds import Trip, makespan_bound
from benchmarks.cases import START_AT, Case
from benchmarks.core import Verdicts, books_of, verdicts_of
from benchmarks.player import Client, Player, StuckError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.player import Brain
    from benchmarks.zoo import Answer, Server

__all__ = ["Run", "line_of", "p90", "play", "ratios_by_kind"]

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


def play(case: Case, brain: Brain, *, server: Server | None = None, tape: Callable[[str], object] | None = None) -> Run:
    """Play one case with one scheduler that has the budget to itself; `server` stands in for the case's own."""
    run, server, client = Run(case=case), server or case.server(), Client(brain)
    if case.is_clean:
        run.bound_s = _bound_s(case)
    dice = Random(f"{case.seed} link")
    span_s = case.window_s * (case.n * case.dearest / case.budget + 2)
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
        return [Job(cost=case.weigh(dice)) for _ in range(size)]
    lanes = (Lane.INTERACTIVE, Lane.BULK)
    return [Job(cost=case.weigh(dice), lane=dice.choice(lanes), flow=dice.randint(0, 3)) for _ in range(size)]


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"


def line_of(run: Run) -> str:
    """Say in a line what was played, and what is to be known of it."""
    case, ratio = run.case, run.ratio
    parts = [
        f"#{case.number} {case.kind} B={case.budget} W={case.window_s:g} N={case.n} r={2 * case.link.up_s:g}",
        f"{'speed' if case.dialect.is_speed else 'count'}/{'before' if case.dialect.is_before else 'after'}",
        f"V {case.dialect.remaining} R {case.dialect.reset} refused {case.refusals.value}",
        f"[{', '.join(case.troubles) or 'no trouble'}]",
        *([f"up to {case.dearest} tokens a call"] if case.dearest > 1 else []),
        f"avoidable {run.avoidable}",
    ]
    if ratio is not None:
        parts.append(f"ratio {ratio:.3f}")
    if run.is_wrong:
        parts.append(f"WRONG {run.verdicts}")
    if run.broken:
        parts.append(f"BROKEN {run.broken}")
    return ", ".join(parts)


def ratios_by_kind(runs: Iterable[Run]) -> dict[str, list[float]]:
    """Return the median and the ninetieth percentile of the ratio for every way of counting."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if run.ratio is not None:
            found.setdefault(run.case.kind, []).append(run.ratio)
    return {kind: [round(median(ratios), 4), round(p90(ratios), 4)] for kind, ratios in sorted(found.items())}


def p90(values: Sequence[float]) -> float:
    """Return the ninetieth percentile."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
