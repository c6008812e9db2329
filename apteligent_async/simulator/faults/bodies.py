"""Faults of the body: what is no JSON, too much of it, or JSON that the contract does not know.

A body that an earlier fault has spoilt already is left as it is where a fault needs JSON to work on.
"""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, frozen

from apteligent_async.simulator.settings import choice, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from apteligent_async.simulator.faults.schedule import Scene
    from apteligent_async.simulator.messages import Answer

__all__ = ["BadJson", "BadUtf8", "ContentType", "Deep", "DuplicateKeys", "GzipBomb", "NotANumber", "SchemaDrift"]

_MEGABYTE = 1_000_000
_MARK = "\0number"
_GZIP = 31
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@frozen
class ContentType:
    """Call the body something else.

    Attributes:
        value: what ``Content-Type`` says.
    """

    value: str = text("text/html")

    def strike(self, scene: Scene) -> Answer:
        """Change the header alone."""
        return _with_header(scene.answer(), "Content-Type", self.value)


@frozen
class BadJson:
    """Send half of the JSON, and end it wrongly; its length is true."""

    def strike(self, scene: Scene) -> Answer:
        """Spoil the body."""
        answer = scene.answer()
        return evolve(answer, body=answer.body[: len(answer.body) // 2] + b",}]")


@frozen
class BadUtf8:
    """Put bytes that are not UTF-8 into the first text."""

    def strike(self, scene: Scene) -> Answer:
        """Spoil the body."""
        answer = scene.answer()
        return evolve(answer, body=answer.body.replace(b'"', b'"\xff\xc0\x80', 1))


@frozen
class NotANumber:
    """Put what JSON has no number for in the place of every number, and into one key more.

    Attributes:
        literal: ``NaN``, ``Infinity``, ``-Infinity``, or ``1e999``, which is valid JSON and still no number.
    """

    literal: str = choice("NaN", "Infinity", "-Infinity", "1e999")

    def strike(self, scene: Scene) -> Answer:
        """Rewrite the body."""

        def spoilt(value: Any) -> Any:
            found = _changed(value, self._marked)
            return {**cast("dict[str, Any]", found), "notANumber": _MARK} if isinstance(found, dict) else found

        answer = _rewritten(scene.answer(), spoilt)
        return evolve(answer, body=answer.body.replace(json.dumps(_MARK).encode(), self.literal.encode()))

    def _marked(self, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return _MARK if is_number else value


@frozen
class Deep:
    """Add a key whose value is nested.

    Attributes:
        levels: how deeply.
    """

    levels: int = whole(100_000, low=1, high=10_000_000)

    def strike(self, scene: Scene) -> Answer:
        """Nest lists at the end of the object."""
        return _with_key_last(scene.answer(), b'"nested": ' + b"[" * self.levels + b"]" * self.levels)


@frozen
class DuplicateKeys:
    """Send ``data`` twice, once as null.

    Attributes:
        null: whether the null comes ``first`` or ``last``.
    """

    null: str = choice("first", "last")

    def strike(self, scene: Scene) -> Answer:
        """Add the key."""
        answer = scene.answer()
        if self.null == "last":
            return _with_key_last(answer, b'"data": null')
        return evolve(answer, body=answer.body.replace(b"{", b'{"data": null, ', 1))


@frozen
class GzipBomb:
    """Compress the body together with spaces that unpack to any size.

    Attributes:
        megabytes: to how much it unpacks.
        layers: how many times it is compressed over.
    """

    megabytes: float = number(200.0, high=10_000.0)
    layers: int = whole(1, low=1, high=10)

    def strike(self, scene: Scene) -> Answer:
        """Put the bomb in the place of the body."""
        answer = scene.answer()
        packed = _bomb(answer.body, int(self.megabytes * _MEGABYTE))
        for _ in range(self.layers - 1):
            packed = _gzip(packed)
        return _with_header(evolve(answer, body=packed), "Content-Encoding", ", ".join(["gzip"] * self.layers))


@frozen
class SchemaDrift:
    """Answer by another contract than the known one.

    Attributes:
        change: ``rename`` keys, change values' types (``retype``), ``add`` keys, or leave keys out (``remove``).
        share: the part of the keys, 0 to 1, that is changed.
    """

    change: str = choice("rename", "retype", "add", "remove")
    share: float = number(0.3, high=1.0)

    def strike(self, scene: Scene) -> Answer:
        """Rewrite the body, key by key."""
        return _rewritten(scene.answer(), lambda body: _changed(body, lambda value: self._drifted(value, scene.dice)))

    def _drifted(self, value: Any, dice: Random) -> Any:
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {}
        for key, inner in cast("dict[str, Any]", value).items():
            found |= self._pair(key, inner) if dice.random() < self.share else {key: inner}
        return found

    def _pair(self, key: str, inner: Any) -> dict[str, Any]:
        match self.change:
            case "rename":
                return {f"{key}V3": inner}
            case "retype":
                return {key: _retyped(inner)}
            case "add":
                return {key: inner, f"{key}Extra": {"since": 3, "of": [key]}}
            case _:
                return {}


def _retyped(value: Any) -> Any:
    match value:
        case str():
            return [value]
        case bool() | None:
            return {"value": value}
        case int() | float():
            return str(value)
        case _:
            return 0


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change a JSON value from the leaves up."""
    if isinstance(value, dict):
        return change({key: _changed(inner, change) for key, inner in cast("dict[str, Any]", value).items()})
    if isinstance(value, list):
        items = cast("list[object]", value)
        return change([_changed(inner, change) for inner in items])
    return change(value)


def _rewritten(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    try:
        return evolve(answer, body=json.dumps(change(json.loads(answer.body))).encode())
    except (ValueError, RecursionError):
        return answer


def _with_key_last(answer: Answer, pair: bytes) -> Answer:
    head, brace, _ = answer.body.rpartition(b"}")
    return evolve(answer, body=head + b", " + pair + b"}") if brace else answer


def _with_header(answer: Answer, name: str, value: str) -> Answer:
    others = tuple(pair for pair in answer.headers if pair[0].lower() != name.lower())
    return evolve(answer, headers=(*others, (name, value)))


def _gzip(plain: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(plain) + packer.flush()


@lru_cache(4)
def _bomb(body: bytes, size: int) -> bytes:
    """Write a true gzip file of a body and so many spaces, without unpacking it ourselves.

    A block that is packed after a full flush does not depend on what stands before it, so one serves any number of
    times.
    """
    whole_blocks, rest = divmod(size, _MEGABYTE)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(body) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * _MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(b" " * rest) + packer.flush()
    checksum = zlib.crc32(body)
    for _ in range(whole_blocks):
        checksum = zlib.crc32(_SPACES, checksum)
    checksum = zlib.crc32(b" " * rest, checksum)
    trailer = checksum.to_bytes(4, "little") + ((len(body) + size) % 2**32).to_bytes(4, "little")
    return _GZIP_HEADER + head + block * whole_blocks + tail + trailer


_SPACES = b" " * _MEGABYTE
