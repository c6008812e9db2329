"""Who is next: lanes by urgency, flows by fair share, calls of one flow in order.

Lanes are strict, with one exception against starvation: a lane whose head has waited for `age_s` goes first once
`MOST_PASSES` calls of more urgent lanes have been started before it. Flows share a lane by start-time fair queueing
(Goyal et al. 1996): a call's tag is the virtual time at which its flow could start it, and the smallest tag goes first.
Withdrawn jobs stay in the heaps until they surface, so that every operation is logarithmic.
"""

from __future__ import annotations

import heapq
from operator import attrgetter
from typing import TYPE_CHECKING

from attrs import define, field

from apteligent_async._scheduling.signals import Job, Lane, Stage

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MOST_PASSES", "Queue"]

MOST_PASSES = 9
"""Calls of more urgent lanes that may start, one after the other, before an aged call of a lower one."""

_Entry = tuple[float, int, Job]


@define
class _Flow:
    next_tag: float = 0.0
    waiting: int = 0


@define
class _LaneQueue:
    """One lane: a heap of (tag, ticket, job), and the flows that wait in it.

    The second heap, youngest first, exists only where calls are shed.
    """

    heap: list[_Entry] = field(factory=list)
    youngest_first: list[_Entry] | None = None
    waiting: int = 0
    wanted: int = 0
    passes: int = 0
    virtual: float = 0.0
    flows: dict[Hashable, _Flow] = field(factory=dict)

    def tag(self, job: Job) -> None:
        flow = self.flows.get(job.flow)
        job.tag = self.virtual if flow is None else max(self.virtual, flow.next_tag)

    def push(self, job: Job) -> None:
        flow = self.flows.setdefault(job.flow, _Flow())
        flow.next_tag = max(flow.next_tag, job.tag + job.cost)
        flow.waiting += 1
        self.waiting += 1
        self.wanted += job.cost
        heapq.heappush(self.heap, (job.tag, job.ticket, job))
        if self.youngest_first is not None:
            heapq.heappush(self.youngest_first, (-job.ticket, 0, job))

    def head(self) -> Job | None:
        return _first_waiting(self.heap)

    def pop(self, job: Job) -> None:
        heapq.heappop(self.heap)
        self.virtual = max(self.virtual, job.tag)
        self.drop(job)

    def drop(self, job: Job) -> None:
        self.waiting -= 1
        self.wanted -= job.cost
        flow = self.flows[job.flow]
        flow.waiting -= 1
        if not flow.waiting:
            del self.flows[job.flow]
        if not self.waiting:
            self.heap.clear()
            self.youngest_first = None
        elif len(self.heap) > 64 and len(self.heap) > 2 * self.waiting:
            self.heap = [entry for entry in self.heap if entry[2].stage is Stage.WAITING]
            heapq.heapify(self.heap)
            self.youngest_first = None

    def youngest(self) -> Job | None:
        if self.youngest_first is None:
            self.youngest_first = [(-ticket, 0, job) for _, ticket, job in self.heap]
            heapq.heapify(self.youngest_first)
        return _first_waiting(self.youngest_first)


_waiting_in = attrgetter("waiting")


def _first_waiting(heap: list[_Entry]) -> Job | None:
    while heap:
        job = heap[0][2]
        if job.stage is Stage.WAITING:
            return job
        heapq.heappop(heap)
    return None


@define
class Queue:
    """Every job that waits, in lanes, and those whose time has not come, by their instant."""

    _lanes: tuple[_LaneQueue, ...] = field(factory=lambda: tuple(_LaneQueue() for _ in Lane), alias="lanes")
    _delayed: list[_Entry] = field(factory=list, alias="delayed")
    _tickets: int = field(default=0, alias="tickets")

    def __len__(self) -> int:
        return sum(lane.waiting for lane in self._lanes)

    def waiting(self, lane: Lane) -> int:
        """Count the jobs that wait in one lane."""
        return self._lanes[lane].waiting

    def wanted(self, lane: Lane) -> int:
        """Count the tokens that the jobs of one lane want."""
        return self._lanes[lane].wanted

    def wanted_up_to(self, lane: Lane) -> int:
        """Count the tokens that the jobs of one lane and of all more urgent ones want together."""
        total = 0
        for each in self._lanes[: lane + 1]:
            total += each.wanted
        return total

    def enter(self, job: Job) -> None:
        """Give a new job its place at the end of its flow."""
        self._tickets += 1
        job.ticket = self._tickets
        self._lanes[job.lane].tag(job)
        self.rejoin(job)

    def rejoin(self, job: Job) -> None:
        """Put a job back at its old place."""
        job.stage = Stage.WAITING
        self._lanes[job.lane].push(job)

    def delay(self, job: Job, at: float) -> None:
        """Keep a job aside until an instant; then it takes its old place."""
        job.stage = Stage.DELAYED
        heapq.heappush(self._delayed, (at, job.ticket, job))

    def leave(self, job: Job) -> None:
        """Take out a job that nobody wants any more."""
        was_waiting = job.stage is Stage.WAITING
        job.stage = Stage.ENDED
        if was_waiting:
            self._lanes[job.lane].drop(job)

    def ripen(self, now: float) -> None:
        """Let the delayed jobs whose time has come take their places."""
        while (ripens_at := self.ripens_at()) is not None and ripens_at <= now:
            self.rejoin(heapq.heappop(self._delayed)[2])

    def ripens_at(self) -> float | None:
        """Name the instant at which the next delayed job takes its place."""
        while self._delayed and self._delayed[0][2].stage is not Stage.DELAYED:
            heapq.heappop(self._delayed)
        return self._delayed[0][0] if self._delayed else None

    def head(self, *, now: float, age_s: float) -> Job | None:
        """Give the job that goes next, leaving it in place."""
        first: Job | None = None
        for lane in self._lanes:
            job = lane.head() if lane.waiting else None
            if job is None:
                continue
            is_starving = lane.passes >= MOST_PASSES and now - job.submitted_at >= age_s
            if first is None or (is_starving and first.lane > Lane.TOKEN):
                first = job
        return first

    def has_jumped(self, head: Job) -> bool:
        """Whether the head goes before more urgent jobs that wait, for it has been passed over long enough."""
        return any(map(_waiting_in, self._lanes[: head.lane]))

    def pop(self, job: Job) -> None:
        """Take out the head to start it, and count whom it passes over."""
        job.stage = Stage.STARTED
        self._lanes[job.lane].pop(job)
        self._lanes[job.lane].passes = 0
        for lane in self._lanes[job.lane + 1 :]:
            lane.passes += bool(lane.waiting)

    def youngest(self, *, below: Lane) -> Job | None:
        """Give the last job of the least urgent lane below a given one."""
        for lane in reversed(self._lanes[below + 1 :]):
            job = lane.youngest()
            if job is not None:
                return job
        return None
