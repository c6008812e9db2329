"""Bodies as they come off the wire: put together, unpacked, and never larger than a bound, however they are packed.

A packed byte can stand for a thousand, so what counts is the unpacked size, and it is bounded at every step: no more
than the bound is ever unpacked, whatever comes at once.
"""

from __future__ import annotations

import zlib

__all__ = ["CODING", "Body", "Garbled", "Unreadable"]

CODING = "gzip"
"""The one content coding that is asked for."""

_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 47
"""What zlib calls a stream that begins like gzip or like zlib."""


class Unreadable(Exception):  # noqa: N818  a signal between two modules
    """The body is one that no further attempt would make better: too large, or packed in an unknown way."""


class Garbled(Exception):  # noqa: N818  a signal between two modules
    """The body is not what its coding says; it may have been damaged on the way."""


class Body:
    """A body that is being received. Its state is what has been unpacked so far.

    Args:
        coding: the ``Content-Encoding``; empty for none.
        most: how many bytes it may have, unpacked.

    Raises:
        Unreadable: nobody here knows the coding.
    """

    def __init__(self, coding: str, *, most: int) -> None:
        coding = coding.strip().lower()
        if coding not in {"", "identity"} | _KNOWN:
            raise Unreadable("the body is packed in a way that was not asked for")
        self._packed = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _KNOWN else None
        self._most = most
        self._size = 0
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        """Take the next bytes.

        Raises:
            Unreadable: the body is larger than it may be.
            Garbled: this is not how it was said to be packed.
        """
        plain = part if self._packed is None else self._unpacked(self._packed, part)
        self._size += len(plain)
        if self._size > self._most:
            self._parts.clear()
            raise Unreadable(f"the body is larger than {self._most} bytes")
        self._parts.append(plain)

    def whole(self) -> bytes:
        """Give all of it.

        Raises:
            Garbled: the packed stream has not come to its end.
        """
        if self._packed is not None and not self._packed.eof and self._parts:
            raise Garbled("the packed body has no end")
        return b"".join(self._parts)

    def _unpacked(self, packed: zlib._Decompress, part: bytes) -> bytes:  # pyright: ignore[reportPrivateUsage]  no other name
        try:
            plain = packed.decompress(part, self._most - self._size + 1)
        except zlib.error:
            raise Garbled("the body cannot be unpacked") from None
        if packed.unused_data:
            raise Garbled("something follows the packed body")
        return plain
