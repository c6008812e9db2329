"""What a shared budget wants of the place that keeps its state: one step after the other, and the time there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from attrs import frozen

__all__ = ["Change", "Store", "StoreGone", "Told"]

Found = TypeVar("Found")


@frozen
class Told:
    """What a store tells whoever is about to change its state.

    Attributes:
        text: the state; None where there is none.
        clock: the name of the clock that `now` was read from: instants of another one mean nothing.
        now: the present instant, or a little earlier.
        blur_s: how much earlier at most.
    """

    text: str | None
    clock: str
    now: float
    blur_s: float = 0.0


Change = Callable[[Told], tuple[str, Found]]
"""Makes the next state out of the present one, and something to take home. It may be called more than once."""


class StoreGone(Exception):  # noqa: N818  a signal between two modules
    """The store cannot be reached, or does not answer in time; whether the state was changed is unknown."""


class Store(Protocol):
    """Keeps one state, and lets any number of processes change it, one at a time."""

    async def change(self, change: Change[Found]) -> Found:
        """Apply a change to the state; give what it gave.

        Raises:
            StoreGone: the store cannot be reached.
            ConfigurationError: it can never be used as it is.
        """
        ...

    async def look(self) -> Told:
        """Read the state and the time, and change nothing.

        Raises:
            StoreGone: the store cannot be reached.
            ConfigurationError: it can never be used as it is.
        """
        ...

    async def aclose(self) -> None:
        """Let go of files and connections; the next change takes them up again."""
        ...
