"""Graphite's plaintext protocol over TCP: a line ``path value timestamp`` for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import define, field, frozen

from apteligent_async.bulk.recipes.points import path_part
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import ByteStream

    from apteligent_async.bulk.spool import SpooledPoint

__all__ = ["GraphiteSink", "TcpAddress", "graphite_line"]

_PORT = 2003


@frozen
class TcpAddress:
    """A host and a port; called, it connects there."""

    host: str
    port: int = _PORT

    @classmethod
    def parse(cls, text: str) -> TcpAddress:
        """Read ``host``, ``host:port`` or ``[address]:port``; without a port it is 2003.

        Raises:
            ConfigurationError: it is none of these.
        """
        host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", str(_PORT))
        host = host.removeprefix("[").removesuffix("]")
        if not _is_host(host) or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigurationError(f"{text!r} is no address such as carbon.example:{_PORT}.")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def __call__(self) -> ByteStream:
        """Connect; raises OSError where nobody listens."""
        return await anyio.connect_tcp(self.host, self.port)


@define(eq=False)
class GraphiteSink:
    """Sends points to a carbon daemon, a connection for each batch; no state of its own.

    Args:
        address: where it listens; its text names the sink's place in the spool.
        root: what every path begins with; dots in it part it.
        connect: connects, in place of the address.

    Raises:
        ConfigurationError: the root is no beginning of a path.
    """

    address: TcpAddress
    root: str = "apteligent"
    connect: Callable[[], Awaitable[ByteStream]] | None = field(default=None)

    def __attrs_post_init__(self) -> None:
        if not all(part and path_part(part) == part for part in self.root.split(".")):
            raise ConfigurationError(f"The root {self.root!r} is no beginning of a path such as mobile.apps.")

    @property
    def name(self) -> str:
        """What its place in the spool is kept under."""
        return f"graphite {self.address} {self.root}"

    async def deliver(self, points: Sequence[SpooledPoint]) -> None:
        """Send points, and wait until the other side has read them all and closed the connection, as carbon does.

        Raises:
            OSError: nobody listens, or the connection was cut: some of the points may have arrived.
        """
        stream = await (self.connect or self.address)()
        try:
            await stream.send("".join(graphite_line(self.root, each) for each in points).encode())
            await stream.send_eof()
            while True:
                await stream.receive()
        except anyio.EndOfStream:
            return
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as cut:
            raise ConnectionResetError(f"{self.address} broke the connection off") from cut
        finally:
            await anyio.aclose_forcefully(stream)


def _is_host(text: str) -> bool:
    """Whether a resolver can be asked for it: what it cannot write raises no OSError."""
    try:
        return bool(text.encode("idna"))
    except UnicodeError:
        return False


def graphite_line(root: str, spooled: SpooledPoint) -> str:
    """Write a point as a line; its path holds neither blanks nor line ends, whatever the service called things."""
    value = spooled.point.value
    number = int(value) if value.is_integer() else value
    return f"{root}.{spooled.path} {number} {spooled.point.at}\n"
