"""What goes over the wire, as plain values: no type of any HTTP library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async.errors import ConnectionFailed

__all__ = ["LinkFailure", "Reply", "Request"]


@frozen(kw_only=True)
class Request:
    """One call, ready to send except for its token.

    Attributes:
        method: the HTTP verb.
        path: absolute path on the service's origin, every segment percent-encoded, no query.
        query: name and value pairs, in order, not yet encoded; a list is a repeated name.
        headers: further headers, lower-case names.
        body: bytes to send; empty for none. Hidden from repr: a token call's body holds a password.
        endpoint: name of the call for errors, events and metrics, such as ``error_monitoring.pie``.
        is_repeatable: whether sending it twice does no harm; a column of the table, never derived from the verb.
        is_authorized: whether it carries the bearer token.
        is_secret: whether the answer must never be quoted.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    endpoint: str
    is_repeatable: bool = True
    is_authorized: bool = True
    is_secret: bool = False


@frozen(kw_only=True)
class Reply:
    """One complete answer.

    Attributes:
        status: the HTTP status.
        headers: lower-case names; a repeated header's values are joined by a comma.
        body: the decoded (not compressed) bytes; empty where there is a flaw.
        flaw: why the body could not be taken, such as its size; None where it is there.
        connect_s: seconds that making the connection took, 0 where one was at hand; None where nobody measured.
        first_byte_s: seconds from sending, connecting included, to the beginning of the answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    flaw: str | None = None
    connect_s: float | None = field(default=None, eq=False)
    first_byte_s: float = field(default=0.0, eq=False)


@frozen(kw_only=True)
class LinkFailure:
    """An attempt that brought no complete answer.

    Attributes:
        error: what to raise if there is no further attempt.
        was_sent: False only if the request certainly never left.
        headers: those of the answer, if they did arrive.
    """

    error: ConnectionFailed
    was_sent: bool = True
    headers: Mapping[str, str] | None = None
