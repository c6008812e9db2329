"""Work that outlasts the call that starts it, on asyncio and on trio; anyio leaves that to the event loops."""

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


def start_in_background(run: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Start a function that neither raises nor runs for ever: whoever starts it ends it before it goes.

    No task group holds it: a client may be opened and closed in different tasks, as in the cells of a notebook, and a
    loop over a pull's results may be left at any point. A group can be neither.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        trio.lowlevel.spawn_system_task(run, *arguments, context=copy_context())
        return
    task = asyncio.get_running_loop().create_task(run(*arguments))
    _running.add(task)
    task.add_done_callback(_running.discard)
