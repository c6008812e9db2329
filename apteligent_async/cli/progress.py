"""How far a command is, and what it waits for: a display that moves in a terminal, now and then a line elsewhere."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, frozen
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console, RenderableType

    from apteligent_async.cli.waiting import Waiting

__all__ = ["SILENT", "Display", "Standing", "showing"]

_LIVE_EVERY_S = 0.2
_LINE_EVERY_S = 5.0


@frozen(kw_only=True)
class Standing:
    """How far a pull is at one instant.

    Attributes:
        done: answers so far.
        failed: calls given up.
        total: calls in all.
        left: calls that the budget surely still allows now.
        reset_s: seconds to the budget's reset, or None just after one, before the next answer.
        eta_s: seconds until the last call starts, by what is known of the budget.
    """

    done: int
    failed: int
    total: int
    left: int
    reset_s: float | None
    eta_s: float

    @property
    def facts(self) -> str:
        """Everything but the bar, in a line of at most 60 characters."""
        reset = "reset now" if self.reset_s is None else f"reset in {math.ceil(self.reset_s)} s"
        return f"{self.failed} failed, budget left {self.left}, {reset}, ETA {self._eta}"

    @property
    def _eta(self) -> str:
        is_over = self.done + self.failed == self.total
        minutes, seconds = divmod(0 if is_over else max(1, math.ceil(self.eta_s)), 60)
        return f"{minutes}:{seconds:02}"


def _say_nothing(_: object) -> None:
    pass


@frozen(kw_only=True)
class Display:
    """Something that shows a standing, and how often it wants one, in seconds; it is told of each wait and its end."""

    every_s: float
    show: Callable[[Standing], None]
    tell: Callable[[Waiting | None], None] = _say_nothing


SILENT = Display(every_s=3600.0, show=_say_nothing)
"""Shows nothing."""


@contextmanager
def showing(console: Console) -> Generator[Display]:
    """Give a display that suits the console; a live one leaves its last state on the screen."""
    if not (console.is_interactive and console.file.isatty()):
        lines = _Lines(console)
        yield Display(every_s=_LINE_EVERY_S, show=lines.show, tell=lines.tell)
        return
    panel = _Panel(Live(console=console, auto_refresh=False))
    try:
        yield Display(every_s=_LIVE_EVERY_S, show=panel.show, tell=panel.tell)
    finally:
        panel.close()


@frozen
class _Lines:
    """Lines for a pipe; a single call gets none but for its waits."""

    _console: Console

    def show(self, standing: Standing) -> None:
        if standing.total > 1:
            self._console.print(_line(standing), soft_wrap=True)

    def tell(self, waiting: Waiting | None) -> None:
        if waiting is not None:
            self._console.print(waiting.sentence, soft_wrap=True)


@define
class _Panel:
    """A live display; it appears with the first thing to show. The state is what it shows."""

    _live: Live
    _standing: Standing | None = None
    _waiting: Waiting | None = None

    def show(self, standing: Standing) -> None:
        self._standing = standing if standing.total > 1 else None
        self._refresh()

    def tell(self, waiting: Waiting | None) -> None:
        self._waiting = waiting
        self._refresh()

    def close(self) -> None:
        self._waiting = None
        self._live.transient = self._standing is None
        if self._live.is_started:
            self._refresh()
            self._live.stop()

    def _refresh(self) -> None:
        if self._standing is None and self._waiting is None and not self._live.is_started:
            return
        self._live.start()
        parts = [] if self._standing is None else [_panel(self._standing)]
        if self._waiting is not None:
            parts.append(Text(self._waiting.sentence, style="yellow", no_wrap=True, overflow="ellipsis"))
        self._live.update(Group(*parts), refresh=True)


def _line(standing: Standing) -> str:
    return f"{standing.done} of {standing.total} done, {standing.facts}"


def _panel(standing: Standing) -> RenderableType:
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(no_wrap=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    count = f"{standing.done} of {standing.total} done"
    bar.add_row("Pulling", ProgressBar(total=standing.total, completed=standing.done + standing.failed), count)
    return Group(bar, Text(standing.facts, style="dim", no_wrap=True, overflow="ellipsis"))
