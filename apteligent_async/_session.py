"""The life of a call: a token, a place in line, an answer, a result; and the life of a client around it."""

from __future__ import annotations

import math
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.lowlevel
import httpx
from attrs import define, evolve, field, frozen

from apteligent_async._auth import TokenKeeper
from apteligent_async._budgets import shared_budget
from apteligent_async._dispatch import Dispatcher, NotSent, Transcript
from apteligent_async._http import HttpLink, open_stack
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._scheduling.signals import Job, Lane, Priority
from apteligent_async._settings import ResolvedSettings, Settings, resolve
from apteligent_async._wire.drift import Drift
from apteligent_async._wire.messages import LinkFailure
from apteligent_async._wire.replies import decode
from apteligent_async._wire.token import TOKEN
from apteligent_async.errors import (
    ApteligentError,
    AuthenticationError,
    ClientStateError,
    ConfigurationError,
    DeadlineExceeded,
    RateLimitedError,
)
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Hashable

    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.scheduler import Scheduler
    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Reply, Request
    from apteligent_async.models.access import Token
    from apteligent_async.models.result import Part

__all__ = ["CallOptions", "Session"]

Found = TypeVar("Found", bound="Part")

_LANES = {Priority.INTERACTIVE: Lane.INTERACTIVE, Priority.BULK: Lane.BULK}


@frozen(kw_only=True)
class CallOptions:
    """What may differ from call to call."""

    priority: Priority = Priority.INTERACTIVE
    deadline: float | None = None
    timeout: float | None = 60.0
    retry: RetryPolicy = field(factory=RetryPolicy)

    def changed(self, *, priority: Priority | str | None, **others: Any) -> CallOptions:
        """Give these options with changes; what is None stays.

        Raises:
            ConfigurationError: an option is not possible.
        """
        wanted = {name: value for name, value in others.items() if value is not None}
        for name in ("deadline", "timeout"):
            if wanted.get(name, 1.0) <= 0:
                raise ConfigurationError(f"{name}={wanted[name]!r} is not possible: it must be seconds above 0.")
        return evolve(self, priority=self.priority if priority is None else _priority(priority), **wanted)


@define(kw_only=True)
class _Call(Generic[Found]):
    """One call on its way; `token` is what its last attempt was sent with."""

    endpoint: Endpoint[Found]
    request: Request
    options: CallOptions
    job: Job
    began_at: float
    token: str | None = None


class Session:
    """An open client's inside. Its state: whether it is open and on which loop, and who does the work while it is.

    Args:
        settings: what the client was made with; the environment fills the gaps when the session opens.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = "new"
        self._loop: Hashable = None
        self._jobs: set[Job] = set()
        self.drift = Drift()

    async def open(self) -> None:
        """Read the environment, join the budget and make the connections' pool; nothing is sent.

        Raises:
            ClientStateError: it has been opened before.
            ConfigurationError: the settings cannot work.
        """
        if self._state != "new":
            raise ClientStateError(
                f"This client is {self._state} already: enter a client once, and make a new one to start again."
            )
        settings = resolve(self._settings)
        loop = anyio.lowlevel.current_token()
        self._budget = settings.budget or shared_budget(str(settings.origin), settings.credentials.client_id)
        self._dispatcher = self._budget.join(loop, settings.policy, _dispatcher)
        self._link = _link(settings)
        self._keeper = TokenKeeper(settings.credentials, self._fetch_token)
        self._loop, self._state = loop, "open"

    async def aclose(self) -> None:
        """Fail the calls that wait, close the connections and leave the budget; doing it twice does no harm."""
        if self._state != "open":
            self._state = "closed"
            return
        self._state = "closed"
        self._dispatcher.close(self._jobs)
        self._budget.leave(self._loop)
        with anyio.CancelScope(shield=True):
            await self._link.aclose()

    @property
    def status(self) -> str:
        """Whether it is new, open or closed, and what waits."""
        return f"{self._state}, {len(self._jobs)} calls under way" if self._state == "open" else self._state

    def snapshot(self) -> BudgetSnapshot:
        """Describe the budget now."""
        self._require_open()
        return self._dispatcher.snapshot()

    async def call(self, endpoint: Endpoint[Found], request: Request, options: CallOptions) -> Found:
        """Send a request through the line and give the decoded result.

        Raises:
            ApteligentError: whatever went wrong, with the endpoint, the attempts and the time waited.
        """
        self._require_open()
        began_at = anyio.current_time()
        deadline_at = math.inf if options.deadline is None else began_at + options.deadline
        job = Job(
            lane=_LANES[options.priority],
            deadline_at=min(deadline_at, anyio.current_effective_deadline()),
            is_repeatable=request.is_repeatable,
            retry=options.retry,
        )
        call = _Call(endpoint=endpoint, request=request, options=options, job=job, began_at=began_at)
        self._jobs.add(job)
        try:
            return await self._within(deadline_at, call)
        except ApteligentError as error:
            error.endpoint = error.endpoint or request.endpoint
            error.attempts = job.attempts
            error.waited = (job.granted_at if job.attempts else anyio.current_time()) - began_at
            raise
        finally:
            self._jobs.discard(job)

    async def _within(self, deadline_at: float, call: _Call[Found]) -> Found:
        if deadline_at == math.inf:
            return await self._perform(call)
        with anyio.CancelScope(deadline=deadline_at):
            return await self._perform(call)
        raise DeadlineExceeded(
            f"The call was not done within its deadline of {call.options.deadline:g} s.",
            cause="answer" if call.job.attempts else "budget",
        )

    async def _perform(self, call: _Call[Found]) -> Found:
        """Send, with a token if it needs one; after a 401 or 403 renew that, once, and take the old place in line."""
        has_renewed = False
        while True:
            if call.request.is_authorized:
                await self._keeper.token()
            try:
                return self._result(call, await self._dispatcher.perform(call.job, partial(self._send, call)))
            except NotSent:
                continue
            except AuthenticationError:
                if has_renewed or not self._keeper.reject(call.token, path=call.request.path):
                    self._keeper.note_denied(call.request.path)
                    raise
                has_renewed = True

    async def _send(self, call: _Call[Any]) -> Reply | LinkFailure:
        if call.request.is_authorized:
            call.token = self._keeper.current
            if call.token is None:  # it was rejected while this call waited: sending with it would waste budget
                raise NotSent
        return await self._link.send(call.request, token=call.token, timeout_s=call.options.timeout)

    async def _fetch_token(self, request: Request) -> Token:
        job = Job(lane=Lane.TOKEN)
        call = _Call(endpoint=TOKEN, request=request, options=CallOptions(), job=job, began_at=anyio.current_time())
        self._jobs.add(job)
        try:
            return self._result(call, await self._dispatcher.perform(job, partial(self._send, call)))
        finally:
            self._jobs.discard(job)

    def _result(self, call: _Call[Found], transcript: Transcript) -> Found:
        if isinstance(transcript.answer, LinkFailure):
            raise transcript.answer.error
        now = anyio.current_time()
        timeline = Timeline(waited_s=transcript.waited_s, total_s=now - call.began_at, attempts=transcript.attempts)
        secrets = self._keeper.secrets
        try:
            return decode(call.endpoint, transcript.answer, timeline=timeline, drift=self.drift, secrets=secrets)
        except RateLimitedError as error:
            error.retry_at = None if error.reset is None else now + error.reset
            raise

    def _require_open(self) -> None:
        if self._state != "open":
            what = "has not been entered yet" if self._state == "new" else "is closed"
            raise ClientStateError(f"This client {what}: use it inside `async with ApteligentClient(...) as client:`.")
        if anyio.lowlevel.current_token() != self._loop:
            raise ClientStateError("This client was entered on another event loop: make one client per loop.")


def _priority(name: Priority | str) -> Priority:
    try:
        return Priority(name)
    except ValueError:
        allowed = ", ".join(each.value for each in Priority)
        raise ConfigurationError(f"priority={name!r} is not known: it must be one of {allowed}.") from None


def _dispatcher(scheduler: Scheduler) -> Dispatcher:
    return Dispatcher(scheduler, dice=random.random)


def _link(settings: ResolvedSettings) -> HttpLink:
    if settings.http_client is not None:
        return HttpLink(settings.http_client, origin=settings.origin, headers=settings.headers, owns_client=False)
    policy = settings.policy or RatePolicy()
    transport = settings.transport or open_stack(
        settings.origin, proxy=settings.proxy, ssl_context=settings.ssl_context, most_free=policy.max_in_flight
    )
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    return HttpLink(client, origin=settings.origin, headers=settings.headers, owns_client=True)
