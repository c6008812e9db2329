"""Who may ask: accounts, and the tokens that were given out for them (RFC 6749, section 4.3).

Reads no clock; tokens are made of counted digests, so that two runs give out the same ones.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from attrs import evolve, field, frozen

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.multipart import form_fields
from apteligent_async.simulator.world.dice import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.simulator.messages import Call

__all__ = ["DEMO_ACCOUNT", "Account", "Grant", "TokenOffice", "bad_token", "unknown_client"]

_DEFAULT_DURATION_S = 2_592_000
_LONGEST_DURATION_S = 31_536_000


@frozen(kw_only=True)
class Account:
    """An OAuth2 client id and the user whose password it may exchange for a token."""

    client_id: str = field(repr=False)
    username: str
    password: str = field(repr=False)


DEMO_ACCOUNT = Account(
    client_id="SimulatedClientIdForTheDemo00001",
    username="demo@example.com",
    password="not-a-secret",  # noqa: S106  opens nothing but the simulator
)
"""What the simulator accepts unless it is told other credentials; no secret, by intention."""


@frozen(kw_only=True)
class Grant:
    """What stands behind a token: the client, what it may see (everything if `scope` is empty), and until when."""

    client_id: str
    scope: tuple[str, ...] = ()
    expires_at: float = math.inf

    def covers(self, path: str, app_id: str | None) -> bool:
        """Tell whether the scope reaches a path; ``app/{id}/transactions`` reaches that app's userflows only."""
        if not self.scope or "all" in self.scope:
            return True
        of_userflows = ("/v2/transactions/", f"/v2/{app_id}/group/")
        return f"app/{app_id}/transactions" in self.scope and path.startswith(of_userflows)


class TokenOffice:
    """Gives out tokens and knows them again; its state is the grants, live, expired and revoked."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = {account.client_id: account for account in accounts}
        self._grants: dict[str, Grant] = {}
        self._revoked: set[str] = set()

    def client_of(self, call: Call) -> str | None:
        """Return the known client id that a call comes from, whether or not it may have what it asks for."""
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            grant = self._grants.get(rest.strip())
            return grant.client_id if grant else None
        client_id = _basic_user(rest) if scheme.lower() == "basic" else None
        return client_id if client_id in self._accounts else None

    def grant_of(self, call: Call, *, now: float) -> Grant:
        """Return what the call's token allows; refuse with 401 if it is missing, unknown, expired or revoked."""
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        token = rest.strip()
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        if grant is None or token in self._revoked or now >= grant.expires_at:
            raise bad_token()
        return grant

    def exchange(self, call: Call, *, now: float) -> dict[str, object]:
        """Answer a token request, or refuse it with an error of RFC 6749."""
        client_id = self.client_of(call)
        if client_id is None:
            raise unknown_client()
        asked = _fields(call)
        account = self._accounts[client_id]
        _check_password_grant(asked, account)
        duration_s = _duration(asked.get("duration"))
        scope = tuple(asked.get("scope", "").split())
        token = self.issue(Grant(client_id=client_id, scope=scope, expires_at=now + duration_s))
        return {"access_token": token, "token_type": "bearer", "expires_in": duration_s}

    def issue(self, grant: Grant, *, token: str | None = None) -> str:
        """Write a grant down under a new token of 32 characters, or under the given one."""
        made = token or digest("token", grant.client_id, len(self._grants))[:32]
        self._grants[made] = grant
        self._revoked.discard(made)
        return made

    def revoke(self, token: str) -> None:
        """Make a token worthless from now on."""
        self._revoked.add(token)

    def expire(self, token: str, *, now: float) -> None:
        """End a token's life at this instant; one that nobody gave out stays unknown."""
        grant = self._grants.get(token)
        if grant is not None:
            self._grants[token] = evolve(grant, expires_at=now)


def bad_token() -> Refusal:
    """Return the answer to a token that is missing, unknown, expired or revoked."""
    return Refusal(401, "Invalid OAuth token")


def unknown_client() -> Refusal:
    """Return the answer to a token call from a client id that nobody made."""
    return _oauth_refusal(401, "invalid_client", "unknown client id")


def _basic_user(encoded: str) -> str | None:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[0]


def _fields(call: Call) -> dict[str, str]:
    kind = call.headers.get("content-type", "")
    fields = dict(call.query)
    if kind.startswith("multipart/form-data"):
        fields |= form_fields(kind, call.body)
    else:
        fields |= parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    return fields


def _check_password_grant(asked: dict[str, str], account: Account) -> None:
    if "grant_type" not in asked:
        raise _oauth_refusal(400, "invalid_request", "grant_type is required")
    if asked["grant_type"] != "password":
        raise _oauth_refusal(400, "unsupported_grant_type", "only password is supported")
    if "username" not in asked or "password" not in asked:
        raise _oauth_refusal(400, "invalid_request", "username and password are required")
    if (asked["username"], asked["password"]) != (account.username, account.password):
        raise _oauth_refusal(400, "invalid_grant", "wrong user name or password")


def _duration(text: str | None) -> int:
    if text is None:
        return _DEFAULT_DURATION_S
    is_short_number = text.isascii() and text.isdecimal() and len(text) <= len(str(_LONGEST_DURATION_S))
    if not is_short_number or not 0 < int(text) <= _LONGEST_DURATION_S:
        raise _oauth_refusal(400, "invalid_request", f"duration must be 1 to {_LONGEST_DURATION_S} seconds")
    return int(text)


def _oauth_refusal(status: int, error: str, description: str) -> Refusal:
    return Refusal(status, description, error=error, error_description=description)
