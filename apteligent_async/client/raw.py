"""Calls that no method is made for: of a path that the caller knows, or of a link that the service sent."""

from __future__ import annotations

import json as json_format
import re
from typing import TYPE_CHECKING, Any, cast

from apteligent_async._wire.endpoints import custom, endpoint_for
from apteligent_async._wire.links import safe_path
from apteligent_async._wire.parameters import encoded, query_pairs, text
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Request
    from apteligent_async.models.access import Untyped

__all__ = ["link_request", "raw_endpoint", "raw_request"]

_VERB = re.compile(r"[A-Z]{1,20}")
_HARMLESS = frozenset({"GET", "HEAD"})


def raw_endpoint(method: object, *, is_repeatable: bool | None) -> Endpoint[Untyped]:
    """Make the row of a call by its verb; None for what can be sent twice: what only reads."""
    verb = method.upper() if isinstance(method, str) else ""
    if not _VERB.fullmatch(verb):
        raise ConfigurationError(f"method must be an HTTP verb such as GET, not {method!r}.")
    return custom(verb, is_repeatable=verb in _HARMLESS if is_repeatable is None else is_repeatable)


def raw_request(endpoint: Endpoint[Untyped], path: str, *, params: Mapping[str, Any] | None, json: Any) -> Request:
    """Build the request of a path that the caller knows.

    Raises:
        ConfigurationError: an argument cannot work.
        UnsafeLinkError: the path is none, but an address or what could pass for one.
    """
    if not isinstance(cast("object", path), str):
        raise ConfigurationError(f"path must be a text, not {path!r}.")
    (path,) = encoded(text, "path", path)
    if "?" in path or "#" in path:
        raise ConfigurationError("path must hold no query and no fragment: pass params= for the one, drop the other.")
    body = b"" if json is None else _json_bytes(json)
    headers = (("content-type", "application/json"),) if body else ()
    return endpoint.request_to(safe_path(path), query=query_pairs("params", params or {}), headers=headers, body=body)


def link_request(path: str, query: tuple[tuple[str, str], ...]) -> tuple[Endpoint[Any], Request]:
    """Find the row of a checked link and build its request."""
    endpoint = endpoint_for(path)
    return endpoint, endpoint.request_to(path, query=query)


def _json_bytes(json: Any) -> bytes:
    try:
        return json_format.dumps(json, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"json cannot be sent: {error}.") from None
