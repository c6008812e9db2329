"""A client joined to the simulator in process, and a record of what it sent."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl

from apteligent_async import ApteligentClient, MemoryBudget, StaticToken
from apteligent_async.simulator import QuotaSettings, Service, SimulatorTransport, World

NOW = datetime(2016, 12, 12, 18, tzinfo=UTC)


class Recorder(SimulatorTransport):
    """The way to the simulator, which remembers each request's verb, path and query."""

    def __init__(self, service, **delays):
        super().__init__(service, **delays)
        self.sent = []

    async def handle_async_request(self, request):
        """Note the request and pass it on."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.sent.append((request.method, path, parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))))
        return await super().handle_async_request(request)


@cache
def world():
    """Make the world once; it does not change."""
    return World(apps=4, now=NOW)


def app():
    """Give the world's first app."""
    return next(iter(world().apps.values()))


def served(*, limit=10**6, **delays):
    """Make a simulated service with a recorded way to it."""
    return Recorder(Service(world(), quota=QuotaSettings(limit=limit)), **delays)


def client_of(recorder, **options):
    """Make a client of a simulated service, with a token of its own and a budget of its own."""
    token = recorder.service.issue_token(recorder.service.accounts[0].client_id)
    options = {"transport": recorder, "budget": MemoryBudget(), **options}
    return ApteligentClient(StaticToken(token), base_url="http://127.0.0.1:9", **options)
