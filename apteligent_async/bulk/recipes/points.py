"""One number at one instant, and what it is called where numbers over time are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from attrs import frozen

__all__ = ["AppLabel", "Point", "instant_of", "path_part"]

_TO_UNDERSCORE = frozenset(" ,/:;")


@frozen(kw_only=True)
class AppLabel:
    """What is to be known of an app to tell of it.

    Attributes:
        name: its name, with its id where another app has the same one.
        offset_hours: hours from GMT at which its days begin; None if nobody said.
    """

    name: str
    offset_hours: float | None = None


@frozen(kw_only=True)
class Point:
    """One number at one instant.

    Attributes:
        app: the app's name, unlike that of any other app.
        section: the recipe that told of it.
        metric: what was measured, in the service's word.
        grouping: what `key` is; None where there is one value for the app.
        key: the group.
        at: the instant, in whole seconds since 1970.
        value: the number, finite.
        total_of: for a count that only grows, the question that it answers, app included: what is kept is how much it
            has grown. None for any other number.
    """

    app: str
    section: str
    metric: str
    grouping: str | None = None
    key: str | None = None
    at: int
    value: float
    total_of: str | None = None

    @property
    def path(self) -> str:
        """Its name below the root: ``app.section.metric``, or ``app.section.grouping.key.metric``."""
        group = () if self.grouping is None else (self.grouping, self.key or "none")
        return ".".join(path_part(part) for part in (self.app, self.section, *group, self.metric))


def path_part(text: str) -> str:
    """Write a name as a part of a path: no dot, blank or other punctuation is left, and never nothing.

    A dot becomes a dash; space, comma, slash, colon and semicolon an underscore; other punctuation is dropped, and so
    is whatever cannot be printed, line ends among them.
    """
    return "".join(map(_written, text)) or "_"


def _written(mark: str) -> str:
    if mark == ".":
        return "-"
    if mark in _TO_UNDERSCORE:
        return "_"
    return mark if mark in "-_" or mark.isalnum() else ""


def instant_of(text: str, offset_hours: float | None) -> int | None:
    """Turn a day or an instant of a row into seconds since 1970; None where it is neither.

    What has no offset of its own is on the app's clock, or in UTC where nobody knows that.
    """
    try:
        told = datetime.fromisoformat(text) if "T" in text else datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC) - timedelta(hours=offset_hours or 0)
    return int(told.timestamp())
