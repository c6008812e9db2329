"""Draws one server, one link and one crowd of callers from a seed: the cases that the fuzzer plays.

A case is a frozen value that says everything, so that its `repr` in a report is enough to know what was played.
"""

from __future__ import annotations

import math
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from benchmarks.meters import (
    Announced,
    FixedWindow,
    Gcra,
    LazyWindow,
    Refusals,
    RunningAverage,
    SlidingCounter,
    SlidingLog,
)
from benchmarks.surroundings import Foreign, Link, Whims
from benchmarks.zoo import ROUNDINGS, Dialect, Edit, Server, Temper

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.meters import Meter

__all__ = ["KINDS", "START_AT", "TROUBLES", "Case", "draw_case", "draw_cell", "draw_weighted"]

START_AT: Final = 1000.0
"""The instant at which every case begins."""


@frozen(kw_only=True)
class Case:
    """One run of the fuzzer, before it is played.

    Attributes:
        number: which case of its seed.
        kind: how the server counts, a key of `KINDS`.
        n: calls in all.
        batches: (seconds after the start, calls) in which they are submitted.
        dearest: tokens that a call costs at most.
        troubles: names of what goes wrong, keys of `TROUBLES`.
    """

    number: int
    kind: str
    n: int
    budget: int
    window_s: float
    dialect: Dialect
    refusals: Refusals
    batches: tuple[tuple[float, int], ...]
    dearest: int = 1
    troubles: tuple[str, ...] = ()
    temper: Temper = field(factory=Temper)
    link: Link = field(factory=Link)
    whims: Whims = field(factory=Whims)
    foreign: Foreign | None = None
    edits: tuple[Edit, ...] = ()
    seed: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether the clairvoyant bound holds as it stands: all calls at once, nothing refused without a reason."""
        return not self.troubles and len(self.batches) == 1 and self.dearest == 1

    def weigh(self, dice: Random) -> int:
        """Draw what a call costs."""
        return dice.randint(1, self.dearest) if self.dearest > 1 else 1

    def server(self) -> Server:
        """Return a fresh server in the state in which the case begins."""
        dice = Random(f"{self.seed} server")
        meter = KINDS[self.kind](self, dice)
        return Server(meter=meter, dialect=self.dialect, dice=dice, temper=self.temper, edits=list(self.edits))


def _spent(case: Case, dice: Random) -> int:
    """Draw what was used before the case begins: often nothing, sometimes everything."""
    return dice.choice((0, 0, case.budget, dice.randint(0, case.budget)))


def _fixed(case: Case, dice: Random) -> Meter:
    began_at = START_AT - dice.random() * case.window_s
    used = _spent(case, dice)
    return FixedWindow(budget=case.budget, window_s=case.window_s, began_at=began_at, used=used, refusals=case.refusals)


def _lazy(case: Case, dice: Random) -> Meter:
    used = _spent(case, dice)
    ends_at = START_AT + dice.random() * case.window_s if used else -math.inf
    return LazyWindow(budget=case.budget, window_s=case.window_s, ends_at=ends_at, used=used, refusals=case.refusals)


def _sliding(case: Case, dice: Random) -> Meter:
    log = deque(sorted(START_AT - dice.random() * case.window_s for _ in range(_spent(case, dice))))
    announced = dice.choice((Announced.ONE, Announced.ALL))
    return SlidingLog(budget=case.budget, window_s=case.window_s, log=log, refusals=case.refusals, announced=announced)


def _counter(case: Case, dice: Random) -> Meter:
    began_at = START_AT - dice.random() * case.window_s
    announced = dice.choice((Announced.ONE, Announced.EDGE))
    return SlidingCounter(
        budget=case.budget,
        window_s=case.window_s,
        began_at=began_at,
        before=_spent(case, dice),
        refusals=case.refusals,
        announced=announced,
    )


def _gcra(case: Case, dice: Random) -> Meter:
    burst = max(dice.randint(1, case.budget), case.dearest)
    debt_s = dice.choice((0.0, dice.random())) * burst * case.window_s / case.budget
    announced = dice.choice((Announced.ONE, Announced.ALL))
    return Gcra(
        budget=case.budget,
        window_s=case.window_s,
        burst=burst,
        full_at=START_AT + debt_s,
        refusals=case.refusals,
        announced=announced,
    )


def _average(case: Case, dice: Random) -> Meter:
    level = dice.choice((0.0, dice.random() * case.budget))
    return RunningAverage(
        budget=case.budget, window_s=case.window_s, level=level, level_at=START_AT, refusals=case.refusals
    )


KINDS: Final[dict[str, Callable[[Case, Random], Meter]]] = {
    "fixed": _fixed,
    "lazy": _lazy,
    "sliding log": _sliding,
    "sliding counter": _counter,
    "gcra": _gcra,
    "running average": _average,
}
_LIKELIHOOD: Final = (6, 4, 2, 1, 2, 1)

_Changes = dict[str, Any]


def _lossy(key: str) -> Callable[[Case, Random], _Changes]:
    return lambda case, dice: {"temper": evolve(case.temper, **{key: dice.choice((0.02, 0.1, 0.5))})}


def _linked(**changes: float) -> Callable[[Case, Random], _Changes]:
    return lambda case, _: {"link": evolve(case.link, **changes)}


def _span_s(case: Case) -> float:
    return case.window_s * max(1.0, case.n / case.budget)


def _edited(factor: float, *, is_length: bool) -> Callable[[Case, Random], _Changes]:
    def change(case: Case, dice: Random) -> _Changes:
        at = START_AT + dice.random() * _span_s(case)
        window_s = case.window_s * factor if is_length else case.window_s
        budget = _whole_limit(case.budget * factor, window_s)
        return {"edits": (Edit(at=at, budget=budget, window_s=window_s),)}

    return change


def _foreign(case: Case, dice: Random) -> _Changes:
    return {"foreign": Foreign(every_s=case.window_s / case.budget / dice.choice((0.1, 0.3, 0.6)))}


def _greedy_foreign(case: Case, dice: Random) -> _Changes:
    return {"foreign": Foreign(every_s=case.window_s, burst=dice.randint(1, case.budget))}


def _whims(case: Case, dice: Random) -> _Changes:
    within_s = dice.choice((2 * case.link.up_s, _span_s(case)))
    return {"whims": Whims(cancelled=dice.choice((0.05, 0.5)), within_s=within_s, dropped=dice.choice((0.0, 0.1)))}


TROUBLES: Final[dict[str, Callable[[Case, Random], _Changes]]] = {
    "headers missing": _lossy("missing"),
    "headers garbled": _lossy("garbled"),
    "headers cached": _lossy("cached"),
    "spurious 429": lambda case, _: {"temper": evolve(case.temper, spurious=0.02)},
    "reset skewed": lambda case, dice: {"temper": evolve(case.temper, skew_s=dice.uniform(-5, 5))},
    "reset bounces": lambda case, dice: {"temper": evolve(case.temper, bounce_s=dice.uniform(0.5, 5))},
    "limit cut": _edited(0.5, is_length=False),
    "limit raised": _edited(2.0, is_length=False),
    "window halved": _edited(0.5, is_length=True),
    "window doubled": _edited(2.0, is_length=True),
    "foreign": _foreign,
    "foreign greedy": _greedy_foreign,
    "reordered": _linked(jitter_s=3.0),
    "latency tail": _linked(tail=0.05, tail_s=12.0),
    "replies lost": _linked(lost=0.05, timeout_s=20.0),
    "not sent": _linked(unsent=0.05),
    "delivered twice": _linked(doubled=0.05),
    "server errors": _linked(failing=0.05),
    "cancelled": _whims,
}
"""What can go wrong, each with a function that says how a case must be changed for it."""


def _dialect(dice: Random, *, limit: str) -> Dialect:
    return Dialect(
        limit=limit,
        is_speed=dice.random() < 0.6,
        is_before=dice.random() < 0.3,
        remaining=dice.choice(tuple(ROUNDINGS)),
        reset=dice.choice(tuple(ROUNDINGS)),
        is_capped=dice.random() < 0.15,
        is_clamped=dice.random() < 0.85,
    )


def _log_uniform(dice: Random, low: float, high: float) -> float:
    return math.exp(dice.uniform(math.log(low), math.log(high)))


def _whole_limit(budget: float, window_s: float) -> int:
    """Return the budget nearest to a wish for which the limit is a whole number of calls a minute, as it is stated."""
    limit = max(1, round(60 * budget / window_s))
    return max(1, math.floor(limit * window_s / 60 + 1e-9))


def _budget(dice: Random, low: float, window_s: float) -> tuple[int, str]:
    """Draw a budget and how its limit is rounded: mostly cut from a whole limit, at times from a fraction.

    A stated limit never promises more than the budget; a fraction is stated exactly or rounded down.
    """
    wanted = math.exp(dice.uniform(math.log(low), math.log(1000)))
    if dice.random() < 0.75:
        return _whole_limit(wanted, window_s), "ceil"
    return round(wanted), dice.choice(("exact", "floor"))


def _batches(n: int, window_s: float, dice: Random) -> tuple[tuple[float, int], ...]:
    """Mostly everything at once; else in a few groups with pauses in which nothing is live."""
    groups = min(n, dice.choice((1, 1, 1, 2, 5)))
    cuts = [n // groups + (1 if index < n % groups else 0) for index in range(groups)]
    at_s, found = 0.0, []
    for size in cuts:
        found.append((at_s, size))
        at_s += dice.random() * 2 * window_s
    return tuple(found)


def draw_case(seed: str, number: int, *, most_calls: int = 600) -> Case:
    """Draw case `number` of a seed: any server, any trouble, one to ten budgets of calls.

    There are at most `most_calls` of them, unless that is less than one budget.
    """
    dice = Random(f"{seed}/{number}")
    window_s = dice.choice((float(dice.choice((5, 10, 60, 300, 3600))), round(_log_uniform(dice, 3, 7200), 1)))
    budget, limit = _budget(dice, 1, window_s)
    n = dice.randint(budget, max(budget, min(10 * budget, most_calls)))
    half_s = dice.choice((0.005, 0.05, 0.1, 0.25, 1.0))
    case = Case(
        number=number,
        kind=dice.choices(tuple(KINDS), _LIKELIHOOD)[0],
        n=n,
        budget=budget,
        window_s=window_s,
        dialect=_dialect(dice, limit=limit),
        refusals=dice.choice(tuple(Refusals)),
        batches=_batches(n, window_s, dice),
        link=Link(up_s=half_s, down_s=half_s, jitter_s=dice.choice((0.0, half_s))),
        seed=f"{seed}/{number}",
    )
    for name in dice.sample(tuple(TROUBLES), dice.choices((0, 1, 2), (4, 4, 2))[0]):
        case = _with_trouble(case, name, dice)
    return case


def draw_weighted(seed: str, number: int, *, most_calls: int = 600) -> Case:
    """Draw the same with calls of up to eight tokens, if a window holds several of the dearest even when it is cut."""
    case = draw_case(seed, number, most_calls=most_calls)
    dearest = min(Random(f"{seed}/{number} weights").randint(2, 8), case.budget // 4)
    return evolve(case, dearest=max(dearest, 1))


def _with_trouble(case: Case, name: str, dice: Random) -> Case:
    return evolve(case, troubles=(*case.troubles, name), **TROUBLES[name](case, dice))


def draw_cell(seed: str, number: int, *, most_calls: int = 4000) -> Case:
    """Draw a cell of the makespan goal: at least two budgets of calls, a minute or more per window, a quick link."""
    dice = Random(f"goal2 {seed}/{number}")
    window_s = float(dice.choice((60, 300, 900, round(_log_uniform(dice, 60, 900)))))
    budget, limit = _budget(dice, 10, window_s)
    n = min(max(most_calls, 2 * budget), dice.randint(2 * budget, 10 * budget))
    half_s = min(dice.choice((0.025, 0.1, 0.25, 0.5)), window_s / 200)
    return Case(
        number=number,
        kind=dice.choices(tuple(KINDS), _LIKELIHOOD)[0],
        n=n,
        budget=budget,
        window_s=window_s,
        dialect=_dialect(dice, limit=limit),
        refusals=Refusals.COUNTED,
        batches=((0.0, n),),
        link=Link(up_s=half_s, down_s=half_s),
        seed=f"goal2 {seed}/{number}",
    )
