"""What settings of the service and of its faults may be: checks whose message names the setting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attrs import field

if TYPE_CHECKING:
    from collections.abc import Callable

    from attrs import Attribute

__all__ = ["choice", "flag", "number", "text", "whole"]


def number(default: float | None = None, *, low: float = 0.0, high: float = math.inf) -> Any:
    """Make a field for a finite number within bounds; None is possible where it is the default."""

    def fits(value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and low <= value <= high

    return _checked(default, fits, f"a number{_range(low, high)}")


def whole(default: int | None = None, *, low: int = 0, high: float = math.inf) -> Any:
    """Make a field for a whole number within bounds; None is possible where it is the default."""

    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _checked(default, fits, f"a whole number{_range(low, high)}")


def text(default: str | None = None) -> Any:
    """Make a field for a text that fits into a header; None is possible where it is the default."""
    return _checked(
        default, lambda value: isinstance(value, str) and value.isascii() and value.isprintable(), "a plain text"
    )


def flag(*, default: bool) -> Any:
    """Make a field that is true or false."""
    return _checked(default, lambda value: isinstance(value, bool), "true or false")


def choice(default: str, *others: str) -> Any:
    """Make a field for one of some words, the first of which is the default."""
    words = (default, *others)
    return _checked(default, lambda value: value in words, "one of " + ", ".join(words))


def _checked(default: Any, fits: Callable[[Any], bool], wanted: str) -> Any:
    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if value is not default and not fits(value):
            raise ValueError(f"{attribute.name} must be {wanted}, not {value!r}")

    return field(default=default, validator=check, kw_only=True)


def _range(low: float, high: float) -> str:
    if high < math.inf:
        return f" from {low:g} to {high:g}"
    return f" of at least {low:g}" if low > -math.inf else ""
