"""Recipes as files: those that ship can be copied, changed and run, and what is wrong in one is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apteligent_async import ConfigurationError
from apteligent_async.bulk.recipes.recipe import Recipe, find_recipe, recipe_names, recipe_text

NAMES = ("crashes", "cuts", "daily", "grouped", "live", "network", "release", "services", "userflows")
WANT = '[[want]]\nwhat = "trends.dau"\n'


def test_those_that_people_ran_are_there():
    """Each by its name, and each says what it is for."""
    assert recipe_names() == NAMES
    assert all(find_recipe(name).about for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_the_same_recipe(name, tmp_path):
    """What is printed can be kept in a file, and means the same."""
    path = tmp_path / f"{name}.toml"
    path.write_text(recipe_text(name))
    assert find_recipe(str(path)) == find_recipe(name)


@pytest.mark.parametrize("name", NAMES)
def test_none_asks_for_personal_data(name):
    """Users, breadcrumbs and traces must be asked for in so many words, which no recipe does."""
    assert not find_recipe(name).plan.personal_data


def test_slots_are_multiples_of_the_period():
    """So that whoever runs a recipe, and whenever he began, means the same slots."""
    recipe = find_recipe("grouped")
    now = datetime(2016, 12, 12, 18, 19, 59, tzinfo=UTC)
    assert recipe.slot_at(now) == datetime(2016, 12, 12, 18, 10, tzinfo=UTC)


def test_a_day_has_five_minutes_to_be_counted():
    """As the importer gave it: what ended at an hour is asked for at five past, and not before."""
    recipe = find_recipe("daily")
    five_past = datetime(2016, 12, 13, 7, 5, tzinfo=UTC)
    assert recipe.slot_at(five_past) == five_past
    assert recipe.slot_at(five_past - timedelta(seconds=1)) == five_past - timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[recipe]\nevery = 10\n" + WANT, "every"),
        ("[recipe]\nevery_minutes = 0\n" + WANT, "every_minutes"),
        ("[recipe]\nafter_minutes = 60\n" + WANT, "after_minutes"),
        ("[recipe]\nafter_minutes = 0.5\n" + WANT, "after_minutes"),
        ('[recipe]\npoints = "dayly"\n' + WANT, "did you mean 'daily'"),
        ('[recipe]\npoints = "daily"\n' + WANT, "complete_days = true"),
        ('[recipe]\nonly = "x"\n' + WANT, "recipe.only"),
        ("[recipe]\nmerge = 3\n" + WANT, "recipe.merge"),
        ('[[recipe.merge]]\ngrouping = "carrier"\nname = "x"\n' + WANT, "grouping, name and pattern"),
        ('[[recipe.merge]]\ngrouping = "carrier"\nname = "x"\npattern = "("\n' + WANT, "cannot be read"),
        ("recipe = 3\n" + WANT, "must be a table"),
        ("[recipe]\n", "nothing is wanted"),
        ("[recipe", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(text, named):
    """Before a call is spent, with the key and the remedy."""
    with pytest.raises(ConfigurationError, match=named):
        Recipe.from_toml(text, name="ours")


def test_what_is_not_there_is_named(tmp_path):
    """A recipe of no such name is guessed at, a file that cannot be read is named."""
    with pytest.raises(ConfigurationError, match="did you mean 'grouped'"):
        find_recipe("grouping")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        find_recipe(str(tmp_path / "gone.toml"))
