"""Getting in: the token, and what the service says of itself before there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from attrs import Attribute, field, frozen

from apteligent_async.models.frozen import FrozenMapping
from apteligent_async.models.result import Number, Part, Result
from apteligent_async.models.tables import Column

__all__ = ["Discovery", "Token", "Untyped"]


def _can_be_sent(_: object, __: Attribute[str], value: str) -> None:
    # A line break would end the header, so that the rest of the token became a header of its own.
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("is not a token that a header could hold")


@frozen(kw_only=True, repr=False)
class Token(Part):
    """A bearer token, long-lived; unprintable (grade A).

    Attributes:
        access_token: the secret itself.
        token_type: ``bearer``.
        expires_in: seconds that it lives from the answer on.
    """

    access_token: str = field(repr=False, validator=_can_be_sent)
    token_type: str | None = None
    expires_in: Number | None = None

    def __repr__(self) -> str:
        lifetime = "for an unknown time" if self.expires_in is None else f"for {self.expires_in} s"
        return f"<Token, valid {lifetime}>"


@frozen(kw_only=True, repr=False)
class Discovery(Result):
    """What the service says of itself without a token (v1: grade C; v2: not attested, so nothing relies on it).

    Attributes:
        versions: major versions, each with its ``latest``; None on a version's own page.
        targets: links by name, each an object with ``href`` (or ``string``), or a text.
        status: ``active`` on a version's own page.
    """

    versions: Any = None
    targets: Any = None
    status: str | None = None

    @property
    def paths(self) -> dict[str, str]:
        """Where each link leads, as sent: a path on the same host, or an address."""
        links = _named(self.targets)
        found = {name: _target(link) for name, link in links.items()}
        return {name: path for name, path in found.items() if path is not None}

    def columns(self) -> tuple[Column, ...]:
        """Give one row per link."""
        paths = self.paths
        return (
            Column(name="name", kind="text", cells=list(paths)),
            Column(name="path", kind="text", cells=list(paths.values())),
        )

    def headline(self) -> str:
        """Name the links."""
        return ", ".join(self.paths) or "no links"


def _named(value: Any) -> Mapping[str, Any]:
    """Take a JSON object as it is, and anything else as an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _target(link: Any) -> str | None:
    if isinstance(link, Mapping):
        named = _named(cast("object", link))
        link = named.get("href", named.get("string"))
    return link if isinstance(link, str) else None


@frozen(kw_only=True, repr=False)
class Untyped(Result):
    """An answer to a call that this package has no model for.

    Attributes:
        body: the whole JSON, lists as tuples and objects as frozen mappings.
    """

    body: Any

    @property
    def data(self) -> Any:
        """What the envelope holds under ``data``, or the whole body where there is no envelope."""
        return _named(self.body).get("data", self.body)

    def columns(self) -> tuple[Column, ...]:
        """Give one row per item of a list, or per key of an object."""
        data = self.data
        if isinstance(data, Mapping):
            items = [f"{key}: {value}" for key, value in _named(data).items()]
        else:
            listed = cast("tuple[object, ...]", data) if isinstance(data, tuple) else (data,)
            items = [str(item) for item in listed]
        return (Column(name="data", kind="text", cells=items),)

    def headline(self) -> str:
        """Name the JSON type of the data."""
        kind = cast("type[object]", type(self.data))
        names: dict[type[object], str] = {FrozenMapping: "object", tuple: "list", type(None): "null"}
        return names.get(kind, kind.__name__)
