"""Measures one HTTP client once, in this process; prints the sample as JSON.

Started by `benchmarks.throughput`, with the interpreter of whichever environment the client lives in:

    .venv/bin/python -m benchmarks.http_sample '{"client": "httpx", "backend": "trio", "core": 0, ...}'
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import anyio
from attrs import asdict, frozen

from benchmarks.load import Load, sample
from benchmarks.rivals.http import RIVALS

if TYPE_CHECKING:
    from benchmarks.load import Opened

__all__ = ["Task"]


@frozen(kw_only=True)
class Task:
    """One measurement to be made; `core` is the processor to stay on, None for any."""

    client: str
    backend: str
    url: str
    in_flight: int
    seconds: float
    core: int | None = None


def _opened(client: str) -> Opened:
    if client in RIVALS:
        return RIVALS[client]
    from benchmarks.own_http import OWN

    return OWN[client]


def main() -> None:
    """Do the task that the command line describes."""
    task = Task(**json.loads(sys.argv[1]))
    if task.core is not None:
        os.sched_setaffinity(0, {task.core})
    load = Load(url=task.url, in_flight=task.in_flight, seconds=task.seconds)
    print(json.dumps(asdict(anyio.run(sample, _opened(task.client), load, backend=task.backend))))


if __name__ == "__main__":
    main()
