"""Plays schedulers against a server of the zoo in a heap of events: virtual time, no event loop, no real clock.

One `Client` is one process with a scheduler of its own. Several on one server are strangers who share a budget. All
randomness comes from the dice that are passed in, so that a run can be repeated exactly.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from apteligent_async._scheduling.signals import Again, GiveUp, Limited, LinkFailed, Overloaded, Reading, Succeeded
from benchmarks.surroundings import Whims

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from apteligent_async._scheduling.signals import Job, Outcome, Verdict
    from benchmarks.surroundings import Foreign, Link
    from benchmarks.zoo import Answer, Server, Stated

__all__ = ["Brain", "Client", "Flight", "Player", "StuckError"]


class StuckError(Exception):
    """Calls are waiting and nothing will ever happen again, or far too much happened."""


class Brain(Protocol):
    """What the player asks of a scheduler; `apteligent_async._scheduling.scheduler.Scheduler` has it."""

    def submit(self, job: Job, *, now: float) -> object:
        """Put a job in line."""

    def due(self, *, now: float) -> Sequence[Job]:
        """Return the jobs to send at this instant."""

    def wake_at(self) -> float | None:
        """Return the next instant at which to ask `due` again."""

    def settle(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> Verdict:
        """Take note of how an attempt ended."""

    def withdraw(self, job: Job, *, now: float) -> object:
        """Forget a job that was certainly never sent."""

    def abandon(self, job: Job, *, now: float) -> object:
        """Forget a job that was sent and may still be counted."""


@define(eq=False)
class Flight:
    """One attempt under way; closed once its caller has an answer or has gone."""

    job: Job
    client: Client
    sent_at: float
    is_open: bool = True


@define(eq=False)
class Client:
    """One process: a scheduler, its jobs, and what became of them.

    Attributes:
        live: jobs that have not ended.
        flights: the attempts under way.
        waits: seconds from submission to the end, of jobs that were served.
        served_at: when each of them was.
        done_at: when the last of its jobs ended.
    """

    brain: Brain
    name: str = ""
    live: set[Job] = field(factory=set, init=False)
    flights: dict[Job, Flight] = field(factory=dict, init=False)
    waits: list[float] = field(factory=list, init=False)
    served_at: list[float] = field(factory=list, init=False)
    rate_limited: int = field(default=0, init=False)
    allowed: int = field(default=0, init=False)
    given_up: int = field(default=0, init=False)
    wake_ups: int = field(default=0, init=False)
    done_at: float = field(default=0.0, init=False)
    armed_at: float | None = field(default=None, init=False)


@define(kw_only=True)
class Player:
    """Runs clients against one server until every job has ended.

    Attributes:
        tape: takes one line per event, or None.
        books: says what a scheduler believes, for the tape.
        on_refusal: told of each 429 that a client caused: the client, the answer, the instant.
        most_events: a run with more is stuck.
        horizon_at: a run that lasts longer is stuck.
        visits: foreign calls tried, and how many were allowed.
    """

    server: Server
    link: Link
    dice: Random
    now: float = 0.0
    whims: Whims = field(factory=Whims)
    foreign: Foreign | None = None
    tape: Callable[[str], object] | None = None
    books: Callable[..., str] = field(default=lambda *_, **__: "")
    on_refusal: Callable[[Client, Answer, float], object] | None = None
    most_events: int = 1_000_000
    horizon_at: float = float("inf")
    visits: list[bool] = field(factory=list, init=False)
    _heap: list[tuple[float, int, Callable[[object], None], object]] = field(factory=list, init=False)
    _order: int = field(default=0, init=False)
    _waiting: int = field(default=0, init=False)

    def submit(self, client: Client, jobs: Sequence[Job], *, at: float | None = None) -> None:
        """Put jobs in a client's line, now or at a later instant."""
        self._waiting += len(jobs)
        if at is None:
            self._join((client, jobs))
        else:
            self._at(at, self._join, (client, jobs))

    def run(self) -> None:
        """Play until every job has ended.

        Raises:
            StuckError: no event is left, or too many happened, or the horizon has passed, and jobs are still waiting.
        """
        if self.foreign:
            self._at(self._next_visit_at(self.foreign), self._visit, self.foreign)
        for _ in range(self.most_events):
            if not self._waiting:
                return
            if not self._heap:
                raise StuckError(f"{self._waiting} jobs wait at {self.now:.3f} and nothing will wake them")
            self.now, _, handle, subject = heappop(self._heap)
            if self.now > self.horizon_at:
                raise StuckError(f"{self._waiting} jobs still wait at {self.now:.3f}, far beyond the bound")
            handle(subject)
        raise StuckError(f"{self._waiting} jobs wait at {self.now:.3f} after {self.most_events} events")

    def _at(self, at: float, handle: Callable[..., None], subject: object) -> None:
        self._order += 1
        heappush(self._heap, (at, self._order, handle, subject))

    def _join(self, subject: tuple[Client, Sequence[Job]]) -> None:
        client, jobs = subject
        whims, dice = self.whims, self.dice
        for job in jobs:
            client.live.add(job)
            client.brain.submit(job, now=self.now)
            if whims.cancelled and dice.random() < whims.cancelled:
                self._at(self.now + dice.random() * whims.within_s, self._cancel, (client, job))
        self._ask(client)

    def _ask(self, client: Client) -> None:
        brain, now = client.brain, self.now
        for job in brain.due(now=now):
            self._start(client, job)
        wake_at = brain.wake_at()
        if wake_at == client.armed_at:
            return
        client.armed_at = wake_at
        if wake_at is not None:
            if wake_at < now:
                raise StuckError(f"wake_at {wake_at!r} lies before now {now!r}")
            self._at(wake_at, self._wake, client)

    def _wake(self, client: Client) -> None:
        if client.armed_at == self.now:
            client.armed_at = None
            client.wake_ups += 1
            self._ask(client)

    def _start(self, client: Client, job: Job) -> None:
        if self.whims.dropped and self.dice.random() < self.whims.dropped:
            self._tell("dropped before sending", client, job)
            client.flights[job] = Flight(job, client, self.now)
            self._at(self.now + 0.05 * self.dice.random(), self._drop, (client, job))
            return
        flight = client.flights[job] = Flight(job, client, self.now)
        link, dice = self.link, self.dice
        if link.unsent and dice.random() < link.unsent:
            self._at(self.now + link.up_s, self._fail_unsent, flight)
            return
        self._tell("sent", client, job)
        up_s = link.way(link.up_s, dice)
        self._at(self.now + up_s, self._arrive, flight)
        if up_s >= link.timeout_s:
            self._at(self.now + link.timeout_s, self._time_out, flight)
        if link.doubled and dice.random() < link.doubled:
            self._at(self.now + up_s + dice.random(), self._arrive_twin, flight)

    def _arrive(self, flight: Flight) -> None:
        answer = self.server.call(self.now, cost=flight.job.cost)
        link, dice, client = self.link, self.dice, flight.client
        if not answer.is_allowed and self.on_refusal:
            self.on_refusal(client, answer, self.now)
        self._tell("counted" if answer.is_allowed else f"REFUSED {'/'.join(answer.excuses)}", client, flight.job)
        back_at = self.now + link.way(link.down_s, dice)
        gives_up_at = flight.sent_at + link.timeout_s
        if not flight.is_open:
            self.server.note("lost header", self.now)  # nobody is there to read it
        if (link.lost and dice.random() < link.lost) or back_at > gives_up_at:
            self.server.note("lost header", self.now)
            if gives_up_at > self.now:
                self._at(gives_up_at, self._time_out, flight)
            return
        has_failed = answer.is_allowed and link.failing and dice.random() < link.failing
        outcome = Overloaded(reading=_reading(answer.stated)) if has_failed else _outcome(answer)
        self._at(back_at, self._settle, (flight, outcome))

    def _arrive_twin(self, flight: Flight) -> None:
        self._tell("counted again", flight.client, flight.job)
        for _ in range(flight.job.cost):
            self.server.foreign_call(self.now)

    def _time_out(self, flight: Flight) -> None:
        self._settle((flight, LinkFailed(was_sent=True)))

    def _fail_unsent(self, flight: Flight) -> None:
        self._settle((flight, LinkFailed(was_sent=False)))

    def _settle(self, subject: tuple[Flight, Outcome]) -> None:
        flight, outcome = subject
        if not flight.is_open:
            return
        flight.is_open = False
        client, job = flight.client, flight.job
        del client.flights[job]
        if isinstance(outcome, Limited):
            client.rate_limited += 1
        verdict = client.brain.settle(job, outcome, now=self.now, dice=self.dice.random())
        if self.tape:
            self._tell(f"{_words(outcome)} -> {verdict}", client, job)
        if not isinstance(verdict, Again):
            self._end(client, job, is_served=not isinstance(verdict, GiveUp))
        self._ask(client)

    def _end(self, client: Client, job: Job, *, is_served: bool) -> None:
        client.live.remove(job)
        self._waiting -= 1
        client.done_at = self.now
        if is_served:
            client.allowed += 1
            client.waits.append(self.now - job.submitted_at)
            client.served_at.append(self.now)
        else:
            client.given_up += 1

    def _drop(self, subject: tuple[Client, Job]) -> None:
        client, job = subject
        if client.flights.pop(job, None) is None:
            return
        client.brain.withdraw(job, now=self.now)
        self._end(client, job, is_served=False)
        self._ask(client)

    def _cancel(self, subject: tuple[Client, Job]) -> None:
        client, job = subject
        if job not in client.live:
            return
        flight = client.flights.pop(job, None)
        if flight is None:
            client.brain.withdraw(job, now=self.now)
        else:
            flight.is_open = False
            client.brain.abandon(job, now=self.now)
            self.server.note("lost header", self.now)
        self._tell("withdrawn" if flight is None else "abandoned", client, job)
        self._end(client, job, is_served=False)
        self._ask(client)

    def _next_visit_at(self, foreign: Foreign) -> float:
        return self.now + self.dice.expovariate(1 / foreign.every_s)

    def _visit(self, foreign: Foreign) -> None:
        self.visits += [self.server.foreign_call(self.now) for _ in range(foreign.burst)]
        self._at(self._next_visit_at(foreign), self._visit, foreign)

    def _tell(self, what: str, client: Client, job: Job) -> None:
        if self.tape:
            left = self.server.left(self.now)
            who = f"{client.name or 'job'} {job.ticket}.{job.attempts}"
            self.tape(
                f"{self.now:12.4f}  left {left:5d}  {who:>10}  {what:64}  {self.books(client.brain, now=self.now)}"
            )


def _reading(stated: Stated | None) -> Reading | None:
    if stated is None:
        return None
    limit, remaining, reset_s, actual = stated
    return Reading(limit=limit, remaining=remaining, reset_s=reset_s, actual=actual)


def _outcome(answer: Answer) -> Outcome:
    reading = _reading(answer.stated)
    return Succeeded(reading=reading) if answer.is_allowed else Limited(reading=reading)


def _words(outcome: Outcome) -> str:
    """Say an outcome and its numbers in one short line."""
    reading = outcome.reading
    name = type(outcome).__name__
    if reading is None:
        return name
    numbers = {"L": reading.limit, "V": reading.remaining, "R": reading.reset_s, "actual": reading.actual}
    return " ".join([name, *(f"{key}={value:g}" for key, value in numbers.items() if value is not None)])
