"""What arrives and what goes back, as plain values: no type of any HTTP library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from attrs import field, frozen

from apteligent_async.simulator.delivery import PLAIN, Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Call", "Refusal"]


@frozen(kw_only=True)
class Call:
    """One request as the service sees it.

    Attributes:
        method: the HTTP verb, upper case.
        path: still percent-encoded, so that a segment may hold an encoded slash.
        query: name and value pairs, decoded, in order.
        headers: lower-case names.
        body: the bytes that came with it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = b""

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
        """Read a request line's target, such as ``/v2/apps?attributes=dau``."""
        path, _, query = target.partition("?")
        return cls(
            method=method.upper(),
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
        )


@frozen(kw_only=True)
class Answer:
    """One response: a status, headers in order, JSON bytes, and how they travel."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: Delivery = PLAIN

    @classmethod
    def of(cls, value: Any, *, status: int = 200) -> Answer:
        """Write `value` as JSON."""
        return cls(status=status, body=json.dumps(value).encode())


class Refusal(Exception):  # noqa: N818  the service's "no", not a fault of the program
    """The service says no: a status, headers of its own if it has any, and the JSON body that goes with it."""

    def __init__(self, status: int, message: str, *, headers: tuple[tuple[str, str], ...] = (), **body: object) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body: dict[str, object] = body or {"message": message}
