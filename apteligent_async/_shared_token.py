"""One token for all processes of a host: whoever needs one first logs in, and the others read what he was given.

The file lies in the state folder, open to its owner alone, and is replaced whole. Whoever logs in holds a lock
meanwhile, on an empty database beside it: the operating system takes that from a dead process, so that none is left
behind. Where no file can be kept, everybody logs in by himself.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING

import anyio
from attrs import define, field

from apteligent_async._auth import EARLY_S
from apteligent_async._budgets import SQLiteBudget
from apteligent_async._file_locks import take_lock
from apteligent_async._private_files import check_folder, read_private, state_folder, write_private
from apteligent_async._wire.secret import Secret
from apteligent_async.models.access import Token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from apteligent_async._settings import ResolvedSettings
    from apteligent_async._wire.messages import Request

    Fetch = Callable[[Request], Awaitable[tuple[Token, float]]]

__all__ = ["SharedToken", "token_source"]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.5
"""Bounds of the pause between two looks at whether another process has logged in."""


def token_source(settings: ResolvedSettings, fetch: Fetch) -> Fetch:
    """Say where a client's token comes from: with a budget of all processes of its host, from whoever logged in.

    Args:
        settings: the client's.
        fetch: logs in.
    """
    if not isinstance(settings.budget, SQLiteBudget):
        return fetch
    whose = json.dumps([str(settings.origin), *settings.credentials.identity])
    name = hashlib.sha256(whose.encode()).hexdigest()[:32]
    return SharedToken(state_folder() / "tokens" / f"{name}.json", fetch).get


@define(eq=False)
class SharedToken:
    """The host's token, as one client sees it. Its state is the token that it was given last.

    Attributes:
        path: the file.
        fetch: logs in; gives the token, and the instant on the loop's clock at which it was asked for.
        clock: reads the time of day, in seconds: a file outlives every other clock.
    """

    path: Path
    fetch: Fetch
    clock: Callable[[], float] = time.time
    _given: str = field(default="", init=False, repr=False)

    async def get(self, request: Request) -> tuple[Token, float]:
        """Give the host's token, and the instant on the loop's clock from which its life counts.

        None is given twice: whoever asks again has found that it is not accepted, or at its end.

        Raises:
            ConfigurationError: others may read or replace the file; the message names the mend.
        """
        found = self._kept()
        if found is None:
            async with _alone(self.path.with_suffix(".lock")):
                found = self._kept() or await self._log_in(request)
        self._given = Secret(found[0].access_token)
        return found

    def _kept(self) -> tuple[Token, float] | None:
        """Read the file; None where there is no token in it that is new to us and has time left."""
        try:
            content = read_private(self.path)
        except OSError:
            return None
        try:
            token, life_s, issued_at = _read(content)
        except (ValueError, KeyError, TypeError):
            return None
        left_s = min(issued_at + life_s - self.clock(), life_s)
        if token.access_token == self._given or left_s <= min(EARLY_S, life_s / 10):
            return None
        return _with_life(token, left_s), anyio.current_time()

    async def _log_in(self, request: Request) -> tuple[Token, float]:
        """Fetch a token and keep it; no cancellation comes between the two, so that no login is lost."""
        token, sent_at = await self.fetch(request)
        with suppress(OSError):
            write_private(self.path, _written(token, issued_at=self.clock() - (anyio.current_time() - sent_at)))
        return token, sent_at


_ENDLESS_S = 1e12
"""The life of a token of which the service does not say how long it lives."""


def _written(token: Token, *, issued_at: float) -> bytes:
    life_s = token.expires_in if token.expires_in and token.expires_in > 0 else _ENDLESS_S
    kept = {"access_token": token.access_token, "token_type": token.token_type}
    return json.dumps({"token": kept, "life_s": life_s, "issued_at": issued_at}).encode()


def _read(content: bytes) -> tuple[Token, float, float]:
    """Give the token, its whole life and when that began; a ValueError, KeyError or TypeError for anything else."""
    written = json.loads(content)
    return Token(**written["token"]), float(written["life_s"]), float(written["issued_at"])


def _with_life(token: Token, left_s: float) -> Token:
    expires_in = left_s if left_s < _ENDLESS_S / 2 else None
    return Token(access_token=Secret(token.access_token), token_type=token.token_type, expires_in=expires_in)


@asynccontextmanager
async def _alone(lock: Path) -> AsyncGenerator[None]:
    """Wait for the lock and hold it; where there can be none, nobody waits."""
    with ExitStack() as stack:
        with suppress(OSError, sqlite3.Error):
            pause_s = FIRST_PAUSE_S
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_folder(lock.parent)
            while (held := take_lock(lock)) is None:
                await anyio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            stack.enter_context(closing(held))
        yield
