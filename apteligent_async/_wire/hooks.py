"""How cattrs is taught to read strictly, to lose nothing, and to say where something does not fit.

cattrs alone would make text of a number, letters of a text and drop what it does not know; here values stay as they
were sent or are refused. Knows no class of the service but the parents of all models; names come from `Names`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from apteligent_async.models.frozen import FrozenMapping, freeze, thaw
from apteligent_async.models.result import Part

__all__ = ["OWN_KEY", "SURPRISES", "Names", "configure", "locate"]

Hook = Callable[[Any, Any], Any]

# A key of the service never starts with NUL (one that does is refused), so these stay apart from its own.
OWN_KEY = "\x00key"
_EXTRA, _ABSENT = "\x00extra", "\x00absent"

_BOOKKEEPING = frozenset({"extra", "absent", "envelope", "http"})
_JSON_NAMES = {dict: "object", list: "list", str: "text", bool: "boolean", NoneType: "null"}

SURPRISES: ContextVar[list[str] | None] = ContextVar("surprises", default=None)
"""Where structuring notes what it meets and does not know, such as ``Slice.colour`` or ``AppType=tv``."""


@frozen(kw_only=True)
class Names:
    """What JSON calls the attributes of the models.

    Attributes:
        keys: where the key is not the attribute's name in camel case, less ``_text``.
        snake_case: models whose keys are the attributes' names as they are, less ``_text``.
        whole: models whose JSON is the value of this one attribute, not an object with keys.
        keyed: those among them that are an object of parts, each knowing its key as `OWN_KEY`.
    """

    keys: Mapping[type, Mapping[str, str]]
    snake_case: frozenset[type]
    whole: Mapping[type, str]
    keyed: frozenset[type]

    def of(self, model: type) -> dict[str, str]:
        """Give the key of every attribute that comes from the JSON object."""
        special = self.keys.get(model, {})
        known = (a.name for a in attrs.fields(model) if a.init and a.name not in _BOOKKEEPING)
        return {name: special.get(name) or self._usual(model, name) for name in known}

    def _usual(self, model: type, name: str) -> str:
        name = name.removesuffix("_text")
        if model in self.snake_case:
            return name
        first, *others = name.split("_")
        return first + "".join(word.capitalize() for word in others)


def configure(converter: Converter, names: Names) -> Converter:
    """Teach a converter the models' ways; later registrations are asked first."""
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, _scalar_hook(frozenset({scalar})))
    converter.register_structure_hook_func(lambda t: t is Any, lambda value, _: freeze(value))
    converter.register_structure_hook_factory(_is_union, lambda t: _union_hook(t, converter))
    converter.register_structure_hook_factory(_is_tuple, lambda t: _tuple_hook(t, converter))
    converter.register_structure_hook_factory(_is_frozen_mapping, lambda t: _mapping_hook(t, converter))
    converter.register_structure_hook_factory(_is_part, lambda t: _part_hook(t, converter, names))
    converter.register_structure_hook_factory(
        lambda t: t in names.whole, lambda t: _whole_hook(t, converter, names.whole[t], is_keyed=t in names.keyed)
    )
    converter.register_unstructure_hook_func(lambda t: t is Any, thaw)
    converter.register_unstructure_hook_factory(
        _is_frozen_mapping, lambda _: lambda value: {key: converter.unstructure(item) for key, item in value.items()}
    )
    converter.register_unstructure_hook_factory(
        _is_tuple, lambda _: lambda value: [converter.unstructure(item) for item in value]
    )
    converter.register_unstructure_hook_factory(_is_part, lambda t: _part_unhook(t, converter, names))
    converter.register_unstructure_hook_factory(
        lambda t: t in names.whole, lambda t: _whole_unhook(converter, names.whole[t], is_keyed=t in names.keyed)
    )
    return converter


def _is_union(t: Any) -> bool:
    return get_origin(t) in {Union, UnionType}


def _is_tuple(t: Any) -> bool:
    return t is tuple or get_origin(t) is tuple


def _is_frozen_mapping(t: Any) -> bool:
    return t is FrozenMapping or get_origin(t) is FrozenMapping


def _is_part(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, Part)


def _is_enum(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, Enum)


def _scalar_hook(allowed: frozenset[type]) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        # The exact class: a boolean is an integer to Python, not to JSON.
        if value.__class__ in allowed:
            return value
        raise TypeError(f"is {_json_name(value)} where {_wanted(allowed)} was expected")

    return structure


def _json_name(value: Any) -> str:
    return f"a JSON {_JSON_NAMES.get(type(value), 'number')}"


def _wanted(allowed: frozenset[type]) -> str:
    return " or ".join(sorted({_JSON_NAMES.get(kind, "number") for kind in allowed}))


def _union_hook(t: Any, converter: Converter) -> Hook:
    members = get_args(t)
    enums = [member for member in members if _is_enum(member)]
    if enums:
        return _open_enum_hook(enums[0], may_be_null=NoneType in members)
    complex_members = [m for m in members if m not in {int, float, str, bool, NoneType}]
    if not complex_members:
        return _scalar_hook(frozenset(members))
    (only,) = complex_members
    inner = converter.get_structure_hook(only)
    return lambda value, _: None if value is None else inner(value, only)


def _open_enum_hook(kind: type[Enum], *, may_be_null: bool) -> Hook:
    known = {member.value: member for member in kind}
    text = _scalar_hook(frozenset({str, NoneType} if may_be_null else {str}))

    def structure(value: Any, _: Any) -> Any:
        if text(value, str) is None:
            return None
        if value not in known:
            _surprise(f"{kind.__name__}={value}")
        return known.get(value, value)

    return structure


def _surprise(what: str) -> None:
    noted = SURPRISES.get()
    if noted is not None:
        noted.append(what)


def _tuple_hook(t: Any, converter: Converter) -> Hook:
    item = get_args(t)[0]
    inner = converter.get_structure_hook(item)
    scalars = frozenset(get_args(item) if _is_union(item) else {item})

    def structure(value: Any, _: Any) -> Any:
        if value.__class__ is not list:
            raise TypeError(f"is {_json_name(value)} where list was expected")
        if scalars.issuperset(map(type, value)):
            return tuple(value)
        return tuple(_each(enumerate(value), inner, item))

    return structure


def _mapping_hook(t: Any, converter: Converter) -> Hook:
    item = get_args(t)[0]
    inner = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        pairs = _object(value).items()
        return FrozenMapping(dict(zip(value, _each(pairs, inner, item), strict=True)))

    return structure


def _object(value: Any) -> Any:
    if value.__class__ is not dict:
        raise TypeError(f"is {_json_name(value)} where object was expected")
    return value


def _each(pairs: Iterable[tuple[Any, Any]], inner: Hook, t: Any) -> list[Any]:
    found = []
    for index, item in pairs:
        try:
            found.append(inner(item, t))
        except Exception as error:  # noqa: BLE001  wrapped with its place, as cattrs does for its own lists
            error.__notes__ = [IterableValidationNote("", index, t)]
            raise IterableValidationError("", [error], t) from None
    return found


def _part_hook(t: type[Part], converter: Converter, names: Names) -> Hook:
    keys = names.of(t)
    known = frozenset(keys.values())
    fields = {name: override(rename=key) for name, key in keys.items()}
    fields["extra"] = override(rename=_EXTRA, struct_hook=_as_is)
    fields["absent"] = override(rename=_ABSENT, struct_hook=_as_is)
    for name in ("envelope", "http"):
        fields[name] = override(omit=True)
    inner = make_dict_structure_fn(
        t, converter, _cattrs_detailed_validation=converter.detailed_validation, **_existing(t, fields)
    )

    def structure(value: Any, _: Any) -> Any:
        if _object(value).keys() != known:
            value = _with_bookkeeping(value, known, t)
        return inner(value, t)

    return structure


def _as_is(value: Any, _: Any) -> Any:
    return value


def _existing(t: type[Part], fields: dict[str, Any]) -> dict[str, Any]:
    present = attrs.fields_dict(t)
    return {name: how for name, how in fields.items() if name in present}


def _with_bookkeeping(value: dict[str, Any], known: frozenset[str], t: type) -> dict[str, Any]:
    extended = {**value, _ABSENT: _shared(known.difference(value))}
    extra = {key: freeze(item) for key, item in value.items() if key not in known}
    for key in extra:
        _surprise(f"{t.__name__}.{key}")
    extended[_EXTRA] = FrozenMapping(extra)
    return extended


@lru_cache(maxsize=1024)
def _shared(keys: frozenset[str]) -> frozenset[str]:
    """Keep one copy of each set of absent keys, as all rows of an answer tend to lack the same."""
    return keys


def _whole_hook(t: Any, converter: Converter, name: str, *, is_keyed: bool) -> Hook:
    content = attrs.fields_dict(attrs.resolve_types(t))[name].type
    inner = converter.get_structure_hook(content)
    if not is_keyed:
        return lambda value, _: t(**{name: inner(value, content)})
    item = get_args(content)[0]
    part = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        bodies = ((key, _with_own_key(key, body)) for key, body in _object(value).items())
        return t(**{name: tuple(_each(bodies, part, item))})

    return structure


def _with_own_key(key: str, body: Any) -> Any:
    if body.__class__ is not dict:
        return body
    if OWN_KEY in body:
        raise ValueError("has a key that starts with NUL")
    return {OWN_KEY: key, **body}


def _part_unhook(t: type[Part], converter: Converter, names: Names) -> Callable[[Any], Any]:
    fields = {name: override(rename=key) for name, key in names.of(t).items()}
    fields |= dict.fromkeys(_BOOKKEEPING, override(omit=True))
    inner = make_dict_unstructure_fn(t, converter, **_existing(t, fields))

    def unstructure(model: Any) -> dict[str, Any]:
        body = inner(model)
        for key in model.absent:
            if body[key] is None:
                del body[key]
        body.update(thaw(model.extra))
        return body

    return unstructure


def _whole_unhook(converter: Converter, name: str, *, is_keyed: bool) -> Callable[[Any], Any]:
    if not is_keyed:
        return lambda model: converter.unstructure(getattr(model, name))

    def unstructure(model: Any) -> dict[str, Any]:
        bodies = (converter.unstructure(part) for part in getattr(model, name))
        return {body.pop(OWN_KEY): body for body in bodies}

    return unstructure


def locate(error: Exception, names: Names) -> tuple[str, str]:
    """Say where the first misfit lies, as a JSON path, and what is wrong with it."""
    path = "$"
    while isinstance(error, ClassValidationError | IterableValidationError):
        inner = error.exceptions[0]
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                path += _step(names.of(error.cl).get(note.name, note.name))
            elif isinstance(note, IterableValidationNote):
                path += _step(note.index)
        error = inner
    return path, _reason(error)


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key!a}]"


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error)
