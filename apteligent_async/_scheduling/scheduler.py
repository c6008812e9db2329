"""The scheduler: which call may start now, and when to ask again.

This file may not know the time, the network or the dice; it is told them. Nothing is awaited and nothing is called
back, so that no lock is needed and the same inputs give the same decisions.

The theory. Let a call be live from its start until it is settled, and a stretch be the time from one moment with
nothing live to the next. For every way to read the service's numbers that is still possible (a `View`), T is a number
of calls proven to be allowed after every settled call. A call starts iff min T - live >= 1.

1. T begins at 1: the first call is a probe.
2. An answer states that at least `lo` tokens were left once its call was counted, however its numbers were rounded.
   Then T becomes max(T - 1, min of the stretch's lo - blind): our own books, or what was just stated, whichever proves
   more. `blind` counts the settled calls that no answer of the stretch need include. If somebody else was seen to
   spend, only what was stated counts. A refusal makes T zero.
3. A call without an answer makes T one less, and blind one more.
4. With nothing live and nothing proven, wait until the stated reset has surely passed. Then one call is proven: T = 1.

Claim: if nobody else spends, T - live >= 1 implies that the next call is not refused. Of the settled calls take the
one that the service counted last. It is in this stretch (all older ones had been answered before it began) or blind,
so what is left after all settled calls is at least min lo - blind; and it is at least the old T - 1, as a call is
charged once. Only live calls can lower it, and they are taken off. No window length, no clock offset and no order of
replies enters: the claim holds for fixed, lazily started and sliding windows alike.

What rounding hides is won back in four ways: a window known from its beginning is credited with what an earlier one
was counted to hold; one proven call of a backlog is kept for a look late in the window, where the numbers are sharp;
one is proven there after a window's length of quiet; and any speed above zero proves a call, so that the last ones go
out one by one. Where tokens come back one by one, the last proven call waits for the next two, and shows them. Where
the last window was seen to weigh on the present one, whoever is alone knows how much of it has faded (`fading`); while
nobody knows how windows begin, the last proven call waits to see it.

`RatePolicy` may hold back what is proven (`release`), never more. Others are risked (`trial`) on request only.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from apteligent_async._scheduling.books import OwnBooks
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.forecast import BudgetSnapshot, Eta, look_ahead
from apteligent_async._scheduling.journal import Journal, Marks
from apteligent_async._scheduling.learned import Learned, learn, recall, verdicts
from apteligent_async._scheduling.leases import Demand
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.queue import Queue
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.retry import judge
from apteligent_async._scheduling.signals import (
    Again,
    Cause,
    Event,
    GiveUp,
    Job,
    Lane,
    Limited,
    LinkFailed,
    Outcome,
    Overloaded,
    Stage,
    Verdict,
)
from apteligent_async._scheduling.trial import TRIALS, Trial
from apteligent_async._scheduling.views import views_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from apteligent_async._scheduling.books import Books
    from apteligent_async._scheduling.readings import Hypothesis

__all__ = ["Admission", "Scheduler"]


@frozen
class Admission:
    """Whether a job has joined the line, and at whose cost.

    Attributes:
        is_admitted: whether it waits now.
        eta: the forecast at its place, where the deadline made it hopeless; None otherwise.
        cause: what it would have waited for, where the deadline made it hopeless.
        shed: a less urgent job that had to leave for it.
    """

    is_admitted: bool = True
    eta: Eta | None = None
    cause: Cause = Cause.NOTHING
    shed: Job | None = None


_ADMITTED = Admission()


class Scheduler:
    """Five verbs (submit, due, settle, withdraw, wake_at) and one more for calls given up after sending (abandon).

    After every verb but `wake_at`, ask `due` at the same instant and start each job that it gives; then ask again at
    `wake_at`, or when something happens, whichever is first.
    """

    def __init__(
        self,
        policy: RatePolicy | None = None,
        *,
        hypotheses: Sequence[Hypothesis] = ALL_HYPOTHESES,
        learned: Learned | None = None,
        books: Books | None = None,
    ) -> None:
        self.policy = policy or RatePolicy()
        self._unreserved = evolve(self.policy, reserve=0.0)
        self._books = books or _own_books(self.policy, hypotheses, learned)
        self._queue = Queue()
        self._in_flight = 0
        self._wake_at: float | None = None
        self._cause = Cause.NOTHING
        self._journal: Journal | None = None

    @property
    def budget(self) -> Budget:
        """The estimator, as far as it is known here."""
        return self._books.budget

    def learned(self) -> Learned:
        """Give what was settled about the service, for a later scheduler."""
        return learn(self.budget)

    def watch(self) -> None:
        """Begin to write down what happens."""
        self._journal = self._journal or Journal()

    def unwatch(self) -> None:
        """Stop writing down what happens."""
        self._journal = None

    def note(self, name: str, *, now: float, **detail: Any) -> None:
        """Write down an event that the shell has seen, if anybody watches."""
        if self._journal is not None:
            self._journal.note(name, now, **detail)

    @contextmanager
    def noting_change(self, now: float) -> Generator[None]:
        """Write down what the block changes in the books, if anybody watches."""
        before = Marks.of(self.budget)
        yield
        if self._journal is not None:
            self._journal.note_change(before, Marks.of(self.budget), until=self.budget.reopens_at, at=now)

    def demand(self, *, now: float) -> Demand:
        """Say what waits for tokens."""
        head = self._queue.head(now=now, age_s=self.budget.expected_length_s)
        if head is None or self._in_flight >= self.policy.max_in_flight:
            return Demand()
        lanes = tuple(self._queue.wanted(lane) for lane in Lane)
        return Demand(lanes, head.cost, is_dated=head.deadline_at < math.inf)

    def events(self) -> Sequence[Event]:
        """Give what happened since the last time; nothing while nobody watches."""
        return self._journal.fetch() if self._journal is not None else ()

    def submit(self, job: Job, *, now: float) -> Admission:
        """Let a job join the line, unless its deadline is hopeless or the line is full.

        A job that has been in the line before takes its old place.
        """
        if job.ticket:
            self._queue.rejoin(job)
            return _ADMITTED
        job.submitted_at = now
        admission = self._admit(job, now=now)
        if admission.is_admitted:
            ahead = self._ahead_of(job) if self._journal is not None else 0
            self._queue.enter(job)
            if self._journal is not None:
                self._journal.note_call("queued", job, now, lane=job.lane.name.lower(), flow=job.flow, ahead=ahead)
        else:
            job.stage = Stage.ENDED
            if self._journal is not None:
                eta_s = None if admission.eta is None else admission.eta.expected
                self._journal.note_call("rejected", job, now, eta_s=eta_s, cause=admission.cause.value)
        return admission

    def due(self, *, now: float) -> Sequence[Job]:
        """Start every job that may start at this instant; asked again at the same instant, there is none left."""
        self._queue.ripen(now)
        started: list[Job] = []
        at, age_s = math.inf, self.budget.expected_length_s
        while (job := self._queue.head(now=now, age_s=age_s)) is not None:
            at, self._cause = self._startable_at(job, now=now)
            if at > now:
                break
            self._start(job, now=now)
            started.append(job)
        self._wake_at = None if job is None or at == math.inf else at
        if job is not None and job.headed_at is None:
            job.headed_at = now
        if job is not None and self._journal is not None:
            self._journal.note_blocked(self._cause, at, waiting=len(self._queue), at=now)
        return started

    def wake_at(self) -> float | None:
        """Name the instant at which to ask `due` again if nothing happens before; None: nothing changes by itself."""
        ripens_at = self._queue.ripens_at()
        if ripens_at is None or self._wake_at is None:
            return self._wake_at if ripens_at is None else ripens_at
        return min(ripens_at, self._wake_at)

    def settle(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> Verdict:
        """Learn how a started job's attempt ended, and say what becomes of it.

        Args:
            job: the job, started.
            outcome: how its attempt ended, with what the answer said of the budget.
            now: the present instant.
            dice: an even draw from [0, 1).
        """
        self._in_flight -= 1
        before = Marks.of(self.budget) if self._journal is not None else None
        self._account(job, outcome, now=now, dice=dice)
        if self._journal is not None and before is not None:
            after, until = Marks.of(self.budget), self.budget.reopens_at
            self._journal.note_answer(job, outcome, before, after, until=until, at=now)
        verdict = judge(job, outcome, now=now, dice=dice)
        verdict = self._repeat(job, verdict, now=now) if isinstance(verdict, Again) else verdict
        self._conclude(job, verdict, now=now)
        return verdict

    def withdraw(self, job: Job, *, now: float) -> None:
        """Forget a job whose caller has gone before anything was sent for it."""
        if job.stage is Stage.STARTED:
            self._in_flight -= 1
            job.attempts -= 1
            if job.cost:
                self._books.give_back(job)
        if self._journal is not None and job.stage is not Stage.ENDED:
            self._journal.note_call("withdrawn", job, now, was_started=job.stage is Stage.STARTED)
        self._queue.leave(job)

    def abandon(self, job: Job, *, now: float) -> None:
        """Forget a job whose caller has gone while it was under way: the service may still count it."""
        self._in_flight -= 1
        if job.cost:
            self._books.lose(job, now=now)
        if self._journal is not None:
            self._journal.note_call("abandoned", job, now)
        self._queue.leave(job)

    def snapshot(self, *, now: float) -> BudgetSnapshot:
        """Describe the budget and the line at this instant."""
        budget, settled, wake_at = self.budget, verdicts(self.budget), self.wake_at()
        return BudgetSnapshot(
            mode=self.policy.mode,
            limit=budget.limit,
            left_low=max(int(budget.left), 0),
            left_high=budget.most_left,
            reset_s=None if budget.ends is None else max((budget.ends.lo + budget.ends.hi) / 2 - now, 0.0),
            is_gated=budget.is_gated,
            bucket_s=settled.length_s,
            bucket_calls=settled.budget,
            unit=None if settled.unit is None else settled.unit.value,
            includes_call=settled.includes_call,
            queued={lane.name.lower(): self._queue.waiting(lane) for lane in Lane},
            queued_elsewhere=self._books.queued_elsewhere,
            in_flight=self._in_flight,
            refusals=budget.refusals,
            others_seen=budget.others_seen,
            outlook=look_ahead(budget, self.policy, now=now),
            waits_for=None if not len(self._queue) else self._cause.value,
            waits_s=None if wake_at is None else max(wake_at - now, 0.0),
        )

    def _startable_at(self, job: Job, *, now: float) -> tuple[float, Cause]:
        if self._in_flight >= self.policy.max_in_flight:
            return math.inf, Cause.IN_FLIGHT
        if not job.cost:
            return now, Cause.NOTHING
        wanted = self._queue.wanted_up_to(job.lane)
        # The reserve is for those who are passed over, too, once their turn has come before the more urgent.
        policy = self._unreserved if self._queue.has_jumped(job) else self.policy
        return self._books.starts_at(policy, job, wanted=wanted, now=now)

    def _admit(self, job: Job, *, now: float) -> Admission:
        if job.deadline_at < math.inf and job.cost and not self._starts_at_once(job, now=now):
            ahead, is_bulk = self._ahead_of(job), job.lane is Lane.BULK
            eta = look_ahead(self.budget, self.policy, now=now).eta(ahead + job.cost, is_bulk=is_bulk)
            if now + eta.pessimistic > job.deadline_at:
                return Admission(is_admitted=False, eta=eta, cause=self.budget.obstacle(now=now))
        if self.policy.max_queue is None or job.lane <= Lane.TOKEN or len(self._queue) < self.policy.max_queue:
            return _ADMITTED
        shed = self._queue.youngest(below=job.lane) if self.policy.on_full == "shed" else None
        if shed is None:
            return Admission(is_admitted=False)
        self._queue.leave(shed)
        if self._journal is not None:
            self._journal.note_call("shed", shed, now)
        return Admission(shed=shed)

    def _starts_at_once(self, job: Job, *, now: float) -> bool:
        return not self._ahead_of(job) and self._startable_at(job, now=now)[0] <= now

    def _start(self, job: Job, *, now: float) -> None:
        self._queue.pop(job)
        self._in_flight += 1
        job.granted_at = now
        job.attempts += 1
        if job.headed_at is not None:
            job.held_s += now - job.headed_at
            job.headed_at = None
        journal, budget = self._journal, self.budget
        was_gated = journal is not None and budget.is_gated
        is_probe = journal is not None and job.cost > 0 and (budget.left < job.cost or budget.ends is None)
        if job.cost:
            self._books.start(job, now=now)
        if journal is not None:
            journal.note_start(job, budget, was_gated=was_gated, is_probe=is_probe, at=now)

    def _account(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> None:
        job.failures += isinstance(outcome, Overloaded | LinkFailed)
        job.refusals += isinstance(outcome, Limited)
        if job.cost:
            self._books.settle(job, outcome, now=now, dice=dice)

    def _repeat(self, job: Job, verdict: Again, *, now: float) -> Again | GiveUp:
        at = max(verdict.at, self.budget.reopens_at) if self.budget.is_gated and job.cost else verdict.at
        if at > job.deadline_at:
            return GiveUp(why="the next attempt would start after the deadline")
        if verdict.at > now:
            self._queue.delay(job, verdict.at)
        else:
            self._queue.rejoin(job)
        return Again(at=at)

    def _conclude(self, job: Job, verdict: Verdict, *, now: float) -> None:
        if not isinstance(verdict, Again):
            job.stage = Stage.ENDED
        if self._journal is not None and isinstance(verdict, Again):
            self._journal.note_call("again", job, now, start_at=verdict.at)
        elif self._journal is not None and isinstance(verdict, GiveUp):
            self._journal.note_call("given_up", job, now, why=verdict.why)

    def _ahead_of(self, job: Job) -> int:
        """Count the tokens that go before a newcomer: all that wait in its lane and in the more urgent ones."""
        return self._queue.wanted_up_to(job.lane)


def _own_books(policy: RatePolicy, hypotheses: Sequence[Hypothesis], learned: Learned | None) -> Books:
    trial = Trial(left=TRIALS if policy.calibrate else 0)
    budget = Budget(is_alone=policy.mode == "exclusive", views=views_of(hypotheses), trial=trial)
    if learned is not None:
        recall(learned, budget)
    return OwnBooks(budget)
