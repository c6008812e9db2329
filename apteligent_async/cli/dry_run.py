"""What ``apteligent pull --dry-run`` says: the units, the calls, the time, and what saves how much on which grounds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from rich.console import Console

    from apteligent_async.bulk.planner import DryRun
    from apteligent_async.bulk.preview import Preview

__all__ = ["figures_of", "print_preview"]


def print_preview(console: Console, found: Preview) -> None:
    """Print what a pull would do, to people."""
    cost = found.cost
    console.print(_units(found))
    console.print(f"{cost.units} units to be had, {found.had} are there already.", soft_wrap=True)
    more = " at least" if cost.is_lower_bound else ""
    console.print(f"{cost.calls_after} calls{more}; one by one they would be {cost.calls_before}.", soft_wrap=True)
    if cost.seconds is not None:
        console.print(f"At the present budget the last one starts in {_duration(cost)}.", soft_wrap=True)
    console.print(_savings(cost))


def figures_of(found: Preview) -> dict[str, Any]:
    """Give the same as plain JSON."""
    cost = found.cost
    savings = [
        {
            "name": use.saving.name,
            "grade": use.saving.grade,
            "fact": use.saving.fact,
            "is_used": use.is_used,
            "calls_saved": use.calls_saved,
        }
        for use in cost.savings
    ]
    return {
        "units": cost.units,
        "had": found.had,
        "calls_before": cost.calls_before,
        "calls": cost.calls_after,
        "is_lower_bound": cost.is_lower_bound,
        "seconds": None if cost.seconds is None else round(cost.seconds, 3),
        "savings": savings,
    }


def _units(found: Preview) -> Table:
    """Count the units by their question, in plan order."""
    counted = Counter(unit.question.query for unit in found.units)
    apps: dict[str, set[str]] = {}
    for unit in found.units:
        apps.setdefault(unit.question.query, set()).add(unit.app)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("question", overflow="fold")
    table.add_column("apps", justify="right")
    table.add_column("units", justify="right")
    for query, count in counted.items():
        table.add_row(printable(query), str(len(apps[query])), str(count))
    return table


def _savings(cost: DryRun) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("saving", "grade", "used", "calls saved", "because"):
        table.add_column(name, overflow="fold")
    for use in cost.savings:
        used = "yes" if use.is_used else "no"
        table.add_row(use.saving.name, use.saving.grade, used, str(use.calls_saved), use.saving.fact)
    return table


def _duration(cost: DryRun) -> str:
    return str(timedelta(seconds=round(cost.seconds or 0.0)))
