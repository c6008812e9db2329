"""Starting a task that outlives the call that starts it, on either event loop."""

from __future__ import annotations

import asyncio
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["start_task"]

_running: set[asyncio.Task[None]] = set()


def start_task(run: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Start a function that neither raises nor runs for ever: whoever starts it ends it before it goes.

    No task group holds it: a client is opened and closed in different tasks, as in the cells of a notebook, and a
    group cannot be.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        trio.lowlevel.spawn_system_task(run, *arguments, context=copy_context())
        return
    task = asyncio.get_running_loop().create_task(run(*arguments))
    _running.add(task)  # the loop itself holds tasks only weakly
    task.add_done_callback(_running.discard)
