"""Secrets, searched for in everything that a client says, writes or sends elsewhere, whatever they look like."""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from functools import partial

import anyio
import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import OPERATIONS, small_world
from raw_server import http, raw_server
from rich.traceback import Traceback
from secrets_hunt import assert_hidden, texts_of, texts_within

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    ConfigurationError,
    EventLog,
    MemoryBudget,
    PasswordGrant,
    Plan,
    RedisBudget,
    RetryPolicy,
    SQLiteBudget,
    SQLiteCache,
    StaticToken,
    UnsafeLinkError,
    Wanted,
)
from apteligent_async.simulator import Account, FaultRule, FaultSchedule, QuotaSettings, Service, SimulatorTransport

BASE_URL = "http://127.0.0.1:9"
ONCE = RetryPolicy(max_attempts=1, max_rate_limited=1)


def planted(alphabet, *, most=60):
    """Draw a secret that no text holds by chance; some are longer than what tracebacks show of a text."""
    middle = st.text(alphabet, max_size=most) | st.text(alphabet, min_size=1, max_size=3).map(lambda part: part * 40)
    return middle.map(lambda text: f"Zq7w{text}Kx2v")


VISIBLE = "".join(map(chr, range(33, 127)))
CREDENTIALS = st.builds(
    Account,
    client_id=planted(VISIBLE.replace(":", "")),
    username=st.just("who@example.com"),
    password=planted(VISIBLE + " äß😀"),
)


@frozen
class Echo:
    """A fault of the worst kind: the service answers with all that it was told."""

    status: int

    def strike(self, scene):
        """Repeat headers and body in every place that clients quote."""
        call, answer = scene.call, scene.answer()
        told = f"{dict(call.headers)} {call.body.decode('latin-1')} {call.headers.get('authorization')}"
        body = {"message": told, "error": {"message": told}, "error_description": told}
        return evolve(answer, status=self.status, body=json.dumps(body).encode())


FAULTS = st.builds(
    lambda status, skip: FaultSchedule([FaultRule(Echo(status), skip=skip)]),
    st.sampled_from([200, 302, 400, 401, 403, 404, 429, 500]),
    st.integers(0, 2),
)


class Listener(logging.Handler):
    """Keeps all that is logged, by anybody, at any level, as text and as the record's own fields."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.heard = []

    def emit(self, record):
        """Keep the record."""
        self.heard += [self.format(record), repr(vars(record))]


@pytest.fixture
def listener():
    """Listen to the root of all loggers at DEBUG while the test runs."""
    root, heard = logging.getLogger(), Listener()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(heard)
    root.setLevel(level)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(account=CREDENTIALS, faults=FAULTS, names=st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=1, max_size=3))
def test_a_secret_is_in_nothing_that_a_client_shows(runs, listener, account, faults, names):
    """Errors, tracebacks with locals, logs, events, snapshots, pickles and what hangs on the client, under an echo."""
    service = Service(small_world(), accounts=[account], quota=QuotaSettings(limit=10**6), faults=faults)
    grant = PasswordGrant(account.client_id, account.username, account.password)
    listener.heard.clear()
    shown = runs(_shown, service, grant, names)
    secrets = [account.client_id, account.password, *service._tokens._grants]
    beginnings = [secret[:70] for secret in secrets if len(secret) > 80]
    assert_hidden([*shown, *listener.heard], secrets + beginnings)


async def _shown(service, credentials, names):
    options = {"budget": MemoryBudget(), "retry": ONCE, "transport": SimulatorTransport(service)}
    events, shown = [], []
    async with ApteligentClient(credentials, base_url=BASE_URL, **options) as client:
        client.on_event(events.append)
        for name in names:
            try:
                found = await OPERATIONS[name](client.with_options(deadline=100))
            except ApteligentError as error:
                shown += _texts_of_error(error)
            else:
                shown += [repr(found), str(found)]
                shown += [] if name == "token" else [pickle.dumps(found).decode("latin-1")]
        shown += [repr(events), repr(client.budget()), repr(client.drift()), *texts_within(client)]
    return [*shown, repr(client)]


def _texts_of_error(error):
    error.__traceback__ = error.__traceback__.tb_next
    yield from texts_of(error)
    yield pickle.dumps(error).decode("latin-1")
    for stack in Traceback.extract(type(error), error, error.__traceback__, show_locals=True).stacks:
        yield stack.exc_value
        yield from ("".join(node.iter_tokens()) for frame in stack.frames for node in (frame.locals or {}).values())


@pytest.fixture(params=["asyncio", "trio"])
def real_loop(request):
    """Run what writes files on a real loop: threads know no virtual time."""
    return partial(anyio.run, backend=request.param)


def test_no_file_holds_a_secret(real_loop, listener, tmp_path):
    """Cache, shared budget, log of events, ledger and its output, byte for byte."""
    account = Account(client_id="Zq7wClientKx2v", username="who@example.com", password="Zq7w pässwordKx2v")
    service = Service(small_world(), accounts=[account], quota=QuotaSettings(limit=10**6))
    options = {
        "budget": SQLiteBudget(tmp_path / "budget.sqlite"),
        "cache": SQLiteCache(tmp_path / "cache.sqlite"),
        "transport": SimulatorTransport(service),
    }

    async def write():
        grant = PasswordGrant(account.client_id, account.username, account.password)
        async with ApteligentClient(grant, base_url=BASE_URL, **options) as client:
            with EventLog(tmp_path / "events.jsonl") as log:
                client.on_event(log)
                for name in ("apps.list", "trends.app", "crashes.summaries"):
                    await OPERATIONS[name](client)
                async with client.pull(Plan(want=[Wanted("trends.app")]), ledger=tmp_path / "pull.sqlite") as pull:
                    assert [result async for result in pull]

    real_loop(write)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"budget.sqlite", "cache.sqlite", "events.jsonl", "pull.sqlite"} <= {path.name for path in files}
    texts = [path.read_bytes().decode("latin-1") for path in files]
    secrets = [account.client_id, account.password, account.password.encode().decode("latin-1")]
    assert_hidden([*texts, *map(str, files), *listener.heard], [*secrets, *service._tokens._grants])


def test_a_proxy_s_password_is_in_nothing_that_a_client_shows(real_loop, listener, monkeypatch):
    """Whether it was passed or comes from the environment; the proxy gets it, the service's token it does not."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    secret, token = "Zq7wProxyKx2v", "Zq7wTokenKx2v"
    shown = []

    async def call(proxy):
        options = {"budget": MemoryBudget(), "retry": ONCE, "proxy": proxy}
        async with ApteligentClient(StaticToken(token), region="us", **options) as client:
            with pytest.raises(ApteligentError) as caught:
                await client.apps.list()
            shown.extend([*_texts_of_error(caught.value), *texts_within(client)])

    with raw_server(lambda number: http(status="407 Proxy Authentication Required")) as server:
        address = server.url.replace("//", f"//user:{secret}@")
        real_loop(call, address)
        monkeypatch.setenv("HTTPS_PROXY", address)
        real_loop(call, None)
    assert len(server.requests) == 2
    assert all(request.startswith(b"CONNECT developers.crittercism.com:443") for request in server.requests)
    assert_hidden([*shown, *listener.heard], [secret, token, f"user:{secret}"])
    assert not any(token.encode() in request for request in server.requests)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what coredis leaves to the collector
def test_a_redis_password_is_in_nothing_that_a_budget_shows(real_loop, listener):
    """A server that is not there: the client works on, and nobody reads the password."""
    secret = "Zq7wRedisKx2v"
    with raw_server(lambda number: ["close"]) as server:
        port = server.url.rpartition(":")[2]
    shown = []
    service = Service(small_world())
    token = StaticToken(service.issue_token(service.accounts[0].client_id), client_id="anybody")

    async def call():
        budget = RedisBudget(f"redis://:{secret}@127.0.0.1:{port}/0")
        options = {"budget": budget, "transport": SimulatorTransport(service), "retry": ONCE}
        with suppress(ApteligentError):
            async with ApteligentClient(token, base_url=BASE_URL, **options) as client:
                try:
                    await client.apps.list()
                except ApteligentError as error:
                    shown.extend(_texts_of_error(error))
                shown.extend([repr(client.budget()), *texts_within(client)])
        shown.extend([repr(budget), *texts_within(budget)])

    real_loop(call)
    with pytest.raises(ConfigurationError) as caught:
        RedisBudget(f"http://:{secret}@127.0.0.1")
    shown.extend(texts_of(caught.value.with_traceback(None)))
    assert_hidden([*shown, *listener.heard], [secret])
    gc.collect()


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_no_other_origin_hears_of_a_token(real_loop, status):
    """Neither through redirects nor through links, whatever they look like."""
    with raw_server(lambda number: http()) as thief:
        port = thief.url.rpartition(":")[2]
        links = [
            f"{thief.url}/v2/apps",
            f"//127.0.0.1:{port}/v2/apps",
            f"http://127.0.0.1:{port}\\@127.0.0.1/v2/apps",
            f"http://user@127.0.0.1:{port}/v2/apps",
            f"/\\127.0.0.1:{port}/v2/apps",
            f"http:/\t/127.0.0.1:{port}/",
        ]

        async def call(url):
            client = ApteligentClient(StaticToken("t" * 20), base_url=url, budget=MemoryBudget(), retry=ONCE)
            async with client:
                with pytest.raises(UnsafeLinkError, match="redirect"):
                    await client.apps.list()
                for link in links:
                    with pytest.raises(UnsafeLinkError):
                        await client.follow(link)
                    with pytest.raises((UnsafeLinkError, ConfigurationError)):
                        await client.request("GET", link)

        with raw_server(lambda number: http(status=status, Location=f"{thief.url}/v2/apps")) as server:
            real_loop(call, server.url)
        assert (len(server.requests), thief.accepted) == (1, 0)


CRASH = """
import sys
from apteligent_async import _http
from apteligent_async.cli import main
async def crash(*arguments, **options):
    raise RuntimeError("a fault of the program itself")
_http.HttpLink.send = crash
sys.argv = ["apteligent", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("command", [["limits"], ["apps"], ["limits", "--json"]])
def test_a_crash_of_the_command_line_prints_no_secret(command, tmp_path):
    """Not even where the program itself is at fault, and tracebacks are printed."""
    secrets = {
        "APTELIGENT_CLIENT_ID": "Zq7wClientKx2v",
        "APTELIGENT_USERNAME": "who@example.com",
        "APTELIGENT_PASSWORD": "Zq7w passwordKx2v",
        "APTELIGENT_BASE_URL": BASE_URL,
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("APTELIGENT_")} | secrets
    run = subprocess.run(
        [sys.executable, "-c", CRASH, *command], capture_output=True, text=True, check=False, env=environment
    )
    assert run.returncode != 0
    assert "a fault of the program itself" in run.stderr
    written = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert_hidden([run.stdout, run.stderr, *written], ["Zq7wClientKx2v", "Zq7w passwordKx2v"])


def test_what_looks_finds():
    """The search itself: it finds a secret in each of its spellings, and in what hangs on an object."""
    for text in ("Zq7w+a%20bKx2v", "a b", "WnE3dyBhIGJLeDJ2", "Zq7w&amp;Kx2v"):
        with pytest.raises(AssertionError, match="a secret"):
            assert_hidden([f"..{text}.."], ["Zq7w+a bKx2v", "a b", "Zq7w a bKx2v", "Zq7w&Kx2v"])
