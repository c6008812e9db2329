"""Gets, keeps and renews the token, once for all waiting calls. It says which request it needs; others send it."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen

from apteligent_async._wire.token import token_request
from apteligent_async.errors import ApteligentError, AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from apteligent_async._wire.messages import Request
    from apteligent_async.models.access import Token

__all__ = ["Credentials", "PasswordGrant", "StaticToken", "TokenKeeper"]

EARLY_S = 60.0
"""How long before its end a token is renewed; at most a tenth of its life."""


MOST_DENIED = 1_000
"""Paths that are remembered as closed."""


@frozen
class PasswordGrant:
    """Log in with a user's name and password, by RFC 6749 section 4.3 (grade A).

    Args:
        client_id: the OAuth2 client id, from the "OAuth Tokens" tab of the user settings. The rate budget is its.
        username: the user's name, an e-mail address.
        password: his password; never sent anywhere but in the body of the token call.
        scope: space-separated scopes; None for a general token.
        duration: how long the token shall live, seconds or a timedelta; None for the service's 30 days.
    """

    client_id: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)
    scope: str | None = field(default=None, kw_only=True)
    duration: int | timedelta | None = field(default=None, kw_only=True)

    def request(self) -> Request:
        """Build the token call; raises `ConfigurationError` if a part cannot work."""
        return token_request(
            client_id=self.client_id,
            username=self.username,
            password=self.password,
            scope=self.scope,
            duration=self.duration,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated."""
        return (self.password, self.client_id)


@frozen
class StaticToken:
    """Use a token that exists already, such as one made in the "OAuth Tokens" tab.

    Args:
        token: the token.
        client_id: whose it is, so that the budget can be shared with that id's other users; None if unknown.
    """

    token: str = field(repr=False)
    client_id: str | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise ConfigurationError("A token is one word of printable ASCII characters; this one is not.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated."""
        return (self.token, self.client_id or "")


Credentials = PasswordGrant | StaticToken


class TokenKeeper:
    """One token for any number of callers.

    Its state: the token, its end, who fetches it, a refusal that is final, and the paths that fresh tokens do not open.

    Args:
        credentials: how to get a token.
        fetch: sends the token call through the line.
    """

    def __init__(self, credentials: Credentials, fetch: Callable[[Request], Awaitable[Token]]) -> None:
        self._credentials = credentials
        self._fetch = fetch
        self._token = credentials.token if isinstance(credentials, StaticToken) else None
        self._ends_at = math.inf
        self._fetching: anyio.Event | None = None
        self._failure: ApteligentError | None = None
        self._refused: AuthenticationError | None = None
        self._denied: dict[str, None] = {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated, the present token included."""
        return (*self._credentials.secrets, self._token or "")

    @property
    def current(self) -> str | None:
        """The token in hand, whatever its age."""
        return self._token

    async def token(self) -> str:
        """Give a token that has time left, fetching it if need be: once, however many ask.

        Raises:
            AuthenticationError: the service refused the credentials; it is not asked again.
        """
        while self._token is None or anyio.current_time() >= self._ends_at:
            await self._renew()
        return self._token

    def reject(self, token: str | None, *, path: str) -> bool:
        """Drop a token that the service did not accept, unless it has been replaced; say whether to try again.

        A new token is no help where a fresh one was denied before, nor can a pasted one be replaced.
        """
        if isinstance(self._credentials, StaticToken) or path in self._denied:
            return False
        if token == self._token:
            self._token = None
        return True

    def note_denied(self, path: str) -> None:
        """Remember that a fresh token was denied there: a right is missing, not a token."""
        self._denied[path] = None
        while len(self._denied) > MOST_DENIED:
            del self._denied[next(iter(self._denied))]

    async def _renew(self) -> None:
        # Copies are raised, so that the tracebacks of many callers do not grow into each other.
        if self._refused is not None:
            raise copy(self._refused)
        if self._fetching is not None:
            await self._share(self._fetching)
            return
        self._fetching, self._failure = anyio.Event(), None
        try:
            await self._ask()
        except ApteligentError as error:
            self._failure = error
            if isinstance(error, AuthenticationError):
                self._refused = error
            raise
        finally:
            self._fetching.set()
            self._fetching = None

    async def _share(self, fetching: anyio.Event) -> None:
        await fetching.wait()
        if self._failure is not None and self._token is None:
            raise copy(self._failure)

    async def _ask(self) -> None:
        assert isinstance(self._credentials, PasswordGrant)  # noqa: S101  a static token is never asked for
        asked_at = anyio.current_time()
        found = await self._fetch(self._credentials.request())
        self._token = found.access_token
        life_s = found.expires_in if found.expires_in is not None else math.inf
        self._ends_at = asked_at + life_s - min(EARLY_S, life_s / 10)
