"""Gets, keeps and renews the token, once for all waiting calls. It says which request it needs; others send it."""

from __future__ import annotations

import math
from base64 import b64encode
from copy import copy
from typing import TYPE_CHECKING, Any

import anyio
from attrs import define, field, frozen
from attrs.converters import optional

from apteligent_async._scheduling.policy import must_be
from apteligent_async._wire.secret import Secret, hidden, hides
from apteligent_async._wire.token import token_request
from apteligent_async.errors import ApteligentError, AuthenticationError, ConfigurationError
from apteligent_async.models.access import Token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from attrs import Attribute

    from apteligent_async._wire.messages import Request

__all__ = ["EARLY_S", "Credentials", "PasswordGrant", "StaticToken", "TokenKeeper"]

EARLY_S = 60.0
"""How long before its end a token is renewed; at most a tenth of its life."""

MOST_DENIED = 1_000
"""Paths that are remembered as closed."""

DENIED_S = 60.0
"""How long a path counts as closed by a 401: tokens may have died twice in a row, and then the next one opens it."""

_FORBIDDEN = 403

_PASTED = (
    'A pasted token cannot be renewed: make a new one in the "OAuth Tokens" tab of the user settings, or pass '
    "PasswordGrant(client_id, username, password), which fetches its own."
)


def _hidden_text(given: str) -> str:
    """Hide it, and tell type checkers what may be given."""
    text: str = hidden(given)
    return text


def _require_text(_: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{attribute.name} must be a text, not of type {type(value).__name__}: "
            "is the environment variable set that it comes from?"
        )


@hides("client_id", "username", "password")
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

    client_id: str = field(repr=False, converter=_hidden_text, validator=_require_text)
    username: str = field(repr=False, converter=_hidden_text, validator=_require_text)
    password: str = field(repr=False, converter=_hidden_text, validator=_require_text)
    scope: str | None = field(default=None, kw_only=True, validator=must_be(str, "a text"))
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
    def identity(self) -> tuple[str, ...]:
        """What the service tells its callers apart by; not to be shown or kept, except hashed."""
        return ("grant", self.client_id, self.username, self.scope or "")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated."""
        as_sent = Secret(b64encode(f"{self.client_id}:".encode()).decode("ascii"))  # in the token call's header
        return (self.password, self.client_id, as_sent)


@hides("token", "client_id")
@frozen
class StaticToken:
    """Use a token that exists already, such as one made in the "OAuth Tokens" tab.

    Args:
        token: the token.
        client_id: whose it is, so that the budget can be shared with that id's other users; None if unknown.
    """

    token: str = field(repr=False, converter=_hidden_text, validator=_require_text)
    client_id: str | None = field(
        default=None, repr=False, converter=optional(_hidden_text), validator=must_be(str, "a text")
    )

    def __attrs_post_init__(self) -> None:
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise ConfigurationError("A token is one word of printable ASCII characters; this one is not.")

    @property
    def identity(self) -> tuple[str, ...]:
        """What the service tells its callers apart by; not to be shown or kept, except hashed."""
        return ("token", self.token)

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

    Its state: the token, its end, whether it was used, the token call under way, a refusal that is final, the paths
    that a fresh token does not open, and the token that a missing right was last seen with.

    Args:
        credentials: how to get a token.
        fetch: sends the token call through the line; gives the token, and the instant at which the call was sent.
    """

    def __init__(self, credentials: Credentials, fetch: Callable[[Request], Awaitable[tuple[Token, float]]]) -> None:
        self._credentials = credentials
        self._secrets = credentials.secrets
        self._fetch = fetch
        self._token = credentials.token if isinstance(credentials, StaticToken) else None
        self._ends_at = self._expires_at = math.inf
        self._is_used = False
        self._fetching: _Fetch | None = None
        self._refused: AuthenticationError | None = None
        self._denied: dict[str, float] = {}
        self._vain: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated, the present token included."""
        return (*self._secrets, self._token or "")

    @property
    def has_token(self) -> bool:
        """Whether a token is in hand that has time left."""
        return self._token is not None and not self._is_spent

    def take(self) -> str | None:
        """Give the token to send with, or None if `token` must be asked for first.

        What was fetched is used at least once, however short its life.
        """
        if not self.has_token:
            return None
        self._is_used = True
        return self._token

    async def token(self) -> str:
        """Give a token that has time left, fetching it if need be: once, however many ask.

        Raises:
            AuthenticationError: the service refused the credentials; it is not asked again.
        """
        while self._token is None or self._is_spent:
            await (self._renew() if self._fetching is None else self._share(self._fetching))
        return self._token

    @property
    def _is_spent(self) -> bool:
        return self._ends_at < math.inf and self._is_used and anyio.current_time() >= self._ends_at

    async def held(self) -> Token:
        """Describe the token in hand, fetched if need be, with the seconds that it has left."""
        token = await self.token()
        left_s = self._expires_at - anyio.current_time()
        expires_in = None if left_s == math.inf else max(math.floor(left_s), 0)
        return Token(access_token=token, token_type="bearer", expires_in=expires_in)  # noqa: S106  its kind, no secret

    def reject(self, error: AuthenticationError, *, token: str | None, path: str) -> bool:
        """Drop a token that the service did not accept, unless it has been replaced; say whether to try again.

        A pasted token cannot be replaced. A new one is no help where a fresh one was denied of late, nor, when access
        is denied (403), if it took the place of one that fared no better.
        """
        if isinstance(self._credentials, StaticToken):
            error.args = (f"{error.message} {_PASTED}",)
            return False
        is_closed = path in self._denied and (error.status == _FORBIDDEN or self._is_late(path))
        if is_closed or (token == self._vain and error.status == _FORBIDDEN):
            return False
        if token == self._token:
            self._token = None
        return True

    def _is_late(self, path: str) -> bool:
        """Whether a path was denied so lately that asking with a new token would be in vain."""
        return anyio.current_time() < self._denied[path] + DENIED_S

    def note_opened(self, path: str) -> None:
        """Remember that a path is open: what was denied before was the token, not the right."""
        self._denied.pop(path, None)

    def note_denied(self, error: AuthenticationError, *, token: str | None, path: str) -> None:
        """Remember that renewing the token did not open a path: a right is missing, not a token."""
        if error.status == _FORBIDDEN:
            self._vain = token
        self._denied[path] = anyio.current_time()
        while len(self._denied) > MOST_DENIED:
            del self._denied[next(iter(self._denied))]

    async def _renew(self) -> None:
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

    async def _share(self, fetching: _Fetch) -> None:
        await fetching.done.wait()
        if fetching.failure is not None:
            raise copy(fetching.failure)

    async def _ask(self) -> None:
        assert isinstance(self._credentials, PasswordGrant)  # noqa: S101  a static token is never asked for
        found, sent_at = await self._fetch(self._credentials.request())
        self._token, self._is_used = Secret(found.access_token), False
        life_s = found.expires_in if found.expires_in and found.expires_in > 0 else math.inf
        self._expires_at = sent_at + life_s
        self._ends_at = self._expires_at - min(EARLY_S, life_s / 10)
