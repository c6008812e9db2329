"""How an answer travels: at once and whole, or late, by the piece, with padding, or cut off. Plain values, no I/O."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PLAIN", "Delivery"]

_LARGEST_PART = 65_536
_SLOW_PARTS = 20


@frozen(kw_only=True)
class Delivery:
    """What becomes of an answer on its way.

    Attributes:
        head_after_s: seconds before the status line is sent.
        body_over_s: seconds over which the parts of the body are spread.
        padding: spaces that follow the body, made while they are sent: a body of any size costs no memory here.
        ends_at: the part of the body, from 0 to 1, after which the connection ends; None for the whole.
        has_head: whether there is a status line at all; without one the connection just ends.
        is_reset: whether the connection ends by a reset, where it ends early, rather than by closing.
    """

    head_after_s: float = field(default=0.0, validator=validators.ge(0))
    body_over_s: float = field(default=0.0, validator=validators.ge(0))
    padding: int = field(default=0, validator=validators.ge(0))
    ends_at: float | None = None
    has_head: bool = True
    is_reset: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing special about it."""
        return self == PLAIN

    @property
    def is_cut(self) -> bool:
        """Whether the connection ends before the answer does."""
        return self.ends_at is not None or not self.has_head

    def length(self, body: bytes) -> int:
        """Give the stated length of a body, cut or not."""
        return len(body) + self.padding

    def parts(self, body: bytes) -> Iterator[tuple[float, bytes]]:
        """Give what is sent of a body, piece by piece, each with the seconds to wait before it."""
        end = self.length(body) if self.ends_at is None else math.floor(self.length(body) * self.ends_at)
        size = min(_LARGEST_PART, max(1, math.ceil(end / _SLOW_PARTS)) if self.body_over_s else _LARGEST_PART)
        pause_s = self.body_over_s / max(1, math.ceil(end / size))
        for start in range(0, end, size):
            part = body[start : min(start + size, end)]
            yield pause_s, part + b" " * (min(size, end - start) - len(part))


PLAIN = Delivery()
"""At once and whole."""
