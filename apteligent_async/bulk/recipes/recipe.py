"""What a recipe is: a plan, how often it is run, and how its answers become numbers over time.

    [recipe]
    about = "Running totals by version and by carrier."
    every_minutes = 10
    points = "running"

    [[recipe.merge]]
    grouping = "carrier"
    name = "Vodafone"
    pattern = "(?i)vodafone|vf "

Everything else in the file is a plan. A plan without the table is a recipe, too: it is run hourly.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import fields, frozen

from apteligent_async._scheduling.policy import is_whole
from apteligent_async.bulk.plan import Plan
from apteligent_async.bulk.recipes.readings import READINGS, MergeRule, Reading
from apteligent_async.bulk.wanted import guess, require_whole
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Recipe", "find_recipe", "recipe_names", "recipe_text"]

_PACKAGE = __name__.rpartition(".")[0]
_SUFFIX = ".toml"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Recipe:
    """A plan that is run again and again.

    Attributes:
        name: what its folder's files and its part of a metric's path are called.
        plan: what is wanted.
        about: what it is for, in a sentence.
        every_minutes: how often it is run; the slots are multiples of it since midnight, in UTC.
        after_minutes: how long after these it is run, so that the service has counted what has ended with an hour.
        points: how rows become numbers over time: the name of a `Reading`.
        merge: how groups are put together, in order: the first rule that fits counts.
        only: which groups are told of, as globs of their names or labels; all by default.

    Raises:
        ConfigurationError: something cannot work; the message names the key.
    """

    name: str
    plan: Plan
    about: str = ""
    every_minutes: int = 60
    after_minutes: int = 0
    points: str = "running"
    merge: tuple[MergeRule, ...] = ()
    only: tuple[str, ...] = ("*",)

    def __attrs_post_init__(self) -> None:
        require_whole("recipe.every_minutes", self.every_minutes)
        if not is_whole(self.after_minutes) or not 0 <= self.after_minutes < self.every_minutes:
            raise ConfigurationError(
                f"recipe.after_minutes must be a whole number below every_minutes, not {self.after_minutes!r}."
            )
        if self.points not in READINGS:
            raise ConfigurationError(f"recipe.points cannot be {self.points!r}{guess(self.points, READINGS)}.")
        if self.reading.needs_whole_days and (not self.plan.complete_days or self.plan.settle_days):
            raise ConfigurationError(
                f"recipe.points = {self.points!r} writes each day once: it needs complete_days = true and "
                "settle_days = 0, so that no day is written before it is over."
            )

    @property
    def reading(self) -> Reading:
        """How its rows become numbers over time."""
        return READINGS[self.points]

    @property
    def every(self) -> timedelta:
        """The time from one slot to the next."""
        return timedelta(minutes=self.every_minutes)

    def slot_at(self, now: datetime) -> datetime:
        """Tell the last instant, up to now, at which it was to be run."""
        first = _EPOCH + timedelta(minutes=self.after_minutes)
        return first + (now - first) // self.every * self.every

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe, or a mere plan, from a TOML file.

        Raises:
            ConfigurationError: it cannot be read, or cannot work; the message names the file, the key and the remedy.
        """
        source = Path(path)
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The plan {source} cannot be read: {error}.") from error
        return cls.from_toml(text, name=source.stem, source=str(source))

    @classmethod
    def from_toml(cls, text: str, *, name: str, source: str = "the recipe") -> Recipe:
        """Read a recipe, or a mere plan, from the text of a TOML file.

        Args:
            text: the file's text.
            name: what the recipe is called.
            source: what errors call the file.

        Raises:
            ConfigurationError: it is no TOML, or cannot work; the message names the key or the line, and the remedy.
        """
        try:
            table = tomllib.loads(text)
            told = table.pop("recipe", {})
            return cls(name=name, plan=Plan.from_table(table), **_settings(told))
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{source} is not TOML: {error}.") from None
        except ConfigurationError as error:
            raise ConfigurationError(f"{source}: {error.message}") from None


def recipe_names() -> tuple[str, ...]:
    """List the recipes that come with the package, sorted."""
    return tuple(sorted(each.name.removesuffix(_SUFFIX) for each in _shipped() if each.name.endswith(_SUFFIX)))


def recipe_text(name: str) -> str:
    """Give the TOML of a recipe that comes with the package, to be copied and changed.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if name not in recipe_names():
        raise ConfigurationError(f"There is no recipe {name!r}{guess(name, recipe_names())}.")
    return (files(_PACKAGE) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def find_recipe(name_or_path: str) -> Recipe:
    """Give a recipe that comes with the package, by its name, or one of a file, by its path ending in ``.toml``.

    Raises:
        ConfigurationError: there is none, or it cannot work.
    """
    if name_or_path.endswith(_SUFFIX):
        return Recipe.load(name_or_path)
    return Recipe.from_toml(recipe_text(name_or_path), name=name_or_path, source=f"the recipe {name_or_path}")


def _shipped() -> Iterator[Any]:
    return iter(files(_PACKAGE).iterdir())


def _settings(told: Any) -> dict[str, Any]:
    known = [each.name for each in fields(Recipe) if each.name not in {"name", "plan"}]
    if not _is_table(told):
        raise ConfigurationError("recipe must be a table: [recipe].")
    for key in told:
        if key not in known:
            raise ConfigurationError(f"recipe has no key {key!r}{guess(key, known)}.")
    only = told.get("only", ["*"])
    if not _is_list(only) or not all(isinstance(each, str) for each in only):
        raise ConfigurationError("recipe.only must be a list of globs such as 'api.*'.")
    merge = told.get("merge", [])
    if not _is_list(merge):
        raise ConfigurationError("recipe.merge must be tables: [[recipe.merge]].")
    return {**told, "only": tuple(only), "merge": tuple(_rule(each) for each in merge)}


def _is_table(told: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(told, dict)


def _is_list(told: Any) -> TypeGuard[list[Any]]:
    return isinstance(told, list)


def _rule(told: Mapping[str, Any]) -> MergeRule:
    keys = ("grouping", "name", "pattern")
    if not isinstance(told, dict) or set(told) != set(keys) or not all(isinstance(told[key], str) for key in keys):
        raise ConfigurationError("each [[recipe.merge]] has three texts: grouping, name and pattern.")
    try:
        pattern = re.compile(told["pattern"])
    except re.error as error:
        raise ConfigurationError(f"recipe.merge: the pattern {told['pattern']!r} cannot be read: {error}.") from None
    return MergeRule(grouping=told["grouping"], name=told["name"], pattern=pattern)
