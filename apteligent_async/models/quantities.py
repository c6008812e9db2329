"""Numbers that the service wraps in text: ``2522 MB``, ``0.82``."""

from __future__ import annotations

import re

from attrs import frozen

__all__ = ["Quantity", "parse_flag", "parse_quantity", "parse_whole"]

_QUANTITY = re.compile(r"\s*([-+]?[0-9]{1,300}(?:\.[0-9]{1,300})?)\s*(\S{0,20})\s*", re.ASCII)


@frozen(kw_only=True)
class Quantity:
    """A number with its unit.

    Attributes:
        value: the number.
        unit: what follows it, such as ``MB``; empty for a bare number.
    """

    value: float
    unit: str = ""


def parse_quantity(sent: str | float | None) -> Quantity | None:
    """Read a number, alone or with a unit; None if there is none."""
    if isinstance(sent, int | float):
        return Quantity(value=float(sent))
    match = _QUANTITY.fullmatch(sent) if sent is not None else None
    return Quantity(value=float(match[1]), unit=match[2]) if match else None


def parse_whole(sent: object) -> int | None:
    """Read a positive whole number that may be a text or written with a point: ``3``, ``3.0``, ``"3"``, else None."""
    if isinstance(sent, str) and sent.isdecimal() and sent.isascii() and len(sent) < 10:
        return int(sent) or None
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return None
    return int(sent) if sent > 0 and sent == sent // 1 else None


def parse_flag(sent: str | bool | None) -> bool | None:  # noqa: FBT001  a value, not a flag
    """Read a truth value that may be a text: ``"true"``, ``"false"``, else None."""
    if isinstance(sent, bool) or sent is None:
        return sent
    return {"true": True, "false": False}.get(sent.lower())
