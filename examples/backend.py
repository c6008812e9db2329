"""A backend that answers from the API: two lines open its clients, and each endpoint is lent one for its request.

python examples/backend.py                          answers from simulated accounts
python examples/backend.py --region us              answers from yours, with the credentials in the environment
python examples/backend.py --base-url http://...    asks another origin, such as that of `apteligent simulate`

    curl -i localhost:8000/apps                                     asked once a minute, by however many browsers
    curl -i localhost:8000/apps/nothing/versions                    a problem that says what was wrong
    curl -i -H 'X-Request-Timeout: 0.1' localhost:8000/fresh/apps   one that says that time ran out
    curl -i localhost:8000/readyz                                   costs no call

`emea` stands for another account: its client has answers of its own and, with credentials of its own, a budget.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import uvicorn
from fastapi import FastAPI

from apteligent_async import ApteligentClient, MemoryCache
from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_account,
    apteligent_lifespan,
    apteligent_router,
)
from apteligent_async.testing import ApteligentServer

if TYPE_CHECKING:
    from collections.abc import Callable

Emea = Annotated[ApteligentClient, apteligent_account("emea")]


def make_app(make_client: Callable[[], ApteligentClient], make_emea: Callable[[], ApteligentClient]) -> FastAPI:
    """Make the backend; a request has ten seconds, unless its header says less."""
    app = FastAPI(lifespan=apteligent_lifespan(make_client, accounts={"emea": make_emea}, deadline=10))
    app.include_router(apteligent_router())

    app.get("/apps")(crash_rates)
    app.get("/fresh/apps")(fresh_crash_rates)
    app.get("/emea/apps")(emea_crash_rates)
    app.get("/apps/{app_id}/versions")(versions)
    return app


async def crash_rates(apteligent: Apteligent) -> dict[str, float | None]:
    """Give crashes per 100 app loads; identical requests share one call, and its answer until that is old."""
    return {app.name: app.crash_percent for app in await apteligent.apps.list()}


async def fresh_crash_rates(apteligent: Apteligent) -> dict[str, float | None]:
    """Give the same as of now: this costs a call each time."""
    return await crash_rates(apteligent.with_options(cache="refresh"))


async def emea_crash_rates(emea: Emea) -> dict[str, float | None]:
    """Give those of another account."""
    return await crash_rates(emea)


async def versions(apteligent: Apteligent, app_id: str) -> dict[str, Any]:
    """Give an app's crashes and loads by version, asked for at once; both end when the browser hangs up."""
    found: dict[str, dict[str, float | None]] = {}

    async def ask(graph: str) -> None:
        pie = await apteligent.error_monitoring.pie(graph=graph, group_by="appVersion", app_id=app_id)
        found[graph] = {part.label or part.name: part.value for part in pie.slices}

    app = await apteligent.apps.get(app_id)
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "crashes")
        group.start_soon(ask, "appLoads")
    return {"name": app.name, **found}


def simulated_client() -> ApteligentClient:
    """Make a client of a simulated account, without a socket."""
    server = ApteligentServer(apps=5)
    return server.client(transport=server.transport(up=0.1, down=0.1), cache=MemoryCache())


def main() -> None:
    """Choose whom to ask, and serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve a FastAPI backend that answers from the API.")
    parser.add_argument("--base-url", help="an origin in place of a region; credentials come from the environment")
    parser.add_argument("--region", choices=["us", "eu"], help="your account's site; credentials likewise")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    make_client = simulated_client
    if chosen.base_url or chosen.region:
        make_client = partial(ApteligentClient, base_url=chosen.base_url, region=chosen.region, cache=MemoryCache())
    uvicorn.run(make_app(make_client, make_client), port=chosen.port)


if __name__ == "__main__":
    main()
