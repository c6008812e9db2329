"""Runs the scheduler against real time: gates, one timer, and tenacity's loop around each call.

There is no background task. Whoever waits sleeps at a gate of its own; one of the sleepers, the timekeeper, also has
a timer, set to the instant that the scheduler named. When it leaves, it hands the timer to the youngest sleeper, who
is the least likely to leave soon. Between a question to the scheduler and the opening of the gates nothing is awaited,
so a caller that is cancelled knows for certain whether its call had been started, and gives it back in that step.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint, checkpoint_if_cancelled
from tenacity import AsyncRetrying, retry_if_result
from tenacity.stop import stop_never
from tenacity.wait import wait_none

from apteligent_async._clock import loop_clock
from apteligent_async._dispatch.listeners import Listeners
from apteligent_async._dispatch.visits import Answer, NotSent, Visit
from apteligent_async._scheduling.signals import Event, Job, Stage
from apteligent_async._wire.dialects import ApteligentDialect
from apteligent_async._wire.outcomes import outcome_of
from apteligent_async.errors import ApteligentError, ClientStateError, DeadlineExceeded, QueueFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from apteligent_async._budgets.courier import Courier
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.scheduler import Admission, Scheduler
    from apteligent_async._wire.dialects import Dialect

__all__ = ["Dispatcher"]

_logger = logging.getLogger("apteligent_async")


class Dispatcher:
    """Feeds every call of one budget through one scheduler. Its state is who sleeps, and who of them keeps the time.

    Args:
        scheduler: decides; nothing here does.
        dice: gives even draws from [0, 1).
        dialect: reads what answers say of the budget; None for the Apteligent API's own.
        courier: fetches tokens from where the budget is shared; None where the scheduler keeps the books.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        dice: Callable[[], float],
        dialect: Dialect | None = None,
        courier: Courier | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._courier = courier
        self._dice = dice
        self._dialect = dialect or ApteligentDialect()
        # Linked lists: the ends of a plain dictionary are slow to find once many have left it there.
        self._sleepers: OrderedDict[Job, Visit] = OrderedDict()
        self._outside: OrderedDict[Job, Visit] = OrderedDict()
        self._timer: anyio.CancelScope | None = None
        self._wake_at = math.inf
        self._listeners = Listeners()
        self._now = loop_clock()

    async def perform(self, visit: Visit) -> Answer:
        """Wait for the call's turn, send it, and again as often as the scheduler says; give the last answer.

        Raises:
            DeadlineExceeded: the deadline was hopeless from the start; nothing was sent.
            QueueFull: too many wait, or a more urgent call took this one's place.
            ClientStateError: the client was closed meanwhile.
            NotSent: `Visit.send` raised it; the start was given back.
        """
        try:
            await self._join(visit)
            await self._pass_gate(visit)
            answer = await self._attempt(visit)
            return answer if visit.job.stage is Stage.ENDED else await self._perform_again(visit)
        finally:
            if self._courier is not None and not self._sleepers:
                await self._visit_store()

    async def _perform_again(self, visit: Visit) -> Answer:
        """Attempt until the scheduler has had enough: tenacity's loop, which only those enter who need another turn.

        Most calls do not, and it would cost each of them a quarter of all that is done for a call.
        """
        loop = AsyncRetrying(
            retry=retry_if_result(lambda _: visit.job.stage is not Stage.ENDED),
            stop=stop_never,
            wait=wait_none(),
            sleep=lambda _: self._return(visit),
        )
        await self._return(visit)
        answer: Answer = await loop(self._attempt, visit)
        return answer

    def snapshot(self) -> BudgetSnapshot:
        """Describe the budget and the line now."""
        return self._scheduler.snapshot(now=self._now())

    async def look(self) -> None:
        """Learn what others have done to a budget that is shared; costs no call."""
        if self._courier is not None:
            await self._courier.look()
            self._pump()

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call a function with everything that happens in the line from now on; give one that ends it.

        The function is called in between, at the instant of the event: it must be quick. What it raises is logged.
        """
        self._listeners.add(listener)
        self._scheduler.watch()
        return partial(self._unsubscribe, listener)

    def _unsubscribe(self, listener: Callable[[Event], object]) -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self._scheduler.unwatch()

    def _publish(self) -> None:
        for event in self._scheduler.events():
            self._listeners.hear(event)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens, or the log is kept in detail."""
        return bool(self._listeners) or _logger.isEnabledFor(logging.DEBUG)

    def tell(self, name: str, **detail: Any) -> None:
        """Say, to whoever watches and to the log, what happened outside of the line."""
        self._listeners.hear(Event(name, self._now(), detail))
        if _logger.isEnabledFor(logging.DEBUG):
            fields = {f"apteligent_{key}": value for key, value in detail.items()}
            _logger.debug("%s %s", name, detail.get("label", ""), extra={"apteligent_event": name, **fields})

    def close(self, visits: Iterable[Visit]) -> None:
        """Fail, at once, those of a closing client's calls that wait; those under way end with their present answer."""
        for visit in visits:
            self._turn_away(visit, ClientStateError("The client was closed while this call was waiting."))
        self._pump()

    async def _join(self, visit: Visit) -> None:
        """Enter the line; where it is full, fail or wait outside for room, as the policy says."""
        await checkpoint_if_cancelled()
        is_back = bool(visit.job.ticket)
        try:
            while (admission := self._ask_in(visit)) is None:
                self._outside[visit.job] = visit
                with visit.waiting():
                    await visit.bell().wait()
        finally:
            if self._outside.pop(visit.job, None) is not None:
                self._call_in()
        if admission.shed is not None:
            failure = QueueFull("This call was shed for a more urgent one: the line is full.")
            self._turn_away(self._sleepers[admission.shed], failure)
        if is_back:
            await self._let_others_back(visit)
        self._pump()

    async def _let_others_back(self, visit: Visit) -> None:
        """Let all who come back in this tick take their old places before any of them starts."""
        self._sleepers[visit.job] = visit
        try:
            await checkpoint()
        except BaseException:
            self._sleepers.pop(visit.job, None)
            self._leave(visit)
            raise

    def _ask_in(self, visit: Visit) -> Admission | None:
        """Enter the line if there is room; None: wait, behind those who wait for room already."""
        visit.check()
        if self._outside and visit is not next(iter(self._outside.values())) and not visit.job.ticket:
            return None
        admission = self._scheduler.submit(visit.job, now=self._now())
        if admission.is_admitted:
            return admission
        self._publish()
        if admission.eta is not None or self._scheduler.policy.on_full != "wait":
            raise _rejection(admission)
        return None

    async def _attempt(self, visit: Visit) -> Answer:
        job = visit.job
        try:
            answer = await visit.send()
            outcome = outcome_of(answer, self._dialect)
        except (NotSent, ApteligentError):
            self._leave(visit)
            raise
        except BaseException:
            visit.attempts += 1
            self._scheduler.abandon(job, now=self._now())
            self._pump()
            raise
        visit.attempts += 1
        self._scheduler.settle(job, outcome, now=self._now(), dice=self._dice())
        self._pump()
        return answer

    async def _return(self, visit: Visit) -> None:
        """Wait for the next turn, with nothing of the last answer in hand."""
        if visit.let_go is not None:
            try:
                await visit.let_go()
            except BaseException:
                self._leave(visit)
                raise
        await self._pass_gate(visit)

    async def _pass_gate(self, visit: Visit) -> None:
        """Sleep until the job has been started; a caller that leaves before sending gives its start back."""
        if visit.job.stage is Stage.STARTED and visit.failure is None:
            return
        since = self._now()
        try:
            if not visit.has_turn:
                # No helper in between: each frame on the way to sleep is kept for every waiting call.
                self._sleepers[visit.job] = visit
                try:
                    while not visit.has_turn:
                        if self._timer is None:
                            await self._keep_time(visit)
                        else:
                            await visit.bell().wait()
                finally:
                    self._sleepers.pop(visit.job, None)
                    self._hand_over()
                await checkpoint_if_cancelled()
            visit.check()
        except BaseException:
            self._leave(visit)
            raise
        finally:
            visit.waited_s += self._now() - since

    async def _keep_time(self, visit: Visit) -> None:
        """Sleep at the gate and at the scheduler's instant, whichever comes first; others may move the instant."""
        if is_time := self._wake_at <= self._now():
            await checkpoint()  # nothing to sleep for, but who is ready too shall come along
        else:
            timer = self._timer = anyio.CancelScope(deadline=self._wake_at)
            try:
                with timer:
                    await visit.bell().wait()
            finally:
                self._timer = None
            is_time = timer.cancel_called
        if is_time and self._courier is not None:
            await self._visit_store()
        elif is_time:
            self._start_due()

    async def _visit_store(self) -> None:
        """Go to the store if it is time; once for those who wait, and until all is told where nobody does."""
        assert self._courier is not None  # noqa: S101  who asks has looked
        while self._courier.due_at() <= self._now():
            await self._courier.visit()
            if self._sleepers:
                break
        self._pump()

    def _hand_over(self) -> None:
        """Wake the youngest sleeper to keep the time, if nobody does and there is an instant to wait for."""
        if self._timer is None and self._wake_at < math.inf and self._sleepers:
            next(reversed(self._sleepers.values())).ring()

    def _pump(self) -> None:
        """Start what may start, and set the timer."""
        self._start_due()
        if self._timer is not None and self._timer.deadline != self._wake_at:
            self._timer.deadline = self._wake_at
        self._hand_over()

    def _start_due(self) -> None:
        for job in self._scheduler.due(now=self._now()):
            visit = self._sleepers.pop(job, None)
            if visit is not None:
                visit.ring()
        wake_at = self._scheduler.wake_at()
        self._wake_at = math.inf if wake_at is None else wake_at
        if self._courier is not None:
            self._wake_at = min(self._wake_at, self._courier.due_at())
        self._call_in()
        self._publish()

    def _call_in(self) -> None:
        """Wake who has waited longest for room; if there is none, it waits on at the same place."""
        if self._outside:
            next(iter(self._outside.values())).ring()

    def _leave(self, visit: Visit) -> None:
        self._scheduler.withdraw(visit.job, now=self._now())
        self._pump()

    def _turn_away(self, visit: Visit, failure: ApteligentError) -> None:
        visit.failure = failure
        if self._sleepers.pop(visit.job, None) is not None:
            self._scheduler.withdraw(visit.job, now=self._now())
        visit.ring()


def _rejection(admission: Admission) -> ApteligentError:
    if admission.eta is None:
        return QueueFull("Too many calls wait already; raise RatePolicy.max_queue, or start fewer at once.")
    eta = admission.eta
    return DeadlineExceeded(
        f"The deadline cannot be met: the rate budget lets this call start in about {eta.expected:.0f} s only.",
        eta=eta.expected,
        cause=admission.cause.value,
    )
