"""A crowd of browsers: each keeps one connection and asks for one path after another, next to free of charge."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Visit", "crowd", "percentile"]

_PATIENCE_S: Final = 60.0


@frozen
class Visit:
    """One request and what came of it: path, status, where its data came from, and milliseconds."""

    path: str
    status: int
    source: str
    took_ms: float


async def crowd(port: int, paths: Sequence[Sequence[str]]) -> list[Visit]:
    """Let as many browsers as there are lists of paths ask at once."""
    visits = await asyncio.gather(*[asyncio.wait_for(_browse(port, each), _PATIENCE_S) for each in paths])
    return [visit for each in visits for visit in each]


async def _browse(port: int, paths: Sequence[str]) -> list[Visit]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return [await _ask(reader, writer, path) for path in paths]
    finally:
        writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> Visit:
    began = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    await reader.readexactly(int(headers.get("content-length", "0")))
    took_ms = (time.perf_counter() - began) * 1000
    return Visit(path, int(status.split()[1]), headers.get("x-cache", ""), took_ms)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the lowest value that so many of all do not exceed; None if there are none."""
    ordered = sorted(values)
    return round(ordered[math.ceil(share * len(ordered)) - 1], 2) if ordered else None
