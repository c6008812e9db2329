"""What goes into the scheduler and what comes out: plain values, no behaviour.

Every instant is a float in seconds on the caller's monotonic clock. No value here knows HTTP.
"""

from __future__ import annotations

import math
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from apteligent_async._scheduling.policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

__all__ = [
    "Again",
    "Cause",
    "Done",
    "Event",
    "GiveUp",
    "Job",
    "Lane",
    "Limited",
    "LinkFailed",
    "Outcome",
    "Overloaded",
    "Priority",
    "Reading",
    "Refused",
    "Stage",
    "Succeeded",
    "Verdict",
]


_DEFAULT_RETRY = RetryPolicy()


class Priority(Enum):
    """How urgent a call is: interactive calls go before bulk calls of the same budget."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Lane(IntEnum):
    """The order of the queue's lanes.

    Calls that cost nothing wait for nobody; token calls come next, as everything else waits for them.
    """

    FREE = 0
    TOKEN = 1
    INTERACTIVE = 2
    BULK = 3


class Stage(Enum):
    """Where a job is between being submitted and its end."""

    NEW = "new"
    WAITING = "waiting"
    DELAYED = "delayed"
    STARTED = "started"
    ENDED = "ended"


@define(eq=False, kw_only=True)
class Job:
    """One caller's wish to send. Identity is the object itself; the scheduler owns the lower half.

    Attributes:
        lane: which lane of the queue it waits in.
        flow: calls of one flow stay in order; flows of one lane share it fairly.
        cost: tokens that the service charges for it; 0 for a call that no budget counts.
        label: what it is called in events.
        deadline_at: instant after which the caller no longer wants it.
        is_repeatable: whether it may be sent again after it may have reached the service.
        retry: when it is sent again.
        stage: where it is.
        ticket: its number in the order of submission, kept over all attempts.
        tag: its place among the flows of its lane, kept over all attempts.
        submitted_at: when it first joined the line.
        granted_at: when its present attempt was allowed to start.
        attempts: attempts that were granted, the present one included.
        failures: attempts that failed through no fault of the budget.
        refusals: attempts that were answered with 429.
        headed_at: since when it stands at the head of the line, held; None if it does not.
        held_s: seconds that it was held there before its starts so far.
    """

    lane: Lane = Lane.INTERACTIVE
    flow: Hashable = None
    cost: int = 1
    label: str = ""
    deadline_at: float = math.inf
    is_repeatable: bool = True
    retry: RetryPolicy = _DEFAULT_RETRY

    stage: Stage = field(default=Stage.NEW, init=False)
    ticket: int = field(default=0, init=False)
    tag: float = field(default=0.0, init=False)
    submitted_at: float = field(default=0.0, init=False)
    granted_at: float = field(default=0.0, init=False)
    attempts: int = field(default=0, init=False)
    failures: int = field(default=0, init=False)
    refusals: int = field(default=0, init=False)
    headed_at: float | None = field(default=None, init=False)
    held_s: float = field(default=0.0, init=False)


@frozen(kw_only=True)
class Reading:
    """What one answer said about the budget: numbers as stated, nothing inferred.

    Attributes:
        limit: calls per minute, or None.
        remaining: what is left, in the service's own unit, or None.
        reset_s: seconds to the end of the bucket, or None.
        actual: calls per minute that the service counted (429 bodies only), or None.
    """

    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None
    actual: float | None = None


@frozen(kw_only=True)
class Succeeded:
    """The service did what was asked."""

    reading: Reading | None = None


@frozen(kw_only=True)
class Refused:
    """The service understood and said no (4xx but 429): asking again is pointless."""

    reading: Reading | None = None


@frozen(kw_only=True)
class Limited:
    """The service said 429."""

    reading: Reading | None = None


@frozen(kw_only=True)
class Overloaded:
    """The service failed (5xx), perhaps naming seconds to stay away."""

    reading: Reading | None = None
    retry_after_s: float | None = None


@frozen(kw_only=True)
class LinkFailed:
    """No complete answer; the service may or may not have counted the call.

    Attributes:
        reading: what the headers said if they did arrive.
        was_sent: False only if the request certainly never left (the connection could not be opened).
    """

    reading: Reading | None = None
    was_sent: bool = True


Outcome = Succeeded | Refused | Limited | Overloaded | LinkFailed


@frozen(kw_only=True)
class Done:
    """The attempt was the last one: the caller has its answer."""


@frozen(kw_only=True)
class Again:
    """The job is back in line at its old place and will not start before `at`."""

    at: float


@frozen(kw_only=True)
class GiveUp:
    """No further attempt: raise what the last one brought."""

    why: str


Verdict = Done | Again | GiveUp


class Cause(Enum):
    """Why the call at the head of the line does not start."""

    NOTHING = "nothing"
    IN_FLIGHT = "in_flight"
    """As many calls are under way as the policy allows."""
    PROBE = "probe"
    """The first call of a window is under way; its answer tells how many may follow."""
    ANSWERS = "answers"
    """What is proven is under way; the answers will tell what is left."""
    DRAINED = "drained"
    """The budget of this window is used up."""
    REFUSED = "refused"
    """The service has answered 429: nobody sends before the reset that it stated."""
    LOST_ANSWER = "lost_answer"
    """An answer did not come, or said nothing of the budget."""
    SHARE = "share"
    """Our share of this window is used up."""
    PACE = "pace"
    """The policy spreads the calls over the window."""
    RESERVE = "reserve"
    """What is left is kept for more urgent calls until later in the window."""
    TURN = "turn"
    """Calls of other processes that share this budget go first."""
    LATE_LOOK = "late_look"
    """The last proven call is kept until its answer can show more: numbers sharpen late, or calls come back."""


@frozen
class Event:
    """One thing that happened in the line of calls.

    | event | says |
    | --- | --- |
    | ``call.queued`` | a call joined the line, behind `ahead` tokens |
    | ``call.rejected``, ``call.shed`` | a call did not join the line, or lost its place |
    | ``call.start`` | a call may be sent; `left` tokens remain proven, `is_probe` if it is sent to find out |
    | ``call.answer`` | how an attempt ended, what the answer stated, and the tokens proven before and after |
    | ``call.again``, ``call.given_up`` | what becomes of a call whose attempt failed |
    | ``call.withdrawn``, ``call.abandoned`` | its caller has gone: before it was sent, or after |
    | ``call.done`` | a client's call has ended: how, and where its time went |
    | ``cache.answer`` | a client with a cache has given a result: whether it was kept, and how old it is |
    | ``line.blocked`` | the head of the line waits: why, and until when (None: for an answer) |
    | ``gate.close``, ``gate.open`` | a 429 has stopped everybody; its reset has passed |
    | ``window.open`` | the first answer of a new window has come |
    | ``others.seen`` | an answer that only somebody else's calls explain |
    | ``headers.invalid`` | an answer's rate headers could not be used |
    | ``store.degraded`` | a shared budget's store is gone: this process goes on by itself, with great care |
    | ``store.restored`` | it is back |

    Those of a line that is alone rebuild the service's count: every ``call.start`` that is not followed by
    ``call.withdrawn``, or by an answer ``not sent``, has cost its tokens once.

    Attributes:
        name: what happened.
        at: the instant, on the caller's clock.
        detail: plain values by name.
    """

    name: str
    at: float
    detail: Mapping[str, Any]
