"""The token as users may look at it."""

from __future__ import annotations

import traceback

import anyio
import pytest
from counterparts import Scripted, bare
from served import served

from apteligent_async import (
    ApteligentClient,
    AuthenticationError,
    ClientStateError,
    DeadlineExceeded,
    MemoryBudget,
    PasswordGrant,
    StaticToken,
)
from apteligent_async.simulator import DEMO_ACCOUNT

pytestmark = pytest.mark.anyio


def grant(**options):
    """Log in as the simulator's own account."""
    return PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password, **options)


def client_of(transport, credentials):
    """Make a client with a budget of its own."""
    return ApteligentClient(
        credentials, base_url="http://127.0.0.1:9", transport=transport, budget=MemoryBudget(), timeout=5.0
    )


async def test_a_token_is_fetched_once_and_counts_down():
    """Asked again it is the same one with less time left, and calls are sent with it."""
    recorder = served()
    async with client_of(recorder, grant(duration=3600)) as client:
        first = await client.token()
        await anyio.sleep(600)
        second = await client.token()
        await client.apps.list()
    assert [path for _, path, _ in recorder.sent] == ["/v2/token", "/v2/apps"]
    assert first.access_token == second.access_token
    assert (first.expires_in, second.expires_in) == (3600, 3000)
    assert first.token_type == "bearer"


async def test_a_token_at_its_end_is_replaced():
    """What is given has time left."""
    recorder = served()
    async with client_of(recorder, grant(duration=3600)) as client:
        first = await client.token()
        await client.apps.list()
        await anyio.sleep(3599)
        second = await client.token()
    assert first.access_token != second.access_token
    assert second.expires_in == 3600


async def test_a_pasted_token_costs_no_call():
    """Nobody knows its end."""
    recorder = served()
    async with client_of(recorder, StaticToken("pasted-secret")) as client:
        token = await client.token()
    assert (token.access_token, token.expires_in) == ("pasted-secret", None)
    assert recorder.sent == []


async def test_a_token_prints_no_secret():
    """Neither the value nor a list of it shows what it holds."""
    async with client_of(served(), grant()) as client:
        token = await client.token()
    assert token.access_token not in repr(token) + str(token) + repr([token]) + f"{token}"
    assert str(token.expires_in) in repr(token)


async def test_a_token_that_is_refused_or_late_says_so():
    """Wrong credentials and a deadline that passes have their own errors, which hold no secret."""
    wrong = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, "planted-password")
    async with client_of(served(), wrong) as client:
        with pytest.raises(AuthenticationError) as raised:
            await client.token()
    assert "planted-password" not in "".join(traceback.format_exception(raised.value))
    async with client_of(served(up=3.0), grant()) as client:
        began_at = anyio.current_time()
        with pytest.raises(DeadlineExceeded, match="2 s") as late:
            await client.with_options(deadline=2).token()
        assert anyio.current_time() - began_at == pytest.approx(2)
        assert late.value.endpoint == "token"
        assert (await client.token()).expires_in


async def test_closing_ends_the_wait_for_a_token():
    """Whoever waits in line for one is told that the client was closed."""
    client = client_of(Scripted(lambda request, number: bare(503, body={})), grant())
    await client.open()

    async def ask():
        with pytest.raises(ClientStateError):
            await client.token()

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.sleep(0.5)
        await client.aclose()
