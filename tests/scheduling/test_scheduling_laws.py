"""The scheduler's laws, tried by machines that do whatever callers, links and services can do, in any order."""

from __future__ import annotations

import math

import pytest
from callers import Callers
from effort import STATEFUL
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from reference import ROUNDINGS, Service, Words

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.signals import Lane

DICE = st.floats(0, 1, exclude_max=True)
WORDS = st.builds(
    Words,
    is_speed=st.booleans(),
    is_before=st.booleans(),
    remaining=st.sampled_from(sorted(ROUNDINGS)),
    reset=st.sampled_from(sorted(ROUNDINGS)),
)
POLICIES = st.builds(
    RatePolicy,
    mode=st.sampled_from(["exclusive", "exclusive", "shared", "polite"]),
    share=st.sampled_from([None, None, 0.3]),
    reserve=st.sampled_from([0.0, 0.1, 0.5]),
    max_in_flight=st.just(10_000),
)
ALONE = RatePolicy(mode="exclusive", reserve=0)


class Undisturbed(RuleBasedStateMachine):
    """Nobody else spends and the limit stands; everything else may happen, in any order."""

    @initialize(policy=POLICIES, words=WORDS, budget=st.integers(1, 30), data=st.data())
    def open(self, policy, words, budget, data):
        """Open with a service of any kind, its first window begun and partly used."""
        window_s = data.draw(st.sampled_from([5.0, 60.0, 78.0, 300.0]))
        service = Service(
            budget=budget,
            window_s=window_s,
            ends_at=data.draw(st.floats(0, window_s)),
            used=data.draw(st.integers(0, budget)),
            is_lazy=data.draw(st.booleans()),
            is_harsh=data.draw(st.booleans()),
            words=words,
        )
        self.callers = Callers(policy, service, patience_s=0.9 * min(window_s, 30.0))

    @rule(
        many=st.integers(1, 12),
        lane=st.sampled_from(Lane),
        flow=st.integers(0, 2),
        patience_s=st.just(math.inf) | st.floats(0, 400),
    )
    def submit(self, many, lane, flow, patience_s):
        """Let a few callers come."""
        for _ in range(many):
            self.callers.submit(lane=lane, flow=flow, deadline_at=self.callers.now + patience_s)

    @precondition(lambda self: self.callers.waiting())
    @rule(data=st.data())
    def leave_the_line(self, data):
        """Let a waiting caller go."""
        self.callers.leave(data.draw(st.sampled_from(self.callers.waiting())))

    @precondition(lambda self: self.callers.flights)
    @rule(data=st.data())
    def leave_under_way(self, data):
        """Let a caller go whose call was granted, sent or even counted."""
        self.callers.leave(data.draw(st.sampled_from(self.callers.flights)).job)

    @precondition(lambda self: self.callers.flights)
    @rule(data=st.data())
    def move_one(self, data):
        """Send one call, or let it arrive where it was sent."""
        self.callers.move(data.draw(st.sampled_from(self.callers.flights)))

    @precondition(lambda self: self.callers.flights)
    @rule()
    def move_all(self):
        """Send every granted call and let every sent one arrive."""
        for flight in list(self.callers.flights):
            self.callers.move(flight)

    @precondition(lambda self: self._counted())
    @rule(data=st.data(), dice=DICE, is_overloaded=st.booleans())
    def answer_one(self, data, dice, is_overloaded):
        """Bring back any answer, whichever call was sent first."""
        flight = data.draw(st.sampled_from(self._counted()))
        self.callers.answer(flight, dice=dice, is_overloaded=is_overloaded)

    @precondition(lambda self: self._counted())
    @rule(data=st.data(), dice=DICE)
    def answer_all(self, data, dice):
        """Bring back all answers in any order."""
        for flight in data.draw(st.permutations(self._counted())):
            self.callers.answer(flight, dice=dice)

    @precondition(lambda self: self._counted())
    @rule(data=st.data(), dice=DICE)
    def drop_headers(self, data, dice):
        """Bring back an answer without its numbers; of a refusal they are needed, so that it disturbs."""
        flight = data.draw(st.sampled_from(self._counted()))
        if flight.answer.is_allowed:
            self.callers.answer(flight, dice=dice, is_bare=True)

    @precondition(lambda self: self.callers.flights)
    @rule(data=st.data(), dice=DICE)
    def lose(self, data, dice):
        """Lose a call or its answer, or fail to send it at all."""
        flight = data.draw(st.sampled_from(self.callers.flights))
        if flight.is_sent:
            self.callers.lose(flight, dice=dice)
        else:
            self.callers.fail_to_send(flight, dice=dice)

    @rule(seconds=st.floats(0, 3) | st.floats(0, 400))
    def wait(self, seconds):
        """Let time pass."""
        self.callers.pass_time(self.callers.now + seconds)

    @rule(off_s=st.floats(-1.5, 1.5))
    def wait_for_the_reset(self, off_s):
        """Let time pass until about the true reset."""
        self.callers.pass_time(max(self.callers.service.ends_at + off_s, self.callers.now))

    def teardown(self):
        """Let everybody have an answer: all jobs end in finite time, nothing is left over, and all repeats exactly."""
        if not hasattr(self, "callers"):
            return
        self.callers.finish()

    def _counted(self):
        return [flight for flight in self.callers.flights if flight.answer is not None]


class Disturbed(Undisturbed):
    """Strangers spend, limits change and refusals lose their numbers: every law but I1 and I2 holds all the same."""

    @rule(many=st.integers(1, 10))
    def stranger(self, many):
        """Let somebody else spend."""
        self.callers.excuse = "a stranger"
        for _ in range(many):
            self.callers.service.call(1, now=self.callers.now)

    @rule(budget=st.integers(1, 60))
    def change_the_limit(self, budget):
        """Cut or raise what a window holds, at once."""
        self.callers.excuse = "another limit"
        self.callers.service.budget = budget

    @precondition(lambda self: self._counted())
    @rule(data=st.data(), dice=DICE)
    def drop_any_headers(self, data, dice):
        """Bring back any answer without its numbers, a refusal too."""
        flight = data.draw(st.sampled_from(self._counted()))
        if not flight.answer.is_allowed:
            self.callers.excuse = "a bare refusal"
        self.callers.answer(flight, dice=dice, is_bare=True)


@pytest.mark.parametrize("machine", [Undisturbed, Disturbed])
def test_laws(machine):
    """No order of events breaks a law: not one, of submission, cancellation, delivery, loss or time."""
    run_state_machine_as_test(machine, settings=STATEFUL)


@pytest.mark.parametrize(
    "is_before",
    [
        False,
        True,
    ],
)
@pytest.mark.parametrize("budget", [8, 20, 30])
def test_dear_calls_are_never_refused(budget, is_before):
    """Calls of three tokens obey the same laws, whether or not the service has taken them off what it states."""
    words = Words(is_speed=True, is_before=is_before)
    callers = Callers(ALONE, Service(budget=budget, window_s=60.0, ends_at=37.0, used=2, words=words))
    for _ in range(20):
        callers.submit(cost=3)
    callers.finish()


def test_an_answer_that_took_a_whole_window_teaches_nothing_false():
    """A call that is under way for a window's length may speak of either of two windows, and proves no more."""
    words = Words(is_speed=False, is_before=True)
    policy = RatePolicy(mode="exclusive", reserve=0, share=0.3)
    callers = Callers(policy, Service(budget=11, window_s=60.0, ends_at=0.0, words=words))
    for _ in range(3):
        callers.submit()
    callers.move(callers.flights[0])
    callers.lose(callers.flights[0], dice=0.0)
    callers.finish()
