"""The templates of the page, all of which escape what they are given."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["age_words", "number", "render"]

_SHORT_AGES = ((90.0, 1.0, "s"), (5400.0, 60.0, "min"), (129_600.0, 3600.0, "h"))


def render(name: str, **values: Any) -> str:
    """Fill a template in."""
    return _environment().get_template(name).render(values)


def number(value: float | None, digits: int = 0) -> str:
    """Write a figure with thin spaces between thousands, or a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"  # noqa: RUF001  the dash of a table
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def age_words(seconds: float) -> str:
    """Say how long ago something was, in one unit."""
    for below, unit, name in _SHORT_AGES:
        if seconds < below:
            return f"{seconds / unit:.0f}\u202f{name}"
    return f"{seconds / 86_400:.0f}\u202fdays"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("apteligent_async.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "age": age_words}
    return made
