"""Runs one real package through scenarios in virtual time and prints the rows as JSON.

Started by `benchmarks.rivals.environment` with the interpreter of the rivals' environment, one process per client, so
that no two of them can disturb each other:

    .venv-rivals/bin/python -m benchmarks.rivals.runs hikari headers used,fits
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import asdict

from benchmarks.rivals.clients import maker
from benchmarks.rivals.virtual_time import run, take_over
from benchmarks.rivals.wire import Wire
from benchmarks.scenarios import SCENARIOS, START_AT, Row, Scenario, row
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.rivals.virtual_time import Clock

__all__ = ["measure"]

_PATIENCE = 20  # bounds that a client may take before it counts as stuck


async def _visit(server: Server, scenario: Scenario, dice: Random, visits: list[bool]) -> None:
    if scenario.foreign is None:
        return
    while True:
        await asyncio.sleep(dice.expovariate(1 / scenario.foreign.every_s))
        visits.append(server.foreign_call(time.monotonic()))


async def _note(issue: Callable[[], Awaitable[Any]], served_at: list[float]) -> None:
    await issue()
    served_at.append(time.monotonic())


async def _play(client: tuple[str, str], scenario: Scenario) -> Row:
    make = maker(client)
    dice, visits = Random(f"{client} {scenario.name}"), list[bool]()
    server = Server(meter=scenario.meter(), dialect=Dialect(is_speed=False), dice=dice)
    served_at: list[list[float]] = [[] for _ in range(scenario.processes)]
    stranger = asyncio.ensure_future(_visit(server, scenario, dice, visits))
    async with AsyncExitStack() as stack, asyncio.timeout(_PATIENCE * scenario.bound_s() + 600):
        made = [make(Wire(server, scenario, dice), scenario) for _ in served_at]
        issues = [await stack.enter_async_context(each) for each in made]
        each_n = scenario.n // scenario.processes
        pairs = zip(issues, served_at, strict=True)
        await asyncio.gather(*[_note(issue, instants) for issue, instants in pairs for _ in range(each_n)])
    stranger.cancel()
    return row(*client, scenario, served_at=served_at, refused=server.refused, visits=visits)


def measure(clock: Clock, client: tuple[str, str], scenario: Scenario) -> Row:
    """Run one client through one scenario; a client that cannot finish gets a row that says why."""
    clock.now = START_AT
    try:
        return run(clock, _play(client, scenario))
    except TimeoutError:
        note = f"unfinished after {clock.now - START_AT:.0f} s, {_PATIENCE} bounds and more"
        return Row(client=client[0], mode=client[1], scenario=scenario.name, bound=scenario.bound_s(), note=note)
    except Exception as error:  # noqa: BLE001  the package under test may fail in any way, and the others go on
        note = f"{type(error).__name__}: {error}".rstrip(": ")
        return Row(client=client[0], mode=client[1], scenario=scenario.name, bound=scenario.bound_s(), note=note)


def main() -> None:
    """Measure the client named on the command line in the scenarios named there."""
    name, mode, wanted = sys.argv[1:]
    logging.disable()
    clock = take_over(START_AT)
    print(json.dumps([asdict(measure(clock, (name, mode), SCENARIOS[each])) for each in wanted.split(",")]))


if __name__ == "__main__":
    main()
