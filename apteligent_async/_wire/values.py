"""How cattrs is taught to read values strictly: as they were sent, or not at all.

cattrs alone would make text of a number and letters of a text. Knows no model.
"""

from __future__ import annotations

from contextvars import ContextVar
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin

from cattrs import IterableValidationError
from cattrs.errors import IterableValidationNote

from apteligent_async.models.frozen import FrozenMapping, freeze, thaw

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping

    from cattrs import Converter

    Hook: TypeAlias = Callable[[Any, Any], Any]

__all__ = [
    "JSON_SCALARS",
    "SURPRISES",
    "configure_values",
    "each",
    "require_list",
    "require_object",
    "scalars_of",
    "surprised",
]

Made = TypeVar("Made")

_JSON_NAMES: dict[type[Any], str] = {dict: "object", list: "list", str: "text", bool: "boolean", NoneType: "null"}

JSON_SCALARS: frozenset[type] = frozenset({str, bool, int, float, NoneType})
"""The classes of decoded JSON that holds nothing else."""

SURPRISES: ContextVar[Counter[str] | None] = ContextVar("surprises", default=None)
"""Where structuring counts what it meets and does not know, such as ``Slice.colour`` or ``AppType=tv``."""


def configure_values(converter: Converter) -> None:
    """Register the hooks of everything that is not a model."""
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, _scalar_hook(frozenset({scalar})))
    converter.register_structure_hook_func(lambda t: t is Any, lambda value, _: freeze(value))
    converter.register_structure_hook_factory(_is_union, _made_by(_union_hook, converter))
    converter.register_structure_hook_factory(_is_tuple, _made_by(_tuple_hook, converter))
    converter.register_structure_hook_factory(_is_frozen_mapping, _made_by(_mapping_hook, converter))
    converter.register_unstructure_hook_func(lambda t: t is Any, thaw)
    converter.register_unstructure_hook_factory(_is_frozen_mapping, _made_by(_mapping_unhook, converter))
    converter.register_unstructure_hook_factory(_is_tuple, _made_by(_tuple_unhook, converter))


def _made_by(factory: Callable[[Any, Converter], Made], converter: Converter) -> Callable[[Any], Made]:
    return lambda t: factory(t, converter)


def surprised(by: Iterable[str], *, times: int = 1) -> None:
    """Count things unknown, if anybody listens."""
    noted = SURPRISES.get()
    if noted is not None:
        for name in by:
            noted[name] += times


def require_object(value: Any) -> Any:
    """Pass a JSON object, refuse everything else."""
    if value.__class__ is not dict:
        raise TypeError(f"is {_json_name(value)} where object was expected")
    return value


def require_list(value: Any) -> list[Any]:
    """Pass a JSON list, refuse everything else."""
    if value.__class__ is not list:
        raise TypeError(f"is {_json_name(value)} where list was expected")
    return value


def each(pairs: Iterable[tuple[Any, Any]], inner: Hook, t: Any) -> list[Any]:
    """Structure items one by one; a misfit is wrapped with its place, as cattrs does for its own lists."""
    found: list[Any] = []
    for index, item in pairs:
        try:
            found.append(inner(item, t))
        except Exception as error:  # noqa: BLE001  whatever a value provokes means that it does not fit
            error.__notes__ = [IterableValidationNote("", index, t)]
            raise IterableValidationError("", [error], t) from None  # pyright: ignore[reportCallIssue]  a third is taken
    return found


def scalars_of(t: Any) -> frozenset[type] | None:
    """Give the classes of the values that a type takes as they are; None if they are made of something else."""
    members = frozenset(get_args(t) if _is_union(t) else {t})
    return members if members <= JSON_SCALARS else None


def _is_union(t: Any) -> bool:
    return get_origin(t) in {Union, UnionType}


def _is_tuple(t: Any) -> bool:
    return t is tuple or get_origin(t) is tuple


def _is_frozen_mapping(t: Any) -> bool:
    return t is FrozenMapping or get_origin(t) is FrozenMapping


def _scalar_hook(allowed: frozenset[type]) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        # The exact class: a boolean is an integer to Python, not to JSON.
        if value.__class__ in allowed:
            return value
        wanted = " or ".join(sorted({_JSON_NAMES.get(kind, "number") for kind in allowed}))
        raise TypeError(f"is {_json_name(value)} where {wanted} was expected")

    return structure


def _json_name(value: Any) -> str:
    kind = cast("type[object]", type(value))
    return f"a JSON {_JSON_NAMES.get(kind, 'number')}"


def _union_hook(t: Any, converter: Converter) -> Hook:
    members = get_args(t)
    enums = [member for member in members if isinstance(member, type) and issubclass(member, Enum)]
    if enums:
        return _open_enum_hook(enums[0], frozenset(members) - {enums[0]})
    scalars = scalars_of(t)
    if scalars is not None:
        return _scalar_hook(scalars)
    (only,) = (member for member in members if member is not NoneType)
    inner = converter.get_structure_hook(only)
    return lambda value, _: None if value is None else inner(value, only)


def _open_enum_hook(kind: type[Enum], others: frozenset[type]) -> Hook:
    known = {member.value: member for member in kind}
    scalar = _scalar_hook(others)

    def structure(value: Any, _: Any) -> Any:
        if scalar(value, str) is None:
            return None
        if value not in known:
            surprised([f"{kind.__name__}={value}"])
        return known.get(value, value)

    return structure


def _tuple_hook(t: Any, converter: Converter) -> Hook:
    item = get_args(t)[0]
    inner = converter.get_structure_hook(item)
    scalars = scalars_of(item) or frozenset()

    def structure(value: Any, _: Any) -> Any:
        # A column of numbers is checked and taken in one go.
        if scalars and scalars.issuperset(map(type, require_list(value))):
            return tuple(value)
        return tuple(each(enumerate(require_list(value)), inner, item))

    return structure


def _mapping_hook(t: Any, converter: Converter) -> Hook:
    item = get_args(t)[0]
    inner = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        items = each(require_object(value).items(), inner, item)
        return FrozenMapping.of(dict(zip(value, items, strict=True)))

    return structure


def _mapping_unhook(_: Any, converter: Converter) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda value: {key: converter.unstructure(item) for key, item in value.items()}


def _tuple_unhook(_: Any, converter: Converter) -> Callable[[Iterable[Any]], list[Any]]:
    return lambda value: [converter.unstructure(item) for item in value]
