"""What the flags of several commands take; anything else is a usage error."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

__all__ = [
    "Amount",
    "AsJson",
    "ClientId",
    "Day",
    "Duration",
    "Flag",
    "Port",
    "PositiveAmount",
    "PositiveDuration",
    "Quiet",
    "Token",
]

_LONGEST_S = 86_400.0
_VISIBLE = re.compile(r"[!-~]+")


def _finite(_: object, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise ValueError("Must be a finite number.")


def _a_day(_: object, value: str | None) -> None:
    try:
        datetime.fromisoformat(value or "2016-12-01")
    except ValueError:
        raise ValueError(f"Must be a day such as 2016-12-01, not {value!r}.") from None


def _fit_for_basic(_: object, value: str) -> None:
    if not value.isprintable() or {" ", ":"} & set(value):
        raise ValueError("HTTP Basic cannot carry it: a client id has no colon, space or control character.")


def _fit_for_bearer(_: object, value: str | None) -> None:
    if value is not None and not _VISIBLE.fullmatch(value):
        raise ValueError("No header can carry it: a token is visible ASCII without spaces.")


Flag = Annotated[bool, Parameter(negative="")]
"""Something that is off unless it is given."""

AsJson = Annotated[bool, Parameter(name="--json", negative="")]
Quiet = Annotated[bool, Parameter(name=("--quiet", "-q"), negative="")]

Amount = Annotated[int, Parameter(validator=Number(gte=0))]
PositiveAmount = Annotated[int, Parameter(validator=Number(gt=0))]
Duration = Annotated[float, Parameter(validator=(_finite, Number(gte=0, lte=_LONGEST_S)))]
"""Seconds, a day at most."""

PositiveDuration = Annotated[float, Parameter(validator=(_finite, Number(gt=0, lte=_LONGEST_S)))]
"""Seconds, more than none and a day at most."""

Day = Annotated[str | None, Parameter(validator=_a_day, show_default=False)]
"""A day, or an instant of it, in ISO's way of writing."""

Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))]
"""A port to listen on; 0 takes a free one."""

ClientId = Annotated[str, Parameter(validator=_fit_for_basic)]
Token = Annotated[str, Parameter(validator=_fit_for_bearer)]
