"""A page for people: apps, their charts, and the rate budget as it moves.

    app = FastAPI(lifespan=apteligent_lifespan())
    app.include_router(dashboard_router(), prefix="/dashboard")

Everything is made on the server; what the browser runs is shipped in ``assets``. ``apteligent dashboard`` serves the
same page by itself. Needs ``apteligent-async[dashboard]``.

| module | what it is |
| --- | --- |
| `router` | the addresses, and what belongs to one dashboard |
| `panels` | the parts of the page, one call each at most |
| `figures` | what panels show, in the order in which they show it |
| `standing` | a budget in people's words |
| `line` | who waits |
| `stream` | the budget as server-sent events |
| `door` | who may come in, and what their browsers may do |
| `server` | the page by itself, until interrupted |
"""

from __future__ import annotations

from apteligent_async.dashboard.door import Door
from apteligent_async.dashboard.router import dashboard_router

__all__ = ["Door", "dashboard_router"]
