"""How cattrs is taught to read JSON objects into models and to lose nothing on the way.

cattrs alone would drop what it does not know and forget what was missing. Knows no model but the parents of all; what
JSON calls their attributes comes from `Names`.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from apteligent_async._wire.rows import is_plain, rows_of
from apteligent_async._wire.shapes import NOTHING, OWN_KEY, noting, shapes_of, shared
from apteligent_async._wire.values import configure_values, each, require_list, require_object
from apteligent_async.models.frozen import thaw
from apteligent_async.models.result import Part, keep_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async._wire.rows import Rows
    from apteligent_async._wire.values import Hook

__all__ = ["Names", "configure", "locate"]

_REST = "\ue000rest"  # private like `OWN_KEY`; a key of the service's that is the same is unknown, or refused

_BOOKKEEPING = frozenset({"extra", "absent", "envelope", "http"})


@frozen(kw_only=True)
class Names:
    """What JSON calls the attributes of the models.

    Attributes:
        keys: where the key is not the attribute's name in camel case, less ``_text``.
        snake_case: models whose keys are the attributes' names as they are, less ``_text``.
        whole: models whose JSON is the value of this one attribute, not an object with keys.
        keyed: those among them that are an object of parts, each knowing its key as `OWN_KEY`.
        positional: models whose JSON is a list of their attributes, in order.
        columnar: models whose JSON is a list of these parts, and that turn them into columns.
        rest: models with an attribute that takes all keys which no other attribute has.
    """

    keys: Mapping[type, Mapping[str, str]]
    snake_case: frozenset[type]
    whole: Mapping[type, str]
    keyed: frozenset[type]
    positional: frozenset[type]
    columnar: Mapping[type, type[Part]]
    rest: Mapping[type, str]

    def of(self, model: type) -> dict[str, str]:
        """Give the key of every attribute that comes from the JSON object."""
        special = dict(self.keys.get(model, {}))
        if model in self.rest:
            special[self.rest[model]] = _REST
        known = (a.name for a in attrs.fields(model) if a.init and a.name not in _BOOKKEEPING)
        return {name: special.get(name) or self._usual(model, name) for name in known}

    def _usual(self, model: type, name: str) -> str:
        name = name.removesuffix("_text")
        if model in self.snake_case:
            return name
        first, *others = name.split("_")
        return first + "".join(word.capitalize() for word in others)


def configure(converter: Converter, names: Names) -> Converter:
    """Teach a converter the models' ways. cattrs asks what is registered last first."""
    configure_values(converter)
    converter.register_structure_hook_factory(_is_part, _bound(_part_hook, converter, names))
    converter.register_unstructure_hook_factory(_is_part, _bound(_part_unhook, converter, names))
    for model in names.whole:
        structure, unstructure = _whole_keyed if model in names.keyed else _whole
        converter.register_structure_hook_factory(_exactly(model), _bound(structure, converter, names))
        converter.register_unstructure_hook_factory(_exactly(model), _bound(unstructure, converter, names))
    for model in names.positional:
        converter.register_structure_hook_factory(_exactly(model), _bound(_positional_hook, converter, names))
        converter.register_unstructure_hook_factory(_exactly(model), _bound(_positional_unhook, converter, names))
    converter.register_structure_hook_factory(_is_tuple_of_parts, _bound(_parts_hook, converter, names))
    for model, part in names.columnar.items():
        converter.register_structure_hook_factory(_exactly(model), _bound(_columnar_hook, converter, part))
        converter.register_unstructure_hook(model, lambda columns: [converter.unstructure(part) for part in columns])
    return converter


def locate(error: Exception, names: Names) -> tuple[str, str]:
    """Say where the first misfit lies, as a JSON path, and what is wrong with it."""
    path = "$"
    while isinstance(error, ClassValidationError | IterableValidationError):
        inner = error.exceptions[0]
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                path += _attribute_step(error.cl, note.name, names)
            elif isinstance(note, IterableValidationNote):
                path += _step(note.index)
        error = inner
    if isinstance(error, KeyError):
        return path, "is missing"
    return path, "is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _attribute_step(model: type, name: str, names: Names) -> str:
    keys = names.of(model)
    if model in names.positional:
        return _step(list(keys).index(name))
    return "" if keys[name] == _REST else _step(keys[name])


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key!a}]"


def _is_part(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, Part)


def _is_tuple_of_parts(t: Any) -> bool:
    return get_origin(t) is tuple and _is_part(get_args(t)[0])


def _exactly(model: type) -> Callable[[Any], bool]:
    return lambda t: t is model


def _bound(factory: Callable[[Any, Converter, Any], Any], converter: Converter, what: Any) -> Callable[[Any], Any]:
    return lambda t: factory(t, converter, what)


def _part_hook(t: type[Part], converter: Converter, names: Names) -> Hook:
    keys = names.of(t)
    known = frozenset(keys.values())
    fields = {name: override(rename=key) for name, key in keys.items()}
    fields |= dict.fromkeys(_BOOKKEEPING, override(omit=True))
    inner = make_dict_structure_fn(
        t, converter, _cattrs_detailed_validation=converter.detailed_validation, **_existing(t, fields)
    )
    if t in names.rest:
        return _rest_hook(t, inner, known)
    voidable = _voidable(t, keys)
    shape = shapes_of(t, known)

    def structure(value: Any, _: Any) -> Any:
        if voidable and NOTHING in require_object(value).values():
            void = [key for key in value if key in voidable and value[key] == NOTHING]
            part = inner({key: item for key, item in value.items() if key not in void}, t)
            return noting(part, value, shape(tuple(void), *value))
        if require_object(value).keys() == known:
            return inner(value, t)
        return noting(inner(value, t), value, shape((), *value))

    return structure


def _parts_hook(t: Any, converter: Converter, names: Names) -> Hook:
    item = get_args(t)[0]
    inner = converter.get_structure_hook(item)
    rows = _rows_of(item, converter, names)

    def structure(value: Any, _: Any) -> Any:
        found = rows.made(require_list(value)) if rows else None
        return tuple(found or each(enumerate(require_list(value)), inner, item))

    return structure


def _rows_of(t: type[Part], converter: Converter, names: Names) -> Rows | None:
    """Say how to make many parts of a model at once, if that can be."""
    has_ways = t in names.rest or t in names.positional or t in names.whole
    if has_ways or converter.detailed_validation or not is_plain(t):
        return None
    keys = names.of(t)
    inside = {name: key for name, key in keys.items() if key != OWN_KEY}
    return rows_of(t, converter, keys=inside, voidable=_voidable(t, keys))


def _rest_hook(t: type[Part], inner: Hook, known: frozenset[str]) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        named = {key: item for key, item in require_object(value).items() if key in known and key != _REST}
        rest = {key: item for key, item in value.items() if key not in named}
        part = inner({**named, _REST: rest}, t)
        keep_keys(part, shared(known.difference(named, {_REST})))
        return part

    return structure


def _voidable(t: type[Part], keys: Mapping[str, str]) -> frozenset[str]:
    """Name the keys whose attributes may be None and never a text."""
    return frozenset(
        keys[a.name]
        for a in attrs.fields(attrs.resolve_types(t))
        if a.name in keys and NoneType in (types := get_args(a.type)) and str not in types
    )


def _existing(t: type[Part], fields: dict[str, Any]) -> dict[str, Any]:
    present = attrs.fields_dict(t)
    return {name: how for name, how in fields.items() if name in present}


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

    if t in names.rest:
        return lambda model: _merged(unstructure(model))
    return unstructure


def _merged(body: dict[str, Any]) -> dict[str, Any]:
    rest = body.pop(_REST)
    return {**body, **rest}


def _positional_hook(t: type[Part], converter: Converter, names: Names) -> Hook:
    keys = list(names.of(t).values())
    inner = _part_hook(t, converter, names)

    def structure(value: Any, _: Any) -> Any:
        places = (*keys, *map(str, range(len(keys), len(require_list(value)))))
        return inner(dict(zip(places, value, strict=False)), t)

    return structure


def _positional_unhook(t: type[Part], converter: Converter, names: Names) -> Callable[[Any], Any]:
    inner = _part_unhook(t, converter, names)
    return lambda model: list(inner(model).values())


def _columnar_hook(t: Any, converter: Converter, part: type[Part]) -> Hook:
    inner = converter.get_structure_hook(part)
    return lambda value, _: t.of(each(enumerate(cast("list[object]", require_list(value))), inner, part))


def _content_type(t: Any, name: str) -> Any:
    declared: Any = attrs.fields_dict(attrs.resolve_types(t))[name].type
    if getattr(declared, "__parameters__", ()):
        return declared[get_args(t.__orig_bases__[0])]
    return declared


def _whole_hook(t: Any, converter: Converter, names: Names) -> Hook:
    name = names.whole[t]
    content = _content_type(t, name)
    inner = converter.get_structure_hook(content)
    return lambda value, _: t(**{name: inner(value, content)})


def _whole_unhook(t: Any, converter: Converter, names: Names) -> Callable[[Any], Any]:
    name = names.whole[t]
    return lambda model: converter.unstructure(getattr(model, name))


def _keyed_hook(t: Any, converter: Converter, names: Names) -> Hook:
    name = names.whole[t]
    item = get_args(_content_type(t, name))[0]
    inner = converter.get_structure_hook(item)
    rows = _rows_of(item, converter, names)
    [own] = (name for name, key in names.of(item).items() if key == OWN_KEY)

    def structure(value: Any, _: Any) -> Any:
        found = rows.made(list(require_object(value).values()), **{own: list(value)}) if rows else None
        bodies = ((key, _with_own_key(key, body)) for key, body in require_object(value).items())
        return t(**{name: tuple(found or each(bodies, inner, item))})

    return structure


def _with_own_key(key: str, body: Any) -> Any:
    if body.__class__ is not dict:
        return body
    if OWN_KEY in body:
        raise ValueError("has a key that is reserved")
    return {OWN_KEY: key, **body}


def _keyed_unhook(t: Any, converter: Converter, names: Names) -> Callable[[Any], Any]:
    name = names.whole[t]

    def unstructure(model: Any) -> dict[str, Any]:
        bodies = [converter.unstructure(part) for part in getattr(model, name)]
        return {body.pop(OWN_KEY): body for body in bodies}

    return unstructure


_whole = (_whole_hook, _whole_unhook)
_whole_keyed = (_keyed_hook, _keyed_unhook)
