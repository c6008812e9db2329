"""Who shares a rate budget, as a table and as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._budgets.census import Census, Resident

__all__ = ["fleet_figures", "members_table", "queue_text"]


def queue_text(queued: Mapping[str, int]) -> str:
    """Say what waits, by lane."""
    waiting = [f"{count} {lane}" for lane, count in queued.items() if count]
    return f"waiting: {', '.join(waiting)}" if waiting else "nobody waits"


def members_table(census: Census) -> Table:
    """Draw one row for each member."""
    table = Table(box=SIMPLE_HEAD)
    for name in ["member", "host", "pid"]:
        table.add_column(name)
    for name in ["leased", "waiting", "given", "seen"]:
        table.add_column(name, justify="right")
    table.add_column("standing")
    for each in census.residents:
        cells = _row(each)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _row(member: Resident) -> list[str]:
    host = "this one" if member.is_here else member.host[:8]
    amounts = [member.held, sum(member.wanted.values()), member.given]
    seen = f"{member.seen_s:.0f} s ago"
    return [member.name, host, str(member.pid), *map(str, amounts), seen, _standing(member)]


def _standing(member: Resident) -> str:
    if member.standing != "present":
        return member.standing
    return "present" if member.asks_s is None else f"asks in {member.asks_s:.1f} s"


def fleet_figures(census: Census) -> dict[str, Any]:
    """Give the same for a program: tokens by member and by lane, seconds."""
    return {"leased": census.held, "queued": census.queued, "members": [asdict(each) for each in census.residents]}
