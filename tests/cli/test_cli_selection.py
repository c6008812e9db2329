"""Which apps are meant: by name, id, beginning or pattern, and what is said where it is not clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.cli.selection import chosen_apps, find_apps
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.apps import App

APPS = (
    App(id="a" * 24, app_name="Lantern Maps", app_type="ios"),
    App(id="b" * 24, app_name="Lantern News", app_type="ios"),
    App(id="c" * 24, app_name="Harbor Chess", app_type="ios"),
    App(id="d" * 24, app_name="Harbor Chess", app_type="android"),
    App(id="e" * 24, app_name="[beta] Ünïcode*", app_type="android"),
)


def names(*wanted):
    """Give the first letters of the ids that were chosen."""
    return "".join(app.id[0] for app in chosen_apps(APPS, wanted))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), "abcde"),
        (("Lantern Maps",), "a"),
        (("LANTERN maps",), "a"),
        (("lantern m",), "a"),
        (("bbbb",), "b"),
        (("d" * 24,), "d"),
        (("D" * 24,), "d"),
        (("lantern*",), "ab"),
        (("*chess",), "cd"),
        (("[bc]" + "?" * 23,), "bc"),
        (("[beta] ünïcode*",), "e"),
        (("Lantern News", "lantern*", "a" * 24), "ba"),
    ],
)
def test_apps_are_found(wanted, found):
    """Whatever the case of letters, each once, in the order in which they were named."""
    assert names(*wanted) == found


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("Lantern", "could be any of 2 apps: Lantern Maps (ios, " + "a" * 24),
        ("harbor chess", "could be any of 2 apps: Harbor Chess (ios, "),
        ("Lantrn Maps", "Did you mean 'Lantern Maps'"),
        ("maps", "Did you mean 'Lantern Maps'"),
        ("zzz", "`apteligent apps` lists the 5"),
        ("*zzz*", "No app fits"),
        ("", "No app fits ''"),
    ],
)
def test_what_is_not_clear_is_refused_with_what_would_be(wanted, told):
    """Near names, or all that fit with their ids."""
    with pytest.raises(ConfigurationError) as refused:
        names(wanted)
    assert told in refused.value.message


def test_an_account_without_apps_says_so():
    """Rather than that a name is wrong."""
    with pytest.raises(ConfigurationError, match="no apps"):
        chosen_apps((), ["x"])


@given(st.text(max_size=12))
def test_any_text_finds_apps_or_is_explained(text):
    """Never another error, and never an empty choice."""
    try:
        assert chosen_apps(APPS, [text])
    except ConfigurationError as refused:
        assert repr(text) in refused.message  # noqa: PT017  both outcomes are right


@pytest.mark.anyio
async def test_whole_ids_cost_no_call():
    """The list of apps is not asked for where nothing has to be looked up."""
    found = await find_apps(None, ["a" * 24, "b" * 24, "a" * 24])
    assert [app.id for app in found] == ["a" * 24, "b" * 24]
