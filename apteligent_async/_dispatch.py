"""Runs the scheduler against real time: gates, one timer, and tenacity's loop around each call.

There is no background task. Whoever waits sleeps at a gate of its own; one of the sleepers, the timekeeper, also has
a timer, set to the instant that the scheduler named. When it leaves, it hands the timer to the youngest sleeper, who
is the least likely to leave soon. Between a question to the scheduler and the opening of the gates nothing is awaited,
so a caller that is cancelled knows for certain whether its call had been started, and gives it back in that step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from attrs import define, field, frozen
from tenacity import AsyncRetrying, retry_if_result
from tenacity.stop import stop_never
from tenacity.wait import wait_none

from apteligent_async._scheduling.signals import Again, Job, Stage
from apteligent_async._wire.messages import LinkFailure, Reply
from apteligent_async._wire.outcomes import outcome_of
from apteligent_async.errors import ClientStateError, DeadlineExceeded, QueueFull

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.scheduler import Admission, Scheduler

__all__ = ["Dispatcher", "NotSent", "Transcript"]

Answer = Reply | LinkFailure


@frozen
class Transcript:
    """What became of one call.

    Attributes:
        answer: its last answer.
        attempts: requests that were sent for it.
        waited_s: seconds that it spent waiting for its turns.
    """

    answer: Answer
    attempts: int
    waited_s: float


class NotSent(Exception):  # noqa: N818  a signal between two modules
    """What `send` raises when it finds, at its turn, that the call must not be sent now; its start is given back."""


@define(eq=False)
class _Gate:
    """Where one caller sleeps; the bell wakes it, to go on if the gate is open, else to keep the time."""

    bell: anyio.Event = field(factory=anyio.Event)
    is_open: bool = False
    failure: Exception | None = None

    def open(self, failure: Exception | None = None) -> None:
        self.is_open, self.failure = True, failure
        self.bell.set()


@define(eq=False)
class _Visit:
    """One call on its way through the line."""

    job: Job
    send: Callable[[], Awaitable[Answer]]
    is_again: bool = False
    waited_s: float = 0.0


class Dispatcher:
    """Feeds every call of one budget through one scheduler. Its state is the gates, by job, and who keeps the time.

    Args:
        scheduler: decides; nothing here does.
        dice: gives even draws from [0, 1).
    """

    def __init__(self, scheduler: Scheduler, *, dice: Callable[[], float]) -> None:
        self._scheduler = scheduler
        self._dice = dice
        self._gates: dict[Job, _Gate] = {}
        self._timer: anyio.CancelScope | None = None
        self._armed_at = math.inf

    async def perform(self, job: Job, send: Callable[[], Awaitable[Answer]]) -> Transcript:
        """Wait for the call's turn, send it, and again as often as the scheduler says.

        Args:
            job: the call as the scheduler sees it; one that was performed before takes its old place.
            send: makes one attempt; it returns an answer for whatever the service or the link does.

        Raises:
            DeadlineExceeded: the deadline was hopeless from the start; nothing was sent.
            QueueFull: too many wait, or a more urgent call took this one's place.
            ClientStateError: the client was closed meanwhile.
        """
        visit = _Visit(job, send)
        await self._join(visit)
        loop = AsyncRetrying(
            retry=retry_if_result(lambda _: visit.is_again),
            stop=stop_never,
            wait=wait_none(),
            sleep=lambda _: self._pass_gate(visit),
        )
        answer: Answer = await loop(self._attempt, visit)
        return Transcript(answer=answer, attempts=job.attempts, waited_s=visit.waited_s)

    def snapshot(self) -> BudgetSnapshot:
        """Describe the budget and the line now."""
        return self._scheduler.snapshot(now=anyio.current_time())

    def close(self, jobs: Iterable[Job]) -> None:
        """Fail, at once, those of a closing client's calls that still wait."""
        for job in jobs:
            self._fail(job, ClientStateError("The client was closed while this call was waiting."))
        self._pump()

    async def _join(self, visit: _Visit) -> None:
        await checkpoint_if_cancelled()
        job, now = visit.job, anyio.current_time()
        admission = self._scheduler.submit(job, now=now)
        if not admission.is_admitted:
            raise _rejection(admission)
        if admission.shed is not None:
            self._fail(admission.shed, QueueFull("This call was shed for a more urgent one: the line is full."))
        self._pump()
        await self._pass_gate(visit)

    async def _attempt(self, visit: _Visit) -> Answer:
        job = visit.job
        try:
            answer = await visit.send()
        except NotSent:
            self._scheduler.withdraw(job, now=anyio.current_time())
            self._pump()
            raise
        except BaseException:
            self._scheduler.abandon(job, now=anyio.current_time())
            self._pump()
            raise
        verdict = self._scheduler.settle(job, outcome_of(answer), now=anyio.current_time(), dice=self._dice())
        visit.is_again = isinstance(verdict, Again)
        self._pump()
        return answer

    async def _pass_gate(self, visit: _Visit) -> None:
        """Sleep until the job has been started; a caller that leaves before sending gives its start back."""
        job, since = visit.job, anyio.current_time()
        try:
            if job.stage is not Stage.STARTED:
                await self._sleep(job)
        except BaseException:
            self._scheduler.withdraw(job, now=anyio.current_time())
            self._pump()
            raise
        finally:
            visit.waited_s += anyio.current_time() - since

    async def _sleep(self, job: Job) -> None:
        gate = self._gates[job] = _Gate()
        try:
            while not gate.is_open:
                if gate.bell.is_set():
                    gate.bell = anyio.Event()
                if self._timer is None:
                    await self._keep_time(gate)
                else:
                    await gate.bell.wait()
        finally:
            self._gates.pop(job, None)
            if self._timer is None:
                self._hand_over()
        if gate.failure is not None:
            raise gate.failure

    async def _keep_time(self, gate: _Gate) -> None:
        """Sleep at the gate and at the scheduler's instant, whichever comes first; others may move the instant."""
        timer = self._timer = anyio.CancelScope(deadline=self._armed_at)
        try:
            with timer:
                await gate.bell.wait()
        finally:
            self._timer = None
        if timer.cancel_called:
            # An event loop may ring a little before the instant; asking at the instant itself keeps it from spinning.
            self._pump(now=max(anyio.current_time(), self._armed_at))

    def _hand_over(self) -> None:
        """Wake the youngest sleeper to keep the time."""
        if self._armed_at < math.inf and self._gates:
            next(reversed(self._gates.values())).bell.set()

    def _pump(self, *, now: float | None = None) -> None:
        """Start what may start and set the timer."""
        for job in self._scheduler.due(now=anyio.current_time() if now is None else now):
            gate = self._gates.pop(job, None)
            if gate is not None:
                gate.open()
        wake_at = self._scheduler.wake_at()
        self._armed_at = math.inf if wake_at is None else wake_at
        if self._timer is not None:
            self._timer.deadline = self._armed_at
        else:
            self._hand_over()

    def _fail(self, job: Job, failure: Exception) -> None:
        gate = self._gates.pop(job, None)
        if gate is not None:
            gate.open(failure)


def _rejection(admission: Admission) -> Exception:
    if admission.eta is None:
        return QueueFull("Too many calls wait already; raise RatePolicy.max_queue, or start fewer at once.")
    eta = admission.eta
    return DeadlineExceeded(
        f"The deadline cannot be met: the rate budget lets this call start in about {eta.expected:.0f} s only.",
        eta=eta.expected,
        cause="budget",
    )
