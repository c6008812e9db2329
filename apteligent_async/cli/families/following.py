"""``apteligent live --follow``: each new window of the live statistics as a line, until interrupted."""

from __future__ import annotations

import itertools
import json
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from attrs import define, field, frozen

from apteligent_async.errors import ApteligentError
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from apteligent_async.client import ApteligentClient
    from apteligent_async.models.apps import App
    from apteligent_async.models.live import LiveBucket, LiveStats

__all__ = ["Following", "LiveLine", "json_line", "text_line"]


@frozen(kw_only=True)
class LiveLine:
    """One window of one app; `at` is where it begins."""

    app: App
    at: datetime
    app_loads: float
    crashes: float


@define(eq=False, kw_only=True)
class Following:
    """Asks for live statistics again and again. Its state is the last window of each app that was told.

    Attributes:
        client: an open client; its deadline bounds each call.
        apps: whom to follow.
        every_s: seconds from the beginning of one round to that of the next; a round that takes longer is followed at
            once.
        tell: is given each window once, in order.
    """

    client: ApteligentClient
    apps: Sequence[App]
    every_s: float
    tell: Callable[[LiveLine], None]
    _told: dict[str, datetime] = field(factory=dict, init=False)

    async def run(self, rounds: int | None = None) -> int:
        """Follow for so many rounds, or until cancelled; tell how many calls failed."""
        failed, next_at = 0, anyio.current_time()
        for _ in itertools.count() if rounds is None else range(rounds):
            await anyio.sleep_until(next_at)
            next_at = anyio.current_time() + self.every_s
            failed += await self._ask_all()
        return failed

    async def _ask_all(self) -> int:
        answers: list[LiveStats | None] = [None] * len(self.apps)
        async with anyio.create_task_group() as calls:
            for place, app in enumerate(self.apps):
                calls.start_soon(partial(self._ask, place, app, answers))
        lines = [line for app, found in zip(self.apps, answers, strict=True) if found for line in self._new(app, found)]
        for line in sorted(lines, key=lambda line: line.at):
            self.tell(line)
        return sum(found is None for found in answers)

    async def _ask(self, place: int, app: App, answers: list[LiveStats | None]) -> None:
        try:
            answers[place] = await self.client.live_stats.get(app.id)
        except ApteligentError as error:
            print(f"apteligent: {printable(app.name)}: {printable(error.message)}", file=sys.stderr, flush=True)

    def _new(self, app: App, found: LiveStats) -> Iterator[LiveLine]:
        """Give the windows that were not told yet."""
        for window in found.periodic_data:
            at = _start(window)
            if at is not None and at > self._told.get(app.id, _LONG_AGO):
                self._told[app.id] = at
                yield LiveLine(app=app, at=at, app_loads=window.app_loads or 0, crashes=window.crashes or 0)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _start(window: LiveBucket) -> datetime | None:
    start = window.start
    return start.replace(tzinfo=UTC) if start is not None and start.tzinfo is None else start


def text_line(line: LiveLine) -> str:
    """Write a window for people, a bar for its crashes."""
    bar = "#" * min(int(line.crashes), 40)
    return (
        f"{line.at:%H:%M:%S}  {printable(line.app.name):24} {line.app_loads:8g} loads {line.crashes:6g} crashes {bar}"
    )


def json_line(line: LiveLine) -> str:
    """Write a window for programs."""
    told: dict[str, Any] = {"app_id": line.app.id, "app": line.app.name, "start": line.at.isoformat()}
    return json.dumps({**told, "app_loads": line.app_loads, "crashes": line.crashes})
