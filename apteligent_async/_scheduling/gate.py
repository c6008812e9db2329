"""Until when nothing may start, whatever is proven: after a refusal, and after an answer that said nothing.

It knows no tokens and no windows; the budget tells it of both.
"""

from __future__ import annotations

import math

from attrs import define, evolve

from apteligent_async._scheduling.openings import ASSUMED_LIMIT

__all__ = ["Gate"]

SLOWEST_PACE_S = 60.0
"""The floor of the rate without any numbers: one call a minute."""


@define
class Gate:
    """One for everybody: the first refusal shuts it, later ones of the same window only say for how long.

    Attributes:
        shut_until: the reset that the last refusal stated; the past once a window has been opened after it.
        paused_until: the end of a pause.
        pace_s: seconds from call to call where no answer has any numbers: it falls slowly with each success, and
            doubles with each refusal.
    """

    shut_until: float = -math.inf
    paused_until: float = -math.inf
    pace_s: float = 60.0 / ASSUMED_LIMIT

    @property
    def is_shut(self) -> bool:
        """Whether the last word was a refusal and its reset has not been seen to pass."""
        return self.shut_until > -math.inf

    @property
    def opens_at(self) -> float:
        """The instant from which neither a refusal nor a pause forbids a call."""
        return max(self.paused_until, self.shut_until)

    def shut(self, until: float) -> None:
        """Let nobody pass before a stated reset."""
        self.shut_until = until

    def shut_blindly(self, until: float) -> None:
        """Let nobody pass before an instant that nobody stated, and be slower where nothing is stated at all."""
        self.pace_s = min(2 * self.pace_s, SLOWEST_PACE_S)
        self.shut_until = max(self.shut_until, until)

    def open(self) -> None:
        """Let callers pass: the reset is over."""
        self.shut_until = -math.inf

    def pause(self, until: float) -> None:
        """Start nothing before an instant."""
        self.paused_until = max(self.paused_until, until)

    def speed_up(self) -> None:
        """Note a success without numbers: one call a minute more."""
        self.pace_s = 1 / (1 / self.pace_s + 1 / 60)

    def moved(self, by_s: float) -> Gate:
        """Give the same instants as another clock tells them."""
        return evolve(self, shut_until=self.shut_until + by_s, paused_until=self.paused_until + by_s)
