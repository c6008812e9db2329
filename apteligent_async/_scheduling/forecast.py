"""When a call will start: the forecast that admission, progress displays and people read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from apteligent_async._scheduling.policy import is_whole
from apteligent_async._scheduling.readings import MINUTE_S
from apteligent_async._scheduling.release import GROWTH, PHI, hold_s, most_jitter_s, part_under_way, reserve_ends_at
from apteligent_async._scheduling.signals import Priority
from apteligent_async._scheduling.windows import SHARP_S
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.policy import RatePolicy

__all__ = ["BudgetSnapshot", "Eta", "Outlook", "look_ahead"]

PROBE_S = 2.0
"""What a new window costs at worst before its budget is known, beside a round trip: resets in whole seconds."""

LATE_S = 2.0
"""How long before a reset a call may still be counted after it."""

MARGIN_TOKENS = 2
"""How many tokens more than stand in front a call may have to wait for, while nobody knows how long windows are."""


@frozen
class Eta:
    """Seconds until a call starts: if all goes well, most likely, and at worst if nobody else spends."""

    optimistic: float
    expected: float
    pessimistic: float


@frozen(kw_only=True)
class Outlook:
    """What is known of the time ahead: enough to say when each call of a line will start.

    Attributes:
        free: tokens that nothing but the policy's pace holds back.
        answered: tokens of the present window whose calls were answered.
        first_lo: seconds to the next window, at best.
        first_hi: the same at worst.
        late_s: what it costs to start so near the end of the present window that the next one may be charged.
        size: tokens that the line may have of a whole window.
        sure: how many of them the first answers of the window are sure to show.
        unseen: how many of them may never show, as nobody knows whether an answer counts its own call.
        length_s: seconds from one window to the next.
        token_s: seconds that a token takes at the limit's speed, as far as it shows, however long windows are; 0 if
            they are taken for a minute long, or their length was seen.
        trip_s: seconds from a call to its answer, of late.
        part: the part of the tokens left that goes out in one round trip; 1: all at once.
        is_paced: whether a window's tokens are spread over it on purpose.
        jitter_s: seconds by which a window's opening is put off at most, at random.
        hold_s: seconds by which each token of the reserve is held back from bulk calls, longer than the one before it.
        likely: what is expected instead, where more is likely than what is proven; None where it is not.
    """

    free: float
    answered: int
    first_lo: float
    first_hi: float
    late_s: float
    size: float
    sure: float
    unseen: int
    length_s: float
    token_s: float
    trip_s: float
    part: float
    is_paced: bool
    jitter_s: float
    hold_s: float
    likely: Outlook | None = None

    def eta(self, position: float, *, is_bulk: bool = False) -> Eta:
        """Say when the call starts before which `position` tokens (its own included) must be spent."""
        if self.likely is not None:
            expected = self.likely.eta(position, is_bulk=is_bulk).expected
            return evolve(self._eta(position, is_bulk=is_bulk), expected=expected)
        return self._eta(position, is_bulk=is_bulk)

    def _eta(self, position: float, *, is_bulk: bool) -> Eta:
        if position <= self.free:
            drained_s = self._drained_s(position, of=self.free, within_s=self.first_hi, answered=self.answered)
            if is_bulk:
                drained_s = max(drained_s, self._held_s(self.free - position, ends_s=self.first_lo))
            turn_s = self._turn_s(of=self.free, within_s=self.first_hi)
            return Eta(0.0, drained_s, drained_s + turn_s + self._late_s(after_s=drained_s))
        windows = math.ceil((position - self.free) / self.size) - 1
        rest_s = windows * self.length_s
        in_window = position - self.free - windows * self.size
        drained_s = self._drained_s(in_window, of=self.size, within_s=self.length_s)
        if is_bulk:
            drained_s = max(drained_s, self._held_s(self.size - in_window, ends_s=self.length_s))
        # What rounding hides goes out late in the window, once it shows; what never shows, in a later one.
        hidden_s = self.length_s if in_window + windows * self.unseen > self.sure else 0.0
        emptied_s = self._drained_s(self.free, of=self.free, within_s=self.first_hi, answered=self.answered)
        # Longer windows hold more, and come later: by no more than the tokens before it take at the speed that shows.
        latest_s = max(rest_s, (position - self.free + MARGIN_TOKENS) * self.token_s)
        worst_s = self.first_hi + latest_s + self._late_s(after_s=emptied_s) + (PROBE_S + self.trip_s) * (1 + windows)
        worst_s += hidden_s + drained_s + self._turn_s(of=self.size, within_s=self.length_s)
        # Windows are opened when their predecessors are surely over, by one call; the rest wait for its answer.
        opened_s = self.first_hi + self.jitter_s / 2 + (self.trip_s if drained_s or in_window > 1 else 0.0)
        return Eta(self.first_lo + rest_s, opened_s + rest_s + drained_s, worst_s)

    def _late_s(self, *, after_s: float) -> float:
        return self.late_s if self.first_lo <= after_s + LATE_S else 0.0

    def _drained_s(self, position: float, *, of: float, within_s: float, answered: int = 1) -> float:
        """Say how long after a window's opening its `position`-th token goes out, of so many, within so long."""
        if position <= 1 or of == math.inf:
            return 0.0
        if self.is_paced:
            return within_s * (position - 1) / of
        if self.part == 1:
            return 0.0
        remaining, slow = of - position + 1, min(2 / self.part, of)
        rounds = _harmonic(self.part * of) - _harmonic(self.part * max(remaining, slow))
        # At first no more go out than were answered, several times over.
        growing = math.log(max(min(position, self.part * of) / (GROWTH * max(answered, 1)), 1)) / math.log(1 + GROWTH)
        return self.trip_s * (rounds / self.part + max(slow - remaining, 0.0) + growing)

    def _held_s(self, spare: float, *, ends_s: float) -> float:
        """Say how long the reserve holds a bulk call back that leaves so many tokens of a window which ends then."""
        return reserve_ends_at(ends_s, self.length_s) - (spare + 1) * self.hold_s if self.hold_s else 0.0

    def _turn_s(self, *, of: float, within_s: float) -> float:
        """Say by how much a token goes out later at worst, as turns do not come evenly."""
        if self.is_paced:
            return within_s / of
        return self.trip_s if self.part < 1 else 0.0


def _harmonic(parts: float) -> float:
    """Sum 1/k up to `parts`, nearly: as many round trips as whole parts of what is left take, one after the other."""
    parts = max(parts, 1)
    return math.log(parts) + 1 / (2 * parts)


def look_ahead(budget: Budget, policy: RatePolicy, *, now: float) -> Outlook:
    """Say what the books and the policy make of the time ahead."""
    ends, length_s = budget.ends, budget.windows.length_s or max(budget.expected_length_s, MINUTE_S)
    size, is_unknown = budget.size_of(length_s), not budget.windows.length_s and length_s > MINUTE_S
    free, first_lo, first_hi = _opening(budget, now=now)
    share = 1.0 if policy.share is None else policy.share
    outlook = Outlook(
        free=min(free, max(share * size - budget.own, 0)) if share < 1 else free,
        answered=budget.own,
        first_lo=first_lo,
        first_hi=first_hi,
        late_s=0.0 if ends is None else budget.windows.length_s or budget.windows.longest_s,
        size=max(share * size, 1.0),
        sure=share * _shown_early(budget, length_s),
        unseen=len({view.hypothesis.includes_call for view in budget.alive()}) - 1,
        length_s=budget.windows.length_s or length_s + (1 + budget.trip_s) / 2,  # it may begin with a call, or not
        token_s=60 / (share * max(budget.pace - 1, budget.pace / 2)) if is_unknown else 0.0,
        trip_s=budget.trip_s,
        part=part_under_way(budget, PHI) if policy.mode == "shared" else 1.0,
        is_paced=policy.mode == "polite",
        jitter_s=most_jitter_s(length_s) if policy.mode != "exclusive" else 0.0,
        hold_s=0.0 if budget.windows.is_moving else hold_s(budget, policy.reserve),
    )
    if ends is None or free < 1 or share < 1:
        return outlook
    if now + budget.trip_s / 2 >= (ends.lo + ends.hi) / 2:
        # What starts now is most likely charged to a window that has begun, and whose answers will tell of the rest.
        return evolve(outlook, likely=evolve(outlook, free=outlook.size, first_hi=first_hi + outlook.length_s))
    return evolve(outlook, likely=evolve(outlook, free=max(free, _hidden(budget, size))))


def _hidden(budget: Budget, size: float) -> float:
    """Count the tokens that are most likely left, where whole windows were counted, be they proven or not."""
    if max(view.budget_hi for view in budget.alive()) == math.inf:
        return 0.0
    return min(budget.most_left, size - budget.own) - budget.live


def _shown_early(budget: Budget, length_s: float) -> float:
    """Count the tokens of a new window that its first answers prove, however they round a speed."""
    alive = budget.alive()
    if length_s < SHARP_S + 1 and all(view.hypothesis.includes_call for view in alive):
        return budget.size_of(length_s)  # any speed above zero proves one more
    least = ((budget.limit or 0.0) - 1) * (length_s - 1) / 60 - 1
    return min(view.budget_lo for view in alive) or max(least, 0.0)


def _opening(budget: Budget, *, now: float) -> tuple[float, float, float]:
    """Count what is free now, and bound the seconds to the next window."""
    opens_s = max(budget.reopens_at - now, 0.0)
    if budget.ends is not None:
        return max(budget.left, 0), max(budget.ends.lo - now, 0.0), opens_s
    if budget.is_gated:
        return 0.0, opens_s, opens_s
    if not budget.windows.longest_s:
        return math.inf, 0.0, 0.0  # nothing at all is known yet
    # The first answer of a window is awaited.
    return budget.expected_size - budget.own - budget.live, 0.0, budget.expected_length_s


@frozen(kw_only=True)
class BudgetSnapshot:
    """What a client knows of its budget at one instant.

    Attributes:
        mode: the policy's mode.
        limit: calls per minute that the service allows, as last stated; None before its first answer.
        left_low: calls proven to be left now, those under way taken off.
        left_high: calls that can be left at most; infinite while unknown.
        reset_s: seconds to the reset of the present window, or None while unknown.
        is_gated: whether the service has refused a call (429) and the gate is shut until the reset.
        bucket_s: seconds from one reset to the next, or None before two of them were seen.
        bucket_calls: calls that one bucket holds, or None until it was counted exactly.
        unit: ``speed`` or ``count``, what `Rate-Limit-Remaining` turned out to be; None while undecided.
        includes_call: whether the headers already count the call that brings them; None while undecided.
        queued: calls that wait, by lane (``free``, ``token``, ``interactive``, ``bulk``).
        queued_elsewhere: the same for other processes that share the budget by a file or a server, as last heard from
            there; without such a budget nothing.
        waits_for: why the call at the head of the line waits, such as ``drained``; None if nobody waits.
        waits_s: seconds that it will wait at least, or None if it waits for an answer.
        in_flight: calls under way.
        refusals: answers of 429 so far.
        others_seen: answers that only somebody else's calls explain.
    """

    mode: str
    limit: float | None
    left_low: int
    left_high: float
    reset_s: float | None
    is_gated: bool
    bucket_s: float | None
    bucket_calls: int | None
    unit: str | None
    includes_call: bool | None
    queued: Mapping[str, int]
    queued_elsewhere: Mapping[str, int] = field(factory=dict[str, int])
    in_flight: int
    refusals: int
    others_seen: int
    waits_for: str | None
    waits_s: float | None
    _outlook: Outlook = field(repr=False, alias="outlook")

    def eta(self, n_calls: int = 1, *, priority: Priority | str = Priority.BULK) -> float:
        """Estimate the seconds until `n_calls` more calls, behind those that wait already, have started.

        Args:
            n_calls: how many.
            priority: ``interactive`` calls pass by the ``bulk`` calls that wait; others are behind all.

        Raises:
            ConfigurationError: the number is no whole one, or below 0; or there is no such priority.
        """
        if not is_whole(n_calls) or n_calls < 0:
            raise ConfigurationError(f"n_calls={n_calls!r} is not possible: it must be a whole number, at least 0.")
        passed = 0 if _is_bulk(priority) else self.queued["bulk"]
        position = n_calls + sum(self.queued.values()) - passed
        return self._outlook.eta(position, is_bulk=_is_bulk(priority)).expected if n_calls else 0.0


def _is_bulk(priority: Priority | str) -> bool:
    try:
        return Priority(priority.lower() if isinstance(priority, str) else priority) is Priority.BULK
    except ValueError:
        raise ConfigurationError(f"priority={priority!r} is not possible: it must be interactive or bulk.") from None
