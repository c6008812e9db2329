"""What lies around a client and a server: the link, callers who change their mind, and strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from random import Random

__all__ = ["Foreign", "Link", "Whims"]


@frozen(kw_only=True)
class Link:
    """The way to the server and back; times in seconds, chances per call.

    Attributes:
        up_s: shortest way there.
        down_s: shortest way back.
        jitter_s: up to this much more, each way: answers overtake each other.
        tail: chance of a straggler, each way, that takes up to `tail_s` more.
        lost: the answer never comes.
        unsent: the connection cannot be opened.
        doubled: the request is delivered twice.
        failing: the server counts the call and then fails.
        timeout_s: patience per attempt.
    """

    up_s: float = 0.1
    down_s: float = 0.1
    jitter_s: float = 0.0
    tail: float = 0.0
    tail_s: float = 0.0
    lost: float = 0.0
    unsent: float = 0.0
    doubled: float = 0.0
    failing: float = 0.0
    timeout_s: float = 60.0

    def way(self, shortest_s: float, dice: Random) -> float:
        """Draw one way's duration."""
        if self.jitter_s:
            shortest_s += dice.random() * self.jitter_s
        if self.tail and dice.random() < self.tail:
            shortest_s += dice.random() * self.tail_s
        return shortest_s


@frozen(kw_only=True)
class Whims:
    """Callers who change their mind; chances per job.

    Attributes:
        cancelled: the caller leaves at a random instant, wherever the job is by then.
        within_s: that instant is drawn from this many seconds.
        dropped: the caller leaves between the grant and the sending, each time.
    """

    cancelled: float = 0.0
    within_s: float = 0.0
    dropped: float = 0.0


@frozen(kw_only=True)
class Foreign:
    """Somebody else on the same budget: `burst` calls at once, at random instants `every_s` apart on average."""

    every_s: float
    burst: int = 1
