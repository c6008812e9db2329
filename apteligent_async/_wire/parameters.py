"""Python values to the service's text, one encoder per kind of parameter; what cannot work is refused here."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Any, TypeAlias, cast

from apteligent_async.errors import ConfigurationError
from apteligent_async.models.choices import FilterField, LivePeriod, UnattestedWarning, Unchecked

__all__ = [
    "Encoder",
    "comma_list_of",
    "days",
    "encoded",
    "error_duration",
    "filter_texts",
    "flag",
    "instant",
    "iso_period",
    "live_period",
    "naive_instant",
    "one_of",
    "performance_duration",
    "query_pairs",
    "text",
    "texts",
    "whole",
]

Encoder: TypeAlias = Callable[[str, Any], tuple[str, ...]]
"""Given a parameter's name and value, the texts to send: one per repetition of the name."""

DAY = 1440
ATTESTED_ERROR_DURATIONS = frozenset({1440, 2880, 10080, 41760, 43200, 86400})
_ISO_PERIOD = re.compile(r"P(?=.)([0-9]{1,9}[YMWD])*(T([0-9]{1,9}[HMS])+)?", re.ASCII)
_LIVE_PERIODS = {timedelta(days=1): LivePeriod.DAY, timedelta(minutes=5): LivePeriod.FIVE_MINUTES}
PERFORMANCE_DURATIONS = (15, 60, 240, 480, 720, 1440, 2880, 10080, 43200)


def encoded(encode: Encoder, name: str, value: Any) -> tuple[str, ...]:
    """Write a value as its encoder does, or as it is if it is `Unchecked`."""
    sent = (str(value.value),) if isinstance(value, Unchecked) else encode(name, value)
    for each in sent:
        if each.isascii():
            continue
        try:
            each.encode("utf-8")
        except UnicodeEncodeError:
            raise ConfigurationError(f"{name} holds half a character: {each!r}.") from None
    return sent


def text(name: str, value: Any) -> tuple[str, ...]:
    """Send a text, a number or an enum's value as it is; refuse what is none of them, and empty text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise ConfigurationError(f"{name} must be a text, not {value!r}.")
    return (str(value),)


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Send each text of a list under the same name."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{name} must be a list of texts, not {value!r}.")
    items = cast("Iterable[object]", value)
    found = tuple(sent for item in items for sent in encoded(text, name, item))
    if not found:
        raise ConfigurationError(f"{name} must not be empty.")
    return found


def one_of(kind: type[StrEnum]) -> Encoder:
    """Send a member of a closed set, given as such or as text."""
    known = _values(kind)
    return lambda name, value: (_member(known, name, value),)


def comma_list_of(kind: type[StrEnum]) -> Encoder:
    """Send several members of a closed set as one text."""
    known = _values(kind)

    def encode(name: str, value: Any) -> tuple[str, ...]:
        items = (value,) if isinstance(value, str | Unchecked) else value
        return (",".join(_member(known, name, item) for item in items),)

    return encode


def _values(kind: type[StrEnum]) -> dict[str, str]:
    return {member.value: member.value for member in kind}


def _member(known: Mapping[str, str], name: str, value: Any) -> str:
    if isinstance(value, Unchecked):
        return str(value.value)
    if isinstance(value, str) and value in known:
        return known[value]
    allowed = list(known)
    raise ConfigurationError(
        f"{name} cannot be {value!r}{_guess(value, allowed)}; allowed are {', '.join(allowed)}. "
        f"Unchecked({str(value)!r}) sends it all the same."
    )


def _guess(value: Any, allowed: list[str]) -> str:
    folded = {name.lower(): name for name in allowed}
    near = get_close_matches(str(value).lower().replace("_", ""), folded, n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""


def flag(name: str, value: Any) -> tuple[str, ...]:
    """Send ``true`` or ``false`` (clients that sent ``True`` were understood as well: grade B)."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}.")
    return ("true" if value else "false",)


def whole(name: str, value: Any) -> tuple[str, ...]:
    """Send a positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be a positive whole number, not {value!r}.")
    return (str(value),)


def error_duration(name: str, value: Any) -> tuple[str, ...]:
    """Send minutes: any positive number of whole days, with a warning where no client ever sent it."""
    minutes = _minutes(name, value)
    if minutes <= 0 or minutes % DAY:
        raise ConfigurationError(f"{name} must be a positive multiple of {DAY} minutes (whole days), not {minutes}.")
    if minutes not in ATTESTED_ERROR_DURATIONS:
        warnings.warn(f"nothing shows that the service accepts {name}={minutes}", UnattestedWarning, stacklevel=2)
    return (str(minutes),)


def performance_duration(name: str, value: Any) -> tuple[str, ...]:
    """Send minutes out of the closed set of performance management."""
    minutes = _minutes(name, value)
    if minutes not in PERFORMANCE_DURATIONS:
        allowed = ", ".join(map(str, PERFORMANCE_DURATIONS))
        raise ConfigurationError(f"{name} cannot be {minutes} minutes; allowed are {allowed}.")
    return (str(minutes),)


def _minutes(name: str, value: Any) -> int:
    if isinstance(value, timedelta):
        minutes, rest = divmod(value, timedelta(minutes=1))
        if rest:
            raise ConfigurationError(f"{name} must be whole minutes, not {value!r}.")
        return minutes
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{name} must be minutes or a timedelta, not {value!r}.")
    return value


def days(name: str, value: Any) -> tuple[str, ...]:
    """Send a number of days."""
    if isinstance(value, timedelta):
        value = value // timedelta(days=1) if not value % timedelta(days=1) else value
    return whole(name, value)


def iso_period(name: str, value: Any) -> tuple[str, ...]:
    """Send an ISO period such as ``P1M`` or ``PT15M``; a timedelta becomes whole minutes."""
    if isinstance(value, timedelta):
        return (f"PT{_positive(name, _minutes(name, value))}M",)
    if not isinstance(value, str) or not _ISO_PERIOD.fullmatch(value):
        raise ConfigurationError(f"{name} must be an ISO period such as P1M or PT15M, or a timedelta, not {value!r}.")
    return (value,)


def live_period(name: str, value: Any) -> tuple[str, ...]:
    """Send a window of the live statistics; a timedelta of its length will do."""
    if isinstance(value, timedelta):
        value = _LIVE_PERIODS.get(value, value)
    return one_of(LivePeriod)(name, value)


def _positive(name: str, minutes: int) -> int:
    if minutes < 1:
        raise ConfigurationError(f"{name} must be at least a minute.")
    return minutes


def instant(name: str, value: Any) -> tuple[str, ...]:
    """Send an ISO time: in UTC with its offset if it has one, as it is if not."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
    return (_iso(name, value),)


def naive_instant(name: str, value: Any) -> tuple[str, ...]:
    """Send an ISO time without offset, as monitoring writes them; one with an offset is moved to UTC (a guess: D)."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return (_iso(name, value),)


def _iso(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00"
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} must be a datetime, a date or an ISO text, not {value!r}.") from None
    return str(value)


def filter_texts(name: str, value: Any) -> dict[str, str]:
    """Check the names of filters and make text of their values."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} must map names to values, not {value!r}.")
    known = _values(FilterField)
    given = cast("Mapping[object, object]", value)
    return {_member(known, name, key): encoded(text, name, item)[0] for key, item in given.items() if item is not None}


def query_pairs(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Write any query: a list is a repeated name, None is left out, and each value is written as its type wants."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} must map names to values, not {value!r}.")
    pairs = cast("Mapping[object, object]", value)
    return tuple(
        (encoded(text, name, key)[0], sent)
        for key, given in pairs.items()
        for item in _several(given)
        if item is not None
        for sent in encoded(_plain, f"{name}[{key!r}]", item)
    )


def _several(given: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", given) if isinstance(given, list | tuple) else (given,)


def _plain(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return flag(name, value)
    if isinstance(value, date):
        return instant(name, value)
    return ("",) if value == "" else text(name, value)
