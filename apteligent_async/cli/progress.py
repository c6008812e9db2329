"""How far a pull is: a display that moves in a terminal, and a line now and then anywhere else."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

__all__ = ["Display", "Standing", "showing"]

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


@frozen(kw_only=True)
class Display:
    """Something that shows a standing, and how often it wants one, in seconds."""

    every_s: float
    show: Callable[[Standing], None]


@contextmanager
def showing(console: Console) -> Iterator[Display]:
    """Give a display that suits the console; a live one leaves its last state on the screen."""
    if not (console.is_interactive and console.file.isatty()):
        yield Display(every_s=_LINE_EVERY_S, show=lambda standing: console.print(_line(standing), soft_wrap=True))
        return
    with Live(console=console, auto_refresh=False) as live:
        yield Display(every_s=_LIVE_EVERY_S, show=lambda standing: live.update(_panel(standing), refresh=True))


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
