"""What `apteligent doctor` asks the network and the service: name, connection, token, clock and budget."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from anyio.streams.tls import TLSAttribute, TLSStream
from attrs import define, field

from apteligent_async import (
    AppAttribute,
    ApteligentClient,
    ApteligentError,
    AuthenticationError,
    ConnectionFailed,
    MemoryBudget,
    RateLimitedError,
    RetryPolicy,
    StaticToken,
)
from apteligent_async._connections import has_proxy, is_loopback, tls_context
from apteligent_async._scheduling.journal import tells_of_request
from apteligent_async.cli.checkup import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async import BudgetSnapshot, Event
    from apteligent_async.cli.asking import Connection
    from apteligent_async.models.result import Result

__all__ = ["ask_around", "check_clock"]

_OF_THE_SERVICE = ("token", "clock", "budget")
_PATIENCE_S = 10.0
_ONCE = RetryPolicy(max_attempts=1, max_rate_limited=1)
_SKEW_NOTED_S = 5.0
_SKEW_BROKEN_S = 60.0
_TLS_MEND = (
    "If a company's authority signs what leaves your network, name its certificates in SSL_CERT_FILE. A wrong clock "
    "and a wrong address look the same: check them too."
)
_GONE = "The service itself may be gone for good; `apteligent simulate` serves a simulated one."


async def ask_around(origin: str, connection: Connection | None) -> list[Check]:
    """Look from the outside in; what needs something that is broken is skipped.

    Args:
        origin: scheme, host and port of the service.
        connection: how a command would get at it; None, where there are no credentials, spends no call.
    """
    address = await _check_address(origin)
    if address.verdict == "broken":
        return [address, *_skipped("a working address", "DNS", "TLS", *_OF_THE_SERVICE)]
    ways = [address, *await _ways(origin)]
    if any(way.verdict == "broken" for way in ways):
        return [*ways, *_skipped("a working connection", *_OF_THE_SERVICE)]
    if connection is None:
        return [*ways, *_skipped("working credentials", *_OF_THE_SERVICE)]
    return [*ways, *await _Conversation(connection).checks()]


async def _check_address(origin: str) -> Check:
    """Let a client judge, which sends nothing: it has the rules of what may be asked."""
    try:
        async with ApteligentClient(StaticToken("unused"), base_url=origin, budget=MemoryBudget()):
            return Check(name="address", verdict="ok", found=origin)
    except ApteligentError as problem:
        mend = "Correct --base-url, APTELIGENT_BASE_URL, or the proxy in the environment."
        return Check(name="address", verdict="broken", found=problem.message, mend=mend)


async def _ways(origin: str) -> list[Check]:
    if has_proxy(origin):
        return [
            Check(name=name, verdict="skipped", found="left to the proxy that the environment names")
            for name in ("DNS", "TLS")
        ]
    name = await _check_name(origin)
    return [name, *(_skipped("a known host", "TLS") if name.verdict == "broken" else [await _check_connection(origin)])]


def _skipped(need: str, *names: str) -> list[Check]:
    return [Check(name=name, verdict="skipped", found=f"needs {need}") for name in names]


async def _check_name(origin: str) -> Check:
    host = urlsplit(origin).hostname or ""
    if _is_address(host):
        return Check(name="DNS", verdict="ok", found=f"{host} is an address: there is no name to look up")
    try:
        with anyio.fail_after(_PATIENCE_S):
            found = await anyio.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        mend = f"Is the network up, and the name right? {_GONE}"
        return Check(name="DNS", verdict="broken", found=f"{host}: {_reason(error)}", mend=mend)
    addresses = ", ".join(sorted({str(each[4][0]) for each in found}))
    return Check(name="DNS", verdict="ok", found=f"{host} is {addresses}")


async def _check_connection(origin: str) -> Check:
    """Connect, by TLS where the token would go by TLS, with the very context that the client uses."""
    place = urlsplit(origin)
    host, is_plain = place.hostname or "", place.scheme == "http"
    try:
        with anyio.fail_after(_PATIENCE_S):
            async with await anyio.connect_tcp(host, place.port or (80 if is_plain else 443)) as stream:
                if is_plain:
                    return Check(name="TLS", verdict="ok", found="connected; loopback needs none")
                tls = await TLSStream.wrap(stream, hostname=host, ssl_context=tls_context(), standard_compatible=False)
                async with aclosing(tls):
                    return _described(tls)
    except ssl.SSLError as error:
        return Check(name="TLS", verdict="broken", found=_reason(error), mend=_TLS_MEND)
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        return Check(
            name="TLS", verdict="broken", found=f"no connection to {origin}: {_reason(error)}", mend=_mend(host)
        )


def _described(tls: TLSStream) -> Check:
    speaks = tls.extra(TLSAttribute.tls_version)  # noqa: S610  no Django
    certificate = tls.extra(TLSAttribute.peer_certificate) or {}  # noqa: S610  no Django
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Check(name="TLS", verdict="ok", found=f"{speaks}, certificate good until {ends:%Y-%m-%d}")


def _mend(host: str) -> str:
    if is_loopback(host):
        return "Nobody listens there: start `apteligent simulate` and pass the address that it prints."
    return f"Is a firewall in between? HTTPS_PROXY names a proxy. {_GONE}"


@define
class _Conversation:
    """One cheap call, and what its answer tells; the state is what was sent.

    Attributes:
        requests: those that spent budget, by endpoint.
    """

    _connection: Connection
    requests: Counter[str] = field(factory=Counter, init=False)

    async def checks(self) -> list[Check]:
        """Make the call, and judge token, clock and budget."""
        try:
            async with self._connection.client(_ONCE) as client:
                client.on_event(self._count)
                token, answered = await self._check_token(client.with_options(timeout=_PATIENCE_S))
                clock = check_clock(await self._date(client, answered), now=datetime.now(UTC))
                return [token, clock, _check_budget(client.budget())]
        except ApteligentError as problem:
            settings = Check(name="settings", verdict="broken", found=problem.message)
            return [settings, *_skipped("working settings", *_OF_THE_SERVICE)]

    def _count(self, event: Event) -> None:
        if tells_of_request(event):
            self.requests[event.detail["label"]] += 1

    async def _check_token(self, client: ApteligentClient) -> tuple[Check, Result | None]:
        try:
            apps = await client.apps.list([AppAttribute.APP_NAME])
            token = await client.token()
        except AuthenticationError as refusal:
            mend = "Log in with `apteligent login`, or correct the environment."
            return self._verdict("broken", refusal.message, mend=mend), None
        except RateLimitedError as refusal:
            return self._verdict("note", f"not known: {refusal.message}", mend="Ask again after the reset."), None
        except ConnectionFailed as failure:
            return self._verdict("broken", failure.message, mend=_GONE), None
        except ApteligentError as failure:
            mend = "The service's answer is not what is known of it: is the address right?"
            return self._verdict("broken", failure.message, mend=mend), None
        life = "" if token.expires_in is None else f"; good for {token.expires_in / 86_400:.1f} days"
        return self._verdict("ok", f"accepted, for {len(apps)} apps{life}"), apps

    def _verdict(self, verdict: str, found: str, *, mend: str = "") -> Check:
        calls = self.requests.total()
        return Check(name="token", verdict=verdict, found=found, mend=mend, calls=calls)  # type: ignore[arg-type]

    async def _date(self, client: ApteligentClient, answered: Result | None) -> str | None:
        """Read the service's clock off its answer, or off one that costs nothing."""
        if answered is None:
            try:
                answered = await client.discover()
            except ApteligentError:
                return None
        return answered.http.headers.get("date") if answered.http else None


def check_clock(date: str | None, *, now: datetime) -> Check:
    """Compare the service's clock, by the ``Date`` of an answer, with this machine's.

    Args:
        date: the header, or None if there was none; its resolution is a second.
        now: when the answer came.
    """
    try:
        told = parsedate_to_datetime(date or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return Check(name="clock", verdict="skipped", found="no answer told the service's time")
    ahead_s = (now - told).total_seconds()
    found = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the service"
    if abs(ahead_s) <= _SKEW_NOTED_S:
        return Check(name="clock", verdict="ok", found=f"agrees with the service to {abs(ahead_s):.0f} s")
    if abs(ahead_s) <= _SKEW_BROKEN_S:
        return Check(name="clock", verdict="note", found=found, mend="Let the system keep its time by NTP.")
    mend = "Set it, and let the system keep it by NTP: TLS, the end of logins and days depend on it."
    return Check(name="clock", verdict="broken", found=found, mend=mend)


def _check_budget(budget: BudgetSnapshot) -> Check:
    if budget.limit is None:
        return Check(name="budget", verdict="skipped", found="no answer stated a rate limit")
    reset = "" if budget.reset_s is None else f", reset in {budget.reset_s:.0f} s"
    if budget.is_gated:
        mend = "Wait for the reset. If that keeps happening, somebody else spends it: `apteligent limits` tells more."
        return Check(name="budget", verdict="note", found=f"used up: the service answered 429{reset}", mend=mend)
    found = f"{budget.limit:g} calls a minute, at least {budget.left_low} left{reset}"
    return Check(name="budget", verdict="ok", found=found)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _reason(error: BaseException) -> str:
    """Say what went wrong in the system's words; groups of failed addresses say the same many times."""
    return next((text for text in _texts(error) if text), type(error).__name__)


def _texts(error: BaseException) -> Iterator[str]:
    if isinstance(error, TimeoutError):
        yield f"no answer in {_PATIENCE_S:g} s"
    for each in getattr(error.__cause__, "exceptions", (error.__cause__,)):
        if each is not None:
            yield getattr(each, "strerror", None) or str(each)
    yield getattr(error, "strerror", None) or str(error)
