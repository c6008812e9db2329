"""Secrets in arguments and variables that are refused: not even a traceback with local variables shows them."""

from __future__ import annotations

from base64 import b64encode

import anyio
import pytest
from raw_server import http, raw_server
from secrets_hunt import assert_hidden, texts_of, texts_within

from apteligent_async import (
    ApteligentClient,
    ConfigurationError,
    ConnectionFailed,
    MemoryBudget,
    PasswordGrant,
    RedisBudget,
    RetryPolicy,
    StaticToken,
)

SECRET = "Zq7wPlantedKx2v"
PROXIES = [
    f"http://user:{SECRET}@",
    f"http://user:{SECRET}@host:99999",
    f"http://user:{SECRET}@host:port",
    f"http://{SECRET}:@a..b:1",
    f"ftp://{SECRET}@host",
    f"//user:{SECRET}@host:1",
    f"socks4://user:{SECRET}@host:1",
]
URLS = [
    f"http://user:{SECRET}@127.0.0.1:9",
    f"https://{SECRET}@host",
    f"https://host/{SECRET}",
    f"https://host?key={SECRET}",
    f"https://user:{SECRET}@host:port",
    f"https://user:{SECRET}@[::1",
]
BUDGETS = [f"memcached://:{SECRET}@host", SECRET, f"redis+{SECRET}://host", f"sqlite://{SECRET}"]

MADE = {
    "a token that is none": lambda: StaticToken(f"{SECRET} two words"),
    "a token by name": lambda: StaticToken(token=f"{SECRET}\n"),
    "a grant with a part missing": lambda: PasswordGrant(SECRET, "who@example.com", None),
    "a grant by names": lambda: PasswordGrant(client_id=SECRET, username="who", password=SECRET, scope=7),
    "a Redis budget": lambda: RedisBudget(f"http://:{SECRET}@127.0.0.1"),
    "a Redis budget by name": lambda: RedisBudget(url=SECRET),
    "a client with a wrong policy": lambda: ApteligentClient(proxy=f"http://user:{SECRET}@p", policy="polite"),
    "a client with a wrong budget": lambda: ApteligentClient(StaticToken(SECRET), base_url=URLS[0], budget=7),
}
ENTERED = {
    **{f"proxy {each}": ({"proxy": each}, {}) for each in PROXIES},
    **{f"HTTPS_PROXY {each}": ({}, {"HTTPS_PROXY": each}) for each in PROXIES[:-3]},
    **{f"base_url {each}": ({"region": None, "base_url": each}, {}) for each in URLS},
    **{f"APTELIGENT_BASE_URL {each}": ({"region": None}, {"APTELIGENT_BASE_URL": each}) for each in URLS},
    **{f"APTELIGENT_BUDGET {each}": ({"budget": None}, {"APTELIGENT_BUDGET": each}) for each in BUDGETS},
    "half a grant": ({"credentials": None}, {"APTELIGENT_PASSWORD": SECRET}),
    "a token of two words": ({"credentials": None}, {"APTELIGENT_TOKEN": f"{SECRET} {SECRET}"}),
    "a header": ({"headers": {"x-key": f"{SECRET}\n"}}, {}),
}


def elsewhere(error):
    """Leave out this file's frames, which hold what they planted, all along the chain of causes."""
    link = error
    while link is not None:
        while link.__traceback__ is not None and link.__traceback__.tb_frame.f_code.co_filename == __file__:
            link.__traceback__ = link.__traceback__.tb_next
        link = link.__cause__ or link.__context__
    return list(texts_of(error))


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_a_constructor_refuses_is_in_none_of_its_frames(make):
    """Whether it came by position or by name."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert_hidden(elsewhere(caught.value), [SECRET])


@pytest.mark.parametrize(("options", "environment"), ENTERED.values(), ids=ENTERED)
def test_what_is_refused_on_entering_is_in_no_frame(monkeypatch, options, environment):
    """Neither arguments nor variables of the environment; nothing that hangs on the client shows them either."""
    for name in ("APTELIGENT_TOKEN", "APTELIGENT_CLIENT_ID", "APTELIGENT_USERNAME", "APTELIGENT_REGION", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ready = {"credentials": StaticToken("t" * 20), "region": "us", "budget": MemoryBudget()}
    client = ApteligentClient(**{**ready, **options})
    with pytest.raises(ConfigurationError) as caught:
        anyio.run(client.open)
    assert_hidden([*elsewhere(caught.value), *texts_within(client)], [SECRET])


@pytest.mark.parametrize("address", [f"http://{SECRET}:@127.0.0.1:9", f"http://127.0.0.1:9/?key={SECRET}"])
def test_a_proxy_s_address_is_its_secret(address):
    """Some proxies take a token for the user's name, or in the query."""
    options = {"region": "us", "budget": MemoryBudget(), "proxy": address}

    async def look():
        async with ApteligentClient(StaticToken("t" * 20), **options) as client:
            return list(texts_within(client))

    assert_hidden(anyio.run(look), [SECRET])


ECHOES = [f"407 no {SECRET}", f"502 user:{SECRET}", "407 " + b64encode(f"user:{SECRET}".encode()).decode()]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("status", ECHOES)
def test_a_proxy_s_refusal_is_told_in_our_words(monkeypatch, backend, status):
    """Its own may repeat the password: the number says what is the matter."""
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def call(proxy):
        options = {"region": "us", "budget": MemoryBudget(), "retry": RetryPolicy(max_attempts=1), "proxy": proxy}
        async with ApteligentClient(StaticToken("t" * 20), **options) as client:
            with pytest.raises(ConnectionFailed, match=f"the proxy answered {status[:3]} [A-Z]") as caught:
                await client.apps.list()
        return elsewhere(caught.value)

    with raw_server(lambda number: http(status=status)) as server:
        told = anyio.run(call, server.url.replace("//", f"//user:{SECRET}@"), backend=backend)
    assert_hidden(told, [SECRET, f"user:{SECRET}"])


def test_a_scope_is_no_secret():
    """It can be read, in whatever way it was passed."""
    assert "trends" in repr(PasswordGrant("id", "who", "word", scope="trends"))
