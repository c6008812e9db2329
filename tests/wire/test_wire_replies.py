"""A reply becomes a result or one of our errors, never anything else."""

from __future__ import annotations

import json
import pickle
from urllib.parse import quote, quote_plus

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire.drift import MOST_NAMES, Drift
from apteligent_async._wire.endpoints import APPS_LIST, ENDPOINTS, ERROR_PIE, TOKEN, custom
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from apteligent_async.errors import (
    ApteligentError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitedError,
    ResponseError,
    ServerError,
    UnsafeLinkError,
)
from apteligent_async.models.timeline import Timeline

PIE = {"data": {"slices": [{"name": "a", "label": "A", "value": 1}]}, "links": {"self": "http://x/"}}


def reply(status=200, body=PIE, **headers):
    """A reply; underscores in header names become dashes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=raw)


def failure(endpoint, answer, **options):
    """The error that an answer becomes."""
    with pytest.raises(ApteligentError) as caught:
        decode(endpoint, answer, **options)
    return caught.value


def outcome(endpoint, answer):
    """What an answer becomes: a result, or one of our errors."""
    try:
        return decode(endpoint, answer)
    except ApteligentError as error:
        return error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (405, BadRequestError),
        (410, BadRequestError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (599, ServerError),
        (301, UnsafeLinkError),
        (304, UnsafeLinkError),
        (101, ResponseError),
        (999, ResponseError),
    ],
)
def test_each_status_has_its_error(status, kind):
    """The class says what the status meant; endpoint, status and body are set; the service is quoted."""
    error = failure(ERROR_PIE, reply(status, {"message": "no such luck"}))
    assert type(error) is kind
    assert (error.endpoint, error.status) == ("error_monitoring.pie", status)
    assert "no such luck" in error.body
    assert str(status) in error.message
    assert kind is UnsafeLinkError or "no such luck" in error.message


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_token_call_is_an_authentication_error(status):
    """A token call's refusal quotes the OAuth error and keeps no body."""
    body = {"error": "invalid_grant", "error_description": "wrong password"}
    error = failure(TOKEN, reply(status, body))
    assert type(error) is AuthenticationError
    assert "invalid_grant, wrong password" in error.message
    assert error.body is None


def test_a_broken_token_answer_is_never_quoted():
    """A token that cannot be read is in no message, body, cause or context."""
    for raw in (b'{"access_token": "s3cret"', b'{"access_token": ["s3cret"]}', b'{"token": "s3cret"}'):
        error = failure(TOKEN, reply(body=raw))
        assert isinstance(error, ResponseError)
        assert "s3cret" not in repr((error.args, error.__dict__, error.__cause__, error.__context__))


def test_named_secrets_are_blotted_out():
    """A secret that the service repeats is in no message and no body."""
    for status in (200, 401, 500):
        error = failure(
            ERROR_PIE, reply(status, {"error": "bad token tok123", "message": "tok123"}), secrets=("tok123",)
        )
        assert "tok123" not in error.message + error.body
        assert "[secret]" in error.body


@pytest.mark.parametrize("secret", ['p"w\\d', "p w&d", "pä$$"])
def test_secrets_are_blotted_out_however_they_are_written(secret):
    """A secret that the service repeats as JSON, in a form or in an address is not repeated."""
    said = {"message": f"got {secret} as {quote(secret, safe='')} or {quote_plus(secret)}"}
    error = failure(ERROR_PIE, reply(500, said), secrets=(secret, ""))
    for written in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)):
        assert written not in error.message + error.body


@pytest.mark.parametrize("secrets", [("t",), ("abc", ""), ("secret", "[secret]", "ecre")])
def test_what_is_blotted_out_is_not_blotted_out_again(secrets):
    """Secrets of a few letters do no harm, and none is looked for in what stands for another."""
    error = failure(ERROR_PIE, reply(401, {"message": "Invalid OAuth token, secret"}), secrets=secrets * 30)
    said = "Invalid OAuth token, [secret]" if "secret" in secrets else "Invalid OAuth token, secret"
    assert error.message.endswith(f": {said}.")
    assert json.loads(error.body) == {"message": said}


@pytest.mark.parametrize("before", [0, 100, 280, 299, 1_900, 1_985, 1_999])
@pytest.mark.parametrize("times", [1, 40, 4_000])
def test_no_half_of_a_secret_is_left_where_a_text_is_cut(before, times):
    """Blotting shortens what was said, which brings into view no more than was searched."""
    secret = "0123456789" * 5
    said = "x" * before + secret * times
    error = failure(ERROR_PIE, reply(500, {"message": said}), secrets=(secret,))
    assert "0123" not in error.message + error.body
    assert len(error.body) <= 2_000


def test_secrets_are_found_in_every_spelling():
    """HTML, escaped slashes and small hexadecimal digits hide no secret."""
    secret = "pä/<s>&"
    for written in (
        "pä/&lt;s&gt;&amp;",
        r"p\u00E4\/<s>&",
        r"pä\/<s>&",
        "p%c3%a4%2f%3cs%3e%26",
        "p%C3%A4/%3Cs%3E%26",
    ):
        error = failure(ERROR_PIE, reply(500, written.encode()), secrets=(secret,))
        assert error.body == "[secret]"


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "tökén", "\x00"])
def test_a_token_that_no_header_could_hold_is_refused_unquoted(token):
    """A token with a line break would become a header of its own; it is refused without being repeated."""
    error = failure(TOKEN, reply(200, {"access_token": token}))
    assert type(error) is ResponseError
    assert not token or token not in repr((error.args, error.__dict__, error.__context__))


def test_a_redirect_names_its_host_only():
    """A redirect is an error that names where it would have led, without path and query."""
    error = failure(ERROR_PIE, reply(302, b"", location="https://evil.example/steal?token=1"))
    assert "evil.example" in error.message
    assert "steal" not in error.message
    assert "same host" in failure(ERROR_PIE, reply(302, b"", location="/other")).message
    assert "same host" in failure(ERROR_PIE, reply(302, b"", location="http://[")).message


def test_rate_limit_figures_come_from_the_body_first():
    """A 429's figures are the body's, else the headers'; of two resets it is the later."""
    headers = {"rate_limit_limit": "10", "rate_limit_reset": "5"}
    error = failure(ERROR_PIE, reply(429, {"limit": 20, "actual": 25, "reset": 42}, **headers))
    assert (error.limit, error.actual, error.reset) == (20, 25, 42)
    error = failure(ERROR_PIE, reply(429, {"limit": 20, "reset": 3}, **headers))
    assert (error.limit, error.actual, error.reset) == (20, None, 5)
    error = failure(ERROR_PIE, reply(429, b"busy", **headers))
    assert (error.limit, error.actual, error.reset) == (10, None, 5)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize(("levels", "fits"), [(98, True), (101, False)])
def test_depth_has_a_limit_that_does_not_depend_on_the_caller(opening, closing, levels, fits):
    """Unknown keys nested up to a hundred levels are kept and can be pickled; deeper ones are refused."""
    raw = b'{"data": {"slices": [], "x": ' + opening * levels + b"1" + closing * levels + b"}}"
    result = outcome(ERROR_PIE, reply(200, raw))
    assert isinstance(result, ApteligentError) is not fits
    assert pickle.loads(pickle.dumps(result)).http.body == raw if fits else "too deeply" in result.message


def test_an_error_in_a_good_answer_is_an_error():
    """A 200 with an error and no data is refused, quoting the service."""
    error = failure(ERROR_PIE, reply(200, {"error": {"message": "not in your plan"}}))
    assert type(error) is ResponseError
    assert "not in your plan" in error.message


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"links": {}}, "$.data"),
        ([], "$.data"),
        ({"data": None}, "$.data"),
        ({"data": {}}, "$.data.slices"),
        ({"data": {"slices": {}}}, "$.data.slices"),
        ({"data": {"slices": "abc"}}, "$.data.slices"),
        ({"data": {"slices": [{"name": "a"}, 5]}}, "$.data.slices[1]"),
        ({"data": {"slices": [{"name": "a"}, {"name": "b", "value": "12"}]}}, "$.data.slices[1].value"),
        ({"data": {"slices": [{"name": 1}]}}, "$.data.slices[0].name"),
        ({"data": {"slices": [{"label": "x"}]}}, "$.data.slices[0].name"),
        ({"data": {"slices": [{"name": "a", "value": True}]}}, "$.data.slices[0].value"),
        ({"data": {"slices": [], "interval": "86400"}}, "$.data.interval"),
    ],
)
def test_a_misfit_is_named_by_its_path(body, path):
    """A body that is not what the contract says names the first place that does not fit."""
    error = failure(ERROR_PIE, reply(200, body))
    assert type(error) is ResponseError
    assert error.path == path
    assert path in error.message


def test_a_misfit_in_an_app_is_named_by_its_id():
    """Apps are an object of objects: the path names the app."""
    error = failure(APPS_LIST, reply(200, {"data": {"good": {}, "0bad": {"dau": "many"}}}))
    assert error.path == "$.data['0bad'].dau"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"data": NaN}',
        b"<html>",
        b"[" * 5000 + b"]" * 5000,
        b'{"data": {"slices": ' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"data": {"slices": [], "x": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}",
        b'{"data": {"slices": [{"name": "\\ud800"}]}}',
        b'{"data": {"slices": [{"name": "a", "value": 1e999}]}}',
        b'{"data": {"slices": [{"name": "a", "value": ' + b"9" * 5000 + b"}]}}",
        b'{"data": {"slices": [], "slices": [{"name": "a"}]}}',
    ],
)
def test_hostile_bytes_end_in_a_result_or_in_our_error(raw):
    """Whatever the bytes, nothing foreign escapes, and errors are picklable."""
    error = outcome(ERROR_PIE, reply(200, raw))
    if isinstance(error, ApteligentError):
        assert type(error) is ResponseError
        assert len(error.body) <= 2000
        again = pickle.loads(pickle.dumps(error))
        assert (again.message, again.path, again.body) == (error.message, error.path, error.body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(list(ENDPOINTS.values())), st.integers(100, 599), st.binary() | json_values)
def test_any_reply_ends_in_a_result_or_in_our_error(endpoint, status, body):
    """No status and no body lets a foreign exception out."""
    raw = body if isinstance(body, bytes) else json.dumps({"data": body}).encode()
    error = outcome(endpoint, Reply(status=status, headers={}, body=raw))
    if isinstance(error, ApteligentError):
        assert error.status == status
        assert error.body is None or len(error.body) <= 2000


def test_control_characters_of_the_service_do_not_reach_a_terminal():
    """Escapes and direction marks in the service's words are neutralised, and long words cut."""
    error = failure(ERROR_PIE, reply(400, {"message": "\x1b[31mred\u202e" + "x" * 5000}))
    assert "\x1b" not in error.message + error.body
    assert "\u202e" not in error.message + error.body
    assert len(error.message) < 400


def test_the_answer_stays_beside_the_result():
    """Status, headers, bytes and timeline are kept, do not count in comparisons, and survive pickling."""
    answer = reply(200, PIE, x_one="1")
    pie = decode(ERROR_PIE, answer, timeline=lambda: Timeline(total_s=2.0, attempts=1))
    assert (pie.http.status, pie.http.headers, pie.http.body) == (200, {"x-one": "1"}, answer.body)
    assert (pie.http.timeline.total_s, pie.http.timeline.attempts) == (2.0, 1)
    again = pickle.loads(pickle.dumps(pie))
    assert again == pie == decode(ERROR_PIE, reply(200, PIE))
    assert again.http == pie.http
    assert pie.links == {"self": "http://x/"}


def test_custom_answers_keep_everything():
    """An answer without a model is the whole JSON, frozen, with its data at hand."""
    answer = decode(custom("GET", is_repeatable=True), reply(200, {"data": [1, {"a": [2]}], "links": {}}))
    assert answer.data == (1, {"a": (2,)})
    assert answer.http.status == 200
    assert decode(custom("GET", is_repeatable=True), reply(200, [1])).data == (1,)
    assert decode(custom("GET", is_repeatable=True), reply(200, {"data": {"a": 1}})).to_rows() == [{"data": "a: 1"}]


def test_drift_counts_what_is_unknown():
    """Unknown keys and values are counted per endpoint, and do not stop the answer."""
    drift = Drift()
    body = {"data": {"1": {"appType": "tv", "colour": "red"}, "2": {"appType": "ios"}}, "news": 1}
    for _ in range(2):
        apps = decode(APPS_LIST, reply(200, body), drift=drift)
    assert apps[0].app_type == "tv"
    assert apps[0].extra == {"colour": "red"}
    assert drift.report() == {"apps.list": {"AppType=tv": 2, "App.colour": 2, "Envelope.news": 2}}


def test_drift_is_bounded():
    """A service that invents keys without end cannot fill the memory."""
    drift = Drift()
    decode(APPS_LIST, reply(200, {"data": {"1": {f"key{i}": i for i in range(1000)}}}), drift=drift)
    counted = drift.report()["apps.list"]
    assert len(counted) == MOST_NAMES + 1
    assert sum(counted.values()) == 1000


def test_a_body_that_could_not_be_taken_is_an_error_that_says_why():
    """A flaw of a good answer is told; that of a refused one does not hide the refusal."""
    flawed = Reply(status=200, headers={}, body=b"", flaw="it is larger than 64 MB")
    assert "cannot be read: it is larger than 64 MB" in str(failure(APPS_LIST, flawed))
    assert isinstance(failure(APPS_LIST, evolve(flawed, status=404)), NotFoundError)
