"""Values that cannot change: what JSON objects and lists become inside a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from gc import get_referents
from typing import Any, NoReturn, TypeVar, cast

__all__ = ["EMPTY", "FrozenMapping", "freeze", "freeze_shallow", "refuse_deep", "thaw"]

MOST_LEVELS = 100

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


class FrozenMapping(Mapping[str, Value_co]):
    """A mapping that keeps its order, cannot be changed, and can be hashed and pickled if its values can."""

    __slots__ = ("_items",)
    _items: dict[str, Value_co]

    def __init__(self, items: Mapping[str, Value_co] | None = None) -> None:
        object.__setattr__(self, "_items", dict(items or {}))

    @classmethod
    def of(cls, items: dict[str, Value]) -> FrozenMapping[Value]:
        """Make one of a dictionary that nobody else will change, without copying it."""
        made: FrozenMapping[Value] = _new(cls)
        _fill(made, items)
        return made

    def __getitem__(self, key: str) -> Value_co:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"FrozenMapping cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"FrozenMapping cannot be changed: {name}")

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenMapping, (self._items,)

    def __repr__(self) -> str:
        return f"FrozenMapping({self._items!r})"


# Looked up once, as thousands are made.
_new: Callable[[Any], Any] = object.__new__
_fill: Callable[[Any, Any], None] = FrozenMapping.__dict__["_items"].__set__

EMPTY: FrozenMapping[Any] = FrozenMapping()
"""The mapping with nothing in it, shared by every model that has nothing to add."""


def freeze(value: Any) -> Any:
    """Turn decoded JSON into values that cannot change: objects into `FrozenMapping`, lists into tuples.

    Raises:
        ValueError: it is nested deeper than 100 levels, so that comparing or pickling it might exhaust the stack.
    """
    refuse_deep([value])
    return freeze_shallow(value)


def refuse_deep(values: Iterable[Any]) -> None:
    """Raise ValueError if any of these, which are decoded JSON, is nested deeper than 100 levels.

    What the collector of garbage would visit of objects and lists is what they hold, and of scalars it is nothing: so
    a level of all values is opened in one go, ten times as fast as one value after the other.
    """
    for _ in range(MOST_LEVELS):
        values = get_referents(*values)
        if not values:
            return
    raise ValueError("is nested too deeply")


def freeze_shallow(value: Any) -> Any:
    """Do what `freeze` does with what is known not to be nested too deeply."""
    if isinstance(value, dict):
        return FrozenMapping.of({key: freeze_shallow(item) for key, item in cast("dict[str, Any]", value).items()})
    if isinstance(value, list):
        return tuple([freeze_shallow(item) for item in cast("list[object]", value)])
    return value


def thaw(value: Any) -> Any:
    """Turn frozen values back into plain JSON: the inverse of `freeze`; enums become their values."""
    if isinstance(value, FrozenMapping):
        named = cast("FrozenMapping[object]", value)
        return {key: thaw(item) for key, item in named.items()}
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return [thaw(item) for item in items]
    return value.value if isinstance(value, Enum) else value
