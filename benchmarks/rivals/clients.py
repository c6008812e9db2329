"""Which packages are put to work, and in which manner; nothing foreign is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from benchmarks.rivals.wire import Wire
    from benchmarks.scenarios import Scenario

__all__ = ["CLIENTS", "maker"]

CLIENTS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("hikari", "headers"): ("followers", "hikari"),
    ("discord.py", "headers"): ("followers", "discord_py"),
    ("asyncprawcore", "concurrent"): ("followers", "asyncprawcore"),
    ("asyncprawcore", "sequential"): ("followers", "asyncprawcore_sequential"),
    ("adaptive-rate-limiter", "headers, told"): ("adaptive", "adaptive_rate_limiter"),
    ("aiolimiter", "told"): ("limiters", "aiolimiter"),
    ("pyrate-limiter", "told"): ("limiters", "pyrate_limiter"),
    ("httpx-retries", "Retry-After"): ("limiters", "httpx_retries"),
    ("tenacity", "gather"): ("limiters", "tenacity"),
}
"""Package and manner; "told" is told the budget and the window in advance. The value says where its maker is."""


def maker(client: tuple[str, str]) -> Callable[[Wire, Scenario], AbstractAsyncContextManager[Any]]:
    """Import what makes a client's `issue`."""
    module, name = CLIENTS[client]
    made: Callable[[Wire, Scenario], AbstractAsyncContextManager[Any]] = getattr(
        import_module(f"benchmarks.rivals.{module}"), name
    )
    return made
