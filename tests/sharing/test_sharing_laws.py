"""The laws of a shared budget, tried by a machine that does whatever processes, links and kills can do."""

from __future__ import annotations

from effort import STATEFUL
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from members import Fleetwide
from reference import ROUNDINGS, Service, Words

from apteligent_async import RatePolicy
from apteligent_async._scheduling.signals import Lane

WORDS = st.builds(
    Words,
    is_speed=st.booleans(),
    is_before=st.booleans(),
    remaining=st.sampled_from(sorted(ROUNDINGS)),
    reset=st.sampled_from(sorted(ROUNDINGS)),
)
POLICIES = st.builds(
    RatePolicy,
    mode=st.sampled_from(["exclusive", "shared", "polite"]),
    reserve=st.sampled_from([0.0, 0.1]),
    max_in_flight=st.just(10_000),
)


class SharedBudget(RuleBasedStateMachine):
    """Processes come, call, lose answers and are killed; nobody else spends."""

    @initialize(
        policy=POLICIES,
        words=WORDS,
        budget=st.sampled_from([1, 2, 7, 20, 30, 400]),
        data=st.data(),
    )
    def open(self, policy, words, budget, data):
        """Open with a service of any kind that has a call left, and more work than it allows."""
        window_s = data.draw(st.sampled_from([6.0, 60.0, 300.0]))
        ends_at = data.draw(st.floats(0.01, window_s))
        used = data.draw(st.integers(0, budget - 1))
        is_lazy = data.draw(st.booleans())
        service = Service(budget=budget, window_s=window_s, ends_at=ends_at, used=used, is_lazy=is_lazy, words=words)
        self.all = Fleetwide(service, policy)
        self.budget, self.killed = budget, []
        for _ in range(data.draw(st.integers(1, 4))):
            self.all.submit(self.all.join(), many=40)

    @precondition(lambda self: len(self.all.processes) < 5)
    @rule(lead_s=st.floats(-1e4, 1e4))
    def join(self, lead_s):
        """Start another process, whose clock began whenever it did."""
        self.all.submit(self.all.join(lead_s), many=20)

    @precondition(lambda self: self.all.processes)
    @rule(data=st.data(), many=st.integers(1, 12), lane=st.sampled_from([Lane.INTERACTIVE, Lane.BULK]))
    def submit(self, data, many, lane):
        """Let callers come to a process."""
        self.all.submit(data.draw(st.sampled_from(self.all.processes)), many, lane)

    @precondition(lambda self: self.all.processes)
    @rule(data=st.data())
    def visit(self, data):
        """Let a process go to the store, wanted or not."""
        self.all.visit(data.draw(st.sampled_from(self.all.processes)), dead=self.killed)

    @precondition(lambda self: any(process.flights for process in self.all.processes))
    @rule(data=st.data(), is_cut=st.booleans())
    def move(self, data, is_cut):
        """Let a call arrive, or its answer; or cut the link."""
        process = data.draw(st.sampled_from([process for process in self.all.processes if process.flights]))
        flight = data.draw(st.sampled_from(process.flights))
        if flight.answer is None:
            self.all.arrive(flight)
        elif is_cut:
            self.all.cut(process, flight)
        else:
            self.all.answer(process, flight)

    @precondition(lambda self: len(self.all.processes) > 1)
    @rule(data=st.data(), arrives=st.integers(0, 3))
    def kill(self, data, arrives):
        """Kill a process, wherever it is, and let the others see that it is gone."""
        process = data.draw(st.sampled_from(self.all.processes))
        self.all.kill(process, arrives=arrives)
        self.killed.append(process.name)

    @rule(seconds=st.sampled_from([0.001, 0.05, 0.5, 1.0, 5.0]))
    def wait(self, seconds):
        """Let a little time pass: no call takes longer than half a minute."""
        self.all.now += seconds

    @rule(turns=st.integers(1, 30))
    def work(self, turns):
        """Let everybody do what is next, for a while."""
        self.all.work(turns, dead=self.killed)

    @invariant()
    def nobody_is_refused(self):
        """What is leased is never more than the service still holds."""
        assert self.all.refused == 0

    @invariant()
    def the_books_agree(self):
        """What is live is what the members hold, and that covers whatever they have under way or in hand."""
        if self.all.text is None:
            return
        fleet = self.all.fleet
        assert fleet.budget.live == sum(member.held for member in fleet.members.values())
        for process in self.all.processes:
            member = fleet.members.get(process.name)
            held = process.books.tokens + process.books.in_flight
            assert member is None or member.epoch != process.books.epoch or member.held >= held

    @invariant()
    def what_is_proven_is_true(self):
        """Beside what is under way or in hand, the service holds what the books still offer."""
        if self.all.text is None or self.all.fleet.budget.ends is None:
            return
        coming = sum(process.books.tokens for process in self.all.processes)
        coming += sum(flight.answer is None for process in self.all.processes for flight in process.flights)
        assert self.all.fleet.budget.left <= max(self.all.service.left(self.all.now) - coming, 0)

    @invariant()
    def leases_are_small(self):
        """At most a hundredth of a window, or one token."""
        assert all(tokens <= max(1, self.budget / 100) for tokens in self.all.granted)


SharedBudget.TestCase.settings = STATEFUL
TestSharedBudget = SharedBudget.TestCase
