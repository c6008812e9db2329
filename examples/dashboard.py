"""The dashboard in a backend of one's own, while a pull fills a ledger beside it.

python examples/dashboard.py                          shows a simulated account
python examples/dashboard.py --region us              shows yours, with the credentials in the environment
python examples/dashboard.py --base-url http://...    shows another origin, such as that of `apteligent simulate`

The page is at /dashboard/, an endpoint of the backend's own at /worst, and /readyz costs no call. The pull's calls wait
behind those of people; the page shows them in line. To show a real account to more than this machine, give the
dashboard a `Door`.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import uvicorn
from fastapi import FastAPI

from apteligent_async import ApteligentClient, ApteligentError, MemoryCache, Plan, StaticToken, Wanted
from apteligent_async.dashboard import dashboard_router
from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_client,
    apteligent_lifespan,
    apteligent_router,
)
from apteligent_async.simulator import DEMO_ACCOUNT, Service, SimulatorTransport, World, running_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PLAN = Plan(
    want=[Wanted("error_monitoring.pie", graph=["crashes", "affectedUsers"], group_by=["os", "device", "carrier"])]
)


def make_app(make_client: Callable[[], ApteligentClient], ledger: Path) -> FastAPI:
    """Make the backend: the dashboard, an endpoint, and a pull that runs as long as it needs."""

    @asynccontextmanager
    async def pulling(app: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(pull, apteligent_client(app), ledger)
            yield
            group.cancel_scope.cancel()

    app = FastAPI(lifespan=apteligent_lifespan(make_client, lifespan=pulling))
    app.include_router(dashboard_router(), prefix="/dashboard")
    app.include_router(apteligent_router())

    @app.get("/worst")
    async def worst(apteligent: Apteligent) -> dict[str, float]:
        apps = await apteligent.apps.list()
        return {app.name: app.crash_percent for app in apps if app.crash_percent and app.crash_percent > 2}

    return app


async def pull(client: ApteligentClient, ledger: Path) -> None:
    """Pull what the plan wants; a ledger that is cut off is taken up by the next run."""
    try:
        async for _ in client.pull(PLAN, ledger=ledger):
            pass
    except ApteligentError as error:
        logging.getLogger(__name__).warning("the pull has ended: %s", error.message)


def simulated_client() -> ApteligentClient:
    """Make a client of a simulated account, without a socket."""
    began = datetime.now(UTC)
    service = Service(World(apps=12, now=began), calendar=running_from(began, at=time.monotonic()))
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))
    return ApteligentClient(
        token, base_url="http://localhost", transport=SimulatorTransport(service, up=0.1, down=0.1), cache=MemoryCache()
    )


def main() -> None:
    """Choose whose figures to show, and serve until interrupted."""
    parser = argparse.ArgumentParser(description="Mount the dashboard in a FastAPI backend.")
    parser.add_argument("--base-url", help="an origin in place of a region; credentials come from the environment")
    parser.add_argument("--region", choices=["us", "eu"], help="your account's site; credentials likewise")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--ledger", type=Path, help="where the pull keeps what it had; by default a temporary file")
    chosen = parser.parse_args()
    make_client = simulated_client
    if chosen.base_url or chosen.region:
        make_client = partial(ApteligentClient, base_url=chosen.base_url, region=chosen.region, cache=MemoryCache())
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(make_client, chosen.ledger or Path(folder) / "pull.sqlite")
        print(f"Dashboard on http://127.0.0.1:{chosen.port}/dashboard/", flush=True)
        uvicorn.run(app, port=chosen.port, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
