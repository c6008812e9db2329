"""Calls without a method: bare paths and links, which go to the service and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from counterparts import Scripted, bare
from hypothesis import given
from hypothesis import strategies as st
from served import app, client_of, served

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    BadRequestError,
    ConfigurationError,
    ConnectionFailed,
    ResponseError,
    StaticToken,
    UnsafeLinkError,
    unstructure,
)
from apteligent_async._wire.parameters import query_pairs
from apteligent_async.client.raw import raw_endpoint, raw_request
from apteligent_async.models.access import Discovery, Untyped
from apteligent_async.models.choices import ErrorGraph
from apteligent_async.models.error_groups import ErrorPage
from apteligent_async.models.transactions import TransactionOutcomes
from apteligent_async.models.trends import Trends

APP = app().profile.id


def client_at(transport):
    """Make a client of any transport, whose token is plain to see."""
    return ApteligentClient(StaticToken("planted"), base_url="http://127.0.0.1:9", transport=transport)


@pytest.mark.anyio
async def test_a_bare_path_is_a_call_like_any_other():
    """It carries the token and waits in line; its answer is what came, with its exchange."""
    recorder = served()
    async with client_of(recorder) as client:
        answer = await client.request("get", "/v2/apps", params={"attributes": "appName"})
        assert (await client.with_options(priority="bulk").request("GET", "/v2/apps")).data
    assert type(answer) is Untyped
    assert repr(answer) == "<Untyped object>"
    assert answer.data[APP] == {"appName": app().profile.name}
    assert answer.body["data"] == answer.data
    assert unstructure(answer) == json.loads(answer.http.body)
    assert (answer.http.status, answer.http.timeline.attempts) == (200, 1)
    assert recorder.sent[0] == ("GET", "/v2/apps", [("attributes", "appName")])
    assert len(recorder.service.quota().log) == 2


@pytest.mark.anyio
async def test_what_is_sent_as_json_and_as_query():
    """The body is JSON and says so; each value of the query is written as its type wants, lists by repeating."""
    transport = Scripted(lambda request, number: bare(body=[1]))
    params = {
        "a": [1, "b", None, 2.5],
        "flag": True,
        "when": datetime(2016, 12, 1, tzinfo=UTC),
        "day": date(2016, 12, 2),
        "graph": ErrorGraph.DAU,
        "empty": "",
        "none": None,
        "ü": "&=",
    }
    async with client_at(transport) as client:
        answer = await client.request("post", "/v1.0/things", params=params, json={"params": {"é": [None]}})
        await client.request("PUT", "/v2/nothing")
    first, second = transport.requests
    assert answer.data == (1,)
    assert (first.method, first.url.path) == ("POST", "/v1.0/things")
    assert json.loads(first.content) == {"params": {"é": [None]}}
    assert first.headers["content-type"] == "application/json"
    assert first.headers["authorization"] == "Bearer planted"
    assert parse_qsl(first.url.query.decode(), keep_blank_values=True) == [
        ("a", "1"),
        ("a", "b"),
        ("a", "2.5"),
        ("flag", "true"),
        ("when", "2016-12-01T00:00:00+00:00"),
        ("day", "2016-12-02T00:00:00"),
        ("graph", "dau"),
        ("empty", ""),
        ("ü", "&="),
    ]
    assert second.content == b""
    assert "content-type" not in second.headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "repeatable", "attempts"),
    [("GET", None, 3), ("HEAD", None, 3), ("POST", None, 1), ("DELETE", None, 1), ("POST", True, 3), ("GET", False, 1)],
)
async def test_only_what_may_be_repeated_is_sent_again(method, repeatable, attempts):
    """When an answer is lost, what only reads is asked for again; anything else only if the caller says so."""
    transport = Scripted(lambda request, number: httpx.ReadError("cut"))
    async with client_at(transport) as client:
        with pytest.raises(ConnectionFailed) as raised:
            await client.request(method, "/v2/apps", repeatable=repeatable)
    assert len(transport.requests) == raised.value.attempts
    assert (len(transport.requests) > 1) == (attempts > 1)


@pytest.mark.anyio
async def test_an_answer_without_a_body_is_none():
    """HEAD and 204 bring nothing; anywhere else nothing is not JSON."""
    transport = Scripted(lambda request, number: httpx.Response(204))
    async with client_at(transport) as client:
        answer = await client.request("HEAD", "/v2/apps")
        assert (answer.body, answer.data, answer.http.status) == (None, None, 204)
        with pytest.raises(ResponseError, match="not JSON"):
            await client.apps.list()


@pytest.mark.anyio
async def test_errors_of_bare_calls_are_the_same_as_of_any():
    """A refusal has its class, and an error in a body with status 200 is one."""
    answers = [bare(400, body={"message": "no"}), bare(200, body={"error": "plan"})]
    async with client_at(Scripted(lambda request, number: answers[number - 1])) as client:
        with pytest.raises(BadRequestError, match="no") as raised:
            await client.request("GET", "/v2/x")
        assert raised.value.endpoint == "request"
        with pytest.raises(ResponseError, match="plan"):
            await client.request("GET", "/v2/x")


FOREIGN = ["//evil.example/v2", "https://evil.example/v2", "http://127.0.0.1:9/v2/apps", "v2/apps", "/\\evil", "/v2//x"]
CLIMBING = ["/v2/../x", "/v2/%2e%2e/x", "/..", "/"]
MEANINGLESS = ["", "/v2/apps?x=1", "/v2/apps#x", 7, None, "/\ud800"]


@pytest.mark.anyio
@pytest.mark.parametrize("path", [*FOREIGN, *CLIMBING, *MEANINGLESS], ids=ascii)
async def test_what_is_no_path_is_refused(path):
    """An address, a host in disguise, a way up, a query: nothing is sent anywhere."""
    transport = Scripted(lambda request, number: bare())
    async with client_at(transport) as client:
        with pytest.raises(ConfigurationError if path in MEANINGLESS else UnsafeLinkError):
            await client.request("GET", path)
    assert transport.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "GET /x"},
        {"method": ""},
        {"method": None},
        {"params": [("a", "b")]},
        {"params": {"a": timedelta(1)}},
        {"params": {"a": object()}},
        {"params": {"": "x"}},
        {"params": {"a": "\ud800"}},
        {"json": object()},
        {"json": float("nan")},
    ],
    ids=lambda arguments: ascii(arguments).split(" at 0x")[0],
)
async def test_arguments_that_cannot_be_sent_are_refused(arguments):
    """Each is a ConfigurationError that names the argument, and costs no call."""
    transport = Scripted(lambda request, number: bare())
    async with client_at(transport) as client:
        with pytest.raises(ConfigurationError, match=next(iter(arguments))):
            await client.request(**{"method": "POST", "path": "/v2/apps", **arguments})
    assert transport.requests == []


@given(path=st.text(alphabet="/.%aé\\:@?# 2eE0\n", max_size=12).map(lambda rest: f"/{rest}"))
def test_any_path_means_itself_or_is_refused(path):
    """What is sent decodes to the same segments, and none of them leads elsewhere."""
    endpoint = raw_endpoint("GET", is_repeatable=None)
    try:
        sent = raw_request(endpoint, path, params=None, json=None).path
    except (ConfigurationError, UnsafeLinkError):
        return
    segments = [unquote(segment) for segment in sent.split("/")]
    assert segments == [unquote(segment) for segment in path.split("/")]
    assert {".", ".."} & set(segments) == set()
    assert not sent.startswith("//")
    assert sent.isascii()


TEXTS = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


@given(params=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3)))
def test_any_query_arrives_in_order(params):
    """Names and values come out as they went in."""
    assert query_pairs("params", params) == tuple((name, value) for name, values in params.items() for value in values)


@pytest.mark.anyio
async def test_links_are_followed_to_what_they_mean():
    """A link of the service's public host, of its old host, a bare path: each gives the result of its call."""
    recorder = served()
    async with client_of(recorder) as client:
        trends = await client.trends.app(APP)
        again = await client.follow(trends.links["self"])
        assert type(again) is Trends
        assert again == trends
        pie = await client.error_monitoring.pie(graph="crashes", group_by="os", app_ids=[APP], filters={"os": "x & y"})
        assert await client.follow(pie.links["self"]) == pie
        flow = await anext(aiter(client.transactions.details(APP, "P1M")))
        assert flow.link.startswith("http://txn-report.crittercism.com/v1.0/")
        assert type(await client.follow(flow.link)) is TransactionOutcomes
        page = await client.follow(f"/v2/crash/paginatedtable/{APP}?pageNum=2&period=30")
        assert type(page) is ErrorPage
        assert page.page_num == 2
        discovery = await client.follow("/allyourbase")
        assert type(discovery) is Discovery
        base = await client.follow(discovery.paths["v1.0"])
        assert base.data["status"] == "active"
        assert type(base) is Untyped
    assert recorder.sent[1] == ("GET", f"/v2/trends/{APP}", recorder.sent[1][2])
    assert ("GET", f"/v2/crash/paginatedtable/{APP}", [("pageNum", "2"), ("period", "30")]) in recorder.sent


@pytest.mark.anyio
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/apps",
        "//evil.example/v2/apps",
        "https://developers.crittercism.com@evil.example/v2/apps",
        "https://developers.crittercism.com:444/v2/apps",
        "https://txn-report.crittercism.com/v2/apps",
        "javascript:alert(1)",
        "/v2/../x",
        "",
        None,
        {"href": "/v2/apps"},
    ],
    ids=str,
)
async def test_a_link_that_leads_elsewhere_is_not_followed(link):
    """The token leaves nowhere; what is no text at all is the caller's mistake."""
    transport = Scripted(lambda request, number: bare())
    async with client_at(transport) as client:
        with pytest.raises(UnsafeLinkError if isinstance(link, str) else ConfigurationError):
            await client.follow(link)
    assert transport.requests == []


@pytest.mark.anyio
async def test_links_need_an_open_client():
    """Before entering nobody knows which links are the service's own."""
    client = client_at(Scripted(lambda request, number: bare()))
    for use in (client.follow("/v2/apps"), client.request("GET", "/v2/apps"), client.token()):
        with pytest.raises(ApteligentError, match="not been entered"):
            await use
