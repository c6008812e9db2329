"""How the keys of a JSON object differ from those that its model knows, and noting that on the model's instance."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async._wire.values import surprised
from apteligent_async.models.frozen import refuse_deep
from apteligent_async.models.result import Keys, keep_keys, keep_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from apteligent_async.models.result import Part

__all__ = ["NOTHING", "OWN_KEY", "Shape", "noting", "shapes_of", "shared"]

NOTHING = "None"
"""What the service writes here and there for nothing; then the attribute is None, and the text is kept as an extra."""

OWN_KEY = "\ue000key"
"""What a part that is listed by its key has that key as; a private character keeps it apart from the service's own."""

MOST_SHAPES = 64
"""Sets of keys that are remembered for each model."""


@frozen(eq=False)
class Shape:
    """How an object differs from its model: most rows of an answer tend to do so alike.

    Attributes:
        keys: what a part remembers of it.
        surprises: what the keys that the model does not know are called in a report of drift.
    """

    keys: Keys
    surprises: tuple[str, ...]

    @classmethod
    def of(cls, model: str, known: frozenset[str], void: tuple[str, ...], *keys: str) -> Shape:
        """Compare the keys of an object to those that a model knows; void ones count as absent and as extra at once."""
        extra = (*(key for key in keys if key not in known), *void)
        absent = shared(known.difference(keys).union(void))
        return cls(Keys(absent, extra), tuple(f"{model}.{key}" for key in extra))


def shapes_of(model: type, known: frozenset[str]) -> Callable[..., Shape]:
    """Give what makes a shape of void keys and of all; the latest are remembered."""
    return lru_cache(maxsize=MOST_SHAPES)(partial(Shape.of, model.__name__, known))


@lru_cache(maxsize=1024)
def shared(keys: frozenset[str]) -> frozenset[str]:
    """Keep one copy of each set of absent keys, as all rows of an answer tend to lack the same."""
    return keys


def noting(part: Part, value: dict[str, Any], shape: Shape) -> Part:
    """Note on a part that nobody has seen yet how its object differs from the model: to copy either costs more."""
    keep_keys(part, shape.keys)
    if shape.keys.extra:
        refuse_deep(map(value.__getitem__, shape.keys.extra))
        surprised(shape.surprises)
        keep_object(part, value)
    return part
