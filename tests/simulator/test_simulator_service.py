"""The doors of the service: credentials, tokens, quota, paths."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from front_desk import PASSWORD_FORM, FrontDesk, basic, fixture
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async.simulator import DEMO_ACCOUNT, Account, Answer, Call, QuotaSettings, Service
from apteligent_async.simulator.resources.routes import ROUTES

RATE_HEADERS = {"Rate-Limit-Limit", "Rate-Limit-Remaining", "Rate-Limit-Reset"}
FORM = {"content_type": "application/x-www-form-urlencoded"}


def test_the_token_answer_has_the_captured_shape(desk):
    """Keys, header names and types are those of the one captured exchange."""
    captured = fixture("token.json")
    status, body, headers = desk.post_token(PASSWORD_FORM, **FORM)
    assert status == 200
    assert {key: type(value) for key, value in body.items()} == {
        key: type(value) for key, value in captured["response"].items()
    }
    assert len(body["access_token"]) == 32
    assert body["expires_in"] == 2_592_000
    assert set(headers) == set(captured["headers"])


@pytest.mark.parametrize("password_half", ["", ":", ":ANYTHING"])
@pytest.mark.parametrize("path", ["/v2/token", "/v1.0/token"])
def test_the_password_half_of_basic_is_ignored(desk, password_half, path):
    """Clients send none, an empty one or any."""
    status, body, _ = desk.post_token(PASSWORD_FORM, path=path, user=DEMO_ACCOUNT.client_id + password_half, **FORM)
    assert status == 200
    assert desk.ask("/v2/apps", token=body["access_token"]).status == 200


def test_token_parameters_may_come_in_the_query(desk):
    """An unwise encoding that the service takes."""
    assert desk.post_token(path="/v2/token?" + PASSWORD_FORM)[0] == 200


def test_token_parameters_may_come_as_multipart(desk):
    """The encoding of one of the clients."""
    fields = {"grant_type": "password", "username": DEMO_ACCOUNT.username, "password": DEMO_ACCOUNT.password}
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = "".join(parts) + "--cut--\r\n"
    assert desk.post_token(body, content_type="multipart/form-data; boundary=cut")[0] == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("grant_type=password", "grant_type=implicit"), "unsupported_grant_type"),
        (("grant_type=password", "x=y"), "invalid_request"),
        (("username=", "user="), "invalid_request"),
        (("password=not", "password=wrong"), "invalid_grant"),
        (("grant_type", "duration=0&grant_type"), "invalid_request"),
        (("grant_type", "duration=31536001&grant_type"), "invalid_request"),
        (("grant_type", "duration=" + "9" * 9999 + "&grant_type"), "invalid_request"),
        (("grant_type", "duration=ten&grant_type"), "invalid_request"),
    ],
)
def test_a_refused_token_request_names_an_error_of_the_rfc(desk, change, error):
    """It is a 400, and it counts."""
    status, body, headers = desk.post_token(PASSWORD_FORM.replace(*change), **FORM)
    assert (status, body["error"]) == (400, error)
    assert set(headers) > RATE_HEADERS


def test_an_unknown_client_id_is_refused_without_rate_headers(desk):
    """It has no budget, so nothing can be said about one."""
    status, body, headers = desk.post_token(PASSWORD_FORM, user="nobody:", **FORM)
    assert (status, body["error"]) == (401, "invalid_client")
    assert not RATE_HEADERS & set(headers)


def test_a_token_lives_as_long_as_it_says(desk):
    """It is good one instant before its end and not at its end; the refusal still counts for its client."""
    _, body, _ = desk.post_token(PASSWORD_FORM + "&duration=100", now=50.0, **FORM)
    token = body["access_token"]
    assert body["expires_in"] == 100
    assert desk.ask("/v2/apps", token=token, now=149.9).status == 200
    expired = desk.ask("/v2/apps", token=token, now=150.0)
    assert expired.status == 401
    assert set(dict(expired.headers)) > RATE_HEADERS


def test_a_revoked_token_is_refused_and_others_live_on(desk):
    """Any number of tokens of one client are live at a time."""
    first, second = (desk.post_token(PASSWORD_FORM, **FORM)[1]["access_token"] for _ in range(2))
    assert first != second
    desk.service.revoke(first)
    assert desk.ask("/v2/apps", token=first).status == 401
    assert desk.ask("/v2/apps", token=second).status == 200


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer ", "Basic !!!", "Digest x"])
def test_a_call_from_nobody_known_is_refused_without_rate_headers(desk, header):
    """401 with a JSON body."""
    answer = desk.ask("/v2/apps", headers={"Authorization": header})
    assert answer.status == 401
    assert json.loads(answer.body)["message"]
    assert not RATE_HEADERS & set(dict(answer.headers))


def test_one_quota_serves_all_tokens_of_a_client():
    """Two tokens and a token call spend one budget of three; another client is not touched."""
    other = Account(client_id="other", username="o", password="p")
    service = Service(FrontDesk.open().service.world, accounts=[DEMO_ACCOUNT, other], quota=QuotaSettings(limit=3))
    desk, stranger = (FrontDesk(service, service.issue_token(one.client_id)) for one in service.accounts)
    assert desk.post_token(PASSWORD_FORM, **FORM)[0] == 200
    assert desk.ask("/v2/apps").status == 200
    assert desk.ask("/v2/nowhere").status == 404
    status, body = desk.refused("/v2/apps", token=service.issue_token(DEMO_ACCOUNT.client_id))
    assert (status, body["actual"], body["limit"], body["success"]) == (429, 4, 3, 0)
    assert desk.post_token(PASSWORD_FORM, **FORM)[0] == 429
    assert stranger.ask("/v2/apps").status == 200


def test_a_429_carries_the_rate_headers_and_the_same_reset(desk):
    """Header and body agree."""
    desk = FrontDesk.open(limit=1)
    desk.ask("/v2/apps", now=18.0)
    answer = desk.ask("/v2/apps", now=18.0)
    assert json.loads(answer.body)["reset"] == int(dict(answer.headers)["Rate-Limit-Reset"]) == 42
    assert dict(answer.headers)["Rate-Limit-Remaining"] == "0"


def test_discovery_needs_no_token_and_no_budget():
    """It answers the reconstructed bodies to anybody, even when the budget is spent."""
    desk = FrontDesk.open(limit=1)
    desk.ask("/v2/apps")
    for exchange in fixture("discovery_v1.json")["exchanges"]:
        answer = desk.service.handle(Call(method="GET", path=exchange["request"]["path"]), now=1.0)
        assert json.loads(answer.body) == exchange["response"]
        assert not RATE_HEADERS & set(dict(answer.headers))
    assert len(desk.service.quota().log) == 1


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/", "/v2/base", "/v2/performanceManagement/graph", "/v1.0/apps"])
def test_what_nothing_attests_is_not_there(desk, path):
    """404 with a JSON body."""
    assert desk.refused(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/v2/apps", "/allyourbase"])
def test_data_is_only_read(desk, method, path):
    """Another method is told which ones there are, in the header and in a JSON body."""
    answer = desk.ask(path, method=method)
    assert (answer.status, dict(answer.headers)["Allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body) == {"message": f"{path} takes GET, HEAD, not {method}"}
    assert desk.ask("/v2/nowhere", method=method).status == 404


def test_a_token_is_only_posted_for(desk):
    """Another method on the token's path gets 405 whatever the credentials, and counts."""
    for headers in ({}, basic(DEMO_ACCOUNT.client_id + ":")):
        answer = desk.ask("/v2/token", headers=headers)
        assert (answer.status, dict(answer.headers)["Allow"]) == (405, "POST")
        assert set(dict(answer.headers)) > RATE_HEADERS


@pytest.mark.parametrize("path", ["/v2/apps", "/allyourbase", "/v2/nowhere"])
def test_head_is_get_without_its_body(path):
    """The same status and headers, the length of what GET would send, and nothing else."""
    whole, bare = (FrontDesk.open().ask(path, method=method) for method in ("GET", "HEAD"))
    assert (bare.status, bare.body) == (whole.status, b"")
    assert dict(bare.headers) == {**dict(whole.headers), "Content-Length": str(len(whole.body))}


def test_an_unknown_attribute_is_told_the_known_ones(desk):
    """The refusal speaks the service's language, not the program's."""
    status, body = desk.refused("/v2/apps", attributes="dau,foo")
    assert status == 400
    assert body["message"].startswith("attributes must be one of appName, appType, ")
    assert "_" not in body["message"]


@pytest.mark.parametrize(
    ("scope", "status"), [("", 200), ("all", 200), ("app/x/symbols", 403), ("app/x/transactions", 403)]
)
def test_a_scope_limits_what_a_token_reaches(desk, scope, status):
    """A token without a scope is general."""
    token = desk.service.issue_token(DEMO_ACCOUNT.client_id, scope=scope)
    assert desk.ask("/v2/apps", token=token).status == status


def test_a_link_to_itself_repeats_the_host_over_plain_http(desk):
    """As captured: ``http://`` and the host that was asked for; with the query, so that it leads to the same answer."""
    path = f"/v2/errorMonitoring/pie?graph=dau&groupBy=appVersion&appIds={'&appIds='.join(desk.app_ids[:2])}"
    assert desk.get(path)["links"]["self"] == f"http://developers.crittercism.com{path}"
    link = desk.get(f"{path}&filters[os]=a%26b")["links"]["self"]
    assert desk.get(link.removeprefix("http://developers.crittercism.com"))["links"]["self"] == link
    assert desk.get("/v2/apps")["links"]["self"] == "http://developers.crittercism.com/v2/apps"
    body = desk.get("/v2/apps", headers={"Host": "127.0.0.1:8080"})
    assert body["links"]["self"] == "http://127.0.0.1:8080/v2/apps"


def test_credentials_are_not_printed():
    """A repr shows whose account it is and no more."""
    assert DEMO_ACCOUNT.password not in repr(DEMO_ACCOUNT)
    assert DEMO_ACCOUNT.client_id not in repr(DEMO_ACCOUNT)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    target=st.text(max_size=40).map(lambda text: "/" + text),
    headers=st.dictionaries(st.sampled_from(["Authorization", "Content-Type", "Host"]), st.text(max_size=30)),
    body=st.binary(max_size=60),
)
def test_no_bytes_make_the_service_raise(method, target, headers, body):
    """Whatever arrives, there is an answer, and it is JSON."""
    desk = FrontDesk.open(limit=10**6)
    for path in (target, "/v2/token"):
        answer = desk.service.handle(Call.parse(method, path, headers, body), now=1.0)
        assert isinstance(answer, Answer)
        json.loads(answer.body)


odd_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "0", "-1", "9" * 5000, "0001-01-01T00:00+23:00", "9999-12-31", "[" * 100_000, "1e9", "P9W"]),
    st.sampled_from(["appLoads", "crashPercent", "latency", "volume", "os", "appId", "service", "2016-12-01", "1440"]),
)
NAMES = """
    graph groupBy duration filters filters[os] appVersion start end startDate endDate lastOccurredStart status sortBy
    sortOrder pageNum pageSize period limit sort attributes diagnostics
"""
names = st.sampled_from(NAMES.split())


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(), template=st.sampled_from(sorted(ROUTES)), query=st.lists(st.tuples(names, odd_texts), max_size=5)
)
def test_no_parameters_make_the_service_raise(data, template, query):
    """Every path, with odd values for what it reads: found, refused or not found, and JSON."""
    desk = FrontDesk.open(limit=10**6)
    app_id = data.draw(st.sampled_from([*desk.app_ids[:2], desk.app_ids[-1], "x"]))
    path = template.replace("{appId}", app_id)
    for segment in ("{hash}", "{period}", "{category}", "{name}"):
        path = path.replace(segment, quote(data.draw(odd_texts)[:50], safe=""))
    call = Call(
        method="GET", path=path, query=(("appId", app_id), *query), headers={"authorization": f"Bearer {desk.token}"}
    )
    answer = desk.service.handle(call, now=1.0)
    assert answer.status in (200, 400, 404)
    json.loads(answer.body)


def test_a_token_needs_an_account(desk):
    """Otherwise there would be no quota to count its calls."""
    with pytest.raises(ValueError, match="client id"):
        desk.service.issue_token("nobody")
