"""How msgspec and pydantic decode each body, with the models that their own documentation would have one write.

Imported in the rivals' environment only. Both check types; pydantic keeps unknown keys, msgspec drops them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pydantic

from benchmarks.bodies import known

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DECODERS"]

_APP: Final = {
    "appName": str | None,
    "appType": str | None,
    "appVersions": tuple[str, ...] | None,
    "crashPercent": float | int | None,
    "dau": float | int | None,
    "mau": float | int | None,
    "iconURL": str | None,
    "latency": float | int | None,
    "latestAppStoreReleaseDate": str | None,
    "latestVersionString": str | None,
    "linkToAppStore": str | None,
    "rating": float | int | None,
    "role": str | None,
}
_WINDOW: Final = {"start": str | None, "end": str | None, "interval": float | int | None}
_LINE: Final = {"lineNumber": float | int | None, "trace": str | None}
_CRASH: Final = {
    "hash": str | None,
    "status": str | None,
    "displayReason": str | None,
    "appType": str | None,
    "name": str | None,
    "reason": str | None,
    "firstOccurred": str | None,
    "lastOccurred": str | None,
    "appTimeZoneOffset": float | int | None,
    "dailyOccurrencesByVersion": dict[str, tuple[str, tuple[float | int | None, ...]]] | None,
    "sessionCountsByVersion": dict[str, float | int | None] | None,
    "uniqueSessionCountsByVersion": dict[str, float | int | None] | None,
}

Made = Any
"""A class made at run time; neither library's type can be named here."""


def _shapes(define: Callable[[str, dict[str, Any]], Made]) -> dict[str, Made]:
    """Write the models of all bodies once, in terms of what defines a class."""
    line = define("Line", _LINE)
    series = define("Series", {"name": str, "points": tuple[float | int | None, ...]})
    part = define("Slice", {"name": str, "label": str | None, "value": float | int | None})
    data = {
        "apps": dict[str, define("App", _APP)],
        "graph": define("Graph", {**_WINDOW, "series": tuple[series, ...]}),
        "pie": define("Pie", {**_WINDOW, "slices": tuple[part, ...]}),
        "crash details": define(
            "Crash", {**_CRASH, "stacktrace": tuple[line, ...], "symbolizedStacktrace": tuple[line, ...]}
        ),
    }
    return {name: define("Answer", {"data": shape}) for name, shape in data.items()}


def _msgspec(body: str) -> Callable[[bytes], object]:
    def define(name: str, fields: dict[str, Any]) -> Made:
        return msgspec.defstruct(name, list(fields.items()), frozen=True)

    return msgspec.json.Decoder(_shapes(define)[known(body)]).decode


def _pydantic(body: str) -> Callable[[bytes], object]:
    config = pydantic.ConfigDict(frozen=True, extra="allow")

    def define(name: str, fields: dict[str, Any]) -> Made:
        wanted: dict[str, Any] = {key: (kind, ...) for key, kind in fields.items()}
        return pydantic.create_model(name, __config__=config, **wanted)

    decode: Callable[[bytes], object] = _shapes(define)[known(body)].model_validate_json
    return decode


DECODERS: Final[dict[str, Callable[[str], Callable[[bytes], object]]]] = {"msgspec": _msgspec, "pydantic": _pydantic}
"""What gives the decoder of a body, by package."""
