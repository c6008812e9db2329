"""One thing that a plan wants: a kind of data, with all the values of its arguments that are of interest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from apteligent_async.bulk.families import FAMILIES
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.choices import AppAttribute
from apteligent_async.models.frozen import FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apteligent_async.bulk.families import Family

__all__ = ["Wanted", "guess", "require_whole"]

# What the plan itself fills in: apps, windows, pages and what lists name.
_FILLED_IN = frozenset({"app_id", "app_ids", "hash", "name", "page_num", "start", "end"})


@frozen(init=False)
class Wanted:
    """A kind of data, and what of it.

    Every argument may be one value or a list of them: each combination is asked for.

        Wanted("error_monitoring.pie", graph=["crashes", "appLoads"], group_by=["os", "device"])
        Wanted("error_monitoring.graph", graph="crashes", app_version=["latest", "2.*"], days=30)
        Wanted("crashes.details", most=50, among={"status": "unresolved"}, diagnostics=True)

    Args:
        what: the kind, called as the client's method is, such as ``error_monitoring.pie``; besides, ``*.breadcrumbs``.
        days: for kinds that tell of past days, how many, the running day among them.
        app_version: versions to tell apart: names, globs such as ``2.*``, or ``latest``; ``all`` for all together.
        most: for kinds that are asked group by group or userflow by userflow, how many per app at most.
        among: for the same, which: arguments of the call that lists them.
        top: for pies of errors, how many groups, those of the highest values; without, all.
        **arguments: what the client's method takes.

    Raises:
        ConfigurationError: there is no such kind, or it cannot be asked like this; the message names the key.
    """

    what: str
    arguments: FrozenMapping[tuple[Any, ...]]
    days: int
    app_version: tuple[str, ...]
    most: int
    among: FrozenMapping[Any]
    top: int | None = field(default=None)

    def __init__(
        self,
        what: str,
        *,
        days: int = 7,
        app_version: str | Iterable[str] = (),
        most: int = 20,
        among: Mapping[str, Any] | None = None,
        top: int | None = None,
        **arguments: Any,
    ) -> None:
        if not isinstance(cast("object", what), str) or what not in FAMILIES:
            raise ConfigurationError(f"what={what!r} is no kind of data{guess(what, FAMILIES)}.")
        versions: tuple[Any, ...] = (app_version,) if isinstance(app_version, str) else tuple(app_version)
        if not all(isinstance(version, str) and version for version in versions):
            raise ConfigurationError(f"app_version lists texts such as 'latest' or '2.*', not {app_version!r}.")
        given = {**FAMILIES[what].defaults, **arguments}
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  attrs adds it
            what=what,
            arguments=FrozenMapping({name: _values(what, name, value) for name, value in given.items()}),
            days=require_whole("days", days),
            app_version=versions,
            most=require_whole("most", most),
            among=FrozenMapping(among or {}),
            top=None if top is None else require_whole("top", top),
        )
        self._check()

    @property
    def family(self) -> Family:
        """What is known of its kind."""
        return FAMILIES[self.what]

    @property
    def listing(self) -> Wanted:
        """What lists the groups or userflows that it is about."""
        assert self.family.listed_by is not None  # noqa: S101  the caller looked
        return Wanted(self.family.listed_by, **self.among)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Give every combination of its arguments' values, in the order in which they were given."""
        for values in product(*self.arguments.values()):
            yield dict(zip(self.arguments, values, strict=True))

    def _check(self) -> None:
        family = self.family
        filled_in = sorted(_FILLED_IN & self.arguments.keys())
        if filled_in:
            raise ConfigurationError(f"{filled_in[0]} cannot be given for {self.what}: the plan itself fills it in.")
        if family.dated and "duration" in self.arguments:
            raise ConfigurationError(f"duration cannot be given for {self.what}: days says how far back to go.")
        if family.dated and self.days > family.reach_days:
            raise ConfigurationError(f"days={self.days}: {self.what} tells of no more than {family.reach_days} days.")
        if self.app_version and family.version_argument is None:
            raise ConfigurationError(f"app_version cannot be given for {self.what}: it is not cut by version.")
        if self.among and family.listed_by is None:
            raise ConfigurationError(f"among cannot be given for {self.what}: it is asked for an app as a whole.")
        for arguments in self.combinations():
            self._check_call(arguments)
        if family.listed_by is not None:
            _check_listing(self)

    def _check_call(self, arguments: dict[str, Any]) -> None:
        if self.top is not None and (self.what, arguments.get("duration")) != ("error_monitoring.pie", 1440):
            raise ConfigurationError("top can be given for error_monitoring.pie over a day alone.")
        if self.app_version and "appVersion" in (arguments.get("filters") or {}):
            raise ConfigurationError("app_version and a filter by appVersion exclude each other.")
        family = self.family
        unknown = [name for name in arguments if name not in family.arguments]
        if unknown:
            known = sorted({*family.arguments} - _FILLED_IN)
            raise ConfigurationError(f"{self.what} has no argument {unknown[0]!r}{guess(unknown[0], known)}.")
        stand_ins: dict[str, Any] = {family.subject: "0"} if family.listed_by else {}
        if self.what != "apps.list":
            stand_ins["app_id"] = "0"
        family.row.request(**stand_ins, **arguments)


def _check_listing(wanted: Wanted) -> None:
    try:
        listing = wanted.listing
    except (ConfigurationError, TypeError) as error:
        raise ConfigurationError(f"among: {error}") from None
    if sum(1 for _ in listing.combinations()) > 1 or len(listing.app_version) > 1:
        raise ConfigurationError("among: give one value for each argument, as there is one list per app.")


def _values(what: str, name: str, given: Any) -> tuple[Any, ...]:
    """Make a tuple of one value or several; what is a list for the service itself is one value."""
    if (what, name) == ("apps.list", "attributes"):
        return (_attributes(given),)
    several = tuple(cast("Iterable[Any]", given)) if isinstance(given, list | tuple) else (given,)
    if not several:
        raise ConfigurationError(f"{name} is an empty list: leave it out, or name what is wanted.")
    return tuple(map(_plain, several))


def _plain(value: Any) -> Any:
    """Make a value that can be kept: what a set holds becomes its text, and what can change no longer can."""
    if isinstance(value, Mapping):
        named = cast("Mapping[object, object]", value)
        return FrozenMapping({_plain(name): _plain(item) for name, item in named.items()})
    return value.value if isinstance(value, Enum) else value


def _attributes(given: Any) -> tuple[str, ...]:
    several = tuple(cast("Iterable[Any]", given)) if isinstance(given, list | tuple) else (given,)
    unknown = [name for name in several if name not in list(AppAttribute)]
    if unknown or not several:
        raise ConfigurationError(f"attributes cannot be {unknown or given!r}; there are {', '.join(AppAttribute)}.")
    return tuple(AppAttribute(name).value for name in several)


def require_whole(name: str, value: Any) -> int:
    """Check a positive whole number.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be a positive whole number, not {value!r}.")
    return value


def guess(given: object, known: Iterable[str]) -> str:
    """Say what may have been meant, or else what there is."""
    names = list(known)
    near = get_close_matches(str(given), names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else f"; there are {', '.join(names)}"
