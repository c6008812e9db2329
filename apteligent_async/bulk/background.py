"""Start work that outlasts the call that starts it, which anyio leaves to the event loops.

A loop over a pull's results may be left at any point, and nothing may hold a task group open from one result to the
next: so the workers live in a task of their own, which whoever starts it must end.
"""

from __future__ import annotations

import asyncio
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["start_in_background"]

_running: set[asyncio.Task[None]] = set()
"""An event loop keeps no strong reference to its tasks."""


def start_in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Start a task in the running event loop, asyncio's or trio's.

    Args:
        work: what the task does; it must not raise, as nobody waits for it.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        trio.lowlevel.spawn_system_task(work, context=copy_context())
        return
    task = asyncio.get_running_loop().create_task(work())
    _running.add(task)
    task.add_done_callback(_running.discard)
