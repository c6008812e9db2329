"""What answers scrapes: a small HTTP server for one path, over any byte stream.

``GET /metrics`` tells the latest point of each series. ``GET /metrics?reader=NAME`` tells a reader of that name all
that it was not told before, oldest first, so that one that was away for an hour misses nothing: the place of each
reader is kept in the ledgers, and moves on when the reader has closed the connection in order. A reader that asks again
before that has its turn after it, so that it is not told the same twice.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from weakref import WeakValueDictionary

import anyio
from attrs import define, field, frozen

from apteligent_async.bulk.sinks.open_metrics import CONTENT_TYPE, open_metrics_text
from apteligent_async.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

    from anyio.abc import ByteStream

    from apteligent_async.bulk.recipes.points import Point
    from apteligent_async.bulk.spool import Spool

__all__ = ["MetricsServer", "Scrape", "is_served"]

_BROKEN_OFF = (anyio.BrokenResourceError, anyio.ClosedResourceError)
_LONGEST_HEAD = 16_384
_EXCHANGE_S = 10.0
_READER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    421: "Misdirected Request",
    503: "Service Unavailable",
}


@frozen(kw_only=True)
class Scrape:
    """What one scrape is told.

    Attributes:
        text: OpenMetrics text.
        given: the number of the last point of each spool that is in it, by the spool's place.
    """

    text: str
    given: Mapping[int, int]


@frozen(kw_only=True)
class _Reply:
    status: int
    text: str = ""
    reader: str | None = None
    given: Mapping[int, int] = field(factory=dict[int, int])

    def encoded(self, *, has_body: bool) -> bytes:
        kind = CONTENT_TYPE if self.status == 200 else "text/plain; charset=utf-8"
        body = self.text.encode()
        head = f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\nContent-Type: {kind}\r\n"
        head += f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        return head.encode("ascii") + (body if has_body else b"")


@define(eq=False, kw_only=True)
class MetricsServer:
    """Answers scrapes from spools. Its state is whose turn it is: each reader is answered by one connection at a time.

    Attributes:
        spools: open ones.
        host: a further name that the Host header may carry; otherwise only loopback is served.
        most_series: how many series are told of at most.
        most_points: how many points of each spool a reader is told of at once; the rest comes with its next scrapes.
    """

    spools: Sequence[Spool]
    host: str = "127.0.0.1"
    most_series: int = 10_000
    most_points: int = 20_000
    _turns: WeakValueDictionary[str | None, anyio.Lock] = field(factory=WeakValueDictionary, init=False)

    async def serve(self, stream: ByteStream) -> None:
        """Answer one request on a connection, and close it; one that breaks off or dawdles is left alone.

        Never raises: where a ledger cannot be read just now the answer is 503, and where a reader's place cannot be
        written down he is told the same again.
        """
        with anyio.move_on_after(_EXCHANGE_S), suppress(OSError, *_BROKEN_OFF, anyio.EndOfStream, LedgerError):
            await self._exchange(stream)
        await anyio.aclose_forcefully(stream)

    async def scrape(self, reader: str | None) -> Scrape:
        """Gather what a reader is to be told; the latest of everything for one without a name."""
        found: list[Point] = []
        given: dict[int, int] = {}
        room, left_out = self.most_series, 0
        for place, spool in enumerate(self.spools):
            newest = await spool.newest()
            told = {each.path for each in newest[:room]}
            room, left_out = room - len(told), left_out + len(newest) - len(told)
            listed = newest if reader is None else await spool.unread(_place_of(reader), most=self.most_points)
            found += [each.point for each in listed if each.path in told]
            if reader is not None and listed:
                given[place] = listed[-1].number
        return Scrape(text=open_metrics_text(found, left_out=left_out), given=given)

    async def _exchange(self, stream: ByteStream) -> None:
        head = await _head(stream)
        async with self._turn_of(None if head is None else _reader_in(head)):
            reply = _Reply(status=400, text="not an HTTP request\n") if head is None else await self._reply(head)
            await stream.send(reply.encoded(has_body=head is None or not head.startswith("HEAD ")))
            await stream.send_eof()
            if reply.reader is not None and await _is_closed_in_order(stream):
                for place, number in reply.given.items():
                    await self.spools[place].mark_read(_place_of(reply.reader), number)

    def _turn_of(self, reader: str | None) -> anyio.Lock:
        return anyio.Lock() if reader is None else self._turns.setdefault(reader, anyio.Lock())

    async def _reply(self, head: str) -> _Reply:
        method = head.partition(" ")[0]
        if not is_served(_header(head, "host"), self.host):
            return _Reply(status=421, text="this Host is not served here\n")
        if method not in {"GET", "HEAD"}:
            return _Reply(status=405, text="only GET and HEAD\n")
        if _target_in(head).path != "/metrics":
            return _Reply(status=404, text="there is /metrics alone\n")
        reader = _reader_in(head)
        if reader is not None and not _READER.fullmatch(reader):
            return _Reply(status=400, text="a reader's name has up to 64 letters, digits, dots, dashes, underscores\n")
        try:
            found = await self.scrape(reader)
        except LedgerError as error:
            return _Reply(status=503, text=f"{error.message}\n")
        moves_on = reader if method == "GET" else None
        return _Reply(status=200, text=found.text, reader=moves_on, given=found.given)


def is_served(told: str | None, host: str) -> bool:
    """Whether a Host header names this machine's loopback, or the one further name that is served."""
    try:
        name = urlsplit(f"//{told or ''}").hostname
        return name is not None and (name in {"localhost", host.lower()} or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False


def _place_of(reader: str) -> str:
    return f"scrape {reader}"


async def _head(stream: ByteStream) -> str | None:
    """Read a request's head; None where it is too long or cannot be read."""
    received = b""
    while b"\r\n\r\n" not in received:
        if len(received) > _LONGEST_HEAD:
            return None
        received += await stream.receive()
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
    with suppress(ValueError):
        _target_in(head)
        return head
    return None


def _target_in(head: str) -> SplitResult:
    _, target, version = head.partition("\r\n")[0].split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    return urlsplit(target)


def _reader_in(head: str) -> str | None:
    return parse_qs(_target_in(head).query).get("reader", [None])[0]


def _header(head: str, name: str) -> str | None:
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name), None)


async def _is_closed_in_order(stream: ByteStream) -> bool:
    try:
        while True:
            await stream.receive()
    except anyio.EndOfStream:
        return True
    except _BROKEN_OFF:
        return False
