"""Who waits for the budget: the calls of this process that are in line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async import Event

__all__ = ["Line", "WaitingCalls"]

_JOINING = frozenset({"call.queued", "call.again"})
_LEAVING = frozenset(
    {"call.start", "call.done", "call.withdrawn", "call.abandoned", "call.given_up", "call.shed", "call.rejected"}
)


@frozen(kw_only=True)
class WaitingCalls:
    """Calls of one kind that wait.

    Attributes:
        label: the endpoint.
        lane: ``interactive``, ``bulk``, ``token`` or ``free``.
        count: how many they are.
        longest_s: seconds for which the first of them has waited.
    """

    label: str
    lane: str
    count: int
    longest_s: float


@frozen
class _Place:
    label: str
    lane: str
    since: float


@define(eq=False)
class Line:
    """Follows a client's events; the state is the calls in line and the lanes of those under way."""

    _waiting: dict[int, _Place] = field(factory=dict, init=False)
    _started: dict[int, _Place] = field(factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        call = event.detail.get("call")
        if not isinstance(call, int):
            return
        if event.name in _JOINING:
            known = self._started.pop(call, None)
            lane = event.detail.get("lane") or (known.lane if known else "interactive")
            self._waiting[call] = _Place(str(event.detail["label"]), str(lane), event.at)
        elif event.name in _LEAVING:
            place = self._waiting.pop(call, None)
            if event.name == "call.start" and place is not None:
                self._started[call] = place
            elif event.name != "call.start":
                self._started.pop(call, None)

    def waiting(self, *, now: float) -> Sequence[WaitingCalls]:
        """Count who waits, by lane and endpoint, those who have waited longest first."""
        groups: dict[tuple[str, str], list[float]] = {}
        for place in self._waiting.values():
            groups.setdefault((place.label, place.lane), []).append(now - place.since)
        counted = [
            WaitingCalls(label=label, lane=lane, count=len(waits), longest_s=max(*waits, 0.0))
            for (label, lane), waits in groups.items()
        ]
        return sorted(counted, key=lambda each: each.longest_s, reverse=True)
