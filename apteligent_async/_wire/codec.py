"""JSON bytes to models and back, by the one cattrs converter.

What it promises: structuring and then unstructuring gives the same JSON, keys that no model knows included; any bytes
end in a model or in a `ResponseError`. A renamed JSON key is a line in `NAMES`.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cattrs import Converter

from apteligent_async._wire.objects import Names, configure, locate
from apteligent_async._wire.shapes import OWN_KEY
from apteligent_async.errors import ResponseError
from apteligent_async.models.access import Discovery, Token, Untyped
from apteligent_async.models.apps import App, Apps
from apteligent_async.models.breadcrumbs import AffectedUser, AffectedUsers
from apteligent_async.models.days import DailyArray
from apteligent_async.models.diagnostics import Country, Diagnostics, GeoPoint, Tally
from apteligent_async.models.error_details import ErrorDetails, StackLine
from apteligent_async.models.error_groups import ErrorCounts, ErrorPage, ErrorRow, ErrorSummaries
from apteligent_async.models.performance import EndpointRank, EndpointRanking, ServiceRank, ServiceRanking
from apteligent_async.models.result import Envelope, HttpExchange, Part, Result
from apteligent_async.models.transactions import (
    RankedTransactions,
    TransactionGroups,
    TransactionSummary,
    TransactionTraces,
)
from apteligent_async.models.trends import TrendBucket, TrendBuckets

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

__all__ = ["NAMES", "attach", "json_object", "loads", "prepare", "structure", "structure_result", "unstructure"]

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a character, perhaps without its other half, which no text can hold."""

Model = TypeVar("Model")
ResultType = TypeVar("ResultType", bound=Result)

NAMES = Names(
    keys={
        App: {"id": OWN_KEY, "icon_url_text": "iconURL"},
        Country: {"name": "--NAME--"},
        Discovery: {"targets": "links"},
        EndpointRank: {"value": "sort"},
        EndpointRanking: {"items": "endpoints"},
        ErrorDetails: {"class_name": "class"},
        ErrorPage: {"items": "errors"},
        ServiceRank: {"value": "sort"},
        ServiceRanking: {"items": "services"},
    },
    snake_case=frozenset({AffectedUser, Diagnostics, ErrorRow, StackLine, Token}),
    whole={
        AffectedUsers: "items",
        Apps: "items",
        ErrorCounts: "items",
        ErrorSummaries: "items",
        RankedTransactions: "items",
        TransactionGroups: "items",
        TransactionSummary: "metrics",
        TransactionTraces: "items",
        Untyped: "body",
    },
    keyed=frozenset({Apps}),
    positional=frozenset({DailyArray, GeoPoint, Tally}),
    columnar={TrendBuckets: TrendBucket},
    rest={Country: "regions"},
)
"""What JSON calls the attributes of the models, where it is not simply the same name in camel case."""


def loads(body: bytes) -> Any:
    """Decode JSON; raise `ResponseError` for whatever is not. Of a repeated key the last value counts."""
    try:
        return _decoder()(body)
    except (ValueError, RecursionError) as error:
        problem = _json_problem(error)
    # Raised out here, as the decoder's own error holds the whole body, which may be a secret.
    raise ResponseError(f"The answer is not JSON: {problem}.")


def json_object(body: bytes) -> Mapping[str, Any]:
    """Decode a body as far as it is a JSON object; whatever else it is counts as an empty one."""
    try:
        value = loads(body)
    except ResponseError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def structure(value: Any, model: type[Model]) -> Model:
    """Make a model of decoded JSON; raise `ResponseError` with the path of the first thing that does not fit."""
    return _structure(value, model, prefix="$")


def structure_result(
    body: Any, result: type[ResultType], *, http: Callable[[], HttpExchange] | None = None
) -> ResultType:
    """Make a result of an enveloped body: ``data`` becomes the result, the rest its envelope; `http` is asked last."""
    if not isinstance(body, dict) or "data" not in body:
        raise ResponseError("The answer is not what was expected: $.data is missing.", path="$.data")
    found = _structure(body["data"], result, prefix="$.data")
    rest = {key: value for key, value in cast("dict[str, Any]", body).items() if key != "data"}
    attach(found, envelope=structure(rest, Envelope) if rest else _bare_envelope())
    return attach(found, http=http() if http else None)


def attach(result: ResultType, **attributes: object) -> ResultType:
    """Complete a result that nobody has seen yet, in place: to copy it costs more than to make it."""
    for name, value in attributes.items():
        object.__setattr__(result, name, value)
    return result


@cache
def _bare_envelope() -> Envelope:
    """Give the envelope of every answer that has nothing but ``data``."""
    return structure({}, Envelope)


def unstructure(model: Part) -> Any:
    """Give the JSON of a model back, with its envelope if it is a result that had one."""
    data = _converter(is_detailed=False).unstructure(model)
    envelope = model.envelope if isinstance(model, Result) else None
    return data if envelope is None else {"data": data, **unstructure(envelope)}


def _structure(value: Any, model: type[Model], *, prefix: str) -> Model:
    hook: Callable[[Any, Any], Model] = _hook(cast("Hashable", model))
    try:
        return hook(value, model)
    except Exception:  # noqa: BLE001  cattrs raises whatever the value provokes; all of it means "does not fit"
        path, problem = _second_look(value, model)
    path = prefix + path.removeprefix("$")
    raise ResponseError(f"The answer is not what was expected: {path} {problem}.", path=path)


def _second_look(value: Any, model: type) -> tuple[str, str]:
    # The first pass runs without cattrs' bookkeeping of paths, which costs a quarter.
    try:
        _converter(is_detailed=True).structure(value, model)
    except Exception as error:  # noqa: BLE001  see above
        return locate(error, NAMES)
    raise AssertionError("a value fitted at second look")


@cache
def _hook(model: Any) -> Callable[[Any, Any], Any]:
    return _converter(is_detailed=False).get_structure_hook(model)


@cache
def _converter(*, is_detailed: bool) -> Converter:
    return configure(Converter(detailed_validation=is_detailed), NAMES)


def prepare() -> None:
    """Import what decodes, so that the first call need not."""
    _decoder()


@cache
def _decoder() -> Callable[[bytes], Any]:
    try:
        import orjson  # noqa: PLC0415  an extra
    except ImportError:
        return standard_loads
    return orjson.loads


def standard_loads(body: bytes) -> Any:
    """Decode JSON with the standard library, as strictly as orjson where that matters."""
    value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    if _SURROGATE.search(body):
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _json_problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "not UTF-8" if isinstance(error, UnicodeError) else str(error)
