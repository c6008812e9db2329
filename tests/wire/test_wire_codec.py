"""Structuring loses nothing, invents nothing and refuses what does not fit."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from attrs import evolve
from cattrs import IterableValidationError
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire import codec
from apteligent_async._wire.codec import NAMES, loads, standard_loads, structure, structure_result, unstructure
from apteligent_async._wire.drift import Drift
from apteligent_async._wire.objects import locate
from apteligent_async.errors import ResponseError
from apteligent_async.models.apps import Apps
from apteligent_async.models.choices import AppType
from apteligent_async.models.diagnostics import Country, Diagnostics
from apteligent_async.models.error_groups import ErrorPage
from apteligent_async.models.monitoring import Graph, Pie, Slice

numbers = st.none() | st.integers() | st.floats(allow_nan=False)
texts = st.text(max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def with_extras(**keys):
    """An object with these keys, some optional, and any others that no model knows."""
    required = {key: value for key, (value, is_needed) in keys.items() if is_needed}
    optional = {key: value for key, (value, is_needed) in keys.items() if not is_needed}
    others = st.dictionaries(texts.filter(lambda key: key not in keys), anything, max_size=2)
    return st.tuples(st.fixed_dictionaries(required, optional=optional), others).map(
        lambda both: {**both[1], **both[0]}
    )


slices = with_extras(name=(texts, True), label=(st.none() | texts, False), value=(numbers, False))
window = {"start": (texts, False), "end": (texts, False), "interval": (numbers, False)}
pies = with_extras(slices=(st.lists(slices, max_size=4), True), **window)
lines = with_extras(name=(texts, True), label=(st.none() | texts, False), points=(st.lists(numbers), True))
graphs = with_extras(series=(st.lists(lines, max_size=3), True), **window)
apps = st.dictionaries(
    texts,
    with_extras(
        appName=(st.none() | texts, False),
        appType=(st.sampled_from(["ios", "tv", None]), False),
        appVersions=(st.none() | st.lists(texts, max_size=3), False),
        crashPercent=(numbers, False),
        dau=(numbers, False),
        mau=(numbers, False),
        iconURL=(st.sampled_from(["None", None, "https://x/"]), False),
        latency=(numbers, False),
        latestAppStoreReleaseDate=(st.none() | texts, False),
        latestVersionString=(st.none() | texts, False),
        linkToAppStore=(st.none() | texts, False),
        rating=(numbers, False),
        role=(st.none() | texts, False),
        links=(anything, False),
    ).filter(lambda body: not any(key.startswith("\ue000") for key in body)),
    max_size=3,
)


def exactly(left, right):
    """Equal and of the same JSON types: 1 is not 1.0 and not true."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@pytest.mark.parametrize(("data", "model"), [(pies, Pie), (graphs, Graph), (apps, Apps)])
def test_structuring_and_back_is_the_identity(data, model):
    """Whatever keys are missing, null or unknown, the body comes back exactly."""

    @given(data=data, envelope=with_extras(links=(anything, False), params=(anything, False)))
    def check(data, envelope):
        body = {**envelope, "data": data}
        result = structure_result(body, model)
        assert exactly(unstructure(result), body)
        assert structure_result(body, model) == result

    check()


def test_missing_is_not_null():
    """A key that was missing stays missing, one that was null stays null; both read as None."""
    missing, null = structure({"name": "a"}, Slice), structure({"name": "a", "label": None, "value": None}, Slice)
    assert missing == null
    assert unstructure(missing) == {"name": "a"}
    assert unstructure(null) == {"name": "a", "label": None, "value": None}
    assert missing.absent == {"label", "value"}


def test_none_as_text_is_none_where_no_text_belongs():
    """The service writes None as text now and then: it is read as None, kept, and counted; a name stays a name."""
    body = {"data": {"a": {"rating": "None", "appVersions": "None", "dau": None, "appName": "None", "iconURL": "None"}}}
    drift = Drift()
    with drift.watching("apps.list"):
        (app,) = apps = structure_result(body, Apps)
    assert (app.rating, app.app_versions, app.name, app.icon_url) == (None, None, "None", None)
    assert unstructure(apps) == body
    assert drift.report() == {"apps.list": {"App.rating": 1, "App.appVersions": 1}}
    for misfit in ("none", "12", "", True, []):
        with pytest.raises(ResponseError, match=r"\$\.data\.a\.rating"):
            structure_result({"data": {"a": {"rating": misfit}}}, Apps)


def test_values_made_by_hand_can_be_sent_back():
    """A result built in Python unstructures without an envelope."""
    assert unstructure(Pie(slices=(Slice(name="a", value=1),)))["slices"] == [{"name": "a", "label": None, "value": 1}]


def test_an_app_cannot_smuggle_its_id():
    """A key that would pass for the id of an app is refused, and one named id is kept apart."""
    assert structure({"real": {"id": "forged"}}, Apps)[0].id == "real"
    with pytest.raises(ResponseError, match="reserved"):
        structure({"real": {"\ue000key": "forged"}}, Apps)


def test_bookkeeping_cannot_be_forged():
    """Keys that look like our own bookkeeping are unknown keys like any other."""
    body = {"name": "a", "\ue000extra": {"x": 1}, "\ue000absent": ["name"], "extra": 2, "absent": 3}
    piece = structure(body, Slice)
    assert unstructure(piece) == body
    assert piece.absent == {"label", "value"}


def test_regions_are_all_keys_but_the_name():
    """Every key of a country but its name is a region, whatever it is called; misfits are named by country."""
    for body in ({"--NAME--": "X", "\ue000rest": [1, 2, 3]}, {"null": [1, 2, 3, 4]}, {"--NAME--": None}, {}):
        country = structure(body, Country)
        assert unstructure(country) == body
        assert set(country.regions) == set(body) - {"--NAME--"}
    with pytest.raises(ResponseError) as caught:
        structure({"geo_data": {"DE": {"Berlin": [1, 2, "3"]}}}, Diagnostics)
    assert caught.value.path == "$.geo_data.DE.Berlin[2]"


def test_points_stay_columns():
    """A series is one tuple of the numbers as sent: no object per point, whole numbers whole."""
    graph = structure({"series": [{"name": "a", "points": [1, 2.5, None]}]}, Graph)
    assert graph.series[0].points == (1, 2.5, None)
    assert [type(point) for point in graph.series[0].points] == [int, float, type(None)]


@pytest.mark.parametrize(
    ("points", "path"),
    [([1, True], "[1]"), (["1"], "[0]"), ([1, [2]], "[1]"), (None, ""), ({}, ""), ("12", "")],
)
def test_points_that_are_none_are_located(points, path):
    """A point that is no number is named by its index."""
    with pytest.raises(ResponseError) as caught:
        structure({"series": [{"name": "a", "points": points}]}, Graph)
    assert caught.value.path == f"$.series[0].points{path}"


def test_platforms_stay_readable():
    """A known platform is a member, an unknown one its text; both compare with text."""
    apps = structure({"1": {"appType": "ios"}, "2": {"appType": "tv"}}, Apps)
    assert [app.app_type for app in apps] == ["ios", "tv"]
    assert apps[0].app_type is AppType.IOS


@pytest.mark.parametrize("decoder", [loads, standard_loads])
def test_of_a_repeated_key_the_last_counts(decoder):
    """Repeated keys are no error, and mean the same with either decoder."""
    assert decoder(b'{"a": 1, "a": 2}') == {"a": 2}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_both_decoders_agree(value):
    """Orjson and the standard library read the same value, up to 64 bits."""
    raw = json.dumps(value).encode()
    assert exactly(loads(raw), value)
    assert exactly(standard_loads(raw), value)


@pytest.mark.parametrize(
    "raw", [b"NaN", b"-Infinity", b"\xff", b'{"a"', b"\xef\xbb\xbf{}", b"[" * 10**5, b"9" * 5000 + b"x"]
)
def test_without_orjson_the_same_bytes_are_refused(raw, monkeypatch):
    """With the standard library alone, hostile bytes are a ResponseError as well."""
    monkeypatch.setattr(codec, "_decoder", lambda: standard_loads)
    with pytest.raises(ResponseError, match="not JSON"):
        loads(raw)


def test_orjson_is_an_extra(monkeypatch):
    """Where orjson is not installed the standard library decodes."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    codec._decoder.cache_clear()
    try:
        assert codec._decoder() is standard_loads
        assert loads(b'{"a": 1.5}') == {"a": 1.5}
    finally:
        codec._decoder.cache_clear()


@pytest.mark.parametrize(
    ("value", "model", "path"),
    [
        ({"errors": [{"hash": "h", "daily_occurrences": {}}]}, ErrorPage, "$.errors[0].daily_occurrences"),
        ({"errors": [{"hash": "h", "daily_occurrences": [5]}]}, ErrorPage, "$.errors[0].daily_occurrences[0]"),
        (
            {"errors": [{"hash": "h", "daily_occurrences": ["d", [1, "2"]]}]},
            ErrorPage,
            "$.errors[0].daily_occurrences[1][1]",
        ),
        ({"1": []}, Apps, "$['1']"),
        ([], Apps, "$"),
        ({}, ErrorPage, "$.errors"),
    ],
)
def test_misfits_in_lists_and_maps_are_located(value, model, path):
    """Positions in a positional list and keys of a map are steps of the path like any other."""
    with pytest.raises(ResponseError) as caught:
        structure(value, model)
    assert caught.value.path == path


def test_importing_decides_nothing():
    """Importing the codec imports no extra; orjson is looked for at the first answer."""
    code = "import sys, apteligent_async._wire.replies;print([m for m in ('orjson', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_preparing_looks_for_the_decoder_once():
    """After it, the first answer need not."""
    codec._decoder.cache_clear()
    codec.prepare()
    assert codec._decoder.cache_info().currsize == 1


def test_a_second_look_that_finds_nothing_is_our_own_mistake():
    """Two decoders that disagree are no result and no error of the service."""
    with pytest.raises(AssertionError, match="second look"):
        codec._second_look({"name": "a"}, Slice)


def test_a_value_that_was_filled_in_is_sent_though_it_was_missing():
    """What was absent stays absent only as long as it has no value."""
    filled = evolve(structure({"name": "a"}, Slice), value=3)
    assert unstructure(filled) == {"name": "a", "value": 3}


def test_foreign_notes_on_a_misfit_are_no_steps_of_its_path():
    """An error may carry notes of others, such as a test's; the path is that of the value."""
    inner = ValueError("odd")
    inner.add_note("a remark")
    assert locate(IterableValidationError("", [inner], list), NAMES) == ("$", "odd")
