"""Which window an answer speaks of, and when that window ends.

It knows resets and nothing of tokens. A window is the time between two resets. Some services have none: their reset
moves on with every call. Nothing that holds for whole windows may be concluded there, so the difference is looked for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, evolve, frozen

from apteligent_async._scheduling.readings import MINUTE_S, PLAIN, Span, reset_span
from apteligent_async._scheduling.wording import doubt_s

if TYPE_CHECKING:
    from apteligent_async._scheduling.signals import Job
    from apteligent_async._scheduling.wording import Wording

__all__ = ["Place", "Windows"]

STANDING_S = 3.0
"""Answers that are this far apart and name one reset speak of a window that stands still."""

WHOLE_S = 3.0
"""How much of a window may be gone when its first answer still counts as fresh."""

SHARP_S = 60.0
"""Within this distance of the reset any speed above zero proves a token: a speed is tokens per minute."""

LATE_S = 30.0
"""How long before a reset a speed is sharp enough to show every token."""


LATE_START_S = 4.0
"""How much of a minute may have passed when its first answer still tells its size."""


MANY_TRIPS = 10
"""Round trips in a window that is long beside them."""


@frozen
class Place:
    """Where an answer belongs.

    Attributes:
        ends: bounds of the end that it speaks of.
        is_first: whether nothing was known of its window before.
        has_rolled: whether it shows that the window known so far is over.
    """

    ends: Span
    is_first: bool = False
    has_rolled: bool = False


@define
class Windows:
    """The present window, what was learned of windows in general, and whether there are any.

    Attributes:
        ends: bounds of the present window's end; None while nothing has been stated.
        length_s: seconds from one reset to the next, as last seen; None before two resets were.
        longest_s: the longest reset ever stated.
        whole_s: the longest reset that no refusal can have put off: no window is shorter, less a second.
        opened_at: when the present window was opened by us, its predecessor surely being over; None if it was not, so
            that its use is not known from the beginning.
        is_first: whether it is the first of all, nothing having been known before it.
        is_disturbed: whether a call was refused in it, or answered so late that nobody knows where it was counted: its
            end may be put off, and the next window charged.
        has_stood: whether answers some time apart have named the same reset.
        is_moving: whether resets were seen to move on with the calls.
        refills: whether a new window was seen to begin whole although much had been spent in the one before; None
            while nobody knows, as under a counter that fades from one window into the next.
        stays: whether the last answers that were some time apart have named the same reset, whatever those before did.
        is_even: whether the last two windows were as long as each other and as the longest reset.
        serial: counts the windows.
        placed_at: when the first answer of the present window came.
        stated_until: the latest instant at which any reset can lie that was stated in it; the past: none was stated.
    """

    ends: Span | None = None
    length_s: float | None = None
    longest_s: float = 0.0
    whole_s: float = 0.0
    opened_at: float | None = None
    is_first: bool = True
    is_disturbed: bool = False
    has_stood: bool = False
    is_moving: bool = False
    refills: bool | None = None
    stays: bool | None = None
    is_even: bool = False
    serial: int = 0
    placed_at: float = 0.0
    stated_until: float = -math.inf
    _forbidden_until: float = -math.inf
    _last: Span | None = None
    _heard_at: float = math.inf

    @property
    def is_full_length(self) -> bool:
        """Whether windows are as long as the longest reset, as last seen or recalled."""
        return self.length_s is not None and abs(self.length_s - self.longest_s) <= WHOLE_S

    @property
    def is_known(self) -> bool:
        """Whether the present window is known from its beginning."""
        return self.opened_at is not None

    def open(self, *, now: float) -> None:
        """Begin a window whose predecessor is surely over."""
        self.is_first = self.is_first and self.ends is None and not self.is_disturbed
        self._last, self.ends = self.ends or self._last, None
        is_known = self._last is not None and not self.is_disturbed and not self.is_moving
        self.opened_at = now if is_known else None
        self.is_disturbed = False

    def place(self, reset_s: float, job: Job, *, now: float, wording: Wording = PLAIN) -> Place | None:
        """Find the window that an answer speaks of and narrow its end; None if that window is over."""
        self.longest_s = max(self.longest_s, reset_s)
        if self.is_known and not self.is_disturbed:
            self.whole_s = max(self.whole_s, reset_s)
        span = reset_span(reset_s, sent_at=job.granted_at, received_at=now, wording=wording)
        if self.ends is None:
            return self._begin(span, job, now=now)
        if job.granted_at - self._heard_at >= STANDING_S and now < self.ends.lo:
            self.stays = span.meets(self.ends)
        self._heard_at = now
        if self.is_moving:
            self.ends = Span(max(span.lo, self.ends.lo), max(span.hi, self.ends.hi))
            self.stated_until = self.ends.hi
            return Place(span)
        if now > self.ends.lo and now - job.granted_at > self.longest_s / 2:
            self.is_disturbed, self.stated_until = True, max(self.stated_until, span.hi)
            return None
        if span.meets(self.ends):
            self.ends, self.stated_until = self.ends.both(span), max(self.stated_until, span.hi)
            self.has_stood = self.has_stood or job.granted_at - self.placed_at >= STANDING_S
            return Place(self.ends)
        if span.lo <= now and span.lo < self.ends.lo and job.granted_at < self.placed_at:
            return None
        return self._roll(span, now=now)

    @property
    def over_at(self) -> float:
        """The instant by which the present window is surely over; the past while nothing is known of it.

        Answers agree on one reset to a second or so. Only where windows have been seen to refill does that make it
        one: elsewhere it may move on by less than can be told.
        """
        if self.ends is None:
            return -math.inf
        return self.ends.hi if self.refills else self.stated_until

    @property
    def drips(self) -> bool:
        """Whether tokens come back one by one, and not all at a reset."""
        return self.is_moving or self.refills is False

    @property
    def frees_at(self) -> float:
        """The instant by which every reset has surely passed that was stated by an answer which leaves no call."""
        return self._forbidden_until if self.is_moving else self.over_at

    def outlasts(self, trip_s: float) -> bool:
        """Whether windows stand and are so long that an answer surely tells in which of them its call was counted."""
        return self.has_stood and not self.is_moving and self.longest_s > MANY_TRIPS * trip_s

    def begin_stretch(self) -> None:
        """Forget which resets were waited for: nothing is under way that could still ask for one."""
        self._forbidden_until = -math.inf

    def forbid(self, until: float | None = None) -> None:
        """Note a reset whose answer leaves no call before it; None: every reset that was stated."""
        self._forbidden_until = max(self._forbidden_until, self.stated_until if until is None else until)

    def moved(self, by_s: float) -> Windows:
        """Give the present window's end as another clock tells it."""
        ends = None if self.ends is None else self.ends.moved(by_s)
        return evolve(
            self, ends=ends, stated_until=self.stated_until + by_s, forbidden_until=self._forbidden_until + by_s
        )

    def is_fresh(self, reset_s: float) -> bool:
        """Whether a first answer comes from a window that has just begun anew, as a sliding one never does.

        The sign is a reset as far away as there ever was one, once answers seconds apart have named the same reset.
        Short windows need no such help: there, the last calls prove each other.
        """
        is_whole = reset_s >= self.longest_s - WHOLE_S
        return self.is_known and self.has_stood and is_whole and self.longest_s > SHARP_S and bool(self.refills)

    def is_whole_minute(self, reset_s: float, *, now: float, trip_s: float = 0.0) -> bool:
        """Whether a first answer comes from the beginning of a window of a minute, as far as resets can tell.

        If it was we who opened the window, what we know to have passed since it began may be missing; the longest reset
        must be a minute all the same. Decimals tell a minute from nearly one, but for the round trip that it takes.
        """
        if trip_s > WHOLE_S:
            return False  # too much of it may have passed on the way
        passed_s = min(now - self._last.lo, LATE_START_S) if self.is_known and self._last is not None else 0.0
        doubt = doubt_s(self.longest_s)
        least_s = MINUTE_S - doubt - (0.0 if doubt == 1 else max(passed_s, trip_s))
        return least_s <= self.longest_s <= MINUTE_S and MINUTE_S - max(doubt_s(reset_s), trip_s) - passed_s <= reset_s

    def sharpens_at(self, *, now: float) -> float | None:
        """Name the instant from which a speed shows every token; None where it does already, or never will."""
        if self.ends is None or self.is_moving or self.ends.lo - now < SHARP_S:
            return None
        return self.ends.lo - LATE_S

    def _begin(self, span: Span, job: Job, *, now: float) -> Place | None:
        is_late = self.opened_at is not None and job.granted_at < self.opened_at
        if is_late and self._last is not None and span.lo <= self._last.hi:
            return None
        self.is_moving = self.is_moving or self._comes_too_soon(span)
        self.ends, self.stated_until, self.placed_at, self._heard_at = span, span.hi, now, now
        self.serial += 1
        self._measure()
        return Place(span, is_first=True)

    def _comes_too_soon(self, span: Span) -> bool:
        """Whether a reset follows the last one sooner than windows end: then there are none."""
        return self.is_known and self._last is not None and span.hi < self._last.lo + self.whole_s - WHOLE_S

    def _roll(self, span: Span, *, now: float) -> Place:
        assert self.ends is not None  # noqa: S101  place has seen to it
        self.is_moving = now < self.ends.lo
        self._last, self.ends, self.stated_until = self.ends, span, span.hi
        self.placed_at, self.opened_at = now, None
        self.is_first = False
        self.serial += 1
        self._measure()
        return Place(span, has_rolled=True)

    def _measure(self) -> None:
        if self._last is not None and self.ends is not None and self._last.hi < self.ends.lo:
            before_s, length_s = self.length_s, (self.ends.lo + self.ends.hi - self._last.lo - self._last.hi) / 2
            self.length_s = length_s
            self.is_even = self.is_full_length and before_s is not None and abs(length_s - before_s) <= WHOLE_S
        else:
            self.is_even = False
