"""Everybody who lives around one scheduler: callers, a link that does what it likes, and the service's truth.

Nothing here decides. It carries out what a test asks, tells the scheduler, and holds every answer to the laws that
hold at every instant; they are the methods whose names begin with ``law``.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import define, field

from apteligent_async._scheduling.release import GROWTH
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import (
    Again,
    GiveUp,
    Job,
    Lane,
    Limited,
    LinkFailed,
    Overloaded,
    Stage,
    Succeeded,
)

if TYPE_CHECKING:
    from reference import Answer, Service

    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Outcome

__all__ = ["Callers", "Flight"]

STRAGGLES_S = 29.0
"""How long a request that nobody waits for any more may still be on its way."""


@define(eq=False)
class Flight:
    """One attempt: granted, then sent, then counted by the service."""

    job: Job
    is_sent: bool = False
    answer: Answer | None = None


@define
class Callers:
    """Jobs, attempts and stragglers around one scheduler; every verb is followed by ``ask``.

    Attributes:
        patience_s: how long an attempt may be under way before it is given up.
        flights: attempts that the scheduler believes to be under way.
        strays: (instant of arrival, cost) of requests that were given up on their way.
        strayed: tokens that they have taken, by the end of the window that they fell into.
        excuse: what has happened that excuses refusals from now on; empty for nothing.
        diary: every verb and everything that it started, to be repeated.
    """

    policy: RatePolicy
    service: Service
    now: float = 0.0
    excuse: str = ""
    patience_s: float = math.inf
    scheduler: Scheduler = field(init=False)
    jobs: list[Job] = field(factory=list)
    flights: list[Flight] = field(factory=list)
    ended: set[Job] = field(factory=set)
    strays: list[tuple[float, int]] = field(factory=list)
    diary: list[tuple[str, int, float, dict[str, Any], list[int]]] = field(factory=list)
    strayed: Counter[float] = field(factory=Counter)
    gate_at: float = -math.inf
    paused_until: float = -math.inf
    has_heard: bool = False
    granted: int = 0
    settled: int = 0
    returned: int = 0

    def __attrs_post_init__(self) -> None:
        self.scheduler = Scheduler(self.policy)

    # What callers do

    def submit(self, **settings: Any) -> Job:
        """Let a caller join the line."""
        job = Job(**settings)
        self.jobs.append(job)
        admission = self.scheduler.submit(job, now=self.now)
        if not admission.is_admitted:
            assert job.deadline_at < math.inf
            assert admission.eta is not None
            self._end(job)
        self._ask("submit", job, **settings)
        return job

    def leave(self, job: Job) -> None:
        """Let a caller go, wherever its call is by then."""
        flight = self.flight_of(job)
        self._end(job)
        if flight is not None and flight.is_sent:
            self._lose(flight)
            self.scheduler.abandon(job, now=self.now)
            self._ask("abandon", job)
            return
        if flight is not None:
            self.flights.remove(flight)
            self.returned += 1
        self.scheduler.withdraw(job, now=self.now)
        self._ask("withdraw", job)

    # What the link and the service do

    def move(self, flight: Flight) -> None:
        """Send a call that was granted, let one arrive that was sent, and leave one alone that was counted."""
        if not flight.is_sent:
            flight.is_sent = True
        elif flight.answer is None:
            flight.answer = self.service.call(flight.job.cost, now=self.now)
            self.law_no_avoidable_refusal(flight.answer)

    def answer(self, flight: Flight, *, dice: float, is_overloaded: bool = False, is_bare: bool = False) -> None:
        """Bring a counted call's answer back, or what a failing service makes of it, or one without numbers."""
        answer = flight.answer
        assert answer is not None
        reading = None if is_bare else answer.reading
        self.has_heard = self.has_heard or not is_bare
        if is_bare:
            self.paused_until = self.now + 60
        self.flights.remove(flight)
        if not answer.is_allowed:
            self.gate_at = max(self.gate_at, answer.reset_at if not is_bare else -math.inf)
            self._settle(flight.job, Limited(reading=reading), dice=dice)
        elif is_overloaded:
            self._settle(flight.job, Overloaded(reading=reading), dice=dice)
        else:
            self._settle(flight.job, Succeeded(reading=reading), dice=dice)

    def lose(self, flight: Flight, *, dice: float) -> None:
        """Lose a call on its way there or its answer on its way back."""
        self._lose(flight)
        self._settle(flight.job, LinkFailed(), dice=dice)

    def fail_to_send(self, flight: Flight, *, dice: float) -> None:
        """Let a granted call find no connection."""
        self.flights.remove(flight)
        self._settle(flight.job, LinkFailed(was_sent=False), dice=dice)

    def pass_time(self, until: float) -> None:
        """Let time pass, waking the scheduler whenever it asked for it, and requests arrive that nobody waits for."""
        while True:
            wake_at = self.scheduler.wake_at()
            stray_at = min((at for at, _ in self.strays), default=math.inf)
            late_at = min((flight.job.granted_at + self.patience_s for flight in self.flights), default=math.inf)
            self.now = min(until, math.inf if wake_at is None else wake_at, stray_at, max(late_at, self.now))
            self._arrive_strays()
            for flight in [each for each in self.flights if each.job.granted_at + self.patience_s <= self.now]:
                flight.is_sent = True
                self.lose(flight, dice=0.5)
            for job in [job for job in self.waiting() if job.deadline_at <= self.now]:
                self.leave(job)
            self._ask("ask", None)
            if self.now >= until:
                return

    def finish(self) -> None:
        """Let everybody have an answer: all jobs end in finite time, nothing is left over, and all repeats exactly."""
        for _ in range(60 * len(self.jobs) + 200):
            if len(self.ended) == len(self.jobs):
                break
            for flight in list(self.flights):
                while flight.answer is None:
                    self.move(flight)
                self.answer(flight, dice=0.5)
            wake_at = self.scheduler.wake_at()
            if wake_at is not None:
                self.pass_time(wake_at)
        assert len(self.ended) == len(self.jobs)
        assert not self.flights
        assert self.scheduler.budget.live == 0
        self.law_decisions_repeat()

    # What can be seen

    def flight_of(self, job: Job) -> Flight | None:
        """Find a job's attempt under way."""
        return next((flight for flight in self.flights if flight.job is job), None)

    def waiting(self) -> list[Job]:
        """List the jobs in line, those put aside included."""
        return [job for job in self.jobs if job.stage in (Stage.WAITING, Stage.DELAYED)]

    def unarrived(self) -> int:
        """Count the tokens of everything that may still reach the service."""
        return sum(flight.job.cost for flight in self.flights if flight.answer is None) + sum(
            cost for _, cost in self.strays
        )

    # The laws

    def law_no_avoidable_refusal(self, answer: Answer) -> None:
        """I1: with numbers heard and no excuse, nothing is ever refused, unless strays have taken a whole window."""
        has_excuse = self.excuse or not self.has_heard or self.strayed[answer.reset_at] >= self.service.budget
        assert answer.is_allowed or has_excuse, f"refused at {self.now}"

    def law_proven_is_true(self) -> None:
        """I2: what is proven would be left if everything on its way arrived now."""
        if self.excuse or not self.has_heard:
            return
        proven, true = self.scheduler.budget.left, self.service.left(self.now) - self.unarrived()
        assert proven <= max(true, 0) or self.scheduler.budget.ends is None, f"{proven} proven of {true} at {self.now}"

    def law_nothing_is_counted_twice(self) -> None:
        """I3: grants are settled, returned or under way; the line and the snapshot agree with the callers."""
        assert self.granted == self.settled + self.returned + len(self.flights)
        snapshot = self.scheduler.snapshot(now=self.now)
        assert snapshot.in_flight == len(self.flights)
        assert self.scheduler.budget.live == sum(flight.job.cost for flight in self.flights)
        in_line = sum(job.stage is Stage.WAITING for job in self.jobs)
        assert sum(snapshot.queued.values()) == in_line

    def law_one_probe_while_nothing_is_known(self) -> None:
        """I4: before the first numbers one call at most is under way."""
        assert self.has_heard or len(self.flights) <= 1

    def law_flows_keep_their_order(self, job: Job) -> None:
        """I5: nobody in line has come earlier to the same flow than the one that starts."""
        for other in self.jobs:
            if other.stage is Stage.WAITING and (other.lane, other.flow) == (job.lane, job.flow):
                assert other.ticket > job.ticket

    def law_nobody_sleeps_beside_a_grant(self) -> None:
        """I6: what is proven goes out, but for what the policy holds back.

        A hold is: a pause after an answer without numbers or a call given up; the last proven call of a backlog, kept
        for a late look; three quarters of what is left in shared mode, and what is more than four times what was
        answered; the pace in polite mode; the reserve against bulk calls, and for them the first answer of a window;
        the share.
        """
        line = [job for job in self.jobs if job.stage is Stage.WAITING]
        policy, budget = self.policy, self.scheduler.budget
        if not line or policy.mode == "polite" or policy.share is not None or self.now < self.paused_until:
            return
        is_asking = budget.ends is None and budget.live > 0
        if (policy.reserve or is_asking) and any(job.lane is Lane.BULK for job in line):
            return
        dearest = max(job.cost for job in line)
        part = min(0.25 * (budget.left + budget.live), GROWTH * budget.own)
        room = budget.left if policy.mode == "exclusive" else part - budget.live
        assert room < dearest + 1, f"{room} is free and {len(line)} wait at {self.now}"

    def law_everybody_will_be_woken(self) -> None:
        """I7 and I10: whoever waits does so for an answer under way or for one finite instant, never in the past."""
        wake_at = self.scheduler.wake_at()
        assert wake_at is None or self.now <= wake_at < math.inf
        if wake_at is None:
            assert self.flights or not self.waiting()

    def law_a_shut_gate_stays_shut(self) -> None:
        """I8: from the first refusal heard until the reset that it stated, nothing starts."""
        assert self.now >= self.gate_at

    def law_decisions_repeat(self) -> None:
        """The same inputs give the same decisions."""
        again, twins = Scheduler(self.policy), []
        for verb, number, now, given, started in self.diary:
            if verb == "submit":
                twins.append(Job(**given))
                again.submit(twins[-1], now=now)
            elif verb != "ask":
                getattr(again, verb)(twins[number], now=now, **given)
            assert [twins.index(job) for job in again.due(now=now)] == started

    # How it is done

    def _settle(self, job: Job, outcome: Outcome, *, dice: float) -> None:
        self.settled += 1
        verdict = self.scheduler.settle(job, outcome, now=self.now, dice=dice)
        if isinstance(verdict, Again):
            assert job.stage in (Stage.WAITING, Stage.DELAYED)
        else:
            assert isinstance(verdict, GiveUp) == (not isinstance(outcome, Succeeded))
            self._end(job)
        self._ask("settle", job, outcome=outcome, dice=dice)

    def _lose(self, flight: Flight) -> None:
        self.flights.remove(flight)
        self.paused_until = self.now + 60
        if flight.answer is None:
            self.strays.append((self.now + STRAGGLES_S * (len(self.diary) % 7) / 7, flight.job.cost))
        if flight.job in self.ended:
            self.settled += 1

    def _arrive_strays(self) -> None:
        for stray in [stray for stray in self.strays if stray[0] <= self.now]:
            self.strays.remove(stray)
            self.service.call(stray[1], now=self.now)
            self.strayed[self.service.ends_at] += stray[1]

    def _end(self, job: Job) -> None:
        assert job not in self.ended, "a job ended twice"
        self.ended.add(job)

    def _ask(self, verb: str, job: Job | None, **given: Any) -> None:
        started = list(self.scheduler.due(now=self.now))
        number = -1 if job is None else self.jobs.index(job)
        self.diary.append((verb, number, self.now, given, [self.jobs.index(each) for each in started]))
        for each in started:
            assert each not in self.ended, "a job started after its end"
            self.law_a_shut_gate_stays_shut()
            self.granted += 1
            self.flights.append(Flight(each))
        for each in started:
            self.law_flows_keep_their_order(each)
        assert self.scheduler.due(now=self.now) == [], "asking twice started more"
        self.law_proven_is_true()
        self.law_nothing_is_counted_twice()
        self.law_one_probe_while_nothing_is_known()
        self.law_nobody_sleeps_beside_a_grant()
        self.law_everybody_will_be_woken()
