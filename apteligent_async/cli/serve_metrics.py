"""``apteligent serve-metrics``: what a watch has found, for a Prometheus to scrape."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path  # noqa: TC003  the command line reads the annotations

import anyio

from apteligent_async.bulk.sinks.scraped import MetricsServer
from apteligent_async.bulk.spool import Spool
from apteligent_async.cli.flags import Port, PositiveAmount  # noqa: TC001  the command line reads the annotations
from apteligent_async.errors import ConfigurationError

__all__ = ["serve_metrics"]


def serve_metrics(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: Port = 9108,
    name: str | None = None,
    most_series: PositiveAmount = 10_000,
) -> int:
    """Serve the numbers of a watch as OpenMetrics until interrupted.

    `/metrics` tells the latest of each series. `/metrics?reader=NAME` tells a reader of that name what it was not told
    yet, so that one that was away misses nothing; in Prometheus, `params: {reader: [NAME]}` says so.

        apteligent serve-metrics watch

    Args:
        folder: Folder of the watch.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        name: A further name that the Host header may carry; otherwise loopback and the address alone are served.
        most_series: How many series are told of at most.

    """
    ledgers = sorted(folder.glob("*.sqlite"))
    if not ledgers:
        raise ConfigurationError(
            f"There is no ledger in {folder}: run `apteligent watch` with --folder {folder} first."
        )
    return anyio.run(partial(_serve, ledgers, host=host, port=port, name=name or host, most_series=most_series))


async def _serve(ledgers: list[Path], *, host: str, port: int, name: str, most_series: int) -> int:
    """Serve until a signal comes; give the exit code for it."""
    async with AsyncExitStack() as stack:
        spools = [await stack.enter_async_context(Spool(each)) for each in ledgers]
        server = MetricsServer(spools=spools, host=name, most_series=most_series)
        listener = await stack.enter_async_context(await anyio.create_tcp_listener(local_host=host, local_port=port))
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, server.serve)
                bound = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  no Django
                print(f"listening on http://{f'[{host}]' if ':' in host else host}:{bound}/metrics", flush=True)
                async for caught in signals:
                    tasks.cancel_scope.cancel()
                    return 130 if caught == signal.SIGINT else 0
    return 0
