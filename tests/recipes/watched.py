"""A watch in virtual time: a simulated account whose calendar runs, and a process that is cut off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import anyio.to_thread
from own_client import client_of

from apteligent_async import StaticToken
from apteligent_async.bulk.watch import Watch
from apteligent_async.simulator import QuotaSettings, Service, SimulatorTransport, World, running_from

BEGAN = datetime(2016, 12, 12, 18, tzinfo=UTC)


async def at_once(function, *arguments, limiter=None):
    """Stand in for a thread, which virtual time has none of: files are written at once, at one instant."""
    await anyio.lowlevel.checkpoint()
    return function(*arguments)


class Account(SimulatorTransport):
    """The way to a simulated account, and a record of what was asked."""

    def __init__(self, *, apps=1, limit=20, faults=None, elapsed_s=0.0, witness=None):
        self.began_at = anyio.current_time() - elapsed_s
        calendar = running_from(BEGAN, at=self.began_at)
        service = Service(
            World(apps=apps, now=BEGAN),
            quota=QuotaSettings(limit=limit),
            calendar=calendar,
            faults=faults,
            witness=witness,
        )
        super().__init__(service, up=0.1, down=0.1)
        self.asked = []

    def clock(self):
        """Tell the time that the service shows, too."""
        return BEGAN + timedelta(seconds=anyio.current_time() - self.began_at)

    def client(self):
        """Make a client of it."""
        return client_of(self, StaticToken(self.service.issue_token(self.service.accounts[0].client_id)))

    async def handle_async_request(self, request):
        """Note where a call goes, and pass it on."""
        self.asked.append((self.clock(), request.url.path, dict(request.url.params)))
        return await super().handle_async_request(request)


async def watch_for(account, seconds, *, recipes, folder, beside=None, **options):
    """Run a watch in a process of its own for so long; whatever it is at then is cut off."""
    with anyio.move_on_after(seconds):
        async with account.client() as client, anyio.create_task_group() as tasks:
            if beside is not None:
                tasks.start_soon(beside)
            watch = Watch(client=client, recipes=recipes, folder=folder, clock=account.clock, **options)
            tasks.start_soon(watch.run)
