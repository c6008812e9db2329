"""What was settled about a service, with its evidence: worth keeping between runs.

Lengths, sizes and ways of reading are trusted again, until an answer contradicts them; calls left never are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.readings import Hypothesis, Unit
from apteligent_async._scheduling.views import views_of
from apteligent_async._scheduling.wording import Wording
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.views import View

__all__ = ["Learned", "LearnedView", "Verdicts", "learn", "recall", "renewed", "verdicts"]


@frozen(kw_only=True)
class LearnedView:
    """What is known of one way to read the service's numbers.

    Attributes:
        unit: ``speed`` or ``count``: what `Rate-Limit-Remaining` would be.
        includes_call: whether the numbers would count the call that brings them.
        is_alive: whether nothing has ruled this reading out.
        strikes: windows in which the service contradicted it.
        calls_at_least: calls that a whole bucket has been proven to hold, under this reading.
        calls_at_most: calls that it can hold at most; None while unknown.
    """

    unit: str
    includes_call: bool
    is_alive: bool
    strikes: int
    calls_at_least: float
    calls_at_most: float | None


@frozen(kw_only=True)
class Learned:
    """What a client has found out about a service's rate limit, to be handed to a later `MemoryBudget`.

    Attributes:
        limit: calls per minute, as last stated; another limit makes the sizes void.
        bucket_s: seconds from one reset to the next; None before two were seen.
        longest_s: the longest reset that was ever stated, in seconds.
        whole_s: the longest reset that no refusal can have put off.
        has_stood: whether resets were seen to stand still while time passed.
        is_moving: whether they were seen to move on with the calls.
        views: each way to read the numbers.
        refills: whether a window was seen to begin whole after one that was used; None while nobody knows.
        fades: whether tokens were seen to come back in a window whose reset stands, or to lack at its beginning.
        reset_doubt_s: how far off a stated reset may be.
        is_fine: whether what remains was ever stated with decimals.
        is_uncapped: whether more than the limit was ever stated.
    """

    limit: float | None
    bucket_s: float | None
    longest_s: float
    whole_s: float
    has_stood: bool
    is_moving: bool
    views: tuple[LearnedView, ...]
    refills: bool | None = None
    fades: bool = False
    reset_doubt_s: float = 1.0
    is_fine: bool = False
    is_uncapped: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give plain values that any JSON encoder takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Learned:
        """Take back what `to_json` gave.

        Raises:
            ConfigurationError: the values are something else.
        """
        try:
            views = tuple(_view_from(view) for view in values["views"])
            renewed: dict[str, Any] = {**values, "views": views}
            return cls(**renewed)
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError("These values are not what Learned.to_json() gave; begin without them.") from None


def _view_from(values: Mapping[str, Any]) -> LearnedView:
    checked: dict[str, Any] = {**values, "unit": Unit(values["unit"]).value}
    return LearnedView(**checked)


@frozen
class Verdicts:
    """What has been settled about the service; None is undecided.

    Attributes:
        unit: what `remaining` counts.
        includes_call: whether the numbers already count the call that brought them.
        budget: calls that one bucket holds.
        length_s: seconds from one reset to the next.
    """

    unit: Unit | None
    includes_call: bool | None
    budget: int | None
    length_s: float | None


def verdicts(budget: Budget) -> Verdicts:
    """Say what a budget has settled, in short."""
    alive = [view for view in budget.views if view.is_alive]
    units = {view.hypothesis.unit for view in alive}
    counts = {view.hypothesis.includes_call for view in alive}
    sizes = {view.budget_lo if view.budget_lo == view.budget_hi else None for view in alive}
    size = sizes.pop() if len(sizes) == 1 else None
    return Verdicts(
        unit=units.pop() if len(units) == 1 else None,
        includes_call=counts.pop() if len(counts) == 1 else None,
        budget=None if size is None else int(size),
        length_s=budget.windows.length_s,
    )


def learn(budget: Budget) -> Learned:
    """Describe what a budget has settled."""
    windows = budget.windows
    return Learned(
        limit=budget.limit,
        bucket_s=windows.length_s,
        longest_s=windows.longest_s,
        whole_s=windows.whole_s,
        has_stood=windows.has_stood,
        is_moving=windows.is_moving,
        views=tuple(_described(view) for view in budget.views),
        refills=windows.refills,
        fades=budget.fading.is_seen,
        reset_doubt_s=budget.wording.reset_doubt_s,
        is_fine=budget.wording.is_fine,
        is_uncapped=budget.wording.is_uncapped,
    )


def recall(learned: Learned, budget: Budget) -> None:
    """Give a new budget what an earlier one had settled."""
    windows, budget.limit = budget.windows, learned.limit
    windows.length_s, windows.longest_s, windows.whole_s = learned.bucket_s, learned.longest_s, learned.whole_s
    windows.has_stood, windows.is_moving, windows.refills = learned.has_stood, learned.is_moving, learned.refills
    budget.fading.is_seen = learned.fades
    budget.wording = Wording(learned.reset_doubt_s, is_fine=learned.is_fine, is_uncapped=learned.is_uncapped)
    known = {Hypothesis(Unit(view.unit), view.includes_call): view for view in learned.views}
    if not any(known[view.hypothesis].is_alive for view in budget.views if view.hypothesis in known):
        return
    for view in budget.views:
        if (found := known.get(view.hypothesis)) is not None:
            view.is_alive, view.strikes = found.is_alive, found.strikes
            view.budget_lo = found.calls_at_least
            view.budget_hi = math.inf if found.calls_at_most is None else found.calls_at_most


def renewed(budget: Budget) -> Budget:
    """Give new books that know what these had settled, and trust no token of theirs."""
    fresh = Budget(is_alone=budget.is_alone, views=views_of(view.hypothesis for view in budget.views))
    recall(learn(budget), fresh)
    fresh.refusals, fresh.others_seen = budget.refusals, budget.others_seen
    return fresh


def _described(view: View) -> LearnedView:
    return LearnedView(
        unit=view.hypothesis.unit.value,
        includes_call=view.hypothesis.includes_call,
        is_alive=view.is_alive,
        strikes=view.strikes,
        calls_at_least=view.budget_lo,
        calls_at_most=None if view.budget_hi == math.inf else view.budget_hi,
    )
