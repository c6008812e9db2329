"""Two schedulers simple enough to be judged by eye, to test the measuring instruments with."""
# ruff: noqa: D102  the verbs are documented in `benchmarks.player.Brain`

from __future__ import annotations

from collections import deque

from apteligent_async._scheduling.signals import Again, Done, Limited


class Timid:
    """One call at a time; after a refusal it waits until the stated reset has surely passed."""

    def __init__(self):
        self.queue, self.flying, self.closed_until = deque(), None, 0.0

    def submit(self, job, *, now):
        self.queue.append(job)

    def due(self, *, now):
        if self.flying or not self.queue or now < self.closed_until:
            return ()
        self.flying = self.queue.popleft()
        return (self.flying,)

    def wake_at(self):
        return self.closed_until if self.queue and not self.flying else None

    def settle(self, job, outcome, *, now, dice):
        self.flying = None
        if not isinstance(outcome, Limited):
            return Done()
        self.closed_until = now + self._pause_s(outcome.reading)
        self.queue.appendleft(job)
        return Again(at=self.closed_until)

    def _pause_s(self, reading):
        reset_s = None if reading is None else reading.reset_s
        return 1 + (reset_s if reset_s is not None and 0 <= reset_s < 86_400 else 60.0)

    def withdraw(self, job, *, now):
        if job is self.flying:
            self.flying = None
        else:
            self.queue.remove(job)

    def abandon(self, job, *, now):
        self.flying = None


class Reckless(Timid):
    """Sends everything at once, again and again, a second after each refusal."""

    def __init__(self):
        super().__init__()
        self.flying = set()

    def due(self, *, now):
        if now < self.closed_until:
            return ()
        jobs = tuple(self.queue)
        self.queue.clear()
        self.flying.update(jobs)
        return jobs

    def wake_at(self):
        return self.closed_until if self.queue else None

    def settle(self, job, outcome, *, now, dice):
        self.flying.remove(job)
        if not isinstance(outcome, Limited):
            return Done()
        self.closed_until = now + 1
        self.queue.append(job)
        return Again(at=self.closed_until)

    def withdraw(self, job, *, now):
        if job in self.flying:
            self.flying.remove(job)
        else:
            self.queue.remove(job)

    def abandon(self, job, *, now):
        self.flying.remove(job)
