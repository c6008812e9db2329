"""Gets, keeps and renews the token, once for all waiting calls. It says which request it needs; others send it."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING

import anyio
from attrs import define, field, frozen
from attrs.converters import optional

from apteligent_async._wire.secret import Secret
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

_FORBIDDEN = 403

_PASTED = (
    'A pasted token cannot be renewed: make a new one in the "OAuth Tokens" tab of the user settings, or pass '
    "PasswordGrant(client_id, username, password), which fetches its own."
)


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

    client_id: str = field(repr=False, converter=Secret)
    username: str = field(repr=False, converter=Secret)
    password: str = field(repr=False, converter=Secret)
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

    token: str = field(repr=False, converter=Secret)
    client_id: str | None = field(default=None, repr=False, converter=optional(Secret))

    def __attrs_post_init__(self) -> None:
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise ConfigurationError("A token is one word of printable ASCII characters; this one is not.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated."""
        return (self.token, self.client_id or "")


Credentials = PasswordGrant | StaticToken


@define(eq=False)
class _Fetch:
    """A token call under way, for all who wait for it."""

    done: anyio.Event = field(factory=anyio.Event)
    failure: ApteligentError | None = None


class TokenKeeper:
    """One token for any number of callers.

    Its state: the token, its end, the token call under way, a refusal that is final, the paths that a fresh token does
    not open, and the token that a missing right was last seen with.

    Args:
        credentials: how to get a token.
        fetch: sends the token call through the line; gives the token, and the instant at which the call was sent.
    """

    def __init__(self, credentials: Credentials, fetch: Callable[[Request], Awaitable[tuple[Token, float]]]) -> None:
        self._credentials = credentials
        self._fetch = fetch
        self._token = credentials.token if isinstance(credentials, StaticToken) else None
        self._ends_at = math.inf
        self._fetching: _Fetch | None = None
        self._refused: AuthenticationError | None = None
        self._denied: dict[str, None] = {}
        self._vain: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated, the present token included."""
        return (*self._credentials.secrets, self._token or "")

    @property
    def current(self) -> str | None:
        """The token in hand, whatever its age."""
        return self._token

    @property
    def is_ending(self) -> bool:
        """Whether the token in hand is at its end, or so near it that a call under way might outlive it."""
        return anyio.current_time() >= self._ends_at

    async def token(self) -> str:
        """Give a token that has time left, fetching it if need be: once, however many ask.

        Raises:
            AuthenticationError: the service refused the credentials; it is not asked again.
        """
        # What was just fetched is used, however short its life; only a fetch that was cancelled is made again.
        is_fresh = False
        while self._token is None or (self.is_ending and not is_fresh):
            is_fresh = await (self._renew() if self._fetching is None else self._share(self._fetching))
        return self._token

    def reject(self, error: AuthenticationError, *, token: str | None, path: str) -> bool:
        """Drop a token that the service did not accept, unless it has been replaced; say whether to try again.

        A pasted token cannot be replaced. A new one is no help where a fresh one was denied before, nor, when access
        is denied (403), if it took the place of one that fared no better.
        """
        if isinstance(self._credentials, StaticToken):
            error.args = (f"{error.message} {_PASTED}",)
            return False
        if path in self._denied or (token == self._vain and error.status == _FORBIDDEN):
            return False
        if token == self._token:
            self._token = None
        return True

    def note_denied(self, error: AuthenticationError, *, token: str | None, path: str) -> None:
        """Remember that renewing the token did not open a path: a right is missing, not a token."""
        if error.status == _FORBIDDEN:
            self._vain = token
        self._denied[path] = None
        while len(self._denied) > MOST_DENIED:
            del self._denied[next(iter(self._denied))]

    async def _renew(self) -> bool:
        # Copies are raised, so that the tracebacks of many callers do not grow into each other, nor outlive them.
        if self._refused is not None:
            raise copy(self._refused)
        fetching = self._fetching = _Fetch()
        try:
            await self._ask()
        except ApteligentError as error:
            fetching.failure = copy(error)
            if isinstance(error, AuthenticationError):
                self._refused = copy(error)
            raise
        finally:
            self._fetching = None
            fetching.done.set()
        return True

    async def _share(self, fetching: _Fetch) -> bool:
        before = self._token
        await fetching.done.wait()
        if fetching.failure is not None:
            raise copy(fetching.failure)
        return self._token != before

    async def _ask(self) -> None:
        assert isinstance(self._credentials, PasswordGrant)  # noqa: S101  a static token is never asked for
        found, sent_at = await self._fetch(self._credentials.request())
        self._token = Secret(found.access_token)
        life_s = found.expires_in if found.expires_in and found.expires_in > 0 else math.inf
        self._ends_at = sent_at + life_s - min(EARLY_S, life_s / 10)
