"""Lists of objects that are alike: many at once are the same as one by one."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire import rows
from apteligent_async._wire.codec import structure, unstructure
from apteligent_async._wire.values import SURPRISES
from apteligent_async.errors import ResponseError
from apteligent_async.models.apps import Apps
from apteligent_async.models.monitoring import Graph, Pie

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


def outcome(data, model):
    """Give the result, what it is made of and what was unknown in it; or what is wrong with it."""
    noted = []
    token = SURPRISES.set(noted)
    try:
        found = structure(data, model)
    except ResponseError as error:
        return str(error)
    finally:
        SURPRISES.reset(token)
    assert pickle.loads(pickle.dumps(found)) == found
    return found, [part.absent for part in parts_of(found)], unstructure(found), Counter(noted)


def parts_of(found):
    """Give the list's parts, whatever it is called."""
    return getattr(found, "slices", None) or getattr(found, "series", None) or getattr(found, "items", ())


BODIES = [
    (Pie, alike(["name", "label", "value"]).map(lambda found: {"slices": found})),
    (Graph, alike(["name", "label", "points"]).map(lambda found: {"series": found})),
    (
        Apps,
        alike(["appName", "appType", "appVersions", "rating"]).map(
            lambda found: {str(i): each for i, each in enumerate(found)}
        ),
    ),
]


@pytest.mark.parametrize(("model", "bodies"), BODIES)
def test_many_at_once_are_the_same_as_one_by_one(model, bodies):
    """Equal models, the same keys missing and unknown, the same body given back; or the same thing wrong."""

    @given(data=bodies)
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
    assert unstructure(found) == body


@pytest.mark.parametrize(("values", "is_shared"), [(["a"] * 6, True), ([1, True] * 3, False), ([0.0, -0.0] * 3, False)])
def test_who_says_the_same_unknown_shares_it(values, is_shared):
    """One mapping for a flag that all rows have; never for what is equal to Python alone."""
    body = {"slices": [{"name": "a", "colour": value} for value in values]}
    found = structure(body, Pie)
    assert (found.slices[0].extra is found.slices[2].extra) == is_shared
    assert repr(unstructure(found)) == repr(body)
