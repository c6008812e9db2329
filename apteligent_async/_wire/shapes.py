"""How the keys of a JSON object differ from those that its model knows, and noting that on the model's instance."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from apteligent_async._wire.values import surprised
from apteligent_async.models.frozen import FrozenMapping, freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from apteligent_async.models.result import Part

__all__ = ["NOTHING", "Shape", "assign", "noting", "shapes_of", "shared"]

NOTHING = "None"
"""What the service writes here and there for nothing; then the attribute is None, and the text is kept as an extra."""

MOST_SHAPES = 64
"""Sets of keys that are remembered for each model."""

assign = object.__setattr__
"""Sets an attribute of a model that nobody has seen yet."""


@frozen
class Shape:
    """How the keys of an object differ from its model's: all rows of an answer tend to have the same ones."""

    model: str
    absent: frozenset[str]
    extra: tuple[str, ...]
    surprises: tuple[str, ...]

    @classmethod
    def of(cls, model: str, known: frozenset[str], *keys: str) -> Shape:
        """Compare the keys of an object to those that a model knows."""
        extra = tuple(key for key in keys if key not in known)
        return cls(model, shared(known.difference(keys)), extra, tuple(f"{model}.{key}" for key in extra))

    def without(self, void: Collection[str]) -> Shape:
        """Count some of the keys as absent and as extra at once."""
        surprises = (f"{self.model}.{key}" for key in void)
        return evolve(
            self,
            absent=shared(self.absent.union(void)),
            extra=(*self.extra, *void),
            surprises=(*self.surprises, *surprises),
        )


def shapes_of(model: type, known: frozenset[str]) -> Callable[..., Shape]:
    """Give what makes a shape of keys; the latest are remembered."""
    return lru_cache(maxsize=MOST_SHAPES)(partial(Shape.of, model.__name__, known))


@lru_cache(maxsize=1024)
def shared(keys: frozenset[str]) -> frozenset[str]:
    """Keep one copy of each set of absent keys, as all rows of an answer tend to lack the same."""
    return keys


def noting(part: Part, value: dict[str, Any], shape: Shape) -> Part:
    """Note on a part that nobody has seen yet how its object differs from the model: to copy either costs more."""
    if shape.absent:
        assign(part, "absent", shape.absent)
    if shape.extra:
        surprised(shape.surprises)
        assign(part, "extra", FrozenMapping.of({key: freeze(value[key]) for key in shape.extra}))
    return part
