"""One call on its way: what is known of it, and what is told of it when it is over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from attrs import define, field

from apteligent_async._dispatch import Visit  # noqa: TC001  attrs shows it
from apteligent_async._options import CallOptions  # noqa: TC001
from apteligent_async._scheduling.signals import Job, Lane
from apteligent_async._wire.calls import Endpoint  # noqa: TC001
from apteligent_async._wire.messages import Request  # noqa: TC001
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from apteligent_async._wire.messages import Reply
    from apteligent_async.models.result import Part

__all__ = ["Call"]

Found = TypeVar("Found", bound="Part")

_PARTS = ("token_s", "limiter_s", "connect_s", "first_byte_s", "decode_s")


@define(kw_only=True)
class Call(Generic[Found]):
    """One call on its way.

    Attributes:
        deadline_at: the caller's own deadline; an enclosing scope may end the call earlier.
        wanted_until: the instant after which nobody wants the answer; it only says what is hopeless from the start.
        visit: its way through the line.
        token: what its last attempt was sent with.
        token_s: seconds spent waiting for a token.
        timeline: how long its parts took, once there is a result.
    """

    endpoint: Endpoint[Found]
    request: Request
    options: CallOptions
    began_at: float
    deadline_at: float = math.inf
    wanted_until: float = math.inf
    visit: Visit = field(init=False)
    token: str | None = field(default=None, repr=False)
    token_s: float = 0.0
    timeline: Timeline | None = None

    def job(self, lane: Lane) -> Job:
        """Say what the scheduler has to know; a call that belongs to no client id, such as discovery, costs nothing."""
        request = self.request
        is_charged = request.is_authorized or request.is_secret
        return Job(
            lane=lane if is_charged else Lane.FREE,
            cost=int(is_charged),
            label=request.endpoint,
            is_repeatable=request.is_repeatable,
            retry=self.options.retry,
        )

    def measure(self, answer: Reply, *, now: float, decode_s: float) -> Timeline:
        """Note how long its parts took, now that its answer is decoded."""
        self.timeline = Timeline(
            waited_s=self.visit.waited_s,
            total_s=now - self.began_at,
            attempts=self.visit.attempts,
            token_s=self.token_s,
            limiter_s=self.visit.job.held_s,
            connect_s=answer.connect_s,
            first_byte_s=answer.first_byte_s,
            decode_s=decode_s,
        )
        return self.timeline

    def told(self, outcome: str) -> dict[str, Any]:
        """Say how it ended, for events and logs: no address, parameter or secret is in it."""
        detail: dict[str, Any] = {
            "call": self.visit.job.ticket,
            "label": self.request.endpoint,
            "outcome": outcome,
            "total_s": anyio.current_time() - self.began_at,
            "waited_s": self.visit.waited_s,
            "attempts": self.visit.attempts,
        }
        if self.timeline is not None:
            detail.update({name: getattr(self.timeline, name) for name in _PARTS})
        return detail
