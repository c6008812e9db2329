"""Clients in a FastAPI backend.

    app = FastAPI(lifespan=apteligent_lifespan())

    @app.get("/apps")
    async def apps(apteligent: Apteligent) -> list[str | None]:
        return [app.app_name for app in await apteligent.apps.list()]

A call ends with the request that it is made for: at its deadline, or when its client hangs up. Our errors become
``application/problem+json`` answers, and answers from a cache carry their ``Age``.
"""

from __future__ import annotations

import math
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, cast

import anyio
from attrs import define, field
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    ClientStateError,
    ConfigurationError,
    DeadlineExceeded,
    Event,
    MemoryCache,
)
from apteligent_async.integrations.problems import MEDIA_TYPE, problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "Apteligent",
    "apteligent_account",
    "apteligent_client",
    "apteligent_lifespan",
    "apteligent_router",
    "problem_answer",
]

DEFAULT = "default"
"""The account of `Apteligent`."""

_GONE = 499
"""What nginx logs for a client that hung up; nobody reads it."""

_SMALL_BODY = 1024 * 1024
"""Bytes of a request's body that are taken in before its endpoint begins, so that what comes then is the end."""

_KIT = "apteligent_async.kit"
"""Where a request's scope has the clients; applications that are mounted inherit it."""

_ages: ContextVar[list[float] | None] = ContextVar("apteligent_ages", default=None)
"""How old the data are that the answer under way is made from."""


@define(eq=False)
class _Kit:
    """The open clients of one application, by account, and how long its requests may take."""

    deadline: float
    deadline_header: str
    clients: dict[str, ApteligentClient] = field(factory=dict)

    def unknown(self, account: str) -> str:
        known = ", ".join(sorted(self.clients)) or "none"
        return f"No account {account!r} was passed to apteligent_lifespan(); known: {known}."

    def limit_s(self, request: Request) -> float:
        """Say how long a request may take: its header may shorten it, never lengthen it."""
        try:
            wanted = float(request.headers.get(self.deadline_header, "nan"))
        except ValueError:
            return self.deadline
        return min(wanted, self.deadline) if wanted > 0 else self.deadline


@define(eq=False)
class _Lending:
    """Gives requests the clients, and their answers the age of the data that they are made from."""

    app: ASGIApp
    kit: _Kit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ages: list[float] = []

        async def send_aged(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400 and max(ages, default=0.0) > 0:
                MutableHeaders(scope=message).setdefault("age", str(math.floor(max(ages))))
            await send(message)

        shown = _ages.set(ages)
        try:
            await self.app({**scope, _KIT: self.kit}, receive, send_aged)
        finally:
            _ages.reset(shown)


def apteligent_lifespan(
    make_client: Callable[[], ApteligentClient] | None = None,
    *,
    accounts: Mapping[str, Callable[[], ApteligentClient]] | None = None,
    deadline: float = 30.0,
    deadline_header: str = "X-Request-Timeout",
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[Any]]:
    """Make a lifespan that opens clients when an application starts and closes them when it ends.

    It also turns our errors, raised by any endpoint, into problem answers. Within a lifespan of your own, use
    ``async with apteligent_lifespan()(app):``, or pass yours as `lifespan`.

    Args:
        make_client: makes the client of `Apteligent`; by default one with the environment's credentials and a
            `MemoryCache`.
        accounts: makes the clients of further accounts, by name; see `apteligent_account`.
        deadline: seconds that a request may take, and so any call made for it.
        deadline_header: a request's header that may shorten that, in seconds.
        lifespan: another lifespan, entered after ours and left before it.

    Raises:
        ConfigurationError: the deadline is not above 0; or, when the application starts, a client cannot be entered.
    """
    if not 0 < deadline < math.inf:
        raise ConfigurationError(f"deadline={deadline!r} is not possible: it must be seconds above 0.")
    makers = {DEFAULT: make_client or _default_client} if make_client or not accounts else {}

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncGenerator[Any]:
        kit = _Kit(deadline, deadline_header)
        async with AsyncExitStack() as stack:
            for name, make in {**makers, **(accounts or {})}.items():
                client = kit.clients[name] = await stack.enter_async_context(make())
                stack.callback(client.on_event(_show_age))
            app.state.apteligent = kit
            app.middleware_stack = None  # it is built with the handlers before the lifespan begins: build it anew
            app.add_exception_handler(ApteligentError, problem_answer)
            lending = Middleware(_Lending, kit=kit)
            app.user_middleware.insert(0, lending)
            stack.callback(app.user_middleware.remove, lending)
            yield await stack.enter_async_context(lifespan(app)) if lifespan else None

    return opened


def apteligent_account(name: str = DEFAULT) -> Any:
    """Give a dependency on the client of an account.

        Emea = Annotated[ApteligentClient, apteligent_account("emea")]

    What an endpoint gets is a view of that client whose calls end with the request; each of them has a little less
    time than the request, so that an answer can still be made of what is kept. Once the endpoint has returned, as in
    a streaming answer, its calls still have that time, each for itself. A client that hangs up while its body, of
    more than 1 MiB or of unknown length, is still to be received is not noticed: that body is the endpoint's.
    """

    async def lent(request: Request) -> AsyncIterator[ApteligentClient]:
        kit = _require_kit(request.scope.get(_KIT))
        if name not in kit.clients:
            raise LookupError(kit.unknown(name))  # no problem of the caller's: the backend is to be mended
        client, limit_s = kit.clients[name], kit.limit_s(request)
        async with _bounded(request, client, limit_s):
            yield client.with_options(deadline=limit_s - min(limit_s / 10, 1.0))

    return Depends(lent, scope="function")


Apteligent = Annotated[ApteligentClient, apteligent_account()]
"""The client of an endpoint's request; what it does not carry, such as priorities, ``with_options`` adds."""


def apteligent_client(app: FastAPI, name: str = DEFAULT) -> ApteligentClient:
    """Give the client of an account outside requests, as to watch its events or to pull beside them.

    Args:
        app: the application, whose lifespan has begun.
        name: the account.

    Raises:
        ConfigurationError: the application has no such account, or its lifespan is not `apteligent_lifespan`.
    """
    kit = _require_kit(getattr(app.state, "apteligent", None))
    if name not in kit.clients:
        raise ConfigurationError(kit.unknown(name))
    return kit.clients[name]


def apteligent_router() -> APIRouter:
    """Give ``/healthz``, which says that the process answers, and ``/readyz``, which says whether clients are open.

    Neither costs a call; ``/readyz`` tells what is known of each account's budget, and is 503 without an open client.
    """
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz(request: Request, response: Response) -> dict[str, Any]:
        kit: _Kit | None = request.scope.get(_KIT)
        accounts = {} if kit is None else {name: _standing(client) for name, client in kit.clients.items()}
        is_ready = bool(accounts) and all(account["open"] for account in accounts.values())
        response.status_code = 200 if is_ready else 503
        return {"status": "ready" if is_ready else "not ready", "accounts": accounts}

    return router


async def problem_answer(request: Request, error: Exception) -> Response:
    """Say one of our errors as a problem, as applications with `apteligent_lifespan` do.

    One that is mounted in such an application has its clients, but handlers of its own:
    ``mounted.add_exception_handler(ApteligentError, problem_answer)``.
    """
    assert isinstance(error, ApteligentError)  # noqa: S101  it is registered for nothing else
    problem = problem_of(error, retry_s=getattr(request.state, "apteligent_retry_s", None))
    return JSONResponse(problem.body, problem.status, problem.headers, media_type=MEDIA_TYPE)


def _require_kit(kit: _Kit | None) -> _Kit:
    if kit is None:
        raise ConfigurationError("The application has no clients: make it with lifespan=apteligent_lifespan().")
    return kit


def _default_client() -> ApteligentClient:
    return ApteligentClient(cache=MemoryCache())


def _standing(client: ApteligentClient) -> dict[str, Any]:
    try:
        budget = client.budget()
    except ClientStateError:
        return {"open": False}
    return {"open": True, "left": budget.left_low, "reset_s": budget.reset_s, "waiting": sum(budget.queued.values())}


@asynccontextmanager
async def _bounded(request: Request, client: ApteligentClient, limit_s: float) -> AsyncGenerator[None]:
    """End what the block does at the request's deadline, and when its client hangs up.

    The deadline is a timer of ours and not that of a scope: calls that are hopeless within a scope wait for its end.
    """
    failure: Exception | None = None
    ended: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_end_late, limit_s, group, ended)
        try:
            if await _is_all_here(request):
                group.start_soon(_end_with_client, request, group, ended)
            yield
        except Exception as error:  # noqa: BLE001  raised below: a group would wrap it
            failure = _ungrouped(error)
        group.cancel_scope.cancel()
    cause = failure or next(iter(ended), None)
    if isinstance(cause, ApteligentError):
        request.state.apteligent_retry_s = _come_again_s(client)
    if cause is not None:
        raise cause


def _ungrouped(error: Exception) -> Exception:
    """Take an error of ours out of the group that a task group makes, where nothing else is in it."""
    if not isinstance(error, ExceptionGroup):
        return error
    group = cast("ExceptionGroup[Exception]", error)
    return group if group.split(ApteligentError)[1] else _ungrouped(group.exceptions[0])


async def _end_late(limit_s: float, group: anyio.abc.TaskGroup, ended: list[Exception]) -> None:
    await anyio.sleep(limit_s)
    ended.append(DeadlineExceeded(f"The request was not answered within {limit_s:g} s."))
    group.cancel_scope.cancel()


async def _end_with_client(request: Request, group: anyio.abc.TaskGroup, ended: list[Exception]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    ended.append(HTTPException(_GONE))
    group.cancel_scope.cancel()


async def _is_all_here(request: Request) -> bool:
    """Take a small body in, which the endpoint finds there; whether nothing but the end can be received from now on."""
    has_no_body = request.method in {"GET", "HEAD"} or request.scope["http_version"].startswith("1")
    length = request.headers.get("content-length", "0" if has_no_body else "unknown")
    if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > _SMALL_BODY:
        return False
    try:
        await request.body()
    except ClientDisconnect:
        raise HTTPException(_GONE) from None
    except RuntimeError:
        return True  # FastAPI has taken it in, as a form
    return True


def _come_again_s(client: ApteligentClient) -> float | None:
    try:
        return client.budget().eta(1, priority="interactive")
    except ClientStateError:
        return None


def _show_age(event: Event) -> None:
    """Note how old the data are that the request under way was given."""
    ages = _ages.get()
    if event.name == "cache.answer" and ages is not None:
        ages.append(event.detail["age_s"])
