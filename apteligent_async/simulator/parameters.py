"""The parameters of a data call: read, checked, and refused with a 400 that says which one and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import frozen

from apteligent_async.simulator.messages import Refusal
from apteligent_async.simulator.world.grouping import Dimension

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from apteligent_async.simulator.world import App, World

__all__ = ["Asked", "Parameters"]

_Choice = TypeVar("_Choice", bound="StrEnum")
_YEARS = range(1990, 2101)
_TRUE = frozenset({"true", "1", "yes"})


@frozen
class Parameters:
    """A query string as name and value pairs; unknown names are ignored, as the service does."""

    pairs: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a repeated name, in order."""
        return tuple(value for key, value in self.pairs if key == name)

    def text(self, name: str) -> str | None:
        """Return the last value of a name, or None."""
        values = self.all(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool:
        """Read a boolean in any of the spellings that clients send; absent is false."""
        return (self.text(name) or "").lower() in _TRUE

    def whole(self, name: str, *, default: int, least: int = 1, most: int = 1_000_000) -> int:
        """Read an integer within bounds."""
        text = self.text(name)
        if text is None:
            return default
        try:
            number = int(text)
        except ValueError:
            raise Refusal(400, f"{name} must be an integer") from None
        if not least <= number <= most:
            raise Refusal(400, f"{name} must be between {least} and {most}")
        return number

    def choice(self, name: str, among: type[_Choice]) -> _Choice:
        """Read a required value of a closed set."""
        text = self.text(name)
        if text is None:
            raise Refusal(400, f"{name} is required: {_listed(among)}")
        return _chosen(name, text, among)

    def choice_or(self, name: str, default: _Choice) -> _Choice:
        """Read an optional value of a closed set."""
        text = self.text(name)
        return default if text is None else _chosen(name, text, type(default))

    def choices(self, name: str, among: type[_Choice]) -> list[_Choice]:
        """Read values of a closed set that commas separate; all of the set if there is none."""
        text = self.text(name)
        return [_chosen(name, part.strip(), among) for part in text.split(",")] if text else list(among)

    def instant(self, name: str) -> datetime | None:
        """Read an ISO date or datetime; where it has no offset it is taken as UTC."""
        text = self.text(name)
        if text is None:
            return None
        if "T" in text:
            text = text.replace(" ", "+")  # an offset's plus sign that was not encoded
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise Refusal(400, f"{name} must be an ISO 8601 date or time") from None
        if at.year not in _YEARS:
            raise Refusal(400, f"{name} must lie between {_YEARS[0]} and {_YEARS[-1]}")
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

    def filters(self) -> dict[Dimension, str]:
        """Read filters in any of the three encodings that the service might take (a guess: no capture shows one).

        ``filters[appVersion]=1.0``, ``appVersion=1.0`` and ``filters={"appVersion": "1.0"}`` mean the same.
        """
        found = dict(_json_filters(self.text("filters")))
        for name, value in self.pairs:
            if name.startswith("filters[") and name.endswith("]"):
                found[_chosen("filters", name[8:-1], Dimension)] = value
            elif name in {dimension.value for dimension in Dimension}:
                found[Dimension(name)] = value
        return found


@frozen
class Asked:
    """One data call that passed the door: the world, the decoded path segments, the query."""

    world: World
    path: dict[str, str]
    query: Parameters

    def app(self) -> App:
        """Return the app that the path names."""
        return self._known(self.path["appId"])

    def apps(self) -> tuple[App, ...]:
        """Return the apps of ``appId`` or of repeated ``appIds``, each once."""
        ids = dict.fromkeys((*self.query.all("appId"), *self.query.all("appIds")))
        if not ids:
            raise Refusal(400, "appId or appIds is required")
        return tuple(self._known(app_id) for app_id in ids)

    def _known(self, app_id: str) -> App:
        if app_id not in self.world.apps:
            raise Refusal(404, "no such app")
        return self.world.apps[app_id]


def _listed(among: Iterable[StrEnum]) -> str:
    return "one of " + ", ".join(one.value for one in among)


def _chosen(name: str, text: str, among: type[_Choice]) -> _Choice:
    try:
        return among(text)
    except ValueError:
        raise Refusal(400, f"{name} must be {_listed(among)}") from None


def _json_filters(text: str | None) -> Iterable[tuple[Dimension, str]]:
    if text is None:
        return
    try:
        pairs: Any = json.loads(text)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, dict):
        raise Refusal(400, "filters must be a JSON object")
    for name, value in cast("dict[str, Any]", pairs).items():
        yield _chosen("filters", name, Dimension), str(value)
