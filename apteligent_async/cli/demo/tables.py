"""Pies as tables with bars, for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.models.monitoring import Slice

__all__ = ["bar_table"]

_MOST_ROWS = 5
_BAR_WIDTH = 24


def bar_table(title: str, slices: Sequence[Slice], *, about: str, unit: str) -> Table:
    """Draw the five largest slices, the largest first.

    Args:
        title: the question that the table answers.
        slices: in any order; one without a value is left out.
        about: whose slices they are; heads the names.
        unit: what the values count; heads them.
    """
    ranked = sorted(
        ((part.value, part) for part in slices if part.value is not None), key=lambda pair: pair[0], reverse=True
    )
    digits = 2 if any(value % 1 for value, _ in ranked) else 0
    table = Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD)
    table.add_column(_inert(about), no_wrap=True, overflow="ellipsis")
    table.add_column(max_width=_BAR_WIDTH)
    table.add_column(_inert(unit), justify="right", no_wrap=True)
    for value, part in ranked[:_MOST_ROWS]:
        bar = ProgressBar(total=ranked[0][0] or 1, completed=value, complete_style="cyan", finished_style="cyan")
        table.add_row(_inert(part.label or part.name), bar, f"{value:,.{digits}f}")
    return table


def _inert(text: str) -> Text:
    """Make text of the service's harmless: no control characters, no markup."""
    return Text(printable(text))
