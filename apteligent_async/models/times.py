"""The service's times as Python's: an offset is kept where the service gives one, and never invented."""

from __future__ import annotations

from datetime import UTC, date, datetime

__all__ = ["parse_date", "parse_time", "span"]


def parse_time(sent: str | float | None) -> datetime | None:
    """Read a time: ISO text, aware if it has an offset and naive if not, or milliseconds since 1970, which are UTC.

    None if it is no time at all.
    """
    if sent is None:
        return None
    try:
        return datetime.fromisoformat(sent) if isinstance(sent, str) else datetime.fromtimestamp(sent / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def parse_date(text: str | None) -> date | None:
    """Read ``YYYY-MM-DD`` or ``YYYYMMDD``; None if the text is neither."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def span(start: datetime | None, end: datetime | None) -> str:
    """Describe a window for a repr: days alone where both ends are midnight."""
    if start is None or end is None:
        return "window unknown"
    at_midnight = not any((start.hour, start.minute, start.second, end.hour, end.minute, end.second))
    step = "%Y-%m-%d" if at_midnight else "%Y-%m-%d %H:%M"
    return f"{start:{step}} to {end:{step}}"
