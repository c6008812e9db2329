"""Fault schedules as TOML. What is wrong with a file is said with its line and key, not by a traceback."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

from apteligent_async.simulator.faults import bodies, deliveries, refusals
from apteligent_async.simulator.faults.schedule import FaultRule, FaultSchedule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["KINDS", "BadFaults", "parse_faults", "read_faults"]

KINDS: Mapping[str, type[Any]] = {
    "bad_json": bodies.BadJson,
    "bad_utf8": bodies.BadUtf8,
    "clock_skew": refusals.ClockSkew,
    "content_type": bodies.ContentType,
    "deep": bodies.Deep,
    "duplicate_keys": bodies.DuplicateKeys,
    "error_with_200": refusals.ErrorWith200,
    "expired_token": refusals.ExpiredToken,
    "fail": refusals.Fail,
    "gzip_bomb": bodies.GzipBomb,
    "limit_cut": refusals.LimitCut,
    "no_answer": deliveries.NoAnswer,
    "not_a_number": bodies.NotANumber,
    "oversized": deliveries.Oversized,
    "redirect": refusals.Redirect,
    "refuse": refusals.Refuse,
    "reset": deliveries.Reset,
    "revoked_token": refusals.RevokedToken,
    "schema_drift": bodies.SchemaDrift,
    "slow_body": deliveries.SlowBody,
    "slow_headers": deliveries.SlowHeaders,
    "truncated": deliveries.Truncated,
}
"""What a file calls the faults."""

_HEADER = re.compile(r"\s*\[\[\s*fault\s*\]\]")
_RULE_KEYS = frozenset(each.name for each in attrs.fields(FaultRule)) - {"fault"}


class BadFaults(ValueError):  # noqa: N818  says what is bad
    """A schedule cannot be used; the message names the file, the line and the key."""


def read_faults(path: str | PathLike[str]) -> FaultSchedule:
    """Read a schedule from a TOML file; `apteligent_async.simulator.faults` tells its format.

    Raises:
        BadFaults: the file cannot be read, or says what is not possible.
    """
    try:
        written = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadFaults(f"{path}: cannot be read: {reason}") from None
    return parse_faults(written, name=str(path))


def parse_faults(written: str, *, name: str = "faults") -> FaultSchedule:
    """Read a schedule from TOML text.

    Args:
        written: the text.
        name: what messages call it.

    Raises:
        BadFaults: it is no TOML, or says what is not possible.
    """
    try:
        found = tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        raise BadFaults(f"{name}: {error}") from None
    try:
        _refuse_unknown(found, {"seed", "fault"})
        rules = [_rule_at(place, table, written) for place, table in enumerate(_tables(found.get("fault", [])))]
        return FaultSchedule(rules, seed=found.get("seed", 1))
    except ValueError as error:
        raise BadFaults(f"{name}: {error}") from None


def _tables(given: Any) -> list[dict[str, Any]]:
    tables = cast("list[object]", given) if isinstance(given, list) else [given]
    if not all(isinstance(table, dict) for table in tables):
        raise BadFaults("fault must be a list of tables, each begun by [[fault]]")
    return cast("list[dict[str, Any]]", tables)


def _rule_at(place: int, table: Mapping[str, Any], written: str) -> FaultRule:
    try:
        return _rule(table)
    except ValueError as error:
        line = _line_of(place, str(error).partition(" ")[0], written)
        where = f"fault {place + 1}" if line is None else f"line {line}, fault {place + 1}"
        raise BadFaults(f"{where}: {error}") from None


def _rule(table: Mapping[str, Any]) -> FaultRule:
    if "kind" not in table:
        raise BadFaults("kind is missing")
    kind = KINDS.get(table["kind"]) if isinstance(table["kind"], str) else None
    if kind is None:
        raise BadFaults(f"kind must be one of {', '.join(KINDS)}, not {table['kind']!r}")
    own = set(attrs.fields_dict(kind))
    _refuse_unknown(table, {"kind"} | _RULE_KEYS | own)
    settings = {key: value for key, value in table.items() if key in own}
    return FaultRule(kind(**settings), **{key: value for key, value in table.items() if key in _RULE_KEYS})


def _refuse_unknown(table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise BadFaults(f"{key} is not known here; there are {', '.join(sorted(known))}")


def _line_of(place: int, key: str, written: str) -> int | None:
    """Find the line of a key of a table, or the table's own; None where tables are not begun by headers."""
    lines = written.splitlines()
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if place >= len(headers):
        return None
    end = headers[place + 1] if place + 1 < len(headers) else len(lines)
    is_key = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    return next((number for number in range(headers[place], end) if is_key.match(lines[number])), headers[place]) + 1
