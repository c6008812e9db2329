"""For the tests of whoever uses the service: a simulated one as pytest fixtures, and time that costs none.

| name | what it is |
| --- | --- |
| `apteligent_server` | fixture: an `ApteligentServer` of the test's own, in process |
| `apteligent_url` | fixture: the origin under which the same server listens on loopback, for any HTTP library |
| `apteligent_token` | fixture: the token that both accept |
| `pytest.mark.apteligent` | the server's settings, such as ``@pytest.mark.apteligent(limit=3, apps=2)`` |
| `virtual_backend`, `VirtualLoop` | the virtual clock for pytest's anyio plugin and for pytest-asyncio |
| `run_virtually` | the virtual clock for one coroutine function, under no plugin |

The fixtures are there as soon as the package is installed. Nothing is intercepted or patched: the server is a transport
and a listening socket, so that it works with whatever sends the requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._on_demand import on_demand

if TYPE_CHECKING:
    from apteligent_async.testing.server import ApteligentServer, SeenRequest
    from apteligent_async.testing.virtual_time import NeedsRealTime, VirtualLoop, run_virtually, virtual_backend

__all__ = ["ApteligentServer", "NeedsRealTime", "SeenRequest", "VirtualLoop", "run_virtually", "virtual_backend"]

_HOMES = {
    "server": "ApteligentServer SeenRequest",
    "virtual_time": "NeedsRealTime VirtualLoop run_virtually virtual_backend",
}
"""Where each name is defined: pytest loads the plugin in every run, which must stay as quick as without it."""

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _HOMES)
