"""What a command waits for right now, in people's words: told when it takes more than a second, and once."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define, frozen

from apteligent_async.cli.explaining.reasons import reason_of
from apteligent_async.cli.explaining.story import BACKOFF

if TYPE_CHECKING:
    from datetime import datetime

    from apteligent_async import BudgetSnapshot

__all__ = ["WaitWatch", "Waiting"]

_WORTH_A_WORD_S = 1.0
_SAME_INSTANT = timedelta(seconds=2)


@frozen(kw_only=True)
class Waiting:
    """Something that is waited for.

    Attributes:
        reason: what, in a few words.
        until: when it is expected to end, on the wall clock; None where an answer will tell.
        seconds: how long that is from the moment it was told.
    """

    reason: str
    until: datetime | None
    seconds: float

    @property
    def sentence(self) -> str:
        """The same in a line."""
        if self.until is None:
            return f"Waiting: {self.reason}"
        return f"Waiting {math.ceil(self.seconds)} s, until {self.until:%H:%M:%S}: {self.reason}"


@define(eq=False)
class WaitWatch:
    """Tells waits from pauses; the state is what was waited for at the last look, since when, and what was said."""

    _seen: tuple[str, int] = ("", 0)
    _since: float = 0.0
    _told: Waiting | None = None

    def look(self, budget: BudgetSnapshot, done: int, *, now: float, clock: datetime) -> Waiting | None:
        """Give the present wait if it has taken or will take more than a second, the same object while it lasts.

        Args:
            budget: as it is now.
            done: answers so far: where one more has come, nobody has waited for it.
            now: the instant on a monotonic clock, in seconds.
            clock: the same instant on the wall.
        """
        self._note(budget, done, now)
        rest_s = budget.waits_s or 0.0
        if now - self._since + rest_s <= _WORTH_A_WORD_S:
            return None
        until = clock + timedelta(seconds=rest_s) if rest_s else None
        if self._told is None or _is_later(until, self._told.until):
            self._told = Waiting(reason=_reason(self._seen[0]), until=until, seconds=rest_s)
        return self._told

    def _note(self, budget: BudgetSnapshot, done: int, now: float) -> None:
        cause = budget.waits_for or ("" if budget.in_flight else BACKOFF)
        seen = (cause, 0 if budget.waits_s else done)
        if seen != self._seen or not self._since:
            self._seen, self._since, self._told = seen, now, None


def _reason(cause: str) -> str:
    return reason_of(cause).short if cause else "the service has not answered yet"


def _is_later(until: datetime | None, told: datetime | None) -> bool:
    return until is not None and (told is None or until - told > _SAME_INSTANT)
