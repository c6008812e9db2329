"""Whole runs in a heap of events: schedulers against a window of the proof kit's zoo."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.meters import FixedWindow
from benchmarks.player import Player
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from benchmarks.meters import Meter

__all__ = ["fixed", "player"]


def fixed(budget: int, window_s: float = 60.0, *, used: int = 0, dialect: Dialect | None = None) -> Server:
    """Return a fixed window that has just begun, at instant zero."""
    meter: Meter = FixedWindow(budget=budget, window_s=window_s, used=used)
    return Server(meter=meter, dialect=dialect or Dialect(), dice=Random("server"))


def player(server: Server, *, seed: str = "link", link: Link | None = None, **settings: Any) -> Player:
    """Return a player that is stuck rather than patient."""
    limits = {"horizon_at": 1e6, "most_events": 500_000, **settings}
    return Player(server=server, link=link or Link(), dice=Random(seed), **limits)
