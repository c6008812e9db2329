"""Lines of several processes around one fleet and one service, moved step by step by a test.

Each line has a clock of its own. What a test does is carried out as a process, a link and a store would; nothing here
decides. The service is the one that the scheduler's own tests believe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from apteligent_async import RatePolicy
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet_text import advance, fleet_of, text_of
from apteligent_async._scheduling.leases import LeasedBooks
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Lane, Limited, LinkFailed, Stage, Succeeded

if TYPE_CHECKING:
    from reference import Service


@define(eq=False)
class Flight:
    """A call under way, and what the service said once it arrived."""

    job: Job
    answer: object = None


@define(eq=False)
class Process:
    """One process: its line, its clock's lead over the store's, and its calls under way."""

    name: str
    scheduler: Scheduler
    books: LeasedBooks
    lead_s: float = 0.0
    flights: list[Flight] = field(factory=list)
    started: int = 0


@define(eq=False)
class Fleetwide:
    """All processes, the store's text, and the service.

    `refused` leaves out calls that found a drained service before the books had heard of any number: nobody can know.
    """

    service: Service
    policy: RatePolicy = field(factory=RatePolicy)
    now: float = 0.0
    clock: str = "boot"
    text: str | None = None
    processes: list[Process] = field(factory=list)
    dead: list[Process] = field(factory=list)
    refused: int = 0
    granted: list[int] = field(factory=list)

    def join(self, lead_s=0.0):
        """Start a process."""
        name = f"p{len(self.processes) + len(self.dead)}"
        books = LeasedBooks(name, self.policy, Budget(), host="h", pid=1)
        self.processes.append(Process(name, Scheduler(self.policy, books=books), books, lead_s))
        return self.processes[-1]

    def submit(self, process, many=1, lane=Lane.INTERACTIVE):
        """Let callers come."""
        for _ in range(many):
            process.scheduler.submit(Job(lane=lane), now=self.now + process.lead_s)
        self._start(process)

    def visit(self, process, *, dead=()):
        """Go to the store and back."""
        now = self.now + process.lead_s
        errand = process.books.errand(process.scheduler.demand(now=now), dead=tuple(dead), now=now)
        self.text, (granted, fleet) = advance(
            self.text, errand.step, hypotheses=ALL_HYPOTHESES, clock=self.clock, now=self.now
        )
        assert text_of(fleet_of(self.text)) == self.text, "a state that does not survive the store"
        self.granted.append(granted.tokens)
        process.books.take_in(errand, granted, fleet, now=now)
        self._start(process)
        return granted

    def work(self, turns, *, dead=()):
        """Let everybody do what is next, for a while."""
        for _ in range(turns):
            for process in self.processes:
                self.visit_if_due(process, dead=dead)
                for flight in tuple(process.flights):
                    (self.arrive(flight) if flight.answer is None else self.answer(process, flight))
            self.now += 0.02

    def visit_if_due(self, process, **wishes):
        """Go to the store if the line wants to."""
        now = self.now + process.lead_s
        if process.books.visits_at(process.scheduler.demand(now=now), now=now) <= now:
            self.visit(process, **wishes)

    def arrive(self, flight):
        """Let a call reach the service."""
        flight.answer = self.service.call(flight.job.cost, now=self.now)
        self.refused += not flight.answer.is_allowed and self.has_heard

    def answer(self, process, flight):
        """Let an answer reach its process."""
        process.flights.remove(flight)
        found = flight.answer
        outcome = Succeeded(reading=found.reading) if found.is_allowed else Limited(reading=found.reading)
        self._settle(process, flight, outcome)

    def cut(self, process, flight):
        """Let a call end without an answer."""
        process.flights.remove(flight)
        self._settle(process, flight, LinkFailed())

    def kill(self, process, *, arrives):
        """End a process at once; of what it has sent, so many calls still arrive, now."""
        self.processes.remove(process)
        self.dead.append(process)
        for flight in [flight for flight in process.flights if flight.answer is None][:arrives]:
            self.arrive(flight)

    @property
    def has_heard(self):
        """Whether the books know any number of the service's."""
        return self.text is not None and self.fleet.budget.limit is not None

    @property
    def fleet(self):
        """The state as the store has it."""
        return fleet_of(self.text)

    def _settle(self, process, flight, outcome):
        now = self.now + process.lead_s
        process.scheduler.settle(flight.job, outcome, now=now, dice=0.5)
        if flight.job.stage is not Stage.ENDED:
            process.scheduler.withdraw(flight.job, now=now)
        self._start(process)

    def _start(self, process):
        for job in process.scheduler.due(now=self.now + process.lead_s):
            process.started += 1
            process.flights.append(Flight(job))
