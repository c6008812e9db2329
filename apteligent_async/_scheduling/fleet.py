"""One budget for many lines, in many processes: who is granted how many tokens, and what their answers prove.

The theory. A fleet keeps the same books as one scheduler, and the proof in `scheduler` holds for them, where a call is
live from the moment that its token is leased until its end has been reported: to lease early and to report late only
makes `live` larger. Four rules keep it so when members come, go and die.

1. Tokens are leased, a hundredth of a window at most, to be started within a moment and before the window ends. What a
   member has not started it hands back; nobody else can.
2. A member that is known to be dead, or silent for too long, holds nothing any more: its tokens are written off as
   calls whose answers will not come. Its epoch ends with that, and what it may still report of it says nothing.
3. A member whose epoch has ended states what it has under way, and that is live again.
4. Where the clock that stamped the books has begun anew, or a member has spent without them, lengths and readings are
   kept, and no token is.

Who goes first: the more urgent lane, wherever it waits; in a lane, by start-time fair queueing, whoever was given
least. Whoever asks out of turn gets only what is left beside the claims of those before it, and those hold while they
keep asking when they said they would. Towards the end of a window all claims fall, so that no token is left over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.signals import Cause, Lane

if TYPE_CHECKING:
    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Outcome

__all__ = ["Fleet", "Granted", "Member", "News", "Step"]


@frozen
class News:
    """How one leased token ended, on the store's clock.

    Attributes:
        cost: tokens.
        sent_at: the earliest instant at which its call can have left.
        outcome: how the attempt ended.
    """

    cost: int
    sent_at: float
    outcome: Outcome


@frozen(kw_only=True)
class Step:
    """What one member tells and wants, in one visit to the store.

    Attributes:
        member: its name, which nobody else has.
        host: where it runs, with its process's number; members of one host can see whether the others live.
        pid: that number.
        epoch: the epoch that it holds its tokens in, 0 before it was given one.
        is_back: whether it may have spent without the store.
        news: tokens that have ended since the last visit.
        returned: tokens that it hands back unspent.
        held: tokens that it keeps: under way, or in hand.
        wanted: tokens that wait in each lane.
        cost: what its next job costs beyond the tokens in hand; 0 where it wants nothing now.
        is_dated: whether that job has a deadline, so that it is kept for no look.
        policy: how it spends.
        dead: members of its host whose processes are gone.
    """

    member: str
    policy: RatePolicy
    host: str = ""
    pid: int = 0
    epoch: int = 0
    is_back: bool = False
    news: tuple[News, ...] = ()
    returned: int = 0
    held: int = 0
    wanted: tuple[int, ...] = (0,) * len(Lane)
    cost: int = 0
    is_dated: bool = False
    dead: tuple[str, ...] = ()


@frozen(kw_only=True)
class Granted:
    """What a visit brought.

    Attributes:
        tokens: leased now.
        epoch: what they are held in.
        valid_until: when those not started are void.
        asks_at: when to come again, if nothing happens before; infinite: there is nothing to come for.
        cause: why there are not more.
    """

    tokens: int
    epoch: int
    valid_until: float
    asks_at: float
    cause: Cause


@define
class Member:
    """One line of one process, as the fleet knows it.

    Attributes:
        host: where it runs.
        pid: the number of its process there.
        epoch: changes when its tokens are written off.
        held: tokens leased to it whose end it has not reported.
        wanted: tokens that wait in each of its lanes.
        tag: its place in the order of fairness: what it was given, in virtual time.
        seen_at: when it was here last.
        asks_at: when it will come again.
        given: tokens that it was ever given.
    """

    host: str = ""
    pid: int = 0
    epoch: int = 0
    held: int = 0
    wanted: tuple[int, ...] = (0,) * len(Lane)
    tag: float = 0.0
    seen_at: float = 0.0
    asks_at: float = math.inf
    given: int = 0

    @property
    def lane(self) -> Lane | None:
        """The most urgent lane in which something waits."""
        return next((lane for lane in Lane if lane is not Lane.FREE and self.wanted[lane]), None)


@define
class Fleet:
    """The books that all members share, and what is known of each member.

    Attributes:
        budget: the estimator.
        members: by name.
        clock: which clock the instants in here belong to.
        stamped_at: the last instant in here.
        virtual: the virtual time of the order of fairness.
        passes: tokens of more urgent lanes that were granted while bulk calls waited.
        epochs: how many were begun.
        last_at: when the last token was leased.
        trip_s: how long an answer takes, roughly.
    """

    budget: Budget = field(factory=Budget)
    members: dict[str, Member] = field(factory=dict)
    clock: str = ""
    stamped_at: float = -math.inf
    virtual: float = 0.0
    passes: int = 0
    epochs: int = 0
    last_at: float = -math.inf
    trip_s: float = 0.0
