"""How filters are written in a query: nobody knows, so there are three candidates to choose from (grade D)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

__all__ = ["FilterEncoder", "bracketed_filters", "flat_filters", "json_filters"]

FilterEncoder: TypeAlias = Callable[[Mapping[str, str]], tuple[tuple[str, str], ...]]
"""Turns filter names and values into query pairs."""


def bracketed_filters(filters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Write ``filters[appVersion]=2.0``: the default, and a guess."""
    return tuple((f"filters[{name}]", value) for name, value in filters.items())


def flat_filters(filters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Write ``appVersion=2.0``."""
    return tuple(filters.items())


def json_filters(filters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Write ``filters={"appVersion":"2.0"}``."""
    return (("filters", json.dumps(dict(filters), separators=(",", ":"))),) if filters else ()
