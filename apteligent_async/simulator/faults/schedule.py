"""Which calls are struck by which faults. Seeded and told the time, so that the same calls meet the same faults."""

from __future__ import annotations

import math
from collections import Counter
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from attrs import define, field, frozen

from apteligent_async.simulator.settings import number, text, whole
from apteligent_async.simulator.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from random import Random

    from apteligent_async.simulator.messages import Answer, Call

__all__ = ["Controls", "Fault", "FaultRule", "FaultRun", "FaultSchedule", "Scene"]

_BEGINNINGS = ("/", "*", "?", "[")
"""What a glob begins with that can stand for a path."""


class Controls(Protocol):
    """What a fault may do to the service itself."""

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        ...

    def expire(self, token: str, *, now: float) -> None:
        """End a token's life."""
        ...

    def limited(self, call: Call, limit: int, *, now: float) -> AbstractContextManager[None]:
        """Allow the call's client only so many calls a minute while the block runs."""
        ...


@frozen(kw_only=True)
class Scene:
    """One call that is struck.

    Attributes:
        call: the call.
        now: the instant of its arrival.
        dice: draws of the rule's own.
        controls: the service, as far as a fault may reach into it.
        answer: lets the call through, and gives its answer: to be called at most once. A fault that does not call it
            keeps the call from the service, which then neither counts nor sees it.
    """

    call: Call
    now: float
    dice: Random
    controls: Controls
    answer: Callable[[], Answer]


class Fault(Protocol):
    """One way to be unpleasant."""

    def strike(self, scene: Scene) -> Answer:
        """Answer a call, with or without what the service would have answered."""
        ...


@frozen
class FaultRule:
    """Which calls a fault strikes: every one that fits all that is set here.

    Attributes:
        fault: what happens to them.
        path: a glob over paths, such as ``/v2/crash/*``; a star also stands for slashes.
        method: an HTTP verb, in any case, or a star for all.
        skip: how many calls that fit are let through before the first is struck.
        count: how many are struck at most; None for no bound.
        probability: the chance that a call that fits is struck.
        from_s: seconds after the service's first call at which the rule begins.
        until_s: seconds after the service's first call at which it ends; None for never.

    Raises:
        ValueError: a setting is not possible.
    """

    fault: Fault
    path: str = text("*")
    method: str = text("*")
    skip: int = whole(0)
    count: int | None = whole()
    probability: float = number(1.0, high=1.0)
    from_s: float = number(0.0)
    until_s: float | None = number()

    def __attrs_post_init__(self) -> None:
        can_strike = callable(getattr(self.fault, "strike", None))
        if not can_strike:
            raise ValueError(f"fault must be a fault, such as Fail(status=503), not {self.fault!r}")
        if not self.path.startswith(_BEGINNINGS):
            raise ValueError(f"path must begin with a slash or a star, not be {self.path!r}: it would strike nothing")

    def fits(self, call: Call, since_s: float) -> bool:
        """Whether a call that came so many seconds after the first is one that may be struck."""
        is_time = self.from_s <= since_s < (math.inf if self.until_s is None else self.until_s)
        is_verb = self.method.upper() in {"*", call.method}
        return is_time and is_verb and fnmatchcase(call.path, self.path)


def _as_rules(rules: Iterable[FaultRule]) -> tuple[FaultRule, ...]:
    taken = tuple(rules)
    strange = [each for each in cast("tuple[object, ...]", taken) if not isinstance(each, FaultRule)]
    if strange:
        raise ValueError(f"rules must each be a FaultRule, such as FaultRule(Fail(status=503)), not {strange[0]!r}")
    return taken


@frozen
class FaultSchedule:
    """What goes wrong with a service: rules, of which all that fit a call strike, the first one closest to the service.

    Attributes:
        rules: each a fault and the calls that it strikes.
        seed: chooses the draws; the same seed and the same calls give the same faults.

    Raises:
        ValueError: a setting is not possible.
    """

    rules: Sequence[FaultRule] = field(default=(), converter=_as_rules)
    seed: int = whole(1)


@define
class _Progress:
    """How far a rule has come."""

    rule: FaultRule
    dice: Random
    fitting: int = 0
    struck: int = 0

    def strikes(self, call: Call, since_s: float) -> bool:
        rule = self.rule
        if not rule.fits(call, since_s):
            return False
        self.fitting += 1
        is_over = rule.count is not None and self.struck >= rule.count
        if self.fitting <= rule.skip or is_over or self.dice.random() >= rule.probability:
            return False
        self.struck += 1
        return True


class FaultRun:
    """A schedule at work. Its state: how often each rule has struck, and when the first call came."""

    def __init__(self, schedule: FaultSchedule) -> None:
        self.schedule = schedule
        self._progress = [
            _Progress(rule, dice("faults", schedule.seed, place)) for place, rule in enumerate(schedule.rules)
        ]
        self._began_at: float | None = None

    @property
    def struck(self) -> Counter[str]:
        """How many calls each kind of fault has struck so far, by the name of its class."""
        counts: Counter[str] = Counter()
        for each in self._progress:
            counts[type(each.rule.fault).__name__] += each.struck
        return +counts

    def lead(self, call: Call, *, now: float, answer: Callable[[], Answer], controls: Controls) -> Answer:
        """Answer a call through every fault that strikes it; `answer` is the service's own word."""
        if self._began_at is None:
            self._began_at = now
        for each in self._progress:
            if each.strikes(call, now - self._began_at):
                scene = Scene(call=call, now=now, dice=each.dice, controls=controls, answer=answer)
                answer = partial(each.rule.fault.strike, scene)
        return answer()
