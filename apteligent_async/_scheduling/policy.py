"""The settings a user may pass, frozen and checked when made; and the checks."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import field, frozen

from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attrs import Attribute

    Validator = Callable[[object, Attribute[Any], Any], None]

__all__ = ["RatePolicy", "RetryPolicy", "checked", "is_number", "is_whole", "must_be", "one_of"]

Mode = Literal["exclusive", "shared", "polite"]
OnFull = Literal["raise", "wait", "shed"]


def checked(holds: Callable[[Any], bool], wanted: str) -> Validator:
    """Make a validator of a value that may be quoted; None must be allowed by `holds`."""

    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if not holds(value):
            raise ConfigurationError(f"{attribute.name}={value!r} is not possible: it must be {wanted}.")

    return check


def must_be(kind: type | tuple[type, ...], wanted: str) -> Validator:
    """Make a validator of a value's type, which quotes nothing, as the value may hold a secret; None may pass."""

    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if value is not None and not isinstance(value, kind):
            raise ConfigurationError(f"{attribute.name}= must be {wanted}, not of type {type(value).__name__}.")

    return check


def is_number(value: object) -> bool:
    """Whether it is a real number, which True and False are not."""
    return not isinstance(value, bool) and isinstance(value, Real)


def is_whole(value: object) -> bool:
    """Whether it is a whole number, which True and False are not."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def one_of(words: tuple[str, ...]) -> Validator:
    """Make a validator of a closed set of words."""
    return checked(lambda value: value in words, "one of " + ", ".join(words))


def _is_count(value: Any) -> bool:
    return is_whole(value) and value >= 1


def _is_time(value: Any) -> bool:
    return is_number(value) and 0 <= value < math.inf


def _is_part(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def _is_share(value: Any) -> bool:
    return value is None or (is_number(value) and 0 < value <= 1)


def _is_room(value: Any) -> bool:
    return value is None or (is_whole(value) and value >= 0)


_COUNT = checked(_is_count, "a whole number, at least 1")
_SECONDS = checked(_is_time, "a number of seconds")


@frozen(kw_only=True)
class RatePolicy:
    """How one client spends the budget of its client id.

    Attributes:
        mode: ``shared`` (the default) keeps at most a quarter of what is left under way, so that clients that know
            nothing of each other do not overdraw; it costs one to two seconds per window. Members of one shared budget
            talk, and keep half. ``exclusive`` is a promise that nobody else spends the budget: everything that is
            proven goes out at once. ``polite`` spreads its calls over the window at the speed that the service
            advertises: the kindest to others, and the slowest.
        share: the part of every window's budget that this client may spend, above 0 and at most 1; None for all of it.
        reserve: the part of the budget that bulk calls leave to interactive ones at the start of a window, from 0 to
            1. It falls to nothing towards the window's end, so that no token is wasted.
        calibrate: whether up to three calls may be refused so that every later window is used to its last call. Unless
            a window is a minute long, nothing else shows whether the headers count the call that brings them, and one
            call of every window is left unused. They are risked just before a reset, where a refusal costs seconds
            unless the service puts its reset off for it; what they show can be kept (`MemoryBudget.learned`). Budgets
            in a store are not calibrated.
        max_in_flight: calls under way at once, at least 1; also the number of connections.
        max_queue: calls that may wait; None for no bound.
        on_full: what a call beyond `max_queue` does: ``raise`` `QueueFull`, ``wait`` for room outside the line, or
            ``shed`` the least urgent, youngest waiting call if it is less urgent than the newcomer.

    Raises:
        ConfigurationError: a value is of a wrong type or out of range; the message names the range.
    """

    mode: Mode = field(default="shared", validator=one_of(get_args(Mode)))
    share: float | None = field(default=None, validator=checked(_is_share, "a number above 0 and at most 1, or None"))
    reserve: float = field(default=0.1, validator=checked(_is_part, "a number from 0 to 1"))
    calibrate: bool = field(default=False, validator=must_be(bool, "True or False"))
    max_in_flight: int = field(default=100, validator=_COUNT)
    max_queue: int | None = field(default=None, validator=checked(_is_room, "a whole number, at least 0, or None"))
    on_full: OnFull = field(default="raise", validator=one_of(get_args(OnFull)))


@frozen(kw_only=True)
class RetryPolicy:
    """When a failed call is sent again.

    Waits grow exponentially and are drawn evenly between zero and the cap of the attempt ("full jitter"). Answers of
    429 are not counted here: they wait for the budget, not for luck.

    Attributes:
        max_attempts: requests for one call, the first included, that may fail through the service or the link.
        base_s: the cap of the first wait, in seconds; it doubles with each failure.
        cap_s: the cap of every wait, in seconds.
        max_rate_limited: answers of 429 for one call before `RateLimitedError`.

    Raises:
        ConfigurationError: a value is of a wrong type or out of range.
    """

    max_attempts: int = field(default=4, validator=_COUNT)
    base_s: float = field(default=0.5, validator=_SECONDS)
    cap_s: float = field(default=30.0, validator=_SECONDS)
    max_rate_limited: int = field(default=10, validator=_COUNT)
