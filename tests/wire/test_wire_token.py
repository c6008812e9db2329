"""The token call: what it asks for, and what its address never shows."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from apteligent_async._wire.endpoints import (
    TOKEN,
    token_request,
)
from apteligent_async.errors import ConfigurationError


def test_the_token_call_keeps_its_secrets_out_of_the_address():
    """Client id goes by Basic with an empty password, the rest in the form; nothing in the query or the repr."""
    request = token_request(client_id="cid", username="a@b.c", password="p&=+ ü", scope="app/1/x", duration=60)
    assert (request.method, request.path, request.query) == ("POST", "/v2/token", ())
    headers = dict(request.headers)
    assert b64decode(headers["authorization"].removeprefix("Basic ")) == b"cid:"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["password"],
        "username": ["a@b.c"],
        "password": ["p&=+ ü"],
        "scope": ["app/1/x"],
        "duration": ["60"],
    }
    assert (request.is_authorized, request.is_secret, request.endpoint) == (False, True, TOKEN.name)
    assert "p&" not in repr(request)
    assert "Basic" not in repr(request)


def test_the_token_call_asks_for_no_more_than_told():
    """Without scope and duration neither is sent."""
    request = token_request(client_id="cid", username="u", password="p")
    assert parse_qs(request.body.decode()).keys() == {"grant_type", "username", "password"}


@pytest.mark.parametrize("wrong", [{"client_id": ""}, {"client_id": "a:b"}, {"client_id": "a\nb"}])
def test_impossible_client_ids_are_refused_unquoted(wrong):
    """A client id that would break the header is refused without being repeated."""
    with pytest.raises(ConfigurationError) as caught:
        token_request(**{"client_id": "cid", "username": "u", "password": "p", **wrong})
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("duration", [0, -1, 31_536_001, 1.5, True, timedelta(days=366)])
def test_token_lifetimes_are_bounded(duration):
    """A token lives between a second and a year."""
    with pytest.raises(ConfigurationError, match="31536000"):
        token_request(client_id="cid", username="u", password="p", duration=duration)
