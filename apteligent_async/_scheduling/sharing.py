"""One step of one member of a fleet: what it tells is heard, and it is granted what it may have (`fleet` says why).

Pure: no clock, no dice, no I/O. A store keeps the state and lets one step after the other change it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from apteligent_async._scheduling.budget import STRAGGLER_S
from apteligent_async._scheduling.decisions import account, starts_at
from apteligent_async._scheduling.fleet import Granted, Member
from apteligent_async._scheduling.learned import renewed
from apteligent_async._scheduling.queue import MOST_PASSES
from apteligent_async._scheduling.signals import Cause, Job, Lane, LinkFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.fleet import Fleet, News, Step
    from apteligent_async._scheduling.policy import RatePolicy

__all__ = ["GRACE_S", "SILENT_S", "transition"]

PHI = 0.5
"""What `shared` keeps under way of what is left: twice what one line would, as the peers that there are talk."""

LEASE_S = 2.0
"""How long a leased token may wait to be started."""

SILENT_S = 30.0
"""A member that holds tokens and says nothing for so long is taken for dead."""

FORGOTTEN_S = 600.0
"""A member that holds nothing is forgotten after so long."""

DEAD_STRAGGLER_S = 2.0
"""How long what a dead process of this host had sent may still reach the service: its sockets died with it."""

PART = 100
"""A lease is at most this part of a window."""

LATE_PART = 20
"""In this last part of a window every token is leased by itself."""

HURRY_PART, HURRY_S = 50, 0.1
"""So close to a window's end, a part of it and seconds and two answers' time, nobody's claim holds a token back."""

GRACE_S = 0.1
"""How late a member may ask and still keep its claim."""

SOONEST_S, LATEST_S = 0.004, 0.25
"""Bounds of the pause before a member asks again for what others' answers may free."""

SPACING_S = 0.002
"""Between two members who are to ask after the same instant."""

RESTARTED_S = 1.0
"""A clock that is so far behind the books' last stamp has begun anew."""


def transition(fleet: Fleet, step: Step, *, clock: str, now: float, blur_s: float = 0.0) -> Granted:
    """Take one member's step: hear its news, and grant what it may have. The same inputs give the same decisions.

    Args:
        fleet: the state; it becomes the next one.
        step: what the member tells and wants.
        clock: which clock `now` was read from.
        now: the present instant, or a little earlier: early enough that nothing starts too soon.
        blur_s: how much earlier at most: answers may have come so much later.
    """
    if clock != fleet.clock or now < fleet.stamped_at - RESTARTED_S:
        _restart(fleet, clock)
    now = fleet.stamped_at = max(now, fleet.stamped_at)
    fleet.budget.is_alone = step.policy.mode == "exclusive"
    _bury(fleet, step, now=now)
    member = _admit(fleet, step)
    _take_in(fleet, member, step, now=now, blur_s=blur_s)
    tokens, at, cause = _grant(fleet, step, member, now=now)
    member.wanted = _rest(step.wanted, tokens)
    member.seen_at = now
    member.asks_at = max(at, now) if step.cost and any(member.wanted) else math.inf
    return Granted(
        tokens=tokens,
        epoch=member.epoch,
        valid_until=_valid_until(fleet, now=now),
        asks_at=member.asks_at,
        cause=cause,
    )


# Members


def _restart(fleet: Fleet, clock: str) -> None:
    """Begin on another clock: no instant means anything there, and nobody of before is left."""
    fleet.budget = renewed(fleet.budget)
    fleet.members.clear()
    fleet.clock, fleet.stamped_at, fleet.last_at = clock, -math.inf, -math.inf


def _bury(fleet: Fleet, step: Step, *, now: float) -> None:
    """Write off what the dead and the silent hold, and forget those who hold nothing."""
    for name in [name for name in step.dead if name in fleet.members]:
        _write_off(fleet, fleet.members.pop(name), straggles_s=DEAD_STRAGGLER_S, now=now)
    for name, member in list(fleet.members.items()):
        silent_s = now - member.seen_at
        if name == step.member or silent_s <= SILENT_S:
            continue
        _write_off(fleet, member, straggles_s=STRAGGLER_S, now=now)
        if silent_s > FORGOTTEN_S:
            del fleet.members[name]


def _write_off(fleet: Fleet, member: Member, *, straggles_s: float, now: float) -> None:
    if not member.held:
        return
    fleet.budget.lose(Job(cost=member.held), straggles_s=straggles_s, now=now)
    member.held, member.epoch = 0, 0


def _admit(fleet: Fleet, step: Step) -> Member:
    """Find a member's record; one whose epoch has ended, or who spent without us, states what it has under way."""
    member = fleet.members.setdefault(step.member, Member(step.host, step.pid))
    if step.is_back:
        _renew(fleet)
    if member.epoch == 0 or member.epoch != step.epoch or step.is_back:
        fleet.epochs += 1
        fleet.budget.live += step.held - member.held
        member.epoch, member.held = fleet.epochs, step.held
    return member


def _renew(fleet: Fleet) -> None:
    """Trust no token any more, since somebody has spent some without the books."""
    is_drained, reopens_at = fleet.budget.left < 1, fleet.budget.reopens_at
    fleet.budget = renewed(fleet.budget)
    fleet.budget.live = sum(member.held for member in fleet.members.values())
    if is_drained:
        fleet.budget.gate.pause(reopens_at)


# What they tell


def _take_in(fleet: Fleet, member: Member, step: Step, *, now: float, blur_s: float) -> None:
    if member.epoch == step.epoch:
        for news in step.news:
            member.held -= news.cost
            _hear(fleet, news, now=now + blur_s)
        member.held -= step.returned
        fleet.budget.give_back(step.returned)
    if not any(member.wanted) and any(step.wanted):
        member.tag = max(member.tag, fleet.virtual)
    member.wanted = step.wanted


def _hear(fleet: Fleet, news: News, *, now: float) -> None:
    job = Job(cost=news.cost)
    job.granted_at = min(news.sent_at, now)
    account(fleet.budget, job, news.outcome, now=now)
    if not isinstance(news.outcome, LinkFailed):
        fleet.trip_s += (now - job.granted_at - fleet.trip_s) / 8


# What they get


def _grant(fleet: Fleet, step: Step, member: Member, *, now: float) -> tuple[int, float, Cause]:
    """Lease what may start now; say when there may be more, and why there is not."""
    lane, tokens = member.lane, 0
    if not step.cost or lane is None:
        return 0, math.inf, Cause.NOTHING
    waiting = [each for each in fleet.members.items() if each[1].lane is not None and now <= each[1].asks_at + GRACE_S]
    before = tuple(_before(fleet, waiting, step.member, member, lane))
    wanted = sum(sum(each.wanted) for _, each in waiting)
    largest = _largest(fleet.budget, len(waiting), now=now)
    claimed = 0 if _is_late(fleet, now=now) else sum(_claim(each, member, lane, largest) for each in before)
    is_busy_alone = len(waiting) == 1 and step.held > largest
    job = Job(lane=lane, cost=step.cost, deadline_at=now if step.is_dated else math.inf)
    most = largest if is_busy_alone else min(sum(step.wanted), largest)
    is_bulk_waiting = any(each.wanted[Lane.BULK] for _, each in waiting)
    while True:
        at, cause = _opens_at(fleet, step.policy, job, claimed, wanted=wanted - tokens, now=now)
        if at > now:
            return tokens, _asks_at(fleet, at, rank=len(before), now=now), cause
        if tokens >= most:
            return tokens, now, Cause.NOTHING
        _lease(fleet, member, job, now=now)
        fleet.passes = fleet.passes + 1 if is_bulk_waiting and lane < Lane.BULK else 0
        tokens += job.cost
        job = Job(lane=lane)


def _rest(wanted: Iterable[int], tokens: int) -> tuple[int, ...]:
    """Take what was granted off what is wanted, the most urgent first."""
    rest: list[int] = []
    for each in wanted:
        rest.append(max(each - tokens, 0))
        tokens = max(tokens - each, 0)
    return tuple(rest)


def _opens_at(
    fleet: Fleet, policy: RatePolicy, job: Job, claimed: int, *, wanted: int, now: float
) -> tuple[float, Cause]:
    """Ask the books; where they would let it go, let those before it keep what they may have at once."""
    budget = fleet.budget
    at, cause = starts_at(policy, budget, job, wanted=wanted, last_at=fleet.last_at, jitter=0.0, now=now, phi=PHI)
    if at > now or not claimed:
        return at, cause
    return (math.inf, Cause.TURN) if budget.left < job.cost + claimed else (at, cause)


def _lease(fleet: Fleet, member: Member, job: Job, *, now: float) -> None:
    fleet.budget.take(job.cost, now=now)
    member.held += job.cost
    member.given += job.cost
    fleet.last_at = now
    fleet.virtual = max(fleet.virtual, member.tag)
    member.tag += job.cost


def _before(
    fleet: Fleet, waiting: Iterable[tuple[str, Member]], name: str, member: Member, lane: Lane
) -> Iterator[Member]:
    """Give the members that go first: of a more urgent lane, or given less in the same one."""
    place = (_urgency(fleet, lane), member.tag, name)
    for other_name, other in waiting:
        other_lane = other.lane
        if other_lane is not None and (_urgency(fleet, other_lane), other.tag, other_name) < place:
            yield other


def _urgency(fleet: Fleet, lane: Lane) -> int:
    """Let bulk calls go first for once when so many others have passed them by."""
    is_starving = lane is Lane.BULK and fleet.passes >= MOST_PASSES
    return Lane.INTERACTIVE if is_starving else lane


def _claim(member: Member, other: Member, lane: Lane, largest: int) -> int:
    """Count what a member before another keeps: all that is more urgent, and in the same lane what it was given less.

    That is one lease at least.
    """
    urgent = sum(member.wanted[each] for each in Lane if each < lane)
    less = max(largest, math.ceil(other.tag - member.tag))
    return urgent + min(sum(member.wanted) - urgent, less)


def _largest(budget: Budget, waiting: int, *, now: float) -> int:
    """Bound one lease: small enough that it is no great loss, and one by one towards the window's end."""
    if budget.ends is None or budget.ends.lo - now < budget.expected_length_s / LATE_PART:
        return 1
    # Two resets lie further apart than a window is long where windows begin with a call; none is longer than it says.
    length_s = min(budget.expected_length_s, budget.windows.longest_s or budget.expected_length_s)
    return max(1, int(min(budget.left / (2 * max(waiting, 1)), budget.size_of(length_s) / PART)))


def _is_late(fleet: Fleet, *, now: float) -> bool:
    hurry_s = fleet.budget.expected_length_s / HURRY_PART + HURRY_S + 2 * min(fleet.trip_s, LATEST_S)
    return fleet.budget.ends is not None and 0 < fleet.budget.ends.lo - now < hurry_s


def _valid_until(fleet: Fleet, *, now: float) -> float:
    ends = fleet.budget.ends
    return now + LEASE_S if ends is None else min(ends.hi, now + LEASE_S)


def _asks_at(fleet: Fleet, at: float, *, rank: int, now: float) -> float:
    """Spread those who wait: for an instant in the order of their turns, for answers by how long those take."""
    if at < math.inf:
        return at + rank * SPACING_S
    return now + min(max(fleet.trip_s / 2, SOONEST_S), LATEST_S) * (1 + rank / 2)
