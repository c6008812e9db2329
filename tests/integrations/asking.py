"""Backends under test, and who asks them."""

from __future__ import annotations

from fastapi import FastAPI
from own_client import client_of

from apteligent_async import (
    StaticToken,
)
from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_lifespan,
    apteligent_router,
)

SECRET = "planted-secret-token"


def app_of(transport, **options):
    """Make an application with a few endpoints."""
    client = client_of(transport, StaticToken(SECRET), **options)
    app = FastAPI(lifespan=apteligent_lifespan(lambda: client))
    app.include_router(apteligent_router())

    @app.get("/apps")
    async def apps(apteligent: Apteligent) -> list[str | None]:
        return [each.app_name for each in await apteligent.apps.list()]

    @app.post("/twice")
    async def twice(apteligent: Apteligent, numbers: list[int]) -> int:
        for _ in range(2):
            await apteligent.apps.list()
        return sum(numbers)

    return app, client


async def ask(app, method, path, body, hung_up):
    """Send a request as a server does, and stay until told to hang up."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if parts:
            return parts.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers if body else [], "http_version": "1.1", "scheme": "http", "server": ("backend", 80),
        "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
