"""Every captured answer is decoded with nothing lost, and its request is built as captured."""

from __future__ import annotations

import json

import pytest
from captures import capture, exchanges

from apteligent_async._wire.codec import structure, unstructure
from apteligent_async._wire.endpoints import APPS_LIST, DISCOVER, ERROR_GRAPH, ERROR_PIE, PERFORMANCE_PIE, TOKEN
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from apteligent_async.errors import RateLimitedError

MONITORING = [
    (ERROR_PIE, "errorMonitoring_pie"),
    (PERFORMANCE_PIE, "performanceManagement_pie"),
    (ERROR_GRAPH, "errorMonitoring_graph"),
    (APPS_LIST, "apps.synthetic"),
]
ARGUMENTS = {"appId": "app_id", "appIds": "app_ids", "groupBy": "group_by"}


def reply_with(body, status=200):
    """The reply that has this JSON as its body."""
    return Reply(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())


@pytest.mark.parametrize(("endpoint", "name"), MONITORING)
def test_nothing_is_lost(endpoint, name):
    """Decoding a captured answer and turning it back gives the same JSON."""
    for exchange in exchanges(name):
        result = decode(endpoint, reply_with(exchange["response"]))
        assert unstructure(result) == exchange["response"]


@pytest.mark.parametrize(("endpoint", "name"), MONITORING[:3])
def test_requests_are_built_as_mapped(endpoint, name):
    """The arguments of a captured call give its path and its query."""
    for exchange in [capture(name)] if name.endswith("graph") else exchanges(name):
        wanted = exchange["v2_request"]
        arguments = {ARGUMENTS.get(key, key): value for key, value in wanted["query"].items()}
        request = endpoint.request(**arguments)
        assert (request.method, request.path) == (wanted["method"], wanted["path"])
        flat = {
            (key, str(item))
            for key, value in wanted["query"].items()
            for item in (value if isinstance(value, list) else [value])
        }
        assert set(request.query) == flat


def test_all_attributes_of_apps_are_asked_for():
    """Without a choice, the thirteen attributes of the captured call are sent as one list."""
    wanted = capture("apps.synthetic")["v2_request"]
    (pair,) = APPS_LIST.request().query
    assert pair == ("attributes", wanted["query"]["attributes"])


@pytest.mark.parametrize(("endpoint", "name"), MONITORING[:2])
def test_count_slices_sum_to_one_total(endpoint, name):
    """Slices of count metrics sum to the app's total whatever the grouping."""
    totals = {
        sum(piece.value for piece in decode(endpoint, reply_with(exchange["response"])).slices)
        for exchange in exchanges(name)
        if exchange["v2_request"]["query"]["graph"] in {"appLoads", "volume"}
    }
    assert totals == {10612} if endpoint is ERROR_PIE else totals == {7219}


def test_graph_has_a_point_per_interval():
    """A graph has exactly (end - start) / interval points."""
    for exchange in exchanges("errorMonitoring_graph"):
        graph = decode(ERROR_GRAPH, reply_with(exchange["response"]))
        assert len(graph.series[0].points) == (graph.end - graph.start).total_seconds() / graph.interval == 30


def test_token_answer():
    """The captured token answer becomes a token that lives 30 days, and gives its JSON back."""
    body = capture("token")["response"]
    token = decode(TOKEN, reply_with(body))
    assert (len(token.access_token), token.token_type, token.expires_in) == (32, "bearer", 2592000)
    assert unstructure(token) == body


def test_discovery():
    """Discovery keeps everything, finds host-relative links, and works on a version's own page."""
    for exchange in exchanges("discovery_v1"):
        page = decode(DISCOVER, reply_with(exchange["response"]))
        assert unstructure(page) == exchange["response"]
    root = structure(exchanges("discovery_v1")[0]["response"], DISCOVER.result)
    assert root.paths == {"v1.0": "/v1.0/base"}


def test_rate_limit_answer():
    """The documented 429 becomes an error that knows the service's own figures."""
    captured = capture("rate_limited_429")
    with pytest.raises(RateLimitedError, match="API rate limit exceeded") as caught:
        decode(ERROR_PIE, reply_with(captured["response"], captured["status"]))
    assert (caught.value.limit, caught.value.actual, caught.value.reset) == (20, 25, 42)
