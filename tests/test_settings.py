"""What a client is made with: read on entry, checked at once, and refused with advice."""

from __future__ import annotations

import httpx
import pytest
from counterparts import Scripted, fine

from apteligent_async import ApteligentClient, ConfigurationError, PasswordGrant, Region, StaticToken
from apteligent_async._settings import Settings, resolve

NAMES = ["TOKEN", "CLIENT_ID", "USERNAME", "PASSWORD", "BASE_URL", "REGION", "BUDGET"]
TOKEN = StaticToken("t")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    """Begin with none of our variables set."""
    for name in NAMES:
        monkeypatch.delenv(f"APTELIGENT_{name}", raising=False)


def given(monkeypatch, **variables):
    """Set some of our variables."""
    for name, value in variables.items():
        monkeypatch.setenv(f"APTELIGENT_{name}", value)


def test_a_token_comes_before_a_password(monkeypatch):
    """Its client id, if set, says whose budget it spends."""
    given(monkeypatch, CLIENT_ID="id", USERNAME="user", PASSWORD="password")
    assert resolve(Settings()).credentials == PasswordGrant("id", "user", "password")
    given(monkeypatch, TOKEN=" word\n")
    assert resolve(Settings()).credentials == StaticToken("word", client_id="id")
    monkeypatch.delenv("APTELIGENT_CLIENT_ID")
    assert resolve(Settings()).credentials == StaticToken("word")


def test_what_is_passed_comes_before_the_environment(monkeypatch):
    """Credentials, base URL and region of the call are the ones that count."""
    given(monkeypatch, TOKEN="other", BASE_URL="https://other.example", REGION="eu")
    found = resolve(Settings(credentials=TOKEN, base_url="http://127.0.0.1:9"))
    assert (found.credentials, str(found.origin), found.region) == (TOKEN, "http://127.0.0.1:9", None)
    found = resolve(Settings(credentials=TOKEN, region="us"))
    assert (found.region, str(found.origin)) == (Region.US, Region.US.origin)
    assert str(resolve(Settings(credentials=TOKEN)).origin) == "https://other.example"
    monkeypatch.delenv("APTELIGENT_BASE_URL")
    assert resolve(Settings(credentials=TOKEN)).region is Region.EU


@pytest.mark.parametrize("missing", ["CLIENT_ID", "USERNAME", "PASSWORD"])
def test_missing_credentials_say_what_to_set(monkeypatch, missing):
    """All four names are given, and both classes."""
    given(monkeypatch, CLIENT_ID="id", USERNAME="user", PASSWORD="password")
    monkeypatch.setenv(f"APTELIGENT_{missing}", "")
    with pytest.raises(ConfigurationError) as caught:
        resolve(Settings())
    for word in ("PasswordGrant(", "StaticToken(", "APTELIGENT_TOKEN", f"APTELIGENT_{missing}"):
        assert word in str(caught.value)
    assert "password" not in str(caught.value).replace("username, password", "")


@pytest.mark.parametrize(
    ("option", "value", "advice"),
    [
        ("policy", "exclusive", 'RatePolicy(mode="exclusive")'),
        ("retry", 3, "RetryPolicy(max_attempts=3)"),
        ("timeout", "5", "seconds above 0"),
        ("timeout", httpx.Timeout(5), "seconds above 0"),
        ("budget", "memory://", "MemoryBudget"),
        ("transport", httpx.HTTPTransport(), "httpx.AsyncHTTPTransport()"),
        ("http_client", httpx.Client(), "httpx.AsyncClient"),
        ("proxy", 7, "http://host:port"),
        ("ssl_context", True, "ssl.SSLContext"),
        ("headers", [("x-team", "a")], "texts to texts"),
        ("headers", {"x-team": 5}, "texts to texts"),
        ("headers", {5: "a"}, "texts to texts"),
        ("source", 5, "text"),
    ],
)
def test_an_argument_of_a_wrong_type_is_refused_at_once(option, value, advice):
    """The message names the argument and says what to pass."""
    with pytest.raises(ConfigurationError) as caught:
        ApteligentClient(TOKEN, **{option: value})
    assert str(caught.value).startswith(f"{option}=")
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: StaticToken(None), "token"),
        (lambda: StaticToken(b"s3cret"), "token"),
        (lambda: StaticToken("t", client_id=5), "client_id"),
        (lambda: PasswordGrant(None, "s3cret", "s3cret"), "client_id"),
        (lambda: PasswordGrant("a", None, "s3cret"), "username"),
        (lambda: PasswordGrant("a", "s3cret", b"s3cret"), "password"),
        (lambda: PasswordGrant("a", "b", "s3cret", scope=["s3cret"]), "scope"),
    ],
)
def test_a_credential_that_is_no_text_is_refused_unquoted(make, name):
    """A variable that is not set is found here, not by the service; the message names it and repeats no value."""
    with pytest.raises(ConfigurationError, match=f"^{name}.* must be a text") as caught:
        make()
    assert "s3cret" not in str(caught.value)


@pytest.mark.anyio
async def test_what_is_asked_of_an_open_client_is_checked_too():
    """Options of a view, listeners and numbers of calls are ours to refuse; a priority's case does not matter."""
    async with ApteligentClient(TOKEN, transport=Scripted(lambda request, number: fine())) as client:
        for options in ({"deadline": "5"}, {"timeout": "5"}, {"retry": 3}, {"priority": 5}, {"priority": "urgent"}):
            with pytest.raises(ConfigurationError, match=f"{next(iter(options))}="):
                client.with_options(**options)
        with pytest.raises(ConfigurationError, match="listener"):
            client.on_event(None)
        for n_calls in (-1, 2.5, "3"):
            with pytest.raises(ConfigurationError, match="n_calls="):
                client.budget().eta(n_calls)
        assert (
            client.with_options(priority="BULK")._caller.options == client.with_options(priority="bulk")._caller.options
        )
        assert client.with_options(priority="BULK")._caller.options != client._caller.options


@pytest.mark.anyio
async def test_the_environment_is_read_on_entry(monkeypatch):
    """A client may be made before its variables are set."""
    transport = Scripted(lambda request, number: fine())
    client = ApteligentClient(transport=transport)
    given(monkeypatch, TOKEN="late", BASE_URL="http://127.0.0.1:7")
    async with client:
        monkeypatch.setenv("APTELIGENT_TOKEN", "later")
        await client.apps.list()
    assert transport.requests[0].headers["authorization"] == "Bearer late"
    assert transport.requests[0].url.port == 7


@pytest.mark.anyio
async def test_a_client_that_could_not_be_entered_can_be_entered_once_it_can(monkeypatch):
    """Missing credentials do not use it up."""
    client = ApteligentClient(transport=Scripted(lambda request, number: fine()))
    with pytest.raises(ConfigurationError):
        await client.open()
    given(monkeypatch, TOKEN="now")
    async with client:
        await client.apps.list()


@pytest.mark.parametrize(
    "base_url",
    [
        "https://host/v2",
        "https://host/v2/",
        "https://user:password@host",
        "https://host?x=1",
        "https://host#top",
        "ftp://host",
        "host:8080",
        "//host",
        "https://",
        "http://127.0.0.1:99999",
        "http://[::1",
        "\x00",
        "nonsense",
        42,
    ],
)
def test_a_base_url_that_is_no_origin_is_refused(base_url):
    """The message shows what one looks like, and repeats no password."""
    with pytest.raises(ConfigurationError, match="must be an origin, such as https://host") as caught:
        resolve(Settings(credentials=TOKEN, base_url=base_url))
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://host/", "https://host"),
        ("https://HOST:443", "https://host"),
        ("https://host?", "https://host"),
        ("http://localhost:8080//", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
    ],
)
def test_an_origin_is_taken_without_its_trimmings(base_url, origin):
    """However it is written, requests go to one place."""
    assert str(resolve(Settings(credentials=TOKEN, base_url=base_url)).origin).rstrip("/") == origin


@pytest.mark.parametrize(
    "host", ["host.example", "127.evil.example", "localhost.evil.example", "128.0.0.1", "[2001:db8::1]", "0.0.0.0"]
)
def test_a_token_is_not_sent_in_the_clear_to_a_foreign_host(host):
    """Whatever its name looks like; a transport of the caller's own takes the decision over."""
    with pytest.raises(ConfigurationError, match="must begin with https://"):
        resolve(Settings(credentials=TOKEN, base_url=f"http://{host}"))
    transport = httpx.MockTransport(lambda request: None)
    assert resolve(Settings(credentials=TOKEN, base_url=f"http://{host}", transport=transport)).transport is transport


@pytest.mark.parametrize("region", ["mars", "", 7])
def test_an_unknown_region_is_refused_with_the_known_ones(monkeypatch, region):
    """An empty one is none at all."""
    if not region:
        given(monkeypatch, REGION="mars")
    with pytest.raises(ConfigurationError, match="must be one of us, eu"):
        resolve(Settings(credentials=TOKEN, region=region))


@pytest.mark.parametrize("credentials", ["token", ("id", "user", "password"), object()])
def test_credentials_of_another_kind_are_refused(credentials):
    """The message names the two classes, and does not repeat what may be a secret."""
    with pytest.raises(ConfigurationError, match="PasswordGrant") as caught:
        resolve(Settings(credentials=credentials))
    assert repr(credentials) not in str(caught.value)


@pytest.mark.parametrize("client_id", ["", "a:b", "line\nbreak"])
def test_a_client_id_that_basic_could_not_carry_is_refused_on_entry(client_id):
    """Not only when the first call has failed."""
    with pytest.raises(ConfigurationError, match="client id"):
        resolve(Settings(credentials=PasswordGrant(client_id, "user", "password")))


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "x"}, {"HOST": "x"}, {"user-agent": "x"}, {"CR-source": "x"}, {"Content-Length": "1"}],
)
def test_headers_that_are_ours_cannot_be_set(headers):
    """The message names them."""
    with pytest.raises(ConfigurationError, match=next(iter(headers)).lower()):
        resolve(Settings(credentials=TOKEN, headers=headers))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"headers": {"X-Trace": "a\r\nX-Evil: 1"}}, "x-trace"),
        ({"headers": {"X Trace": "a"}}, "x trace"),
        ({"headers": {"X-Trace": "über"}}, "x-trace"),
        ({"source": "two\nlines"}, "cr-source"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_on_entry(options, name):
    """By name, without its value."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        resolve(Settings(credentials=TOKEN, **options))
    assert "Evil" not in str(caught.value)


def test_transport_and_client_exclude_each_other():
    """One of them does the sending."""
    transport = httpx.MockTransport(lambda request: None)
    with pytest.raises(ConfigurationError, match="not both"):
        resolve(Settings(credentials=TOKEN, transport=transport, http_client=httpx.AsyncClient(transport=transport)))


@pytest.mark.parametrize(("address", "works"), [("", True), ("memory://", True), ("carrier-pigeon://", False)])
def test_the_budget_s_address_is_checked(monkeypatch, address, works):
    """What this version cannot share over is refused."""
    given(monkeypatch, BUDGET=address)
    if works:
        assert resolve(Settings(credentials=TOKEN)).budget is None
    else:
        with pytest.raises(ConfigurationError, match="APTELIGENT_BUDGET"):
            resolve(Settings(credentials=TOKEN))
