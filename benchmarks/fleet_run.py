"""Many clients of one shared budget, played in a heap of events: real lines, a real fleet, no loop and no store.

The store is a queue that takes so long for one operation, at the end of a link. Where it locks, as SQLite does, one
waits for the other. Where it compares and sets, as Redis does, whoever comes with an old state goes home with the new
one and comes again; who is overtaken twice lines up to be handed the state.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from apteligent_async import RatePolicy
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet import Fleet
from apteligent_async._scheduling.leases import LeasedBooks
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.sharing import transition
from apteligent_async._scheduling.signals import Job, Lane, Limited, Reading, Stage, Succeeded
from benchmarks.meters import FixedWindow
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from apteligent_async._scheduling.leases import Errand

__all__ = ["Client", "FleetRun", "Setting", "jain"]


@frozen(kw_only=True)
class Setting:
    """What a run is made of.

    Attributes:
        clients: how many lines share the budget.
        budget: calls in a window.
        window_s: the window's length.
        windows: how many are played.
        trip_s: how long a call takes.
        store_s: how long the store is busy with one operation.
        store_trip_s: how long the way to the store and back takes.
        compares: whether the store compares and sets, or locks.
        policy: of every client.
    """

    clients: int = 4
    budget: int = 60
    window_s: float = 6.0
    windows: int = 10
    trip_s: float = 0.05
    store_s: float = 0.0002
    store_trip_s: float = 0.0002
    compares: bool = False
    policy: RatePolicy = field(factory=RatePolicy)


@define(eq=False)
class Client:
    """One line and what it has done: its state is whether it is at the store, lives, and what is under way."""

    name: str
    scheduler: Scheduler
    books: LeasedBooks
    lane: Lane = Lane.INTERACTIVE
    version: int = -1
    is_away: bool = False
    is_alive: bool = True
    served: int = 0
    visits: int = 0
    trips: int = 0
    timer: int = 0
    overtaken: int = 0
    is_crowded: bool = False


@define(eq=False)
class FleetRun:
    """One run; its state is the clock, the heap, the store and the service."""

    setting: Setting
    dice: Random
    now: float = 0.0
    fleet: Fleet = field(factory=lambda: Fleet(budget=Budget()))
    version: int = 0
    store_free_at: float = 0.0
    is_put_back: bool = True
    clients: list[Client] = field(factory=list)
    refused: int = 0
    lost_to_kills: int = 0
    server: Server = field(init=False)
    used: dict[int, int] = field(factory=dict)
    _line: deque[tuple[Client, Errand]] = field(factory=deque[Any])
    _heap: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _serial: int = 0

    def __attrs_post_init__(self) -> None:
        meter = FixedWindow(budget=self.setting.budget, window_s=self.setting.window_s)
        self.server = Server(meter=meter, dialect=Dialect(), dice=self.dice)
        for number in range(self.setting.clients):
            self.add(f"{number:04d}")

    def add(self, name: str, lane: Lane = Lane.INTERACTIVE, *, backlog: int = 40) -> Client:
        """Let a client join that always has calls waiting."""
        books = LeasedBooks(name, self.setting.policy, Budget(), host="host", pid=len(self.clients) + 1)
        client = Client(name, Scheduler(self.setting.policy, books=books), books, lane)
        self.clients.append(client)
        for _ in range(backlog):
            client.scheduler.submit(Job(lane=lane), now=self.now)
        self.at(self.now + 0.01 * self.dice.random(), lambda: self.pump(client))
        return client

    def at(self, instant: float, act: Callable[[], None]) -> None:
        """Let something happen."""
        self._serial += 1
        heapq.heappush(self._heap, (instant, self._serial, act))

    def play(self) -> None:
        """Run to the end of the last window."""
        ends_at = self.setting.windows * self.setting.window_s
        while self._heap and self._heap[0][0] < ends_at:
            self.now, _, act = heapq.heappop(self._heap)
            act()

    def kill(self, client: Client) -> None:
        """End a client at once; what it had under way arrives, and nobody hears the answers."""
        client.is_alive = False
        member = self.fleet.members.get(client.name)
        self.lost_to_kills += 0 if member is None else member.held

    def pump(self, client: Client) -> None:
        """Start what may start, and set the client's one timer to its next visit."""
        if not client.is_alive:
            return
        for job in client.scheduler.due(now=self.now):
            self._send(client, job)
        if client.is_away:
            return
        demand = client.scheduler.demand(now=self.now)
        visit_at = client.books.visits_at(demand, now=self.now)
        client.timer += 1
        if visit_at < math.inf:
            armed = client.timer
            self.at(visit_at, lambda: self._leave(client) if client.timer == armed else None)

    def _send(self, client: Client, job: Job) -> None:
        half_s = self.setting.trip_s / 2 * (0.7 + 0.6 * self.dice.random())
        self.at(self.now + half_s, lambda: self._arrive(client, job, half_s))

    def _arrive(self, client: Client, job: Job, half_s: float) -> None:
        answer = self.server.call(self.now)
        window = math.floor(self.now / self.setting.window_s)
        self.used[window] = self.used.get(window, 0) + answer.is_allowed
        self.refused += not answer.is_allowed
        assert answer.stated is not None
        reading = Reading(**answer.stated._asdict())
        outcome = Succeeded(reading=reading) if answer.is_allowed else Limited(reading=reading)
        self.at(self.now + half_s, lambda: self._settle(client, job, outcome))

    def _settle(self, client: Client, job: Job, outcome: Succeeded | Limited) -> None:
        if not client.is_alive:
            return
        client.scheduler.settle(job, outcome, now=self.now, dice=self.dice.random())
        client.served += isinstance(outcome, Succeeded)
        if job.stage is Stage.ENDED:
            client.scheduler.submit(Job(lane=client.lane), now=self.now)
        self.pump(client)

    def _leave(self, client: Client) -> None:
        if not client.is_alive:
            return
        client.is_away = True
        client.visits += 1
        dead = tuple(each.name for each in self.clients if not each.is_alive and each.name in self.fleet.members)
        errand = client.books.errand(client.scheduler.demand(now=self.now), dead=dead, now=self.now)
        (self._line_up if client.is_crowded else self._travel)(client, errand)

    def _travel(self, client: Client, errand: Errand) -> None:
        client.trips += 1
        self.at(self.now + self.setting.store_trip_s / 2, lambda: self._queue(client, errand))

    def _line_up(self, client: Client, errand: Errand) -> None:
        def arrive() -> None:
            self._line.append((client, errand))
            self._hand_on()

        client.trips += 1
        self.at(self.now + self.setting.store_trip_s / 2, arrive)

    def _hand_on(self) -> None:
        if self.is_put_back and self._line:
            self.is_put_back = False
            client, errand = self._line.popleft()
            client.is_crowded, client.version = client.version != self.version, self.version
            self.at(self.now + self.setting.store_trip_s / 2, lambda: self._travel(client, errand))

    def _queue(self, client: Client, errand: Errand) -> None:
        self.store_free_at = max(self.store_free_at, self.now) + self.setting.store_s
        self.at(self.store_free_at, lambda: self._change(client, errand))

    def _change(self, client: Client, errand: Errand) -> None:
        back_at = self.now + self.setting.store_trip_s / 2
        if self.setting.compares and client.version != self.version:
            client.version = self.version
            client.overtaken += 1
            client.is_crowded = client.overtaken > 1
            again = self._line_up if client.is_crowded else self._travel
            self.at(back_at, lambda: again(client, errand))
            return
        client.overtaken = 0
        granted = transition(self.fleet, errand.step, clock="heap", now=self.now)
        self.version += 1
        client.version = self.version
        self.is_put_back = True
        self._hand_on()
        stamped_at = self.now

        def come_back() -> None:
            client.is_away = False
            if client.is_alive:
                stamped, self.fleet.stamped_at = self.fleet.stamped_at, stamped_at
                client.books.take_in(errand, granted, self.fleet, now=self.now)
                self.fleet.stamped_at = stamped
                self.pump(client)

        self.at(back_at, come_back)


def jain(shares: list[int]) -> float:
    """Say how even the shares are: 1 if all are equal, 1/n if one has everything (Jain's index)."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)) if any(shares) else 1.0
