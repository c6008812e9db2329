"""What is to be pulled, from Python or from TOML.

A plan says which apps and which kinds of data; it holds no secret and no state, and the same plan means the same units
wherever it is expanded. As TOML:

    apps = ["Shop*", "519d53101386202089000007"]
    except_apps = ["*beta*"]
    settle_days = 2

    [[want]]
    what = "error_monitoring.graph"
    graph = ["crashes", "dau"]
    days = 30

    [[want]]
    what = "error_monitoring.pie"
    graph = "crashes"
    group_by = ["os", "device"]
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from attrs import field, fields, frozen

from apteligent_async.bulk.wanted import Wanted, guess
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.days import DayLabels
from apteligent_async.models.frozen import EMPTY, FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Plan"]


def _all(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    return tuple(wanted)


def _patterns(given: str | Sequence[str]) -> tuple[str, ...]:
    several: object = (given,) if isinstance(given, str) else given
    if isinstance(several, list | tuple):
        patterns = tuple(cast("Iterable[Any]", several))
        if all(isinstance(each, str) and each for each in patterns):
            return patterns
    raise ConfigurationError(f"apps and except_apps list names, ids or globs such as 'Shop*', not {given!r}.")


def _check_kinds(plan: Any) -> None:
    """Refuse values of a wrong kind: a file, or a caller whose types nobody checks, may give any."""
    if not plan.want or not all(isinstance(each, Wanted) for each in plan.want):
        raise ConfigurationError("want must list at least one kind of data, each a Wanted.")
    if isinstance(plan.settle_days, bool) or not isinstance(plan.settle_days, int) or plan.settle_days < 0:
        raise ConfigurationError(f"settle_days must be a number of days, 0 or more, not {plan.settle_days!r}.")
    if plan.since is not None and (not isinstance(plan.since, date) or isinstance(plan.since, datetime)):
        raise ConfigurationError(f"since must be a day such as 2016-12-01, without quotes, not {plan.since!r}.")
    for name in ("personal_data", "complete_days", "local_days"):
        if not isinstance(getattr(plan, name), bool):
            raise ConfigurationError(f"{name} must be true or false, not {getattr(plan, name)!r}.")


def _hours(given: Mapping[str, float]) -> FrozenMapping[float]:
    return FrozenMapping(given)


def _labels(given: DayLabels | str) -> DayLabels:
    try:
        return DayLabels(given)
    except ValueError:
        raise ConfigurationError(f"day_labels cannot be {given!r}; there are {', '.join(DayLabels)}.") from None


@frozen(kw_only=True)
class Plan:
    """What is to be pulled.

    Attributes:
        want: the kinds of data, in the order in which the output holds them.
        apps: which apps: names, ids, or globs of names (case does not matter); all by default.
        except_apps: which of them not, likewise.
        settle_days: how many days after its end a day's data may still change, so that it is pulled again.
        since: the first day ever wanted; with it, days that were missed are made up for, or reported as gaps. Without,
            each kind's own ``days`` say how far back to go.
        day_labels: which day a point of a graph is; see `DayLabels` (a guess, grade C or D).
        offset_hours: hours from GMT at which apps' days begin, by the same patterns as `apps`; the first that fits
            counts. Unknown where none does: then the newest day is one that has begun everywhere.
        personal_data: whether kinds that hold personal data may be wanted: affected users, breadcrumbs, traces.
        complete_days: whether kinds that tell of past days are asked for days alone that are over.
        local_days: whether the hour at which each app's days begin must be known, even where that costs a call per app,
            once.

    Raises:
        ConfigurationError: something cannot work; the message names the key.
    """

    want: tuple[Wanted, ...] = field(converter=_all)
    apps: tuple[str, ...] = field(default=("*",), converter=_patterns)
    except_apps: tuple[str, ...] = field(default=(), converter=_patterns)
    settle_days: int = 2
    since: date | None = None
    day_labels: DayLabels = field(default=DayLabels.END, converter=_labels)
    offset_hours: FrozenMapping[float] = field(default=EMPTY, converter=_hours)
    personal_data: bool = False
    complete_days: bool = False
    local_days: bool = False

    def __attrs_post_init__(self) -> None:
        _check_kinds(self)
        for pattern, hours in self.offset_hours.items():
            _check_offset(pattern, hours)
        for each in self.want:
            if each.family.is_personal and not self.personal_data:
                raise ConfigurationError(
                    f"{each.what} is personal data. If it is meant to be pulled, say personal_data = true in the plan."
                )

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan from a TOML file.

        Raises:
            ConfigurationError: it cannot be read, or cannot work; the message names the file, the key and the remedy.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"The plan {path} cannot be read: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"The plan {path} cannot be read: {error}.") from error
        return cls.from_toml(text, source=str(path))

    @classmethod
    def from_toml(cls, text: str, *, source: str = "the plan") -> Plan:
        """Read a plan from the text of a TOML file.

        Args:
            text: the file's text.
            source: what errors call it.

        Raises:
            ConfigurationError: it is no TOML, or cannot work; the message names the key or the line, and the remedy.
        """
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{source} is not TOML: {error}.") from None
        try:
            return cls.from_table(table)
        except ConfigurationError as error:
            raise ConfigurationError(f"{source}: {error.message}") from None

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Plan:
        """Read a plan from what a TOML parser gives.

        Raises:
            ConfigurationError: it cannot work; the message names the key, and the remedy.
        """
        known = [attribute.name for attribute in fields(cls)]
        for key in table:
            if key not in known:
                raise ConfigurationError(f"there is no key {key!r}{guess(key, known)}.")
        wanted = _tables(table.get("want"))
        if not isinstance(table.get("offset_hours", {}), dict):
            raise ConfigurationError("offset_hours must be a table, such as { 'Shop*' = -7 }.")
        given: dict[str, Any] = {**table, "want": [_wanted(number, each) for number, each in enumerate(wanted, 1)]}
        return cls(**given)


def _tables(given: Any) -> list[dict[str, Any]]:
    tables = cast("list[object]", given) if isinstance(given, list) else []
    if not tables or not all(isinstance(each, dict) for each in tables):
        raise ConfigurationError("nothing is wanted: add a table [[want]] with what = 'error_monitoring.graph'.")
    return cast("list[dict[str, Any]]", tables)


def _wanted(number: int, table: Mapping[str, Any]) -> Wanted:
    """Read one ``[[want]]``; an error says which it is."""
    place = f"[[want]] number {number}"
    if "what" not in table:
        _refuse(place, "the key what is missing: it says which kind of data is wanted")
    for key, kind, words in (("among", dict, "a table"), ("app_version", (str, list), "a text or a list of texts")):
        if key in table and not isinstance(table[key], kind):
            _refuse(place, f"{key} must be {words}, not {table[key]!r}")
    try:
        return Wanted(**table)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place} ({table['what']}): {error.message}") from None


def _refuse(place: str, why: str) -> NoReturn:
    raise ConfigurationError(f"{place}: {why}.")


def _check_offset(pattern: str, hours: object) -> None:
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not -12 <= hours <= 14:
        raise ConfigurationError(f"offset_hours[{pattern!r}] must be hours from -12 to 14, not {hours!r}.")
