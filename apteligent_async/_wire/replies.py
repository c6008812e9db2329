"""A reply becomes a result or an error, here and nowhere else."""

from __future__ import annotations

import html
import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, quote_plus, urlsplit

from apteligent_async._scheduling.signals import Reading
from apteligent_async._wire.codec import attach, json_object, loads, structure, structure_result
from apteligent_async._wire.dialects import ApteligentDialect
from apteligent_async.errors import (
    ApteligentError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitedError,
    ResponseError,
    ServerError,
    UnsafeLinkError,
)
from apteligent_async.models.access import Untyped
from apteligent_async.models.frozen import FrozenMapping
from apteligent_async.models.result import HttpExchange, Result
from apteligent_async.models.tables import printable
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from apteligent_async._wire.calls import Endpoint, Found
    from apteligent_async._wire.drift import Drift
    from apteligent_async._wire.messages import Reply

__all__ = ["decode"]

LONGEST_EXCERPT = 2_000
LONGEST_QUOTE = 300

SHORTEST_SECRET = 4
"""Shorter ones are left alone: they protect nothing, and every other word holds one."""

_REFUSALS: dict[int, tuple[type[ApteligentError], str]] = {
    400: (BadRequestError, "The service refused the parameters"),
    401: (AuthenticationError, "The service does not accept the token"),
    403: (AuthenticationError, "The service denies access"),
    404: (NotFoundError, "There is no such resource"),
}
_FAMILIES: dict[int, tuple[type[ApteligentError], str]] = {
    4: (BadRequestError, "The service refused the call"),
    5: (ServerError, "The service failed"),
}
_NONSENSE = (ResponseError, "The service answered with a status that means nothing here")


def decode(
    endpoint: Endpoint[Found],
    reply: Reply,
    *,
    timeline: Callable[[], Timeline] = Timeline,
    drift: Drift | None = None,
    secrets: Sequence[str] = (),
) -> Found:
    """Turn a reply into the endpoint's result.

    Args:
        endpoint: the row whose call was answered.
        reply: the answer.
        timeline: gives how long everything took, decoding included, so it is asked last; kept beside the result.
        drift: where unknown keys and values are counted.
        secrets: texts that no error may repeat even if the service does.

    Returns:
        An instance of ``endpoint.result``.

    Raises:
        ApteligentError: the class says what the status or the body meant; endpoint, status and body are set.
    """
    try:
        if not 200 <= reply.status < 300:
            raise _refusal(endpoint, reply, secrets)
        with drift.watching(endpoint.name) if drift else nullcontext():
            return _result(endpoint, reply, timeline, secrets)
    except ApteligentError as error:
        error.endpoint, error.status = endpoint.name, reply.status
        error.body = None if endpoint.is_secret else _excerpt(reply.body, LONGEST_EXCERPT, secrets)
        raise


def _result(endpoint: Endpoint[Found], reply: Reply, timeline: Callable[[], Timeline], secrets: Sequence[str]) -> Found:
    if reply.flaw is not None:
        raise ResponseError(f"The answer cannot be read: {reply.flaw}.")
    result: type[Any] = endpoint.result
    body = None if result is Untyped and not reply.body else loads(reply.body)
    if isinstance(body, dict) and "error" in body and "data" not in body:
        raise ResponseError(
            f"The service answered {reply.status} with an error{_quoted(_said(cast('dict[str, Any]', body)), secrets)}."
        )
    if not issubclass(result, Result):
        return structure(body, endpoint.result)

    def http() -> HttpExchange:
        headers = FrozenMapping(reply.headers)
        return HttpExchange(status=reply.status, headers=headers, body=reply.body, timeline=timeline())

    if endpoint.is_enveloped:
        return cast("Found", structure_result(body, result, http=http))
    found = structure(body, result)
    return cast("Found", attach(found, http=http()))


def _refusal(endpoint: Endpoint[Any], reply: Reply, secrets: Sequence[str]) -> ApteligentError:
    status = reply.status
    said = _quoted(_said(json_object(reply.body)), secrets)
    if endpoint.is_secret and status in {400, 401, 403}:
        return AuthenticationError(f"The service refused the credentials ({status}){said}.")
    if status == 429:
        return _limited(reply, said)
    if 300 <= status < 400:
        return UnsafeLinkError(f"The service redirects ({status}) to {_host(reply)}, which was not followed.")
    kind, meaning = _REFUSALS.get(status) or _FAMILIES.get(status // 100, _NONSENSE)
    return kind(f"{meaning} ({status}){said}.")


def _limited(reply: Reply, said: str) -> RateLimitedError:
    stated = ApteligentDialect().read(reply) or Reading()
    return RateLimitedError(
        f"The rate limit is used up (429){said}.", limit=stated.limit, actual=stated.actual, reset=stated.reset_s
    )


def _host(reply: Reply) -> str:
    try:
        host = urlsplit(reply.headers.get("location", "")).hostname
    except ValueError:
        host = None
    return printable(host)[:LONGEST_QUOTE] if host else "a place on the same host"


def _said(body: Mapping[str, Any]) -> str:
    error = body.get("error")
    if isinstance(error, dict):
        error = cast("dict[str, Any]", error).get("message")
    words = (error, body.get("error_description"), body.get("message"))
    return ", ".join(word for word in words if isinstance(word, str) and word)


def _quoted(said: str, secrets: Sequence[str]) -> str:
    said = _without(said, secrets, longest=LONGEST_QUOTE)
    return f": {printable(said)}" if said else ""


def _without(text: str, secrets: Sequence[str], *, longest: int) -> str:
    """Give the beginning of a text with the secrets blotted out.

    It is searched as far beyond its end as a secret reaches, and what may be half a secret there is not shown.
    """
    written = sorted(
        {each for secret in secrets if len(secret) >= SHORTEST_SECRET for each in _written(secret)}, key=len
    )
    if not written:
        return text[:longest]
    reach = len(written[-1])
    any_secret = re.compile("|".join(map(re.escape, reversed(written))), re.IGNORECASE)
    blotted = any_secret.sub("[secret]", text[: longest + reach])
    is_whole = len(text) <= longest + reach
    return (blotted if is_whole else blotted[:-reach])[:longest]


def _written(secret: str) -> Iterator[str]:
    """Give a text as it is, as JSON and HTML write it, and as a form or an address writes it."""
    yield from (secret, html.escape(secret), quote_plus(secret), quote(secret), quote(secret, safe=""))
    for is_ascii in (True, False):
        json_text = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        yield from (json_text, json_text.replace("/", "\\/"))


def _excerpt(body: bytes, longest: int, secrets: Sequence[str]) -> str:
    text = _without(body.decode("utf-8", errors="replace"), secrets, longest=longest)
    return "".join(character if character.isprintable() or character in "\n\t" else "?" for character in text)
