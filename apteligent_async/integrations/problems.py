"""Our errors as answers to a backend's own callers: RFC 9457 problems, with what to do and without what is secret."""

from __future__ import annotations

import math
from typing import Any

from attrs import frozen

from apteligent_async import (
    ApteligentError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    NotFoundError,
    QueueFull,
    RateLimitedError,
    ResponseError,
    ServerError,
    UnsafeLinkError,
)

__all__ = ["MEDIA_TYPE", "Problem", "problem_of"]

MEDIA_TYPE = "application/problem+json"

_KINDS: tuple[tuple[type[ApteligentError], int, str], ...] = (
    (RateLimitedError, 503, "The rate budget is used up"),
    (QueueFull, 503, "Too many calls wait for the rate budget"),
    (DeadlineExceeded, 503, "The rate budget allows no answer in time"),
    (NotFoundError, 404, "There is no such resource"),
    (BadRequestError, 400, "The service refused the parameters"),
    (ConfigurationError, 400, "An argument is not possible"),
    (AuthenticationError, 502, "The service refused the backend's access"),
    (ConnectionFailed, 502, "The service could not be reached"),
    (ServerError, 502, "The service failed"),
    (ResponseError, 502, "The service's answer was not understood"),
    (UnsafeLinkError, 502, "The service's answer was not understood"),
)
_LATE = (504, "The service did not answer in time")
_OURS = frozenset({AuthenticationError, UnsafeLinkError})
"""Errors whose words are for the backend's operator, not for its callers."""


@frozen(kw_only=True)
class Problem:
    """What a caller is told.

    Attributes:
        status: the HTTP status.
        body: the members of RFC 9457, and ``endpoint``, ``attempts`` and ``waited_s`` of ours.
        headers: ``Retry-After``, in whole seconds, where it is known when to come again.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def problem_of(error: ApteligentError, *, retry_s: float | None = None) -> Problem:
    """Say an error as a problem.

    Args:
        error: what a call raised.
        retry_s: seconds to come again after, as the budget stands; the error itself may know of more.
    """
    status, title = _kind(error)
    detail = title if type(error) in _OURS else error.message
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "error": type(error).__name__,
        "endpoint": error.endpoint,
        "attempts": error.attempts,
        "waited_s": round(error.waited, 3),
    }
    seconds = _retry_s(error, retry_s) if status == 503 else None
    headers = {} if seconds is None else {"Retry-After": str(max(math.ceil(seconds), 1))}
    return Problem(status=status, body=body, headers=headers)


def _kind(error: ApteligentError) -> tuple[int, str]:
    if isinstance(error, DeadlineExceeded) and error.cause == "answer":
        return _LATE
    for kind, status, title in _KINDS:
        if isinstance(error, kind):
            return status, title
    return 500, "The backend made a mistake"


def _retry_s(error: ApteligentError, otherwise: float | None) -> float | None:
    """Take the latest that is known: a refusal may state one end of the window, and another instant to come again."""
    own = error.reset if isinstance(error, RateLimitedError) else getattr(error, "eta", None)
    known = [seconds for seconds in (own, otherwise) if seconds is not None and math.isfinite(seconds)]
    return max(known, default=None)
