"""A process that lives for a part of a simulated day: it watches, and at the end of its life it kills itself.

    python day_in_process.py BACKEND FOLDER CARBON_PORT SECONDS_OF_BIRTH SECONDS_OF_DEATH

Its clock is virtual and jumps; the service is simulated in it, and fails one call in ten. Carbon is a real daemon:
while it is talked to, the clock stands still. A line of JSON on standard output tells of each answer of the service, of
what the watch has done, and of every five minutes that have passed: the process waits then for a line on its standard
input.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import ByteStream
from watched import Account, at_once, watch_for

from apteligent_async.bulk.recipes.recipe import Recipe, find_recipe, recipe_text
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress
from apteligent_async.simulator import FaultRule, FaultSchedule
from apteligent_async.simulator.faults import Fail
from apteligent_async.testing import run_virtually

HALT_S = 300


def half_hourly(name):
    """Give a shipped recipe every half hour, which makes for a quicker day."""
    text = recipe_text(name).replace("every_minutes = 10\n", "every_minutes = 30\n")
    return Recipe.from_toml(text.replace("every_minutes = 15\n", "every_minutes = 30\n"), name=name)


RECIPES = [find_recipe("daily"), half_hourly("grouped"), half_hourly("services")]


class Connection(ByteStream):
    """A real connection to carbon, whose waiting takes no virtual time."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    async def send(self, item):
        """Send all of it."""
        self._socket.sendall(item)

    async def send_eof(self):
        """Send no more."""
        self._socket.shutdown(socket.SHUT_WR)

    async def receive(self, max_bytes=65536):
        """Wait for what comes, or for the end."""
        received = self._socket.recv(max_bytes)
        if not received:
            raise anyio.EndOfStream
        return received

    async def aclose(self):
        """Close it."""
        self._socket.close()


def tell(**told):
    """Tell the parent, so that it knows whatever happens next."""
    print(json.dumps(told), flush=True)


def answered(at, call, answer, now):
    """Tell of an answer that is one."""
    if answer.status == 200:
        tell(answered=call.path, query=dict(call.query), at=at(now), data=json.loads(answer.body).get("data"))


def done(news):
    """Tell what the watch has done."""
    if news.points is not None:
        tell(over=news.recipe, slot=news.slot.isoformat(), points=news.points, missed=news.missed)


async def halt(elapsed):
    """Stop every five minutes of the day until the parent has looked around."""
    while True:
        await anyio.sleep(HALT_S - elapsed() % HALT_S)
        tell(halt=round(elapsed()))
        sys.stdin.readline()


async def live(folder, port, birth_s, death_s):
    """Watch from birth to death."""
    born_at = anyio.current_time()

    def elapsed(now=None):
        return birth_s + (anyio.current_time() if now is None else now) - born_at

    account = Account(
        faults=FaultSchedule([FaultRule(Fail(status=503), probability=0.1)], seed=int(birth_s) + 1),
        elapsed_s=birth_s,
        witness=partial(answered, elapsed),
    )

    async def connect():
        return Connection(port)

    sink = GraphiteSink(TcpAddress("carbon"), root="root", connect=connect)
    watching = partial(watch_for, account, recipes=RECIPES, folder=folder, sinks=[sink], tell=done)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(watching, death_s - birth_s + 1, beside=partial(halt, elapsed)))
        await anyio.sleep(death_s - birth_s)
        tell(struck=account.service.struck["Fail"], asked=len(account.asked))
        os.kill(os.getpid(), signal.SIGKILL)


def main(backend, folder, port, birth_s, death_s):
    """Live once."""
    anyio.to_thread.run_sync = at_once  # virtual time has no threads
    run_virtually(live, Path(folder), int(port), float(birth_s), float(death_s), backend=backend)


if __name__ == "__main__":
    main(*sys.argv[1:])
