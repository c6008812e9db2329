"""A budget in people's words: what is left, what is waited for, and whether one should worry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from apteligent_async.dashboard.rendering import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from apteligent_async import BudgetSnapshot

__all__ = ["Fact", "Standing", "State", "standing_of"]

State: TypeAlias = Literal["unknown", "ready", "waiting", "used-up", "refused"]

_TITLES: Mapping[State, str] = {
    "unknown": "Nothing asked yet",
    "ready": "Calls start at once",
    "waiting": "Calls wait",
    "used-up": "Budget used up",
    "refused": "Stopped by the service",
}
_REASONS: Mapping[str, str] = {
    "in_flight": "as many calls are under way as the policy allows",
    "probe": "the first call of this window is under way; its answer tells how many may follow",
    "answers": "all calls that are proven safe are under way; their answers tell what is left",
    "drained": "the calls of this window are used up",
    "refused": "the service answered 429: nobody sends before the reset that it stated",
    "lost_answer": "an answer did not come, so nothing is proven to be left",
    "share": "this client's share of the window is used up",
    "pace": "the policy spreads its calls over the window",
    "reserve": "what is left is kept for more urgent calls",
    "turn": "other processes that share the budget go first",
    "late_look": "the last call is kept until its answer can show whether there are more",
}
_SOON_S = 1.0
"""A wait that nobody need be told of."""


@frozen
class Fact:
    """A line of the panel: what it is about, and what is known."""

    term: str
    text: str


@frozen(kw_only=True)
class Standing:
    """How a budget stands.

    Attributes:
        state: one word, for colours and for noticing changes.
        title: the same for people.
        left: calls that are proven to be left.
        whole: how many a window holds, or None while unknown.
        percent: how much of the window is left, 0 to 100.
        reason: why calls wait, or would; empty if they do not.
        facts: what else is known.
    """

    state: State
    title: str
    left: int
    whole: float | None
    percent: float
    reason: str
    facts: Sequence[Fact]

    @property
    def announcement(self) -> str:
        """Say the state in a sentence that is worth interrupting somebody for."""
        return f"{self.title}: {self.reason}." if self.reason else f"{self.title}."


def standing_of(budget: BudgetSnapshot) -> Standing:
    """Put a snapshot into words."""
    state = _state(budget)
    whole = _whole(budget)
    return Standing(
        state=state,
        title=_TITLES[state],
        left=budget.left_low,
        whole=whole,
        percent=min(100.0 * budget.left_low / whole, 100.0) if whole else 0.0,
        reason=_reason(budget, state),
        facts=tuple(_facts(budget)),
    )


def _state(budget: BudgetSnapshot) -> State:
    if budget.is_gated:
        return "refused"
    if budget.limit is None:
        return "unknown"
    if budget.left_low == 0 and budget.eta(1) > _SOON_S:
        return "used-up"
    is_anybody_waiting = any([*budget.queued.values(), *budget.queued_elsewhere.values()])
    return "waiting" if is_anybody_waiting else "ready"


def _reason(budget: BudgetSnapshot, state: State) -> str:
    cause = budget.waits_for or ("drained" if state == "used-up" else "")
    return _REASONS.get(cause, "")


def _whole(budget: BudgetSnapshot) -> float | None:
    """Count a window's calls: as learned, else by the limit, which is one of a minute."""
    if budget.bucket_calls is not None:
        return float(budget.bucket_calls)
    return None if budget.limit is None else budget.limit * (budget.bucket_s or 60.0) / 60.0


def _facts(budget: BudgetSnapshot) -> Iterator[Fact]:
    yield Fact("Reset", _reset(budget.reset_s))
    yield Fact("Line empty" if sum(budget.queued.values()) else "Next call", _start(budget.eta(1)))
    yield Fact("Limit", "not stated" if budget.limit is None else f"{budget.limit:g} a minute")
    yield Fact("Under way", number(budget.in_flight))
    yield Fact("In line", _queue(budget.queued))
    if any(budget.queued_elsewhere.values()):
        yield Fact("In other processes", _queue(budget.queued_elsewhere))
    yield Fact("Refused (429)", number(budget.refusals))
    if budget.others_seen:
        yield Fact("Others", "somebody else spends this budget, too")


def _reset(seconds: float | None) -> str:
    if seconds is None:
        return "not stated"
    return f"in {math.ceil(seconds)} s" if seconds > 0 else "has passed"


def _start(seconds: float) -> str:
    return "at once" if seconds < _SOON_S else f"in about {math.ceil(seconds)} s"


def _queue(queued: Mapping[str, int]) -> str:
    lanes = [f"{count} {lane}" for lane, count in queued.items() if count]
    return ", ".join(lanes) or "nobody"
