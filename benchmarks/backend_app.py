"""The backend under load: one page of each app, liveness, and a note of what it cost when it ends.

Started by `benchmarks.backend` in several uvicorn workers; everything it needs to know stands in the environment.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict
from fastapi import FastAPI, Response

from apteligent_async import ApteligentClient, Event, MemoryCache, SQLiteBudget, SQLiteCache
from apteligent_async.integrations.fastapi import Apteligent, apteligent_lifespan, apteligent_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["app"]

FOLDER = Path(os.environ["BACKEND_FOLDER"])
_cache = MemoryCache() if os.environ["BACKEND_CACHE"] == "memory" else SQLiteCache(FOLDER / "cache.sqlite")
_client = ApteligentClient(budget=SQLiteBudget(FOLDER / "budget.sqlite"), cache=_cache)


@asynccontextmanager
async def _noted(_: FastAPI) -> AsyncIterator[None]:
    """Count answers of the service while the worker lives, and leave the counts in a file."""
    seen: Counter[str] = Counter()

    def note(event: Event) -> None:
        if event.name == "call.answer":
            seen["rate_limited" if event.detail["outcome"] == "limited" else "answered"] += 1
            seen["pages"] += event.detail["label"] == "error_monitoring.pie"

    stop = _client.on_event(note)
    yield
    stop()
    counts = {**asdict(_cache.statistics()), **seen}
    (FOLDER / f"worker-{os.getpid()}.json").write_text(json.dumps(counts))


app = FastAPI(lifespan=apteligent_lifespan(lambda: _client, lifespan=_noted))
app.include_router(apteligent_router())


@app.get("/page/{app_id}")
async def page(app_id: str, apteligent: Apteligent, response: Response) -> dict[str, Any]:
    """Give the chart of one app."""
    pie = await apteligent.error_monitoring.pie(graph="crashes", group_by="appVersion", app_id=app_id)
    response.headers["x-cache"] = pie.http.cache.value if pie.http and pie.http.cache else "none"
    return {each.name or "": each.value for each in pie.slices}
