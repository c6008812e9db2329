"""The life of a call: a token, a place in line, an answer, a result; and the life of a client around it."""

from __future__ import annotations

import math
import random
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from attrs import evolve

from apteligent_async._auth import TokenKeeper
from apteligent_async._budgets import shared_budget, take_seat
from apteligent_async._cache.entries import account_of
from apteligent_async._calls import Call
from apteligent_async._clock import loop_clock, running_loop
from apteligent_async._connections import open_stack
from apteligent_async._dispatch import Dispatcher, NotSent, Visit
from apteligent_async._http import HttpLink, open_client
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.signals import Lane
from apteligent_async._settings import ResolvedSettings, Settings, resolve
from apteligent_async._shared_token import token_source
from apteligent_async._wire.codec import prepare
from apteligent_async._wire.drift import Drift
from apteligent_async._wire.links import safe_link
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
from apteligent_async.models.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable

    from apteligent_async._budgets.courier import Courier
    from apteligent_async._dispatch import Answer
    from apteligent_async._options import CallOptions
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.scheduler import Scheduler
    from apteligent_async._scheduling.signals import Event
    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Request
    from apteligent_async.models.access import Token
    from apteligent_async.models.result import Part
    from apteligent_async.models.timeline import Timeline

__all__ = ["Session"]

Found = TypeVar("Found", bound="Part")


class Session:
    """An open client's inside. Its state: whether it is open and on which loop, and who does the work while it is.

    Args:
        settings: what the client was made with; the environment fills the gaps when the session opens.
        options: how the token is fetched.
    """

    def __init__(self, settings: Settings, options: CallOptions) -> None:
        self._settings = settings
        self._options = options
        self._state = "new"
        self._loop: Hashable = None
        self._visits: set[Visit] = set()
        self._account = ""
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
        prepare()
        loop = running_loop()
        self._origin, self._site = str(settings.origin), settings.site
        self._link = _link(settings)
        budget = settings.budget or shared_budget(self._origin, settings.credentials.client_id, loop)
        self._seat = take_seat(budget, loop, settings.policy, _dispatcher, account=settings.budget_account)
        self._dispatcher = self._seat.runner
        self._keeper = TokenKeeper(settings.credentials, token_source(settings, self._fetch_token))
        self._account = account_of(self._origin, settings.credentials.identity, settings.headers)
        self._loop, self._now, self._state = loop, loop_clock(), "open"
        try:
            await self._seat.prepare()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Fail the calls that wait, close the connections and leave the budget; doing it twice does no harm.

        Calls under way get their present answer, if it still comes, and no further attempt.

        Raises:
            ClientStateError: it is open on another loop.
        """
        if self._state != "open":
            self._state = "closed"
            return
        self._require_loop()
        self._state = "closed"
        self._dispatcher.close(self._visits)
        with anyio.CancelScope(shield=True):
            await self._seat.leave()
            await self._link.aclose()

    @property
    def account(self) -> str:
        """Whose answers these are, by a digest; it is known from the opening on."""
        if not self._account:
            self.require_open()
        return self._account

    @property
    def status(self) -> str:
        """Whether it is new, open or closed, and what waits."""
        return f"{self._state}, {len(self._visits)} calls under way" if self._state == "open" else self._state

    def snapshot(self) -> BudgetSnapshot:
        """Describe the budget now."""
        self.require_open()
        return self._dispatcher.snapshot()

    async def look(self) -> BudgetSnapshot:
        """Describe the budget after learning what others have done to it."""
        self.require_open()
        await self._dispatcher.look()
        return self.snapshot()

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call a function with everything that happens in this budget's line; give one that ends it."""
        self.require_open()
        return self._dispatcher.subscribe(listener)

    def link_target(self, link: object) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Reduce a link of the service to a path and a query of its own.

        Raises:
            ConfigurationError: it is no text.
            UnsafeLinkError: it leads elsewhere.
        """
        self.require_open()
        if not isinstance(link, str):
            raise ConfigurationError(f"link must be a text, not {link!r}.")
        return safe_link(link, self._origin)

    def require_site_of(self, app_id: str) -> None:
        """Refuse an app of another site, whose calls would be lost; an id that does not say where it lives may pass.

        Raises:
            ConfigurationError: the app lives elsewhere.
        """
        self._require_state()
        home = Region.for_app(app_id)
        if self._site is not None and home not in {None, self._site}:
            raise ConfigurationError(
                f"The app {app_id} lives on the site {home}, and this client asks {self._site}: make one with "
                f"region={str(home)!r}."
            )

    async def token(self, options: CallOptions) -> Token:
        """Describe the token in hand, and fetch one if there is none or it is at its end.

        Raises:
            AuthenticationError: the service refused the credentials.
            DeadlineExceeded: the deadline passed first.
        """
        self.require_open()
        with anyio.move_on_after(options.deadline):
            return await self._keeper.held()
        raise DeadlineExceeded(f"No token came within the deadline of {options.deadline:g} s.", endpoint=TOKEN.name)

    def tell(self, name: str, **detail: object) -> None:
        """Say, to whoever watches and to the log, what happened outside of the line."""
        if self._dispatcher.is_heard:
            self._dispatcher.tell(name, **detail)

    async def call(
        self, endpoint: Endpoint[Found], request: Request, options: CallOptions, *, wanted_until: float = math.inf
    ) -> Found:
        """Send a request through the line and give the decoded result.

        Args:
            endpoint: the row of the call.
            request: what to send.
            options: how.
            wanted_until: the instant after which nobody wants the answer: what cannot start before fails at once.

        Raises:
            ApteligentError: whatever went wrong, with the endpoint, the attempts and the time waited.
        """
        self.require_open()
        call = self._call(endpoint, request, options, lane=Lane[options.priority.name])
        call.wanted_until = wanted_until
        call.visit.job.deadline_at = min(call.deadline_at, wanted_until, anyio.current_effective_deadline())
        with self._registered(call):
            return await self._within_deadline(call)

    def _call(self, endpoint: Endpoint[Found], request: Request, options: CallOptions, *, lane: Lane) -> Call[Found]:
        now = self._now()
        deadline_at = math.inf if options.deadline is None else now + options.deadline
        call = Call(endpoint=endpoint, request=request, options=options, began_at=now, deadline_at=deadline_at)
        call.visit = Visit(call.job(lane), partial(self._send, call))
        return call

    @contextmanager
    def _registered(self, call: Call[Any]) -> Generator[None]:
        """Keep the call among those that closing ends, and write on its error what became of it."""
        visit, outcome = call.visit, "cancelled"
        self._visits.add(visit)
        try:
            yield
            outcome = "result"
        except ApteligentError as error:
            outcome = type(error).__name__
            if error.endpoint in {None, call.request.endpoint}:  # the token call has signed its own
                error.endpoint = call.request.endpoint
                error.attempts, error.waited = visit.attempts, visit.waited_s
            raise
        finally:
            self._visits.discard(visit)
            if self._dispatcher.is_heard:
                self.tell("call.done", **call.told(outcome))

    async def _within_deadline(self, call: Call[Found]) -> Found:
        if call.deadline_at == math.inf:
            return await self._perform(call)
        with anyio.CancelScope(deadline=call.deadline_at):
            return await self._perform(call)
        raise DeadlineExceeded(
            f"The call was not done within its deadline of {call.options.deadline:g} s.",
            cause="answer" if call.visit.attempts else "budget",
        )

    async def _perform(self, call: Call[Found]) -> Found:
        """Send, with a token if it needs one; after a 401 or 403 renew that, once, and take the old place in line."""
        has_renewed, path = False, call.request.path
        while True:
            self._require_state()
            if call.request.is_authorized:
                await self._await_token(call)
            try:
                found = self._result(call, await self._dispatcher.perform(call.visit))
            except NotSent:
                continue
            except DeadlineExceeded:
                if min(call.deadline_at, call.wanted_until) <= call.visit.job.deadline_at:
                    raise
                await self._outlast_scope(call)
            except AuthenticationError as error:
                if has_renewed:
                    self._keeper.note_denied(error, token=call.token, path=path)
                if has_renewed or not self._keeper.reject(error, token=call.token, path=path):
                    raise
                has_renewed = True
            else:
                self._keeper.note_opened(path)
                return found

    async def _await_token(self, call: Call[Any]) -> None:
        if self._keeper.has_token:
            return
        waited_s = call.visit.waited_s
        with call.visit.waiting():
            await self._keeper.token()
        call.token_s += call.visit.waited_s - waited_s

    async def _outlast_scope(self, call: Call[Any]) -> None:
        """Wait for an enclosing scope to cancel a call that is hopeless within it, unless its owner moves its end."""
        with call.visit.waiting():
            await anyio.sleep_until(call.visit.job.deadline_at)
        call.visit.job.deadline_at = min(call.deadline_at, anyio.current_effective_deadline())

    async def _send(self, call: Call[Any]) -> Answer:
        if call.request.is_authorized:
            # Chosen at the last moment: the token that the call joined the line with may be gone, or at its end.
            call.token = self._keeper.take()
            if call.token is None:
                raise NotSent
        return await self._link.send(call.request, token=call.token, timeout_s=call.options.timeout)

    async def _fetch_token(self, request: Request) -> tuple[Token, float]:
        call = self._call(TOKEN, request, evolve(self._options, deadline=None), lane=Lane.TOKEN)
        with self._registered(call):
            answer = await self._dispatcher.perform(call.visit)
            return self._result(call, answer), call.visit.job.granted_at

    def _result(self, call: Call[Found], answer: Answer) -> Found:
        if isinstance(answer, LinkFailure):
            raise answer.error
        now, began_at = self._now(), time.perf_counter()

        def timeline() -> Timeline:
            return call.measure(answer, now=self._now(), decode_s=time.perf_counter() - began_at)

        secrets = (*self._keeper.secrets, call.token or "")
        try:
            return decode(call.endpoint, answer, timeline=timeline, drift=self.drift, secrets=secrets)
        except ApteligentError as error:
            if isinstance(error, RateLimitedError) and error.reset is not None:
                error.retry_at = now + error.reset
            raise error.with_traceback(None)  # noqa: B904  its frames hold the answer, and what that may repeat

    def require_open(self) -> None:
        """Refuse a client that is not open, or is on another event loop."""
        self._require_state()
        self._require_loop()

    def _require_state(self) -> None:
        if self._state != "open":
            what = "has not been entered yet" if self._state == "new" else "is closed"
            raise ClientStateError(f"This client {what}: use it inside `async with ApteligentClient(...) as client:`.")

    def _require_loop(self) -> None:
        if running_loop() != self._loop:
            raise ClientStateError("This client was entered on another event loop: make one client per loop.")


def _dispatcher(scheduler: Scheduler, courier: Courier | None) -> Dispatcher:
    return Dispatcher(scheduler, dice=random.random, courier=courier)


def _link(settings: ResolvedSettings) -> HttpLink:
    if settings.http_client is not None:
        return HttpLink(settings.http_client, origin=settings.origin, headers=settings.headers)
    policy = settings.policy or RatePolicy()
    transport = settings.transport or open_stack(
        settings.origin, proxy=settings.proxy, ssl_context=settings.ssl_context, most_free=policy.max_in_flight
    )
    client = open_client(transport)
    return HttpLink(client, origin=settings.origin, headers=settings.headers, transport=transport)
