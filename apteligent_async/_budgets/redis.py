"""A budget in Redis or Valkey, for processes of any number of hosts.

The state of an account is one hash: a text, and the version that it has. A script compares the version and sets both,
or gives the present ones, and tells the server's time; nothing is decided there. So whoever saw the last state needs
one round trip. Where many come, comparing alone would let them overtake each other for ever: the state is also kept as
the only element of a list, from which the server hands it to those who wait for it, in the order in which they came.
Whoever has it sets the next one, which is put there again: two round trips, whatever the crowd. The list orders and
decides nothing: if its holder dies, those behind are patient for a moment, and then compare and set as they are.

The connection lives on a loop of its own, in a thread: a client of ours has no task in which it could be kept open,
and clients on different loops share it.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from anyio.to_thread import run_sync
from attrs import Factory, define, evolve, field, frozen

from apteligent_async._budgets.shared import Lines
from apteligent_async._budgets.store import StoreGone, Told
from apteligent_async._wire.secret import Secret, hides
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coredis import Redis
    from coredis.commands import Script

    from apteligent_async._budgets.store import Change

__all__ = ["RedisBudget", "RedisStore"]

Found = TypeVar("Found")

ANSWER_S = 1.0
"""How long one answer of the server may take."""

CHANGE_S = 3.0
"""How long a change may take, however often others were faster."""

PATIENCE_S = 0.2
"""How long to wait for a turn. Whoever has it needs a hundredth of that, so the one who is longer at it may be dead."""

FRESH_S = 60.0
"""For how long our clock may stand in for the server's: they drift apart by less than a hundredth of a second."""

KEPT_MS = 7 * 86_400_000
"""How long the server keeps a state that nobody uses."""

_COMPARE_AND_SET = """
local time = redis.call('TIME')
local found = redis.call('HMGET', KEYS[1], 'version', 'state')
local version = found[1] or ''
if version == ARGV[1] then
  redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('DEL', KEYS[2])
  redis.call('RPUSH', KEYS[2], ARGV[2] .. ' ' .. ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  return {1, time[1], time[2]}
end
return {0, time[1], time[2], version, found[2] or ''}
"""

_UNSEEN = "?"
"""A version that no state has."""


@frozen
class _Seen:
    """The state as it was when the server told it last, and the time there.

    Attributes:
        text: the state; None where there is none.
        version: its version; empty where there is none.
        server_at: the server's time, when it was told last.
        heard_at: ours, when that arrived.
        trip_s: how long it can have been under way.
    """

    text: str | None
    version: str
    server_at: float
    heard_at: float
    trip_s: float

    def told(self) -> Told:
        """Tell it, with the server's time of now: surely reached, and passed by no more than the trip."""
        now = self.server_at + time.monotonic() - self.heard_at
        return Told(self.text, clock="server", now=now, blur_s=self.trip_s)

    @property
    def is_fresh(self) -> bool:
        """Whether the server's time can still be told from ours."""
        return time.monotonic() - self.heard_at < FRESH_S


@define(eq=False)
class RedisStore:
    """One account's hash. Its state is the connection, and what the server said last.

    Attributes:
        url: where the server is.
        account: the hash's name.
        trips: round trips so far.
    """

    url: str
    account: str
    trips: int = 0
    _portal: BlockingPortal | None = field(default=None, init=False)
    _open: ExitStack = field(factory=ExitStack, init=False)
    _client: Redis[str] | None = field(default=None, init=False)
    _script: Script[Any] | None = field(default=None, init=False)
    _seen: _Seen | None = field(default=None, init=False)
    _is_crowded: bool = field(default=False, init=False)

    async def change(self, change: Change[Found]) -> Found:
        """Apply a change to the hash; give what it gave.

        Raises:
            StoreGone: the server cannot be reached, does not answer, or refuses.
            ConfigurationError: the extra ``redis`` is not installed.
        """
        return await run_sync(self._guarded, partial(self._apply, change))

    async def look(self) -> Told:
        """Read the hash and the time, and change nothing."""
        return await run_sync(self._guarded, self._read)

    async def aclose(self) -> None:
        """Close the connection."""
        await run_sync(self._drop)

    def _guarded(self, act: Callable[[], Awaitable[Found]]) -> Found:
        try:
            portal = self._portal or self._connect()
            return portal.call(act)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001  groups of a foreign client's errors among them: it is gone
            self._drop()
            raise StoreGone(type(error).__name__) from None

    def _connect(self) -> BlockingPortal:
        self._portal = self._open.enter_context(start_blocking_portal())
        self._client = self._open.enter_context(self._portal.wrap_async_context_manager(_client(self.url)))
        self._script = self._client.register_script(_COMPARE_AND_SET)
        return self._portal

    def _drop(self) -> None:
        self._portal = self._client = self._script = self._seen = None
        with suppress(Exception):  # it may be broken already
            self._open.close()

    async def _read(self) -> Told:
        with anyio.fail_after(CHANGE_S):
            return (await self._present()).told()

    async def _apply(self, change: Change[Found]) -> Found:
        """Set the next state: at once if few come, else in turn."""
        with anyio.fail_after(CHANGE_S):
            seen = self._seen if self._seen is not None and self._seen.is_fresh else await self._present()
            attempts = 0
            while True:
                seen = await self._turn(seen) if self._is_crowded else seen
                text, found = change(seen.told())
                if await self._compare_and_set(seen.version, secrets.token_hex(8), text):
                    return found
                assert self._seen is not None  # noqa: S101  just heard
                seen, attempts = self._seen, attempts + 1
                self._is_crowded = attempts > 1

    async def _turn(self, seen: _Seen) -> _Seen:
        """Wait until the state is handed to us; if it is not, take it as it is. Nobody else came: no crowd any more."""
        assert self._client is not None  # noqa: S101  made with the connection
        self.trips += 1
        handed = await self._client.blpop([f"{self.account}:turn"], PATIENCE_S)
        if handed is None:
            return await self._present()
        version, _, text = str(handed[1]).partition(" ")
        self._is_crowded = version != seen.version
        return evolve(seen, version=version, text=text)

    async def _present(self) -> _Seen:
        """Ask for the state as it is."""
        await self._compare_and_set(_UNSEEN, "", "")
        assert self._seen is not None  # noqa: S101  just heard
        return self._seen

    async def _compare_and_set(self, version: str, next_version: str, text: str) -> bool:
        """Set the state if it still has a version; take in what the server says either way."""
        assert self._script is not None  # noqa: S101  made with the connection
        self.trips += 1
        sent_at = time.monotonic()
        script: Any = self._script
        reply: list[Any] = await script(
            keys=[self.account, f"{self.account}:turn"], args=[version, next_version, text, KEPT_MS]
        )
        heard_at = time.monotonic()
        is_set, seconds, micros, *present = reply
        if not is_set:
            next_version, text = present
        server_at = float(seconds) + float(micros) / 1e6
        self._seen = _Seen(text or None, next_version, server_at, heard_at, heard_at - sent_at)
        return bool(is_set)


def _client(url: str) -> Redis[str]:
    try:
        from coredis import Redis  # noqa: PLC0415  an extra
        from coredis.retry import NoRetryPolicy  # noqa: PLC0415  an extra
    except ImportError:
        raise ConfigurationError("RedisBudget needs coredis: pip install 'apteligent-async[redis]'") from None
    return Redis.from_url(
        url,
        decode_responses=True,
        verify_version=False,
        retry_policy=NoRetryPolicy(),
        stream_timeout=ANSWER_S,
        connect_timeout=ANSWER_S,
    )


def _address(url: str) -> str:
    if not isinstance(cast("object", url), str) or url.partition("://")[0] not in {"redis", "rediss", "unix"}:
        raise ConfigurationError(
            "RedisBudget(url) takes an address such as redis://host:6379/0, rediss://… or unix://…"
        )
    return Secret(url)


def _no_lines(budget: RedisBudget) -> Lines:
    return Lines(lambda account: RedisStore(budget.url, f"apteligent:budget:{{{account}}}"), {})


@hides("url")
@define(eq=False)
class RedisBudget:
    """A budget that processes of any number of hosts share through one Redis or Valkey server (extra ``redis``).

    The server keeps one small hash for each client id, named by a digest; no secret reaches it. One object serves any
    number of clients, on asyncio and on trio. If the server cannot be reached, each process goes on by itself with
    great care, and says so in an event (``store.degraded``, ``store.restored``).

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``; a user and a password in it are never shown.

    Raises:
        ConfigurationError: the address is none; or, when a client opens, coredis is not installed.
    """

    url: str = field(repr=False, converter=_address)
    lines: Lines = field(init=False, repr=False, default=Factory(_no_lines, takes_self=True))
