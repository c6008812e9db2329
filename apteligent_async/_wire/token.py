"""The call for a token: RFC 6749 section 4.3.2, with everything secret in the header and the body."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from apteligent_async._wire.calls import Endpoint, Grade
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.access import Token

if TYPE_CHECKING:
    from apteligent_async._wire.messages import Request

__all__ = ["TOKEN", "token_request"]

LONGEST_TOKEN_S = 31_536_000

TOKEN = Endpoint(
    name="token",
    method="POST",
    template="/v2/token",
    result=Token,
    grade=Grade.A,
    source="the introductory page's trace; a mobile app",
    is_authorized=False,
    is_secret=True,
    is_enveloped=False,
)


def token_request(
    *,
    client_id: str,
    username: str,
    password: str,
    scope: str | None = None,
    duration: int | timedelta | None = None,
) -> Request:
    """Build the call for a token.

    Args:
        client_id: the OAuth client id; sent by Basic with an empty password.
        username: whose token it will be.
        password: his password.
        scope: space-separated; None asks for a general token.
        duration: seconds that the token shall live, at most a year; None leaves the service's 30 days.

    Raises:
        ConfigurationError: an argument cannot work.
    """
    _check_client_id(client_id)
    form = {"grant_type": "password", "username": username, "password": password}
    if scope is not None:
        form["scope"] = scope
    if duration is not None:
        form["duration"] = str(_token_seconds(duration))
    basic = b64encode(f"{client_id}:".encode()).decode("ascii")
    return TOKEN.request_to(
        TOKEN.template,
        headers=(("authorization", f"Basic {basic}"), ("content-type", "application/x-www-form-urlencoded")),
        body=urlencode(form).encode("ascii"),
    )


def _check_client_id(client_id: str) -> None:
    if not client_id or ":" in client_id or not client_id.isprintable():
        raise ConfigurationError("The client id must be a printable text without a colon.", endpoint=TOKEN.name)


def _token_seconds(duration: object) -> int:
    seconds = int(duration.total_seconds()) if isinstance(duration, timedelta) else duration
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_TOKEN_S:
        raise ConfigurationError(
            f"A token lives 1 to {LONGEST_TOKEN_S} seconds, not {duration!r}.", endpoint=TOKEN.name
        )
    return seconds
