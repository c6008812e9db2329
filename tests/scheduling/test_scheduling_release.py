"""What the policy holds back of what is proven: the modes, the share, the reserve, the late look."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from attrs import define, field
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st
from runs import fixed, player
from scripts import Row, play

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.release import PHI
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Lane
from benchmarks.meters import FixedWindow
from benchmarks.player import Client
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect

PROMPT = Link(up_s=0.05, down_s=0.05)
COUNTS = Dialect(is_speed=False)


class Watched(Scheduler):
    """Notes how many calls are under way, and the instants of all starts by lane."""

    def __init__(self, policy):
        super().__init__(policy)
        self.starts, self.most, self.flying, self.look = [], 0, 0, lambda flying, now: None

    def due(self, *, now):
        """Note what starts, and let the test look."""
        started = super().due(now=now)
        self.flying += len(started)
        self.most = max(self.most, self.flying)
        self.starts += [(now, job.lane) for job in started]
        self.look(self.flying, now)
        return started

    def settle(self, job, outcome, *, now, dice):
        """Note that a call is back."""
        self.flying -= 1
        return super().settle(job, outcome, now=now, dice=dice)


def watch(policy, *, calls, server, link=PROMPT, lane=Lane.INTERACTIVE, **settings):
    """Play so many calls at once and return the watched scheduler."""
    brain, game = Watched(policy), player(server, link=link, **settings)
    brain.look = lambda flying, now: settings.get("look", lambda *_: None)(flying, server.left(now))
    game.submit(Client(brain), [Job(lane=lane) for _ in range(calls)])
    game.run()
    return brain


@TRIED
@given(st.integers(1, 200), st.integers(0, 200), st.sampled_from([0.0, 0.3, 2.0]), st.booleans())
def test_shared_keeps_a_quarter_under_way(budget, used, jitter_s, is_speed):
    """Whatever the budget and the link, no more than a quarter of what is truly left is under way, or one call."""
    server = fixed(budget, used=min(used, budget), dialect=Dialect(is_speed=is_speed))
    brain, game = Watched(RatePolicy(mode="shared", reserve=0)), player(server, link=Link(jitter_s=jitter_s))

    def look(flying, now):
        assert flying <= max(1, PHI * (server.left(now) + flying))

    brain.look = look
    game.submit(Client(brain), [Job() for _ in range(2 * budget)])
    game.run()
    assert server.allowed == 2 * budget


def test_shared_is_quick_all_the_same():
    """A fresh budget of sixty calls goes out within three seconds over a link of a tenth."""
    brain = watch(RatePolicy(mode="shared"), calls=60, server=fixed(60))
    assert brain.starts[-1][0] < 3.0
    assert len(brain.starts) == 60


def test_exclusive_sends_everything_that_is_proven():
    """A fresh budget takes one probe and one burst, but for a last call that a shorter window would not hold."""
    brain = watch(RatePolicy(mode="exclusive"), calls=20, server=fixed(20))
    assert [at for at, _ in brain.starts] == pytest.approx([0.0] + 18 * [0.1] + [0.2])


@pytest.mark.parametrize("budget", [10, 20, 60])
def test_polite_spreads_its_calls(budget):
    """In every window the calls go out one by one, no two closer than half of an even spacing, and all are used."""
    server = fixed(budget)
    brain = watch(RatePolicy(mode="polite"), calls=3 * budget, server=server)
    starts = [at for at, _ in brain.starts if at >= 1.0]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) > 0.5 * 60 / (budget + 1)
    assert server.refused == 0
    assert starts[-1] < 3 * 60 + 2


@pytest.mark.parametrize(
    ("mode", "share", "budget", "expected"),
    [
        ("shared", 0.3, 20, 6),
        ("shared", 0.5, 9, 4),
        ("shared", 0.01, 20, 1),
        ("exclusive", 0.5, 9, 4),
        ("exclusive", 0.3, 20, 6),
        ("exclusive", 0.01, 20, 1),
    ],
)
def test_a_share_is_a_cap_in_every_window(mode, share, budget, expected):
    """No window sees more of our calls than its share, or one call, and each sees all of it but a call at most."""
    brain = watch(RatePolicy(mode=mode, share=share), calls=4 * expected, server=fixed(budget))
    windows = Counter(int(at // 60) for at, _ in brain.starts)
    assert max(windows.values()) == expected
    assert min(list(windows.values())[:-1]) >= max(expected - 1, 1)


def test_a_reserve_is_kept_for_the_urgent_and_then_given_away():
    """Bulk calls leave part of a window to others, and have used all of it by its end."""
    server = fixed(20)
    brain = watch(RatePolicy(mode="exclusive", reserve=0.5), calls=60, server=server, lane=Lane.BULK)
    windows = Counter(int(at // 60) for at, _ in brain.starts)
    early = Counter(int(at // 60) for at, _ in brain.starts if at % 60 < 20)
    assert windows == {0: 20, 1: 20, 2: 20}
    assert max(early.values()) <= 16


@define(kw_only=True)
class Tallied(FixedWindow):
    """A window that writes down when it counts a call."""

    counted: list[float] = field(factory=list)

    def count(self, now):
        """Write it down."""
        self.counted.append(now)
        super().count(now)


def bulk_by_window(policy, budget, *, link=PROMPT, is_speed=False):
    """Let a bulk backlog of three budgets have the service to itself; tell how many calls each window counted."""
    server = fixed(budget, dialect=Dialect(is_speed=is_speed))
    server.meter = Tallied(budget=budget, window_s=60.0)
    watch(policy, calls=3 * budget, server=server, link=link, lane=Lane.BULK)
    assert server.refused == 0
    return list(Counter(int(at // 60) for at in server.meter.counted).values())


@TRIED
@given(st.integers(10, 60), st.floats(0, 1), st.sampled_from(["exclusive", "shared"]), st.booleans())
def test_a_reserve_wastes_nothing(budget, reserve, mode, is_slow):
    """Whatever the reserve, a bulk backlog alone uses every token of every window that the service counts exactly."""
    link = Link(up_s=0.25, down_s=0.25) if is_slow else PROMPT
    assert bulk_by_window(RatePolicy(mode=mode, reserve=reserve), budget, link=link) == [budget] * 3


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("is_speed", [True, False])
@pytest.mark.parametrize("trip_s", [0.1, 0.2, 1.0])
def test_a_whole_reserve_wastes_nothing(mode, is_speed, trip_s):
    """A reserve of all there is falls to nothing in time for the last bulk call, however slow the link."""
    link = Link(up_s=trip_s / 2, down_s=trip_s / 2)
    found = bulk_by_window(RatePolicy(mode=mode, reserve=1.0), 60, link=link, is_speed=is_speed)
    assert found == [60] * 3


def test_a_reserve_lets_urgent_calls_pass():
    """Where bulk calls are held back, an interactive one starts at once."""
    rows = [
        Row(0, "submit b1 b2 b3 b4 b5 b6 b7 b8 b9", starts="b1"),
        Row(0.2, "ok b1 L=10 V=9 R=60", starts="b2 b3 b4 b5 b6"),
        Row(0.4, "ok b2 b3 b4 b5 b6 L=10 V=4 R=60"),
        Row(1.0, "submit i1", starts="i1"),
        Row(1.2, "ok i1 L=10 V=3 R=59"),
        Row(58.1, "ask", starts="b7 b8"),
        Row(58.3, "ok b7 b8 L=10 V=30 R=2", starts="b9"),
    ]
    play(RatePolicy(mode="exclusive", reserve=0.5), rows, b={"lane": Lane.BULK}, i={"lane": Lane.INTERACTIVE})


def test_the_last_call_of_a_backlog_looks_where_the_numbers_are_sharp():
    """With a coarse speed the last proven call waits until half a minute before the reset, and shows more to send."""
    policy = RatePolicy(mode="exclusive", reserve=0)
    rows = [
        Row(0, "submit a b c d e", starts="a"),
        Row(0.2, "ok a L=20 V=2 R=300", wakes=269.0),
        Row(200, "ask", wakes=269.0),
        Row(269, "ask", starts="b"),
        # six a minute for half a minute are three calls, or two if b is not taken off yet
        Row(269.2, "ok b L=20 V=6 R=31", starts="c d"),
    ]
    play(policy, rows)


def test_one_who_wants_no_more_does_not_wait_for_the_look():
    """Without a backlog the last proven call goes out at once."""
    rows = [Row(0, "submit a b", starts="a"), Row(0.2, "ok a L=20 V=2 R=300", starts="b")]
    play(RatePolicy(mode="exclusive", reserve=0), rows)


@pytest.mark.parametrize("most", [1, 7])
def test_no_more_are_under_way_than_connections(most):
    """The bound on calls in flight holds while the budget allows more."""
    brain = watch(RatePolicy(mode="exclusive", max_in_flight=most), calls=100, server=fixed(200))
    assert brain.most == most
