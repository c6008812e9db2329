"""A line of callers without a client: the dispatcher, the scheduler, and a service to send to."""

from __future__ import annotations

import json
import math
from random import Random

import anyio
from attrs import define, field
from counterparts import WindowService

from apteligent_async import RatePolicy
from apteligent_async._dispatch import Dispatcher, Visit
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job
from apteligent_async._wire.messages import LinkFailure, Reply
from apteligent_async.errors import ConnectionFailed


def reply(status, headers=None, body=None):
    """Write an answer as the wire's own value."""
    names = {name.lower(): value for name, value in (headers or {}).items()}
    return Reply(status=status, headers=names, body=json.dumps(body or {}).encode())


def cut(*, was_sent=True):
    """Write a failure of the link."""
    return LinkFailure(error=ConnectionFailed("cut"), was_sent=was_sent)


@define(eq=False)
class Line:
    """A dispatcher with its own scheduler, joined to a service of fixed windows; it notes who was sent."""

    policy: RatePolicy = field(factory=RatePolicy)
    service: WindowService = field(factory=WindowService)
    faults: dict = field(factory=dict)
    dice: object = field(factory=lambda: Random(1).random)
    sent: list = field(factory=list)
    scheduler: Scheduler = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def __attrs_post_init__(self):
        self.scheduler = Scheduler(self.policy)
        self.dispatcher = Dispatcher(self.scheduler, dice=self.dice)
        self.service.phase_s = anyio.current_time()

    def visit(self, name, *, trip_s=0.2, **job):
        """Make a call; its name is what `sent` notes."""
        visit = Visit(Job(**job), None)

        async def send():
            self.sent.append(name)
            await anyio.sleep(trip_s / 2)
            fault = self.faults.get(name, []).pop(0) if self.faults.get(name) else None
            answer = reply(*self.service.answer(anyio.current_time()))
            await anyio.sleep(trip_s / 2)
            return fault or answer

        visit.send = send
        return visit

    async def call(self, name, **options):
        """Perform a call; give its answer."""
        return await self.dispatcher.perform(self.visit(name, **options))

    def assert_clean(self):
        """Nobody sleeps, nothing is booked, and nobody keeps the time."""
        dispatcher, scheduler = self.dispatcher, self.scheduler
        assert not dispatcher._sleepers
        assert not dispatcher._outside
        assert dispatcher._timer is None
        snapshot = dispatcher.snapshot()
        assert (snapshot.in_flight, sum(snapshot.queued.values()), scheduler.budget.live) == (0, 0, 0)
        assert math.isfinite(scheduler.budget.left)


class CancelledAt:
    """Runs a coroutine and cancels a scope when it suspends for the nth time: at exactly one of its awaits."""

    def __init__(self, coroutine, scope, *, step):
        self._coroutine, self._scope, self._step = coroutine, scope, step
        self.steps = 0

    def __await__(self):
        suspended = self._coroutine.__await__()
        resume, value = suspended.send, None
        while True:
            try:
                trap = resume(value)
            except StopIteration as stop:
                return stop.value
            self.steps += 1
            if self.steps == self._step:
                self._scope.cancel()
            try:
                resume, value = suspended.send, (yield trap)
            except BaseException as error:  # noqa: BLE001  whatever is thrown in is passed on
                resume, value = suspended.throw, error
