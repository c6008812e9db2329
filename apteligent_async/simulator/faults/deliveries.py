"""Faults of the way: late, slow, cut and oversized answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from apteligent_async.simulator.settings import number

if TYPE_CHECKING:
    from apteligent_async.simulator.faults.schedule import Scene
    from apteligent_async.simulator.messages import Answer

__all__ = ["NoAnswer", "Oversized", "Reset", "SlowBody", "SlowHeaders", "Truncated"]

_MEGABYTE = 1_000_000


@frozen
class SlowHeaders:
    """Take long to begin.

    Attributes:
        seconds: how long.
    """

    seconds: float = number(5.0, high=1e6)

    def strike(self, scene: Scene) -> Answer:
        """Put the status line off."""
        return _delivered(scene, head_after_s=self.seconds)


@frozen
class SlowBody:
    """Send the body drop by drop.

    Attributes:
        seconds: how long it takes.
    """

    seconds: float = number(5.0, high=1e6)

    def strike(self, scene: Scene) -> Answer:
        """Spread the body over time."""
        return _delivered(scene, body_over_s=self.seconds)


@frozen
class Reset:
    """Reset the connection in the middle of the body.

    Attributes:
        at: the part of the body, 0 to 1, after which that happens.
    """

    at: float = number(0.5, high=1.0)

    def strike(self, scene: Scene) -> Answer:
        """Let the connection end by a reset."""
        return _delivered(scene, ends_at=self.at, is_reset=True)


@frozen
class Truncated:
    """Close the connection in the middle of the body, whose length was stated in full.

    Attributes:
        at: the part of the body, 0 to 1, after which that happens.
    """

    at: float = number(0.5, high=1.0)

    def strike(self, scene: Scene) -> Answer:
        """Let the connection close early."""
        return _delivered(scene, ends_at=self.at)


@frozen
class NoAnswer:
    """Count the call and close the connection without a word."""

    def strike(self, scene: Scene) -> Answer:
        """Let the connection close before the status line."""
        return _delivered(scene, has_head=False)


@frozen
class Oversized:
    """Let the body be followed by spaces, which any JSON may.

    Attributes:
        megabytes: how many millions of them.
    """

    megabytes: float = number(100.0, high=1e6)

    def strike(self, scene: Scene) -> Answer:
        """Pad the body."""
        return _delivered(scene, padding=int(self.megabytes * _MEGABYTE))


def _delivered(scene: Scene, **changes: Any) -> Answer:
    answer = scene.answer()
    return evolve(answer, delivery=evolve(answer.delivery, **changes))
