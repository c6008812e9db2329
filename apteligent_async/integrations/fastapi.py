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
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from attrs import define, field
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

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

__all__ = ["Apteligent", "apteligent_account", "apteligent_client", "apteligent_lifespan", "apteligent_router"]

DEFAULT = "default"
"""The account of `Apteligent`."""

_GONE = 499
"""What nginx logs for a client that hung up; nobody reads it."""

_answering: ContextVar[Response | None] = ContextVar("apteligent_answering", default=None)


@define(eq=False)
class _Kit:
    """The open clients of one application, by account, and how long its requests may take."""

    deadline: float
    deadline_header: str
    clients: dict[str, ApteligentClient] = field(factory=dict)

    def client(self, account: str) -> ApteligentClient:
        if account not in self.clients:
            known = ", ".join(sorted(self.clients)) or "none"
            raise ConfigurationError(f"No account {account!r} was passed to apteligent_lifespan(); known: {known}.")
        return self.clients[account]

    def limit_s(self, request: Request) -> float:
        """Say how long a request may take: its header may shorten it, never lengthen it."""
        try:
            wanted = float(request.headers.get(self.deadline_header, "nan"))
        except ValueError:
            return self.deadline
        return min(wanted, self.deadline) if wanted > 0 else self.deadline


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
            app.add_exception_handler(ApteligentError, _answer_problem)
            app.middleware_stack = None  # it is built with the handlers before the lifespan begins: build it anew
            yield await stack.enter_async_context(lifespan(app)) if lifespan else None

    return opened


def apteligent_account(name: str = DEFAULT) -> Any:
    """Give a dependency on the client of an account.

        Emea = Annotated[ApteligentClient, apteligent_account("emea")]

    What an endpoint gets is a view of that client whose calls end with the request. Once the endpoint has returned,
    as in a streaming answer, its calls still have the deadline, each for itself.
    """

    async def lent(request: Request, response: Response) -> AsyncIterator[ApteligentClient]:
        kit: _Kit = request.app.state.apteligent
        client, limit_s = kit.client(name), kit.limit_s(request)
        shown = _answering.set(response)
        try:
            async with _bounded(request, client, limit_s):
                yield client.with_options(deadline=limit_s)
        finally:
            _answering.reset(shown)

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
    kit: _Kit | None = getattr(app.state, "apteligent", None)
    if kit is None:
        raise ConfigurationError("The application has no clients: make it with lifespan=apteligent_lifespan().")
    return kit.client(name)


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
        kit: _Kit | None = getattr(request.app.state, "apteligent", None)
        accounts = {} if kit is None else {name: _standing(client) for name, client in kit.clients.items()}
        is_ready = bool(accounts) and all(account["open"] for account in accounts.values())
        response.status_code = 200 if is_ready else 503
        return {"status": "ready" if is_ready else "not ready", "accounts": accounts}

    return router


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
        if not _has_body(request):
            group.start_soon(_end_with_client, request, group, ended)
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised below: a group would wrap it
            failure = error
        group.cancel_scope.cancel()
    cause = failure or next(iter(ended), None)
    if isinstance(cause, ApteligentError):
        request.state.apteligent_retry_s = _come_again_s(client)
    if cause is not None:
        raise cause


async def _end_late(limit_s: float, group: anyio.abc.TaskGroup, ended: list[Exception]) -> None:
    await anyio.sleep(limit_s)
    ended.append(DeadlineExceeded(f"The request was not answered within {limit_s:g} s."))
    group.cancel_scope.cancel()


async def _end_with_client(request: Request, group: anyio.abc.TaskGroup, ended: list[Exception]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    ended.append(HTTPException(_GONE))
    group.cancel_scope.cancel()


def _has_body(request: Request) -> bool:
    """Whether a body may still be on its way, which is the endpoint's to receive."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _come_again_s(client: ApteligentClient) -> float | None:
    try:
        return client.budget().eta(1)
    except ClientStateError:
        return None


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApteligentError)  # noqa: S101  it is registered for nothing else
    problem = problem_of(error, retry_s=getattr(request.state, "apteligent_retry_s", None))
    return JSONResponse(problem.body, problem.status, problem.headers, media_type=MEDIA_TYPE)


def _show_age(event: Event) -> None:
    """Write on the answer to the request under way how old its oldest data are."""
    response = _answering.get()
    if event.name == "cache.answer" and response is not None and event.detail["age_s"] > 0:
        known = int(response.headers.get("age", "0"))
        response.headers["age"] = str(max(known, math.floor(event.detail["age_s"])))
