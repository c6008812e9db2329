"""Which apps a command means: by name, by id, by the beginning of either, or by a pattern."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from apteligent_async import AppAttribute, ConfigurationError, Region
from apteligent_async.models.apps import App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from apteligent_async import ApteligentClient

__all__ = ["chosen_apps", "find_apps"]

_PATTERN_SIGNS = frozenset("*?[")
_MOST_NAMED = 8


async def find_apps(client: ApteligentClient, wanted: Sequence[str]) -> tuple[App, ...]:
    """Find the apps that were named; asks the service for its list unless every one is a whole id.

    Raises:
        ConfigurationError: nothing fits one of the names, or more than one app does.
        ApteligentError: the list cannot be had.
    """
    if wanted and all(Region.for_app(text) for text in wanted):
        return tuple(App(id=app_id) for app_id in dict.fromkeys(wanted))
    apps = await client.apps.list([AppAttribute.APP_NAME, AppAttribute.APP_TYPE])
    return chosen_apps(apps.items, wanted)


def chosen_apps(apps: Sequence[App], wanted: Sequence[str]) -> tuple[App, ...]:
    """Choose apps, each once, in the order in which they were named; all of them where none was.

    Upper and lower case are alike. A pattern (``*``, ``?``, ``[...]``) may stand for many apps, anything else for one.

    Raises:
        ConfigurationError: nothing fits one of the names, or more than one app does; the message says what would.
    """
    found = {app.id: app for text in wanted for app in _fitting(apps, text)}
    return tuple(found.values()) if wanted else tuple(apps)


def _fitting(apps: Sequence[App], text: str) -> Sequence[App]:
    """Try the id, the whole name, a pattern, the beginning of a name or an id; the first that fits counts."""
    key = text.casefold()
    same_id = _those(apps, lambda known: known == key, by="id")
    same_name = _those(apps, lambda known: known == key, by="name")
    if same_id or len(same_name) == 1:
        return same_id or same_name
    if _PATTERN_SIGNS & set(text) and not same_name:
        alike = _those(apps, lambda known: fnmatchcase(known, key))
        if alike:
            return alike
    else:
        alike = same_name or (_those(apps, lambda known: known.startswith(key)) if key else [])
        if len(alike) == 1:
            return alike
    raise ConfigurationError(_ambiguous(text, alike) if alike else _unknown(text, apps))


def _those(apps: Sequence[App], fits: Callable[[str], bool], *, by: str = "") -> list[App]:
    return [app for app in apps if any(fits(known.casefold()) for known in _names(app, by))]


def _names(app: App, by: str) -> Iterator[str]:
    if by != "name":
        yield app.id
    if by != "id":
        yield app.name


def _ambiguous(text: str, alike: Sequence[App]) -> str:
    several = ", ".join(f"{app.name} ({app.app_type or 'type unknown'}, {app.id})" for app in alike[:_MOST_NAMED])
    more = f" and {len(alike) - _MOST_NAMED} more" if len(alike) > _MOST_NAMED else ""
    return f"{text!r} could be any of {len(alike)} apps: {several}{more}. Give the id of one, or a pattern for all."


def _unknown(text: str, apps: Sequence[App]) -> str:
    if not apps:
        return "This account has no apps."
    folded = {app.name.casefold(): app.name for app in apps}
    near = get_close_matches(text.casefold(), folded, n=3, cutoff=0.5)
    near = near or [name for name in folded if text.casefold().strip("*?[]") in name][:3]
    if near:
        return f"No app fits {text!r}. Did you mean {' or '.join(repr(folded[name]) for name in near)}?"
    return f"No app fits {text!r}; `apteligent apps` lists the {len(apps)} that there are."
