"""What a client was made with, and what the environment adds when it opens."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import httpx
from attrs import field, frozen

from apteligent_async._auth import Credentials, PasswordGrant, StaticToken
from apteligent_async._budgets import Budget, MemoryBudget, RedisBudget, SQLiteBudget, budget_from
from apteligent_async._connections import is_loopback
from apteligent_async._scheduling.policy import RatePolicy, must_be
from apteligent_async._version import __version__
from apteligent_async._wire.secret import Secret, hidden
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.region import Region

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["ResolvedSettings", "Settings", "resolve"]

_OURS = frozenset({"authorization", "host", "user-agent", "cr-source", "content-length", "transfer-encoding"})
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
_GRANT = ("APTELIGENT_CLIENT_ID", "APTELIGENT_USERNAME", "APTELIGENT_PASSWORD")


def _must_be_headers(_: object, __: Attribute[Any], given: Any) -> None:
    pairs: Any = {} if given is None else given
    if not isinstance(pairs, Mapping) or not all(map(_is_header, cast("Mapping[object, object]", pairs).items())):
        raise ConfigurationError('headers= must map texts to texts, such as {"x-team": "mobile"}.')


def _hidden_values(given: Any) -> Any:
    """Hide what headers say, which may be a key; what is no mapping is left for the validator to refuse."""
    pairs = cast("Mapping[object, object]", given)
    return {name: hidden(value) for name, value in pairs.items()} if isinstance(given, Mapping) else given


def _is_header(pair: tuple[object, object]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], str)


@frozen(kw_only=True)
class Settings:
    """A client's arguments, as they were given; those whose type is wrong are refused at once."""

    credentials: Credentials | None = None
    region: Region | str | None = None
    base_url: str | None = field(default=None, repr=False, converter=hidden)
    policy: RatePolicy | None = field(
        default=None, validator=must_be(RatePolicy, 'a RatePolicy, such as RatePolicy(mode="exclusive")')
    )
    budget: Budget | None = field(
        default=None,
        validator=must_be((MemoryBudget, SQLiteBudget, RedisBudget), "a MemoryBudget, SQLiteBudget or RedisBudget"),
    )
    transport: httpx.AsyncBaseTransport | None = field(
        default=None,
        validator=must_be(httpx.AsyncBaseTransport, "an asynchronous transport, such as httpx.AsyncHTTPTransport()"),
    )
    http_client: httpx.AsyncClient | None = field(
        default=None, validator=must_be(httpx.AsyncClient, "an httpx.AsyncClient")
    )
    proxy: str | None = field(
        default=None, repr=False, converter=hidden, validator=must_be(str, "a text, such as http://host:port")
    )
    ssl_context: ssl.SSLContext | None = field(default=None, validator=must_be(ssl.SSLContext, "an ssl.SSLContext"))
    headers: Mapping[str, str] | None = field(
        default=None, repr=False, converter=_hidden_values, validator=_must_be_headers
    )
    source: str | None = field(default=None, validator=must_be(str, "a text"))


@frozen(kw_only=True)
class ResolvedSettings:
    """Settings without a gap.

    Attributes:
        region: the site, or None where `base_url` says where the service is.
        origin: scheme, host and port of the service.
        headers: what every request carries, its token apart.
    """

    credentials: Credentials
    region: Region | None
    origin: httpx.URL
    policy: RatePolicy | None
    budget: Budget | None
    transport: httpx.AsyncBaseTransport | None
    http_client: httpx.AsyncClient | None
    proxy: str | None = field(repr=False)
    ssl_context: ssl.SSLContext | None
    headers: Mapping[str, str] = field(repr=False)

    @property
    def site(self) -> Region | None:
        """The site that requests surely go to; None where a base URL, a transport or a client of httpx decides."""
        return self.region if self.transport is None and self.http_client is None else None

    @property
    def budget_account(self) -> str:
        """Whose budget is spent: the limit belongs to a client id of one service."""
        return f"{self.origin} {self.credentials.client_id or ''}"


def resolve(settings: Settings) -> ResolvedSettings:
    """Fill what was not given from the environment, and check that all of it can work together.

    Raises:
        ConfigurationError: something is missing or cannot work; the message says what to do.
    """
    base_url = settings.base_url or (None if settings.region else _secret("APTELIGENT_BASE_URL")) or None
    region = None if base_url else _region(settings.region or os.environ.get("APTELIGENT_REGION") or Region.US)
    if settings.transport is not None and settings.http_client is not None:
        raise ConfigurationError("Pass transport= or http_client=, not both.")
    origin = _origin(base_url or (region.origin if region else ""))
    opens_sockets = settings.transport is None and settings.http_client is None
    if opens_sockets and origin.scheme != "https" and not is_loopback(origin.host):
        raise ConfigurationError(f"base_url must begin with https://, as a token is sent to {origin.host}.")
    return ResolvedSettings(
        credentials=_checked(settings.credentials or _environment_credentials()),
        region=region,
        origin=origin,
        policy=settings.policy,
        budget=settings.budget or _environment_budget(),
        transport=settings.transport,
        http_client=settings.http_client,
        proxy=settings.proxy,
        ssl_context=settings.ssl_context,
        headers=_headers(settings),
    )


def _region(name: Region | str) -> Region:
    try:
        return Region(name.lower())
    except (ValueError, AttributeError):
        allowed = ", ".join(Region)
        raise ConfigurationError(f"region={name!r} is not known: it must be one of {allowed}.") from None


def _origin(base_url: str) -> httpx.URL:
    origin = None
    with suppress(httpx.InvalidURL, TypeError):
        origin = _origin_of(httpx.URL(base_url))
    if origin is None:  # raised out here to stand alone: the cause, and whoever has read the address, may quote it
        raise ConfigurationError(
            "base_url must be an origin, such as https://host or http://127.0.0.1:8080: "
            "no user, no path (the /v2 is added) and no query."
        )
    return origin


def _origin_of(url: httpx.URL) -> httpx.URL | None:
    is_place = url.scheme in {"http", "https"} and url.host and 0 < (url.port or 443) < 65_536
    if not is_place or url.userinfo or url.path.strip("/") or url.query or url.fragment:
        return None
    return httpx.URL(scheme=url.scheme, host=url.host, port=url.port)


def _checked(credentials: object) -> Credentials:
    if isinstance(credentials, PasswordGrant):
        credentials.request()
    elif not isinstance(credentials, StaticToken):
        raise ConfigurationError(
            "credentials must be PasswordGrant(client_id, username, password) or StaticToken(token)."
        )
    return credentials


def _secret(name: str) -> Secret:
    """Read a variable of the environment that may hold a secret; empty if it is not set."""
    return Secret(os.environ.get(name, ""))


def _environment_credentials() -> Credentials:
    token = Secret(_secret("APTELIGENT_TOKEN").strip())
    client_id, username, password = map(_secret, _GRANT)
    if token:
        return StaticToken(token, client_id=client_id or None)
    if client_id and username and password:
        return PasswordGrant(client_id, username, password)
    raise ConfigurationError(
        "No credentials: pass PasswordGrant(client_id, username, password) or StaticToken(token), or set "
        "APTELIGENT_TOKEN, or " + ", ".join(_GRANT) + "."
    )


def _environment_budget() -> Budget | None:
    address = _secret("APTELIGENT_BUDGET")
    try:
        return budget_from(address) if address else None
    except ConfigurationError as error:
        raise ConfigurationError(f"APTELIGENT_BUDGET cannot be used. {error}") from None


def _headers(settings: Settings) -> Mapping[str, str]:
    given = {name.lower(): value for name, value in (settings.headers or {}).items()}
    taken = sorted(_OURS & given.keys())
    if taken:
        raise ConfigurationError(f"headers= cannot set {', '.join(taken)}: the client does (source= sets cr-source).")
    given["cr-source"] = settings.source or "apteligent-async"
    for name, value in given.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigurationError(f"{name!r} cannot be sent as a header: names and values are printable ASCII.")
    agent = f"apteligent-async/{__version__} python-httpx/{httpx.__version__}"
    return {"accept": "application/json", "user-agent": agent, **given}
