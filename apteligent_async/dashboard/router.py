"""The addresses of the dashboard, for any FastAPI application, and what belongs to one dashboard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse

from apteligent_async import ApteligentClient  # noqa: TC001  FastAPI reads the annotations
from apteligent_async.dashboard import panels
from apteligent_async.dashboard.door import Door, guarded_by
from apteligent_async.dashboard.line import Line
from apteligent_async.integrations.fastapi import apteligent_account, apteligent_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

__all__ = ["dashboard_router"]

_ENDPOINTS: Mapping[str, Callable[..., Awaitable[Any]]] = {
    "/": panels.page,
    "/apps": panels.apps,
    "/app": panels.app,
    "/chart": panels.chart,
    "/cut": panels.cut,
    "/budget": panels.budget,
    "/assets/{name}": panels.asset,
}


def dashboard_router(
    *, account: str = "default", door: Door | None = None, is_ending: Callable[[], bool] = bool
) -> APIRouter:
    """Give the dashboard as a router, for an application whose lifespan is `apteligent_lifespan`.

    Give the client a cache, as the default one has: all browsers are then served with one call per panel. A page that
    stays open asks for the apps each minute, and for the charts of the chosen one each five.
    The page is at the router's prefix with a slash behind it.

    Args:
        account: whose figures are shown; see `apteligent_lifespan`.
        door: who may come in; by default all who reach it under ``localhost`` or an address of the machine. Anybody
            else needs a `Door` that names the hosts.
        is_ending: whether the server wants to stop: live streams then end at once, and otherwise after 20 seconds.
    """
    line, lent = Line(), apteligent_account(account)

    async def visit(request: Request, client: ApteligentClient = lent) -> None:
        request.state.visit = panels.Visit(client=client, line=line, is_ending=is_ending)

    @asynccontextmanager
    async def watching(app: FastAPI) -> AsyncGenerator[None]:
        stop = apteligent_client(app, account).on_event(line)
        try:
            yield
        finally:
            stop()

    router = APIRouter(
        route_class=guarded_by(door or Door()),
        dependencies=[Depends(visit, scope="function")],
        default_response_class=HTMLResponse,
        include_in_schema=False,
        lifespan=watching,
    )
    for path, endpoint in _ENDPOINTS.items():
        router.add_api_route(path, endpoint, methods=["GET"], response_model=None)
    return router
