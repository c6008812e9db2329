"""The runs that the guide's pictures show: real clients and the simulated service, in virtual time, each with a log.

The clock jumps and the dice are seeded, so that the same code gives the same logs in every run.
"""

from __future__ import annotations

import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from apteligent_async import EventLog, MemoryBudget, RatePolicy
from apteligent_async.cli.explaining.replay import replay
from apteligent_async.event_log import read_events
from apteligent_async.testing import ApteligentServer, run_virtually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from apteligent_async import ApteligentClient
    from apteligent_async._scheduling.policy import Mode
    from apteligent_async.cli.explaining.story import Story

__all__ = ["BACKLOG", "BUDGET", "TRIP_S", "WINDOW_S", "record_line", "record_mode", "record_one_budget", "record_two"]

WINDOW_S: Final = 60.0

BUDGET: Final = 60
"""Calls in a window, but for the line, which has the real service's 20."""

BACKLOG: Final = 100
"""Calls that a client asks for at once, or two clients together."""

TRIP_S: Final = 0.15
"""Seconds to the service, and back as many."""


def record_line() -> Story:
    """Record 45 bulk calls at 20 a minute, and an urgent one that comes five seconds later."""

    async def play(client: ApteligentClient) -> None:
        async with anyio.create_task_group() as group:
            _ask(client.with_options(priority="bulk"), 45, group)
            await anyio.sleep(5)
            _ask(client, 1, group)

    return _record("line", play, limit=20, clients=[{"policy": RatePolicy(mode="exclusive")}])[0]


def record_mode(mode: Mode) -> Story:
    """Record how a client in this mode works off its backlog, alone and from a fresh window on."""
    return _record(mode, _backlog(BACKLOG), limit=BUDGET, clients=[{"policy": RatePolicy(mode=mode)}])[0]


def record_two(mode: Mode) -> Sequence[Story]:
    """Record two clients with half of the backlog each, who spend one client id's calls and do not know it."""
    clients = [{"policy": RatePolicy(mode=mode)} for _ in range(2)]
    return _record(f"two {mode}", _backlog(BACKLOG // 2), limit=BUDGET, clients=clients)


def record_one_budget() -> Story:
    """Record the same two clients where both are given one budget; its log has the calls of both."""
    budget = MemoryBudget()
    clients = [{"policy": RatePolicy(mode="exclusive"), "budget": budget} for _ in range(2)]
    return _record("one budget", _backlog(BACKLOG // 2), limit=BUDGET, clients=clients)[0]


def _backlog(calls: int) -> Callable[[ApteligentClient], Awaitable[None]]:
    async def play(client: ApteligentClient) -> None:
        async with anyio.create_task_group() as group:
            _ask(client, calls, group)

    return play


def _ask(client: ApteligentClient, calls: int, group: TaskGroup) -> None:
    for _ in range(calls):
        group.start_soon(client.apps.list)


def _record(
    name: str,
    play: Callable[[ApteligentClient], Awaitable[None]],
    *,
    limit: int,
    clients: Sequence[dict[str, Any]],
) -> Sequence[Story]:
    """Play the same with clients of these options, all at once; return what each one's log tells."""
    random.seed(name)
    server = ApteligentServer(limit=limit, bucket_s=WINDOW_S)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jsonl" for number in range(len(clients))]

        async def main() -> None:
            async with AsyncExitStack() as stack, anyio.create_task_group() as group:
                for path, options in zip(paths, clients, strict=True):
                    transport = server.transport(up=TRIP_S, down=TRIP_S)
                    client = await stack.enter_async_context(server.client(transport=transport, **options))
                    client.on_event(stack.enter_context(EventLog(path)))
                    group.start_soon(play, client)

        run_virtually(main)
        stories = [replay(read_events(path)) for path in paths]
    return [story for story in stories if story is not None]
