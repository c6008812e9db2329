"""The situations that every client is put into, and the figures that are taken of each.

This file may import neither the package nor a rival: it is read in both environments.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from attrs import frozen

from benchmarks.bounds import Trip, makespan_bound, windows
from benchmarks.meters import FixedWindow, Gcra, LazyWindow, SlidingLog
from benchmarks.surroundings import Foreign, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.meters import Meter

__all__ = ["QUICK", "SCENARIOS", "START_AT", "Row", "Scenario", "jain", "row"]

START_AT: Final = 1000.0
"""The instant at which every scenario begins."""


@frozen(kw_only=True)
class Scenario:
    """One situation: a server, a link, and how many calls are wanted.

    Attributes:
        n: calls in all, over all processes.
        meter: makes the server's meter, in the state in which the scenario begins.
        processes: how many clients share the budget without knowing of each other.
        foreign_share: the part of the budget that a stranger asks for, evenly spread at random.
    """

    name: str
    n: int
    budget: int
    window_s: float
    meter: Callable[[], Meter]
    link: Link
    processes: int = 1
    foreign_share: float = 0.0

    @property
    def foreign(self) -> Foreign | None:
        """The stranger, if there is one."""
        if not self.foreign_share:
            return None
        return Foreign(every_s=self.window_s / (self.budget * self.foreign_share))

    def bound_s(self) -> float:
        """Return the clairvoyant bound; where there is a stranger, all that he asks for is left to him."""
        trip = Trip(self.link.up_s, self.link.down_s)
        if not self.foreign_share:
            return makespan_bound(self.meter(), now=START_AT, n=self.n, trip=trip)
        own = self.budget - round(self.budget * self.foreign_share)
        return windows(n=self.n, budget=own, window_s=self.window_s, left=own, ends_in_s=self.window_s, trip=trip)


def _fixed(
    name: str, n: int, *, budget: int, window_s: float, began_s_ago: float, used: int, trip_s: float
) -> Scenario:
    def meter() -> Meter:
        return FixedWindow(budget=budget, window_s=window_s, began_at=START_AT - began_s_ago, used=used)

    link = Link(up_s=trip_s / 2, down_s=trip_s / 2)
    return Scenario(name=name, n=n, budget=budget, window_s=window_s, meter=meter, link=link)


def _shared(processes: int) -> Scenario:
    return Scenario(
        name=f"{processes} processes",
        n=240,
        budget=60,
        window_s=60.0,
        meter=lambda: FixedWindow(budget=60, window_s=60.0, began_at=START_AT),
        link=Link(up_s=0.1, down_s=0.1, jitter_s=0.05),
        processes=processes,
    )


_NEAR: Final = Link(up_s=0.1, down_s=0.1)

SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="idle",
            n=100,
            budget=20,
            window_s=60.0,
            meter=lambda: LazyWindow(budget=20, window_s=60.0),
            link=_NEAR,
        ),
        _fixed("used", 100, budget=20, window_s=60.0, began_s_ago=25.0, used=12, trip_s=0.2),
        _fixed("fits", 15, budget=20, window_s=60.0, began_s_ago=25.0, used=0, trip_s=0.2),
        _fixed("fast", 2000, budget=600, window_s=60.0, began_s_ago=0.0, used=0, trip_s=0.5),
        Scenario(
            name="jitter",
            n=200,
            budget=60,
            window_s=60.0,
            meter=lambda: FixedWindow(budget=60, window_s=60.0, began_at=START_AT - 12.3),
            link=Link(up_s=0.1, down_s=0.1, jitter_s=1.5),
        ),
        _fixed("long", 250, budget=100, window_s=300.0, began_s_ago=100.0, used=0, trip_s=0.2),
        Scenario(
            name="sliding log",
            n=100,
            budget=20,
            window_s=60.0,
            meter=lambda: SlidingLog(budget=20, window_s=60.0),
            link=_NEAR,
        ),
        Scenario(
            name="gcra",
            n=100,
            budget=20,
            window_s=60.0,
            meter=lambda: Gcra(budget=20, window_s=60.0, burst=5),
            link=_NEAR,
        ),
        *(_shared(processes) for processes in (2, 4, 8)),
        Scenario(
            name="stranger",
            n=200,
            budget=60,
            window_s=60.0,
            meter=lambda: FixedWindow(budget=60, window_s=60.0, began_at=START_AT),
            link=_NEAR,
            foreign_share=0.3,
        ),
    )
}
"""By name: the six columns of the published comparison, two servers without windows, crowds, and a stranger."""

QUICK: Final = ("used", "fits", "2 processes")
"""The scenarios of the short form."""


@frozen(kw_only=True)
class Row:
    """One line of the table; times in seconds.

    Attributes:
        makespan: from the start to the last answer; None where the client never finished.
        ratio: makespan over the bound.
        rate_limited: answers of 429 to calls of the client's own.
        mean_wait: from the start to a call's answer, on average.
        jain: fairness between processes when the first of them is done; 1 is perfect.
        foreign_success: the part of a stranger's calls that was allowed; None without a stranger.
        note: why there are no figures, or nothing.
    """

    client: str
    mode: str
    scenario: str
    bound: float
    makespan: float | None = None
    ratio: float | None = None
    rate_limited: int | None = None
    mean_wait: float | None = None
    jain: float | None = None
    foreign_success: float | None = None
    note: str = ""


def jain(served_at: Sequence[Sequence[float]]) -> float:
    """Return Jain's fairness index of the calls served to each process until the first of them is done."""
    until = min(max(instants) for instants in served_at)
    counts = [bisect_right(sorted(instants), until) for instants in served_at]
    return sum(counts) ** 2 / (len(counts) * sum(count**2 for count in counts))


def row(
    client: str,
    mode: str,
    scenario: Scenario,
    *,
    served_at: Sequence[Sequence[float]],
    refused: int,
    visits: Sequence[bool],
) -> Row:
    """Take the figures of a finished run.

    Args:
        client: who was measured.
        mode: which of its manners.
        scenario: what it was put into.
        served_at: for each process, the instants of its answers.
        refused: answers of 429.
        visits: for each call of a stranger, whether it was allowed.

    """
    bound_s, instants = scenario.bound_s(), [at - START_AT for process in served_at for at in process]
    return Row(
        client=client,
        mode=mode,
        scenario=scenario.name,
        bound=round(bound_s, 2),
        makespan=round(max(instants), 2),
        ratio=round(max(instants) / bound_s, 4),
        rate_limited=refused,
        mean_wait=round(sum(instants) / len(instants), 2),
        jain=round(jain(served_at), 4),
        foreign_success=round(sum(visits) / len(visits), 3) if visits else None,
    )
