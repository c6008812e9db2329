"""How the package decodes each body: from an answer's bytes to a result, envelope and headers included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apteligent_async._wire import endpoints
from apteligent_async._wire.drift import Drift
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from benchmarks.bodies import known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async._wire.calls import Endpoint

__all__ = ["decoder"]

_ROWS: Final[Mapping[str, Endpoint[Any]]] = {
    "apps": endpoints.APPS_LIST,
    "graph": endpoints.ERROR_GRAPH,
    "pie": endpoints.ERROR_PIE,
    "crash details": endpoints.CRASHES.details,
}


def decoder(body: str) -> Callable[[bytes], object]:
    """Give what decodes a body of that name, as a client does; unknown keys are kept, and counted."""
    endpoint, headers, drift = _ROWS[known(body)], {"content-type": "application/json"}, Drift()
    return lambda given: decode(endpoint, Reply(status=200, headers=headers, body=given), drift=drift)
