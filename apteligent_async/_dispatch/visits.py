"""A call on its way through the line, as its caller and the dispatcher share it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
from attrs import define, field

from apteligent_async._scheduling.signals import Job, Stage
from apteligent_async._wire.messages import LinkFailure, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from apteligent_async.errors import ApteligentError

__all__ = ["Answer", "NotSent", "Visit"]

Answer = Reply | LinkFailure


class NotSent(Exception):  # noqa: N818  a signal between two modules
    """What `Visit.send` raises when it finds, at its turn, that the call must not be sent now."""


@define(eq=False)
class Visit:
    """One call on its way through the line: made by its caller, led by the dispatcher.

    Attributes:
        job: the call as the scheduler sees it; performed again, it takes its old place.
        send: makes one attempt and returns an answer for whatever the service or the link does. What it raises of
            ours, or `NotSent`, means that nothing was sent.
        let_go: gives back what the last answer holds, such as a connection, once another attempt is to follow it.
        attempts: requests that were sent so far.
        waited_s: seconds spent waiting for its turns so far.
        failure: why it must leave the line without an answer, once it must.
    """

    job: Job
    send: Callable[[], Awaitable[Answer]]
    let_go: Callable[[], Awaitable[None]] | None = None
    attempts: int = 0
    waited_s: float = 0.0
    failure: ApteligentError | None = None
    _bell: anyio.Event | None = field(default=None, init=False)

    @property
    def has_turn(self) -> bool:
        """Whether there is nothing left to sleep for."""
        return self.failure is not None or self.job.stage is Stage.STARTED

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Count the time that the block takes as waiting."""
        since = anyio.current_time()
        try:
            yield
        finally:
            self.waited_s += anyio.current_time() - since

    def bell(self) -> anyio.Event:
        """Hang up a new bell to wait for."""
        self._bell = anyio.Event()
        return self._bell

    def ring(self) -> None:
        """Wake the caller, to see whether its turn has come or else to keep the time."""
        if self._bell is not None:
            self._bell.set()
