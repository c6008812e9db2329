"""The budget as server-sent events: told when it changes, and a beat in between, so that silence means a break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from apteligent_async import ClientStateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["LONGEST_S", "TICK_S", "budget_events", "message"]

TICK_S = 0.5
LONGEST_S = 20.0
"""Seconds after which a stream ends by itself and browsers come again: servers that are told to stop wait for it."""

_COME_AGAIN_MS = 100


async def budget_events(tell: Callable[[], Awaitable[str]], *, is_ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Give the events of one stream, until it has lasted long enough, the server ends, or the client is closed.

    Args:
        tell: gives the budget panel as it is now.
        is_ending: whether the server wants to stop.
    """
    told, until = "", anyio.current_time() + LONGEST_S
    yield f"retry: {_COME_AGAIN_MS}\n\n"
    while anyio.current_time() < until and not is_ending():
        try:
            panel = await tell()
        except ClientStateError:
            return
        yield message("beat", "") if panel == told else message("budget", panel)
        told = panel
        await anyio.sleep(TICK_S)


def message(event: str, text: str) -> str:
    """Write one event as the stream carries it."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {event}\n{lines}\n"
