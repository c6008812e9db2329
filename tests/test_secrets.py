"""Secrets: in no repr, message, field, cause or frame."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from counterparts import Scripted, fine
from secrets_hunt import assert_hidden, texts_of, texts_within

from apteligent_async import (
    ApteligentClient,
    ConfigurationError,
    ConnectionFailed,
    MemoryBudget,
    PasswordGrant,
    RatePolicy,
    ResponseError,
    RetryPolicy,
    StaticToken,
)
from apteligent_async.simulator import DEMO_ACCOUNT

pytestmark = pytest.mark.anyio

CLIENT_ID, USERNAME, PASSWORD = "PlantedClientId0001", "planted@example.com", "planted p&ssword"
TOKEN = "PlantedToken00000000000000000001"
GRANT = PasswordGrant(CLIENT_ID, USERNAME, PASSWORD)
DEMO = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
NOW = datetime(2016, 12, 12, tzinfo=UTC)
EXCLUSIVE = RatePolicy(mode="exclusive")


def client_of(transport, credentials=GRANT, **options):
    """Make a client with a budget of its own."""
    options = {"budget": MemoryBudget(), "policy": EXCLUSIVE, **options}
    return ApteligentClient(credentials, base_url="http://127.0.0.1:9", transport=transport, **options)


def token_body(number=1, expires_in=3600):
    """Write what the service gives for a password."""
    return {"access_token": f"{TOKEN[:-1]}{number}", "token_type": "bearer", "expires_in": expires_in}


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut", "tab\t"])
def test_a_token_that_no_header_could_carry_is_refused_at_once(token):
    """The message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        StaticToken(token)
    assert not token or token not in str(caught.value)


async def test_a_token_from_the_service_that_no_header_could_carry_is_an_error_of_ours():
    """It reaches neither a header nor a message."""
    body = {"access_token": f"{TOKEN}\r\nX-Evil: 1", "token_type": "bearer", "expires_in": 5}
    async with client_of(Scripted(lambda request, number: fine(body=body))) as client:
        with pytest.raises(ResponseError) as caught:
            await client.apps.list()
    assert_hidden(_from_here(caught.value), [TOKEN])


MISHAPS = {
    "cut": lambda request: httpx.ReadError("cut", request=request),
    "no connection": lambda request: httpx.ConnectError("no", request=request),
    "timeout": lambda request: httpx.ReadTimeout("late", request=request),
    "protocol": lambda request: httpx.LocalProtocolError(f"Illegal header {dict(request.headers)}", request=request),
    "server": lambda request: fine(status=500, body={"message": f"{request.headers}"}),
    "echo": lambda request: fine(status=400, body={"message": str(list(request.headers.raw))}),
    "denied": lambda request: fine(status=403, body={"message": f"{request.headers['authorization']}"}),
    "garbage": lambda request: httpx.Response(200, content=request.content + str(request.headers.raw).encode()),
    "limited": lambda request: fine(status=429, body={"message": f"{request.headers['authorization']}"}),
}


@pytest.mark.parametrize("is_token_call", [True, False])
@pytest.mark.parametrize("mishap", MISHAPS)
async def test_no_error_shows_a_secret(mishap, is_token_call):
    """Nor do its causes, its traceback with local variables, the client, or what hangs on it."""

    def script(request, number):
        if request.url.path == "/v2/token" and not is_token_call:
            return fine(body=token_body())
        return MISHAPS[mishap](request)

    retry = RetryPolicy(max_attempts=1, max_rate_limited=1)
    async with client_of(Scripted(script), retry=retry) as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011  whatever it is
            await client.apps.list()
        secrets = [CLIENT_ID, PASSWORD, TOKEN]
        assert type(caught.value).__module__ == "apteligent_async.errors"
        assert_hidden(_from_here(caught.value), secrets)
        assert_hidden(texts_within(client), secrets)


def _from_here(error):
    """Leave out this test's own frames, which hold what they planted."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    return texts_of(error)


async def test_nothing_that_hangs_on_an_error_of_the_link_leads_to_the_token():
    """The foreign cause keeps its type and its text, and loses its request and its frames."""
    transport = Scripted(lambda request, number: httpx.ReadError("cut off", request=request))
    async with client_of(transport, StaticToken(TOKEN), retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match="cut off") as caught:
            await client.apps.list()
    cause = caught.value.__cause__
    assert isinstance(cause, httpx.ReadError)
    assert (cause.__traceback__, cause.__cause__, cause.__context__) == (None, None, None)
    with pytest.raises(RuntimeError):
        _ = cause.request


def test_credentials_do_not_show_themselves():
    """Neither whole nor by the piece; compared and sent they are themselves."""
    for credentials in (GRANT, StaticToken(TOKEN, client_id=CLIENT_ID)):
        assert_hidden([repr(credentials), str(credentials)], [CLIENT_ID, USERNAME, PASSWORD, TOKEN])
    assert_hidden([repr(GRANT.password), repr(vars_of(GRANT))], [CLIENT_ID, PASSWORD])
    assert GRANT.password == PASSWORD
    assert f"{GRANT.password}" == PASSWORD


def vars_of(grant):
    """Give the fields by name."""
    return {"client_id": grant.client_id, "password": grant.password}
