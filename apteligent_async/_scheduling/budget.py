"""What the service still allows: the estimator.

It may not know who waits, nor why. It is told of every call that starts and of how each one ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from apteligent_async._scheduling.company import Company
from apteligent_async._scheduling.evidence import weigh
from apteligent_async._scheduling.fading import Fading
from apteligent_async._scheduling.gate import Gate
from apteligent_async._scheduling.looks import Looks
from apteligent_async._scheduling.openings import ASSUMED_LIMIT, Openings
from apteligent_async._scheduling.outlay import Outlay
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, PLAIN, usable
from apteligent_async._scheduling.signals import Cause
from apteligent_async._scheduling.trial import Trial
from apteligent_async._scheduling.views import View, views_of
from apteligent_async._scheduling.windows import Windows
from apteligent_async._scheduling.wording import Wording

if TYPE_CHECKING:
    from apteligent_async._scheduling.readings import Span
    from apteligent_async._scheduling.signals import Job, Reading
    from apteligent_async._scheduling.windows import Place

__all__ = ["Budget"]

UNSTATED_RESET_S = 60.0
"""How long a refusal without numbers is taken to last."""

STRAGGLER_S = 30.0
"""How long a call that was given up may still reach the service."""

PATIENCE = 1.5
"""How many times as long as at the limit's speed several tokens take at most to come back: some averages slow down."""

TRIPS = 8
"""Over how many answers the round trip is averaged."""


@define
class Budget:
    """The estimator's whole state: what was sent, what was stated, and what that proves.

    Attributes:
        is_alone: whether nobody else is promised to spend this budget.
        live: tokens of the calls that are under way.
        limit: calls per minute, as last stated.
        windows: resets, past and next.
        outlay: what our own calls have cost.
        others_seen: answers that our own calls do not explain.
        refusals: answers of 429.
        trip_s: seconds from a call to its answer, of late.
        views: the books, one for each way to read the numbers.
        wording: how the service states its numbers.
        openings: what the first answers of windows have shown.
        looks: when another answer would show more.
        fading: what comes back of the last window.
        trial: the calls that may be risked.
        gate: what else forbids a start.
        company: who else seems to spend.
    """

    is_alone: bool = False
    live: int = 0
    limit: float | None = None
    windows: Windows = field(factory=Windows)
    outlay: Outlay = field(factory=Outlay)
    others_seen: int = 0
    refusals: int = 0
    trip_s: float = 0.0
    views: tuple[View, ...] = field(factory=lambda: views_of(ALL_HYPOTHESES))
    wording: Wording = field(factory=Wording)
    openings: Openings = field(factory=Openings)
    looks: Looks = field(factory=Looks)
    fading: Fading = field(factory=Fading)
    trial: Trial = field(factory=Trial)
    gate: Gate = field(factory=Gate)
    company: Company = field(factory=Company)
    _proven: float = field(default=1, init=False)
    _lent: int = field(default=0, init=False)

    # What may start

    @property
    def left(self) -> float:
        """Tokens proven to remain, the calls under way taken off."""
        return self._proven - self.live

    @property
    def most_left(self) -> float:
        """Tokens that can remain at most; infinite while unknown."""
        return max(*(view.most for view in self.alive()), self.left)

    @property
    def expected_length_s(self) -> float:
        """Seconds from one reset to the next: as measured, else the longest that was ever stated, else a minute."""
        return self.windows.length_s or self.windows.longest_s or UNSTATED_RESET_S

    @property
    def expected_size(self) -> float:
        """Tokens that a whole window of the expected length holds."""
        return self.size_of(self.expected_length_s)

    def size_of(self, length_s: float) -> float:
        """Say how many tokens a whole window of a length holds: by the stated limit, within what was counted."""
        alive, stated = self.alive(), self.pace * length_s / 60
        least, most = min(view.budget_lo for view in alive), max(view.budget_hi for view in alive)
        return max(min(max(stated, least), most), 1.0)

    @property
    def pace(self) -> float:
        """Calls per minute: as stated, or as assumed before; one that is stated as none is less than one."""
        return ASSUMED_LIMIT if self.limit is None else self.limit or 1.0

    @property
    def own(self) -> int:
        """Tokens that our calls can have cost in the present window, those that were given up included."""
        return self.outlay.own

    @property
    def seems_alone(self) -> bool:
        """Whether nobody else is promised to spend this budget, and no answer has spoken against it."""
        return self.is_alone and not self.others_seen

    @property
    def is_wary(self) -> bool:
        """Whether others were seen to spend of late, by any way to read the numbers."""
        return any(view.is_wary for view in self.alive())

    @property
    def ends(self) -> Span | None:
        """Bounds of the present window's reset; None while nothing has been stated."""
        return self.windows.ends

    @property
    def is_gated(self) -> bool:
        """Whether the last word was a refusal and its reset has not been seen to pass."""
        return self.gate.is_shut

    @property
    def reopens_at(self) -> float:
        """The instant from which, with nothing under way, a reset proves a call; the past while nothing is stated."""
        return max(self.gate.opens_at, self.windows.frees_at)

    def opens_at(self, cost: int) -> float:
        """Name the instant from which `cost` tokens are proven, if nothing happens before; infinite: an answer first.

        An instant in the past means now.
        """
        if self.left >= cost:
            return self.gate.paused_until
        if self.live and not self._holds_beside(cost):
            return math.inf
        return self.proves_at(cost) if self.live else self.shows_at(cost)

    def proves_at(self, cost: int) -> float:
        """Name the instant from which, with nothing under way, a reset proves so many tokens.

        It proves one, if its answer left none. The rest is there with it in windows that refill and are known to hold
        it. Elsewhere it comes one by one, and in a log of calls as they were made: after as long as any reset took.
        """
        if cost <= 1:
            return self.reopens_at
        windows, holds = self.windows, min(view.budget_lo for view in self.alive())
        opens_at = max(self.gate.opens_at, windows.stated_until)
        if windows.refills and not windows.is_moving and not self.is_gated and holds >= cost:
            return opens_at
        comes_at = opens_at + PATIENCE * (cost - 1) * 60 / self.pace
        return max(comes_at, self.looks.reached_at + windows.longest_s + 1) if windows.drips else comes_at

    def shows_at(self, cost: int) -> float:
        """Name the instant from which, with nothing under way, a call is proven by a reset or by looking late."""
        return min(self.proves_at(cost), max(self.gate.opens_at, self._looks_at(cost)))

    def _looks_at(self, cost: int) -> float:
        """Name the instant from which a call is proven within the window, by what is quiet or by what has faded."""
        return min(self.looks.opens_at(self, cost), self.fading.opens_at(self, cost))

    def risks_at(self, cost: int, *, now: float) -> float:
        """Name the instant from which a call may be risked that nothing proves; infinite: none may."""
        return self.trial.opens_at(self, cost, now=now)

    def obstacle(self, *, now: float) -> Cause:
        """Say why no call is proven at this instant."""
        if now < self.gate.paused_until:
            return Cause.LOST_ANSWER
        if self.is_gated:
            return Cause.REFUSED
        if self.live:
            return Cause.PROBE if self.ends is None else Cause.ANSWERS
        opens_at = min(self.shows_at(1), self.risks_at(1, now=now))
        return Cause.DRAINED if opens_at == self.reopens_at else Cause.LATE_LOOK

    def take(self, cost: int, *, now: float) -> None:
        """Start a call; `opens_at` must have allowed it."""
        if self.left < cost and now < self.proves_at(cost):
            self._look(cost, now=now)
        elif self.left < cost:
            self._open_window(self.live + cost, now=now)
            self._lent = cost - 1
        elif self.live == 0:
            if self.ends is not None and self.windows.over_at <= now:
                self._open_window(max(self.left, cost) if self.is_alone else cost, now=now)
            else:
                self._begin_stretch(now)
        self.live += cost

    def give_back(self, cost: int) -> None:
        """Take a start back: the call never left."""
        self.live -= cost
        if self.trial.foretold:
            self.trial.take_back(self)
        if self._lent and not self.live and self.ends is None:
            for view in self.views:
                view.charge(self._lent)  # it was proven for one call of that cost, not for several
            self._lent = 0
        self._tally()

    def moved(self, by_s: float) -> Budget:
        """Give these books, to look at, with what lies ahead told by another clock."""
        shifted = {name: getattr(self, name).moved(by_s) for name in ("windows", "gate", "looks")}
        seen = evolve(self, **shifted)
        seen._tally()  # noqa: SLF001  one of us
        return seen

    # What came back

    def lose(self, job: Job, *, now: float, straggles_s: float = STRAGGLER_S) -> None:
        """Write off a call whose answer will not come: it may be counted, now or within so many seconds."""
        self.live -= job.cost
        self.trial.drop()
        self.outlay.lose(job.cost, until=now + straggles_s)
        self.looks.reach(now + straggles_s)
        self._go_blind(job.cost, now=now)
        self._tally()

    def answer(self, job: Job, reading: Reading | None, *, now: float) -> None:
        """Take in an answer that was not a refusal."""
        was_last = self.ends is not None and self.live == job.cost and self.left < 1
        self.live -= job.cost
        self.looks.reach(now)
        self.trip_s += (now - job.granted_at - self.trip_s) / (TRIPS if self.trip_s else 1)
        numbers = usable(reading)
        self.trial.end(self, job, numbers, is_allowed=True, now=now)
        if numbers is not None:
            self.wording.hear(numbers)
        place = self._place(numbers, job, now=now, wording=self.wording)
        self.outlay.count(job, opened_at=self.windows.opened_at)
        if numbers is None:
            self._go_blind(job.cost, now=now)
            self.gate.speed_up()
        elif place is None:
            self._pass_over(job.cost)
        else:
            weigh(self, job, numbers, place.ends, now=now)
            if place.is_first:
                self.openings.judge(self, numbers, now=now)
                self.looks.judge(self, numbers)
                self.fading.judge(self, job, now=now)
        self._tally()
        resets_at = None if place is None else place.ends.hi
        self.looks.note(self, job, was_last=was_last, resets_at=resets_at, now=now)

    def refuse(self, job: Job, reading: Reading | None, *, now: float) -> None:
        """Take in a 429: one event for everybody, whatever the number of calls that it hits."""
        self.live -= job.cost
        self.outlay.own += job.cost
        self.looks.reach(now)
        self.refusals += 1
        self.windows.is_disturbed = True
        numbers = usable(evolve(reading, remaining=0.0) if reading is not None else None)
        was_moving, was_risked = self.windows.is_moving, self.trial.end(self, job, numbers, is_allowed=False, now=now)
        is_contradiction = self.ends is not None and not self.is_gated and not was_risked
        place = self._place(numbers, job, now=now, wording=PLAIN)
        if was_risked:
            self.windows.is_moving = was_moving  # some services put the reset off with every call that they refuse
        if numbers is not None and place is None:
            self._pass_over(job.cost)
            self._tally()
            return
        if is_contradiction and (self.is_alone or not self.is_wary):
            self.doubt_everything()
        if is_contradiction and not self.is_alone:
            self.company.collide()
        for view in self.views:
            view.refuse()
        if place is not None:
            self.gate.shut(place.ends.hi)
        else:
            self.gate.shut_blindly(now + (self.windows.length_s or UNSTATED_RESET_S))
        self._tally()

    # Windows

    def _open_window(self, proven: float, *, now: float) -> None:
        """Begin a window whose predecessor's end has surely passed: at least the next call is proven."""
        are_seen = all(view.is_wary for view in self.alive())
        self.company.close_window(size=self.expected_size, own=self.own, left=self.left, are_seen=are_seen)
        was_idle = self.ends is not None and now - self.ends.hi > self.windows.longest_s
        self.windows.open(now=now)
        self.trial.drop()
        self._lent = 0
        for view in self.views:
            view.prove(proven)
        self._begin_stretch(now)
        self._tally()
        self.gate.open()
        self._begin_window(own_before=0 if was_idle else self.own, own=self.outlay.blind)

    def _begin_window(self, *, own_before: int, own: int) -> None:
        """Set apart what was stated and spent in the last window, by us so much; the new one may be charged some."""
        for view in self.views:
            view.begin_window()
        self.looks.begin_window()
        self.fading.is_refuted = False
        self.openings.own_before = own_before
        self.outlay.begin_window(own)

    def _look(self, cost: int, *, now: float) -> None:
        """Start a call that no answer of this window proves, but quiet or what has faded, or that is risked."""
        is_risked = self._looks_at(cost) > now >= self.risks_at(cost, now=now)
        borne = 0 if is_risked else max(self.looks.borne(self), self.fading.come_back(self, now=now))
        if is_risked:
            self.trial.begin(self, cost, now=now)
        self.looks.is_due = False
        self._begin_stretch(now)
        for view in self.views:
            view.prove(max(cost, borne))
        self._tally()

    def _begin_stretch(self, now: float) -> None:
        self.windows.begin_stretch()
        for view in self.views:
            view.begin_stretch()
        self.outlay.begin_stretch(now)

    def _place(self, numbers: Reading | None, job: Job, *, now: float, wording: Wording) -> Place | None:
        """Find the window that an answer speaks of; None if it is over, or if the answer does not say."""
        if numbers is None or numbers.reset_s is None:
            return None
        if numbers.limit is not None and numbers.limit != self.limit:
            self._change_limit(numbers.limit)
        place = self.windows.place(numbers.reset_s, job, now=now, wording=wording)
        if place is not None and place.has_rolled:
            self._begin_window(own_before=self.own, own=0)
            self.fading.missing = 0  # nobody knows how it began
            if self.windows.outlasts(self.trip_s):
                for view in self.views:
                    view.begin_stretch()  # what the old window stated says nothing of the one that this call fell into
        return place

    def _change_limit(self, limit: float) -> None:
        if self.limit is not None:
            self.windows.whole_s, self.wording.largest, self.fading.missing = 0.0, -math.inf, 0
            for view in self.views:
                view.forget_budget()
        self.limit = limit

    # Evidence

    def alive(self) -> list[View]:
        """Give the books of the readings that nothing has ruled out."""
        return [view for view in self.views if view.is_alive]

    def _tally(self) -> None:
        """Let the most cautious of the readings that are still possible decide."""
        self._proven = min(view.left for view in self.alive())

    def _go_blind(self, cost: int, *, now: float) -> None:
        self.outlay.blind += cost
        self.windows.forbid()
        for view in self.views:
            view.charge(cost)
        self.gate.pause(now + cost * (self.gate.pace_s if self.limit is None else 60 / self.pace))

    def doubt_everything(self) -> None:
        """Take every way of reading for possible again: a proven call was refused."""
        self.openings.may_infer = self.openings.is_unconfirmed = self.windows.has_stood = False
        self.fading, self.wording = Fading(), Wording()
        self.windows.forbid()
        for view in self.views:
            view.revive()

    def _pass_over(self, cost: int) -> None:
        """Charge a call whose numbers speak of a window that is over; where none surely ends, nothing includes it."""
        self.outlay.blind += 0 if self.windows.has_stood and not self.windows.is_moving else cost
        self.windows.forbid()
        for view in self.views:
            view.charge(cost)

    def _holds_beside(self, cost: int) -> bool:
        """Whether a new window surely holds a call beside those still under way from the old one."""
        if self.ends is None or not self.windows.outlasts(self.trip_s):
            return False
        return min(view.budget_lo for view in self.alive()) >= self.live + cost
