"""What every model keeps, and what every result can do.

Results share a parent, against the habit of this package, because rows, notebooks, Arrow and the service's envelope
are the same for all of them.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, cast, overload

from attrs import field, frozen

from apteligent_async.models.frozen import EMPTY, FrozenMapping, freeze_shallow
from apteligent_async.models.tables import Column, arrow_table, html_table, printable, rows
from apteligent_async.models.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import MemberDescriptorType


__all__ = [
    "CacheState",
    "Envelope",
    "HttpExchange",
    "Keys",
    "Listing",
    "Number",
    "Part",
    "Result",
    "Scalar",
    "keep_keys",
    "keep_object",
]

Item = TypeVar("Item")

Number: TypeAlias = int | float
"""A number as the service sent it: the same field may be whole in one answer and not in the next."""

Scalar: TypeAlias = str | int | float | bool | None
"""A value that no capture shows, kept as the service sent it."""


@frozen(kw_only=True)
class Part:
    """What a model remembers of its JSON object, so that the object can be given back unchanged.

    Attributes:
        extra: keys that this version of the package does not know, with their values; and those of numbers or objects
            in whose place the service wrote the text ``None``.
        absent: keys that the service left out, or for which it wrote that text; their attributes are None.
    """

    extra: FrozenMapping[Any] = field(default=EMPTY, repr=False)
    absent: frozenset[str] = field(default=frozenset(), repr=False, eq=False)


class Keys(NamedTuple):
    """How the keys of JSON objects differ from those of their model; one is shared by all parts that do so alike."""

    absent: frozenset[str]
    extra: tuple[str, ...]


# A part that was structured may have its JSON object in the one slot and its `Keys` in the other, until somebody asks.
_extra_slot = cast("MemberDescriptorType", Part.extra)
_absent_slot = cast("MemberDescriptorType", Part.absent)

keep_object: Final[Callable[[Part, FrozenMapping[Any] | dict[str, Any]], None]] = _extra_slot.__set__
"""Gives a part its object, which nobody else may hold and what is unknown in which is not nested too deeply."""

keep_keys: Final[Callable[[Part, frozenset[str] | Keys], None]] = _absent_slot.__set__


def _extra(part: Part) -> FrozenMapping[Any]:
    """Give what is unknown, taken out of the part's object only now, as few ever ask; then the object is let go."""
    kept, keys = _extra_slot.__get__(part), _absent_slot.__get__(part)
    if isinstance(kept, dict) and isinstance(keys, Keys):
        kept = FrozenMapping.of({key: freeze_shallow(kept[key]) for key in keys.extra})
        keep_object(part, kept)
    return cast("FrozenMapping[Any]", kept)


def _absent(part: Part) -> frozenset[str]:
    keys = _absent_slot.__get__(part)
    return cast("frozenset[str]", keys.absent if isinstance(keys, Keys) else keys)


# To attrs and to type checkers they stay the attributes that they are; only how the slots are read is different.
setattr(Part, "extra", property(_extra, keep_object))  # noqa: B010  an assignment would be an error to type checkers
setattr(Part, "absent", property(_absent, keep_keys))  # noqa: B010


@frozen(kw_only=True)
class Envelope(Part):
    """What surrounds ``data`` in an answer; each None where the service did not send it.

    Attributes:
        links: link names and addresses (attested for trends, claimed for all: grade B).
        params: the parameters echoed (seen in v1 only; whether v2 kept it is unknown: grade D).
        pagination: where the page stands, for userflows (grade B).
    """

    links: Any = None
    params: Any = None
    pagination: Any = None


class CacheState(Enum):
    """Where a result came from, in a client with a cache."""

    FRESH = "fresh"
    """It was kept, and is young enough."""
    STALE = "stale"
    """It was kept, and is older: a new one is being fetched, or could not be had."""
    JOINED = "joined"
    """Somebody else's identical call fetched it."""
    MISSED = "missed"
    """It was fetched."""


@frozen(kw_only=True)
class HttpExchange:
    """The answer behind a result, as it came.

    Attributes:
        status: the HTTP status.
        headers: lower-case names.
        body: the decoded (not compressed) bytes.
        timeline: how long the call waited, was under way and was decoded.
        cache: where it came from; None where no cache was asked.
        age_s: how many seconds ago the service gave it, if it was kept.
    """

    status: int
    headers: FrozenMapping[str] = field(repr=False)
    body: bytes = field(repr=False)
    timeline: Timeline = field(factory=Timeline)
    cache: CacheState | None = None
    age_s: float = 0.0


@frozen(kw_only=True, repr=False)
class Result(Part):
    """What one call returned.

    With the extra ``apteligent-async[arrow]`` it is an Arrow stream of its rows, which ``polars.DataFrame(result)``,
    ``pandas.DataFrame.from_arrow(result)`` and duckdb read as it is.

    Attributes:
        envelope: what surrounded the data; None for an answer without one, and for values made by hand.
        http: the answer itself; not compared, so equal data are equal results.
    """

    envelope: Envelope | None = field(default=None)
    http: HttpExchange | None = field(default=None, eq=False)

    @property
    def links(self) -> FrozenMapping[Any]:
        """Links of the answer by name; empty where it had none. Follow them with the client, which checks them."""
        return _mapping(self.envelope and self.envelope.links)

    @property
    def params(self) -> FrozenMapping[Any]:
        """The parameters as the service echoed them; empty where it did not."""
        return _mapping(self.envelope and self.envelope.params)

    def columns(self) -> tuple[Column, ...]:
        """Give the data as named columns, all of one length."""
        raise NotImplementedError

    def headline(self) -> str:
        """Say in a few words what this is, for the repr."""
        raise NotImplementedError

    def to_rows(self) -> list[dict[str, Any]]:
        """Give the data as plain dictionaries, one per row."""
        return rows(self.columns())

    def __repr__(self) -> str:
        return printable(f"<{type(self).__name__} {self.headline()}>")

    def _repr_html_(self) -> str:
        return html_table(f"{type(self).__name__} {self.headline()}", self.columns())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return arrow_table(self.columns()).__arrow_c_stream__(requested_schema)


@frozen(kw_only=True, repr=False)
class Listing(Result, Generic[Item]):
    """A result that is a sequence, in the service's order.

    Attributes:
        items: what it lists.
    """

    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        return self.items[index]

    def headline(self) -> str:
        """Say how many there are."""
        return f"of {len(self.items)}"


def _mapping(value: Any) -> FrozenMapping[Any]:
    return cast("FrozenMapping[object]", value) if isinstance(value, FrozenMapping) else EMPTY
