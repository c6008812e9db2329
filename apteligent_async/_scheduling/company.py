"""Who else seems to spend the budget: how many, and how much of a window they take. It knows no clock and no numbers.

It is told what our own calls do not explain; whoever talks to others has no need of it.
"""

from __future__ import annotations

from attrs import define, field

__all__ = ["Company"]

MOST_PEERS = 32
"""The most clients of one budget that are told apart."""


@define
class Company:
    """A guess, so that those who do not talk leave room for each other.

    Attributes:
        peers: how many seem to share the budget, ourselves included.
        foreign: tokens that others take of a window, of late.
    """

    peers: int = 1
    foreign: float = 0.0
    _crowd: int = field(default=1, alias="crowd")

    def sense(self, *, used: float, own: int) -> None:
        """Guess how many there are from one answer: so much of a window is used, and our own calls are a part of it."""
        self.peers = max(self.peers, min(round(used / max(own, 1)), MOST_PEERS), 2)

    def collide(self) -> None:
        """Take others for many more than they seemed: a call that was proven was refused."""
        self.peers = self._crowd = min(4 * self.peers, MOST_PEERS)

    def close_window(self, *, size: float, own: int, left: float, are_seen: bool) -> None:
        """Guess how many share the budget evenly, from our part of a window that is over.

        Args:
            size: tokens of a whole window.
            own: what our calls cost of it.
            left: what remained.
            are_seen: whether others were seen to spend of late; if not, only collisions speak for them.
        """
        self._crowd = max(self._crowd - 1, 1)
        taken = max(size - own - left, 0.0) if are_seen else 0.0
        self.foreign += (taken - self.foreign) / 2
        if not are_seen:
            self.peers = self._crowd
        elif own:
            self.peers = min(max(round(size / own), 2, self._crowd), MOST_PEERS)
