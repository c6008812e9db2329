"""What happened in a client's line, kept in a file: one JSON object a line, for programs and for `apteligent explain`.

    with EventLog("events.jsonl") as log:
        client.on_event(log)

Each line is ``{"name": ..., "at": ..., "detail": {...}}``. From the log of a client whose policy is ``exclusive`` a
program can rebuild what the service counted: every ``call.start`` costs its ``cost`` once, unless the next event of
that call is ``call.withdrawn``, or a ``call.answer`` whose outcome is ``not sent``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from apteligent_async._scheduling.signals import Event
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from types import TracebackType

__all__ = ["EventLog", "read_events"]

_LONGEST_LINE = 65_536
_LARGEST = 1e12
"""Seconds; no clock gets there, and no difference of two such instants is infinite."""


class EventLog:
    """Writes events to a file, each as it happens: whatever ends the program, what happened before stays.

    Pass it to `ApteligentClient.on_event`. One log takes the events of one budget; a file that exists is replaced.
    The log holds names of endpoints, numbers, and the text of the callers' flows; no address, parameter or secret.
    Its state is the open file.

    Args:
        path: the file to write.

    Raises:
        OSError: it cannot be opened or, on an event, written; after a failed write the log is closed.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._file = self.path.open("w", buffering=1, encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Append one event; does nothing once the log is closed."""
        if self._file.closed:
            return
        detail = {name: _plain(value) for name, value in event.detail.items()}
        line = json.dumps({"name": event.name, "at": event.at, "detail": detail})
        try:
            self._file.write(line + "\n")
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; twice does no harm."""
        self._file.close()


def read_events(path: str | PathLike[str]) -> Iterator[Event]:
    """Give the events of a log, oldest first; a last line that was cut short is left out.

    Raises:
        ConfigurationError: the file is no event log; the message names the line.
        OSError: it cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        number, line = 1, file.readline(_LONGEST_LINE)
        while line:
            following = file.readline(_LONGEST_LINE)
            event = _event_in(line)
            if event is not None:
                yield event
            elif following or number == 1 or line.endswith(b"\n"):
                raise ConfigurationError(f"{path} is no event log: line {number} is not an event.")
            number, line = number + 1, following


def _event_in(line: bytes) -> Event | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"name": str(name), "at": int() | float() as at, "detail": dict()} if abs(at) < _LARGEST:
            return Event(name, float(at), cast("dict[str, Any]", found["detail"]))
        case _:
            return None


def _plain(value: Any) -> Any:
    """Make any value one that JSON has: a flow may be whatever can be hashed, a forecast may be infinite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else str(value)
