"""Errors in people's words: what happened, and in a second line whose fault it is and what to do."""

from __future__ import annotations

import os
import re
import sys
import traceback
from typing import TYPE_CHECKING

from apteligent_async import errors
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["explain", "redacted"]

_ADVICE: Mapping[type[BaseException], str] = {
    errors.AuthenticationError: "The credentials are at fault: log in again with `apteligent login`, or run "
    "`apteligent doctor`.",
    errors.BadRequestError: "The question is at fault: change its flags; --help names what is known to work.",
    errors.NotFoundError: "The question is at fault: `apteligent apps` and `apteligent crashes` list what there is.",
    errors.UnsafeLinkError: "The service is at fault: it sent a link that the token must not follow.",
    errors.ResponseError: "The service is at fault: its answer is not what it used to be. --debug shows where.",
    errors.ServerError: "The service is at fault: try again later.",
    errors.ConnectionFailed: "The network is at fault, or the address: `apteligent doctor` looks at both.",
    errors.RateLimitedError: "The rate budget is used up: `apteligent limits` shows when there is more.",
    errors.DeadlineExceeded: "The rate budget or the service was too slow for --deadline: give it more seconds.",
}
_SECRETS = ("APTELIGENT_TOKEN", "APTELIGENT_PASSWORD", "APTELIGENT_CLIENT_ID")
_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\"]+")
_SHORTEST_SECRET = 4
_FLAGS: Mapping[str, str] = {"base_url": "--base-url (or APTELIGENT_BASE_URL)", "duration": "--duration"}


def explain(error: BaseException) -> int:
    """Tell standard error what happened and what to do, and give the exit code."""
    message = _with_flag(error.message) if isinstance(error, errors.ApteligentError) else str(error)
    print(f"apteligent: {printable(message)}", file=sys.stderr)
    advice = _ADVICE.get(type(error))
    if advice is not None:
        print(f"  {advice}", file=sys.stderr)
    return 1


def redacted(error: BaseException) -> str:
    """Give an error's traceback without the secrets of the environment, of stored logins and of headers."""
    text = "".join(traceback.format_exception(error))
    for secret in (*_of_environment(), *_of_logins()):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    return "".join(character if character == "\n" else printable(character) for character in _blot_headers(text))


def _with_flag(message: str) -> str:
    """Name the flag where the library, whose messages begin with its argument, names that."""
    argument, verb, rest = message.partition(" must ")
    return f"{_FLAGS.get(argument, argument)}{verb}{rest}"


def _of_environment() -> Iterator[str]:
    return (os.environ.get(name, "").strip() for name in _SECRETS)


def _of_logins() -> Iterator[str]:
    """Give every token that is kept; one that cannot be read is in no message."""
    from apteligent_async.cli.accounts import login_named, names  # noqa: PLC0415  slow, and for tracebacks alone

    try:
        for name in names():
            login = login_named(name)
            if login is not None:
                yield login.token.token
    except (errors.ConfigurationError, OSError):
        return


def _blot_headers(text: str) -> str:
    return _HEADER.sub(r"\1 [secret]", text)
