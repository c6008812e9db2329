"""``/performanceManagement`` as tables: the endpoints, services and countries with the highest value of a metric."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from apteligent_async.simulator.resources.performance import span_of
from apteligent_async.simulator.world.catalog import COUNTRIES
from apteligent_async.simulator.world.series import deal
from apteligent_async.simulator.world.traffic import Flow, NetworkGraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apteligent_async.simulator.parameters import Asked
    from apteligent_async.simulator.world.catalog import Service

__all__ = ["endpoints", "geo", "services"]


class _Sort(StrEnum):
    LATENCY = "latency"
    VOLUME = "volume"
    ERRORS = "errors"
    DATA = "data"


def endpoints(asked: Asked) -> dict[str, Any]:
    """Answer domains with their paths; ``sort`` is the value of the metric that was asked for."""
    sort = asked.query.choice_or("sort", _Sort.VOLUME)
    rows = [
        {"domain": service.domain, "uri": uri, "sort": _value(part, sort)}
        for service, flow in _by_service(asked)
        for uri, part in zip(service.uris, _split(flow, [1.0] * len(service.uris)), strict=True)
    ]
    return {"data": {"endpoints": _top(rows, asked)}}


def services(asked: Asked) -> dict[str, Any]:
    """Answer services; ``sort`` is the value of the metric that was asked for."""
    sort = asked.query.choice_or("sort", _Sort.VOLUME)
    rows = [{"name": service.name, "sort": _value(flow, sort)} for service, flow in _by_service(asked)]
    return {"data": {"services": _top(rows, asked)}}


def geo(asked: Asked) -> dict[str, Any]:
    """Answer values by country code."""
    graph = asked.query.choice_or("graph", _Sort.VOLUME)
    flow = sum((flow for _, flow in _by_service(asked)), Flow())
    parts = _split(flow, [country.weight for country in COUNTRIES])
    rows = [
        {"code": country.code, "sort": _value(part, graph) * (country.latency_factor if graph is _Sort.LATENCY else 1)}
        for country, part in zip(COUNTRIES, parts, strict=True)
        if part.requests
    ]
    return {"data": {"series": [{"geo": {row["code"]: row["sort"] for row in _top(rows, asked)}}]}}


def _by_service(asked: Asked) -> Iterator[tuple[Service, Flow]]:
    for app in asked.apps():
        span = span_of(asked.query, app, default_minutes=240)
        flow = sum(app.traffic.by_cohort(*span), Flow())
        yield from ((service, part) for service, part in app.traffic.by_service(flow) if part.requests)


def _split(flow: Flow, weights: Sequence[float]) -> list[Flow]:
    counts = deal(flow.requests, weights)
    whole = Flow(flow.requests, *[float(flow.requests)] * 4)
    return [Flow(count, *[float(count)] * 4).scaled(whole, flow) for count in counts]


def _value(flow: Flow, sort: _Sort) -> float:
    match sort:
        case _Sort.LATENCY:
            return flow.value(NetworkGraph.LATENCY)
        case _Sort.VOLUME:
            return flow.requests
        case _Sort.ERRORS:
            return flow.value(NetworkGraph.ERRORS)
        case _Sort.DATA:
            return flow.value(NetworkGraph.DATA_IN) + flow.value(NetworkGraph.DATA_OUT)
        case _:
            assert_never(sort)


def _top(rows: list[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    limit = asked.query.whole("limit", default=10)
    return sorted(rows, key=lambda row: -row["sort"])[:limit]
