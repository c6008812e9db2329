"""Lists of objects that are alike: many at once are the same as one by one."""

from __future__ import annotations

import copy
import gc
import pickle
from collections import Counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire import rows
from apteligent_async._wire.codec import structure, unstructure
from apteligent_async._wire.values import SURPRISES
from apteligent_async.errors import ResponseError
from apteligent_async.models.apps import App, Apps
from apteligent_async.models.frozen import FrozenMapping
from apteligent_async.models.monitoring import Graph, Pie, Slice

USUAL = {
    "name": st.text(max_size=3),
    "label": st.none() | st.text(max_size=3),
    "value": st.none() | st.integers() | st.floats(allow_nan=False),
    "points": st.lists(st.none() | st.integers(), max_size=3),
    "appName": st.none() | st.text(max_size=3),
    "appType": st.sampled_from(["ios", "tv", None]),
    "appVersions": st.none() | st.lists(st.text(max_size=3), max_size=3),
    "rating": st.none() | st.integers(),
    "colour": st.integers() | st.lists(st.integers(), max_size=2),
    "shape": st.booleans() | st.dictionaries(st.text(max_size=2), st.none(), max_size=2),
}
ODD = st.sampled_from(["None", True, 1, "x", [], {}])


@st.composite
def alike(draw, keys):
    """Objects with the same keys, some of which no model knows; now and then one is not like the others."""
    chosen = draw(st.lists(st.sampled_from([*keys, "colour", "shape"]), unique=True))
    objects = draw(st.lists(st.fixed_dictionaries({key: USUAL[key] for key in chosen}), min_size=2, max_size=7))
    if draw(st.booleans()):
        draw(st.sampled_from(objects))[draw(st.sampled_from([*keys, "colour"]))] = draw(ODD)
    return objects


@st.composite
def mixed(draw, keys):
    """Objects of which each may lack a key that others have, or have one that no model knows."""
    objects = draw(alike(keys))
    chosen = draw(st.lists(st.sampled_from([*keys, "colour", "shape"]), max_size=2, unique=True))
    for each in objects:
        for key in draw(st.sets(st.sampled_from(chosen))) if chosen else ():
            if each.pop(key, ODD) is ODD:
                each[key] = draw(USUAL[key])
    return objects


def outcome(data, model):
    """Give the result, what it is made of and what was unknown in it; or what is wrong with it."""
    noted = Counter()
    token = SURPRISES.set(noted)
    try:
        found = structure(data, model)
    except ResponseError as error:
        return str(error)
    finally:
        SURPRISES.reset(token)
    assert pickle.loads(pickle.dumps(found)) == found
    return found, [part.absent for part in parts_of(found)], unstructure(found), noted


def parts_of(found):
    """Give the list's parts, whatever it is called."""
    return getattr(found, "slices", None) or getattr(found, "series", None) or getattr(found, "items", ())


BODIES = [
    (Pie, ["name", "label", "value"], lambda found: {"slices": found}),
    (Graph, ["name", "label", "points"], lambda found: {"series": found}),
    (
        Apps,
        ["appName", "appType", "appVersions", "rating"],
        lambda found: {str(i): each for i, each in enumerate(found)},
    ),
]


@pytest.mark.parametrize("objects", [alike, mixed])
@pytest.mark.parametrize(("model", "keys", "body"), BODIES)
def test_many_at_once_are_the_same_as_one_by_one(model, keys, body, objects):
    """Equal models, the same keys missing and unknown, the same body given back; or the same thing wrong."""

    @given(data=objects(keys).map(body))
    def check(data):
        at_once = outcome(data, model)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "FEWEST", 1_000)
            assert outcome(data, model) == at_once

    check()


def test_a_list_of_what_is_alike_is_made_at_once(monkeypatch):
    """Five slices with an unknown key each take no look at a single one."""
    monkeypatch.setattr("apteligent_async._wire.objects.each", None)
    body = {"slices": [{"name": str(number), "value": number, "colour": "red"} for number in range(5)]}
    found = structure(body, Pie)
    assert [(each.name, each.label, each.value, each.extra["colour"]) for each in found.slices] == [
        (str(number), None, number, "red") for number in range(5)
    ]
    assert unstructure(found) == body


@pytest.mark.parametrize(("key", "name", "usual"), [("appVersions", "app_versions", ["1"]), ("rating", "rating", 5)])
def test_the_text_for_nothing_is_found_in_any_column(key, name, usual):
    """Where a list belongs as well as where a number does: it is None, and is given back."""
    body = {str(number): {key: "None" if number == 3 else usual} for number in range(5)}
    found = structure(body, Apps)
    assert [getattr(app, name) is None for app in found] == [False, False, False, True, False]
    assert [key in app.absent for app in found] == [False, False, False, True, False]
    assert unstructure(found) == body


def test_objects_of_several_shapes_are_made_at_once(monkeypatch):
    """Of six apps some have a key that is unknown, or another, or lack a known one: none is looked at alone."""
    monkeypatch.setattr("apteligent_async._wire.objects.each", None)
    bodies = [{"appName": "a", "dau": 1}, {"appName": "b"}, {"dau": 3, "colour": "red"}, {}, {"shape": [1]}, {"mau": 2}]
    body = {str(number): each for number, each in enumerate(bodies)}
    found = structure(body, Apps)
    assert [(app.id, app.app_name, app.dau, app.mau) for app in found] == [
        ("0", "a", 1, None),
        ("1", "b", None, None),
        ("2", None, 3, None),
        ("3", None, None, None),
        ("4", None, None, None),
        ("5", None, None, 2),
    ]
    assert [dict(app.extra) for app in found] == [{}, {}, {"colour": "red"}, {}, {"shape": (1,)}, {}]
    assert unstructure(found) == body


@pytest.mark.parametrize("levels", [98, 101])
@pytest.mark.parametrize("others", [{"colour": 1}, {}, {"shape": 1}])
def test_what_is_unknown_is_refused_at_once_if_it_is_nested_too_deeply(levels, others):
    """Whether the other rows have that key or not: whoever asks for it later meets no surprise."""
    deep = 1
    for _ in range(levels):
        deep = [deep]
    slices = [{"name": "a", **others} for _ in range(9)]
    slices[5] = {"name": "a", "colour": deep}
    if levels > 100:
        with pytest.raises(ResponseError, match=r"\$\.slices\[5\] is nested too deeply"):
            structure({"slices": slices}, Pie)
    else:
        assert unstructure(structure({"slices": slices}, Pie)) == {"slices": slices}


def test_a_reserved_key_is_refused_in_any_list():
    """No app can claim another's id, however many there are."""
    body = {str(number): {"appName": "a"} for number in range(9)}
    body["5"]["\ue000key"] = "forged"
    with pytest.raises(ResponseError, match="reserved"):
        structure(body, Apps)


def with_unknown():
    """Give a slice as it was decoded: nobody has asked yet what is unknown in it."""
    slices = [{"name": "a", "value": 1, "colour": {"red": [1, 2]}} for _ in range(5)]
    return structure({"slices": slices}, Pie).slices[2]


BY_HAND = Slice(name="a", value=1, extra=FrozenMapping({"colour": FrozenMapping({"red": (1, 2)})}))


@pytest.mark.parametrize(
    "use",
    [
        lambda part: part,
        lambda part: pickle.loads(pickle.dumps(part)),
        copy.copy,
        copy.deepcopy,
        attrs.evolve,
        lambda part: Slice(**attrs.asdict(part, recurse=False)),
    ],
)
def test_what_is_unknown_is_there_whatever_is_done_first(use):
    """A part equals the one made by hand, hashes and prints like it, and so does each copy of it."""
    assert use(with_unknown()) == BY_HAND
    assert hash(use(with_unknown())) == hash(BY_HAND)
    assert repr(use(with_unknown())) == repr(BY_HAND)
    assert use(with_unknown()).absent == {"label"}
    assert use(with_unknown()).extra["colour"] == {"red": (1, 2)}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        use(with_unknown()).extra = FrozenMapping()


@pytest.mark.parametrize("first", ["colour", "shape"])
def test_a_part_holds_on_to_its_object_only_until_what_is_unknown_is_asked_for(first):
    """And one without unknown keys never does, nor do its neighbours make it."""
    slices = [{"name": "a", "colour": "red"} if number % 2 else {"name": "a"} for number in range(6)]
    slices[1] = {"name": "a", first: "red"}
    found = structure({"slices": slices}, Pie).slices
    assert [slices[number] in gc.get_referents(part) for number, part in enumerate(found)] == [False, True] * 3
    assert found[1].extra is found[1].extra
    assert slices[1] not in gc.get_referents(found[1])


@pytest.mark.parametrize("part", [BY_HAND, App(id="1", extra={"colour": "red"})])
def test_what_was_given_by_hand_stays_as_it_is(part):
    """Whoever makes a part passes a mapping, and gets that one."""
    assert attrs.evolve(part).extra is part.extra
    assert part.absent == frozenset()
