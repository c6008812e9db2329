"""What stands at the other end of sinks: a carbon that keeps every line, a Prometheus that scrapes, links in memory."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.stapled import StapledObjectStream
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def joined():
    """Make the two ends of a connection in memory."""
    (to_there, there), (to_here, here) = (anyio.create_memory_object_stream(100) for _ in range(2))
    return StapledObjectStream(to_there, here), StapledObjectStream(to_here, there)


class Carbon:
    """A carbon daemon: reads lines until the other side has ended, and closes then."""

    def __init__(self):
        self.lines = Counter()
        self.is_down = False

    async def handle(self, stream):
        """Keep every line of a connection."""
        received = b""
        async with stream:
            with suppress(anyio.EndOfStream):
                while True:
                    received += await stream.receive()
        for line in received.decode().splitlines():
            path, value, at = line.split(" ")
            self.lines[path, int(at), float(value)] += 1

    @asynccontextmanager
    async def reached(self):
        """Give what connects to it in memory."""
        async with anyio.create_task_group() as tasks:

            async def connect():
                await anyio.sleep(0.01)
                if self.is_down:
                    raise ConnectionRefusedError("nobody listens")
                ours, theirs = joined()
                tasks.start_soon(self.handle, theirs)
                return ours

            yield connect
            tasks.cancel_scope.cancel()


async def fetched(server, target, *, host="localhost", method="GET"):
    """Ask a metrics server over a link in memory; give its status and body."""
    ours, theirs = joined()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, theirs)
        await ours.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        received = b""
        with suppress(anyio.EndOfStream):
            while True:
                received += await ours.receive()
        await ours.aclose()
    head, _, body = received.decode().partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


def samples_in(body):
    """Read OpenMetrics text as Prometheus's own client does: labels, instant and value of each number."""
    return [
        (tuple(sorted(sample.labels.items())), int(sample.timestamp.sec), sample.value)
        for family in text_string_to_metric_families(body)
        if family.name == "apteligent_value"
        for sample in family.samples
    ]


def labelled(spooled):
    """Write a spooled point as a sample."""
    point = spooled.point
    labels = {
        "app": point.app,
        "recipe": point.section,
        "metric": point.metric,
        "grouping": point.grouping or "",
        "key": point.key or "",
    }
    return tuple(sorted(labels.items())), point.at, point.value


def lined(spooled, root="root"):
    """Write a spooled point as carbon keeps it."""
    return f"{root}.{spooled.path}", spooled.point.at, spooled.point.value
