"""Each rule of what is held back by itself: from when it has no objection, by what the books say."""

from __future__ import annotations

import math

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._scheduling.company import Company
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Span, Unit
from apteligent_async._scheduling.release import COURTESY, PHI, held_until, part_under_way
from apteligent_async._scheduling.signals import Cause, Job, Lane
from apteligent_async._scheduling.views import View
from apteligent_async._scheduling.windows import Windows

PAST = -math.inf
NOW = 10.0
BULK = Job(lane=Lane.BULK)


@define
class Known:
    """What a budget knows of a window of twenty that surely ends after instant 60, no sooner."""

    left: float = 5.0
    live: int = 0
    own: int = 0
    ends: Span | None = field(factory=lambda: Span(60.0, 62.0))
    expected_length_s: float = 60.0
    expected_size: float = 20.0
    company: Company = field(factory=Company)
    windows: Windows = field(factory=Windows)
    sharp_at: float = PAST
    speeds: float | None = None

    @property
    def looks(self):
        """Say of themselves what looks say."""
        return self

    def shows_more_at(self, books, *, last_at, now):
        """Say when numbers are sharp."""
        return self.sharp_at

    def alive(self):
        """Give the books by count, and those by speed, which may have proven something else."""
        lefts = {Unit.COUNT: self.left, Unit.SPEED: self.left if self.speeds is None else self.speeds}
        return [View(each, left=lefts[each.unit] + self.live) for each in ALL_HYPOTHESES]


def held(known, *, job=None, is_last=False, last_at=PAST, now=NOW, **policy):
    """Ask the rules, without a reserve unless told otherwise."""
    settings = RatePolicy(**{"mode": "exclusive", "reserve": 0, **policy})
    return held_until(settings, known, job or Job(), is_last=is_last, last_at=last_at, now=now)


def test_nothing_is_held_back_without_a_rule():
    """Whoever is alone and keeps nothing back sends what is proven."""
    assert held(Known()) == (PAST, Cause.NOTHING)


@pytest.mark.parametrize(
    ("live", "now", "at"),
    [(0, 10.0, 30.0), (2, 10.0, math.inf), (2, 30.0, 30.0), (2, 31.0, 30.0)],
)
def test_the_last_token_waits_for_the_look_and_for_answers_before_it(live, now, at):
    """From the very instant at which the numbers are sharp it may go."""
    assert held(Known(sharp_at=30.0, live=live), is_last=True, now=now) == (at, Cause.LATE_LOOK)
    assert held(Known(sharp_at=30.0, live=live), is_last=False, now=now) == (PAST, Cause.NOTHING)


@pytest.mark.parametrize("live", [0, 2])
@pytest.mark.parametrize(
    ("deadline_at", "at", "cause"),
    [(29.9, PAST, Cause.NOTHING), (30.0, 30.0, Cause.LATE_LOOK), (40.0, 30.0, Cause.LATE_LOOK)],
)
def test_a_call_with_a_deadline_is_kept_for_a_look_that_it_can_make(live, deadline_at, at, cause):
    """For that alone, whatever else is under way: it was let in because there was a token for it."""
    known = Known(sharp_at=30.0, live=live)
    assert held(known, job=Job(deadline_at=deadline_at), is_last=True) == (at, cause)


@pytest.mark.parametrize(
    ("left", "live", "peers", "cost", "cause"),
    [
        (8, 0, 1, 1, Cause.NOTHING),
        (8, 2, 1, 1, Cause.ANSWERS),  # a quarter of ten is two
        (9, 2, 1, 1, Cause.ANSWERS),
        (10, 2, 1, 1, Cause.NOTHING),
        (10, 2, 3, 1, Cause.ANSWERS),  # a sixth of twelve is two
        (16, 2, 3, 1, Cause.NOTHING),
        (1, 0, 1, 1, Cause.NOTHING),  # one call goes out always
        (3, 0, 1, 3, Cause.NOTHING),  # however dear
        (3, 1, 1, 1, Cause.ANSWERS),
    ],
)
def test_shared_keeps_no_more_under_way_than_its_part(left, live, peers, cost, cause):
    """Of what is left and what is under way together; or one call."""
    known = Known(left=left, live=live, own=10, company=Company(peers=peers))
    assert held(known, mode="shared", job=Job(cost=cost))[1] is cause


@pytest.mark.parametrize(
    ("own", "live", "phi", "cause"),
    [
        (0, 0, PHI, Cause.NOTHING),  # one call goes out always
        (0, 1, PHI, Cause.ANSWERS),
        (1, 3, PHI, Cause.NOTHING),  # four times what was answered
        (1, 4, PHI, Cause.ANSWERS),
        (5, 19, PHI, Cause.NOTHING),
        (5, 20, PHI, Cause.ANSWERS),
        (0, 20, 0.5, Cause.NOTHING),  # those who talk know of each other
    ],
)
def test_a_shared_window_begins_slowly(own, live, phi, cause):
    """However much is left: whoever else calls shows in the first answers."""
    known = Known(left=1000, live=live, own=own)
    settings = RatePolicy(mode="shared", reserve=0)
    assert held_until(settings, known, Job(), is_last=False, last_at=PAST, now=0.0, phi=phi)[1] is cause


@given(st.integers(1, 32), st.floats(0.01, 1))
def test_the_parts_of_all_peers_stay_within_half_of_what_is_left(peers, phi):
    """So that no burst of theirs overdraws; and nobody keeps more than it would alone."""
    part = part_under_way(Known(company=Company(peers=peers)), phi)
    assert part == pytest.approx(min(phi, 0.5 / peers))


@pytest.mark.parametrize(
    ("last_at", "left", "foreign", "at"),
    [
        (10.0, 4, 0.0, 20.0),  # four calls in fifty seconds have five gaps
        (10.0, 4, 1.0, 22.5),  # one is left to others
        (10.0, 4, 9.0, 10.0 + 50 / (4 - COURTESY + 1)),  # never more than that
        (10.0, 1, 9.0, 60.0),  # even if nothing is left then
        (59.5, 1, 0.0, 59.75),
        (60.5, 1, 0.0, 60.5),  # the reset may have passed
    ],
)
def test_polite_goes_at_the_speed_that_is_left_to_it(last_at, left, foreign, at):
    """What is left, spread evenly over the rest of the window, a little being left to those who were seen."""
    known = Known(left=left, company=Company(foreign=foreign))
    assert held(known, mode="polite", last_at=last_at, now=last_at) == (pytest.approx(at), Cause.PACE)


def test_polite_needs_a_window_to_spread_over():
    """Before one is known, one call goes at once and the rest wait for its answer."""
    assert held(Known(ends=None), mode="polite") == (PAST, Cause.NOTHING)
    assert held(Known(ends=None, live=1), mode="polite") == (math.inf, Cause.PROBE)


@pytest.mark.parametrize(
    ("own", "live", "now", "at"),
    [
        (5, 0, 10.0, PAST),
        (6, 0, 10.0, 62.0),  # six of twenty are our share: the next window, once it has surely begun
        (5, 1, 10.0, 62.0),
        (6, 0, 62.0, 62.0),
        (5, 1, 62.0, math.inf),  # its answer will tell of the next window
        (6, 0, 63.0, 62.0),
    ],
)
def test_a_share_is_spent_once_in_a_window(own, live, now, at):
    """What is under way counts as spent."""
    cause = Cause.NOTHING if at == PAST else Cause.SHARE
    assert held(Known(own=own, live=live), share=0.3, now=now) == (at, cause)


@pytest.mark.parametrize(("share", "cost"), [(0.01, 1), (0.1, 3)])
def test_one_call_is_in_every_share(share, cost):
    """However small the share, and however dear the call."""
    assert held(Known(), share=share, job=Job(cost=cost)) == (PAST, Cause.NOTHING)
    assert held(Known(own=1), share=share, job=Job(cost=cost)) == (62.0, Cause.SHARE)


@pytest.mark.parametrize(("settings", "job"), [({"share": 0.5}, Job()), ({"reserve": 0.5}, BULK)])
def test_whoever_holds_back_asks_before_it_spends_a_new_window(settings, job):
    """Until the first answer of the window, nobody knows how much there is to hold back from."""
    assert held(Known(ends=None, live=1), job=job, **settings) == (math.inf, Cause.PROBE)
    assert held(Known(ends=None), job=job, **settings) == (PAST, Cause.NOTHING)
    assert held(Known(ends=None, live=1), **{**settings, "share": None}) == (PAST, Cause.NOTHING)


@pytest.mark.parametrize(
    ("reserve", "left", "live", "at"),
    [
        (1.0, 1, 0, 55.8),  # a twentieth of sixty seconds before just before the end
        (1.0, 5, 0, 43.8),
        (1.0, 3, 2, 49.8),  # what is under way is not left
        (0.5, 1, 0, 52.8),
        (0.1, 2, 0, -1.2),
    ],
)
def test_a_reserve_shrinks_with_its_window(reserve, left, live, at):
    """Down to nothing a fiftieth before the end, so that the last token goes out in time."""
    at_found, cause = held(Known(left=left, live=live), reserve=reserve, job=BULK)
    assert (at_found, cause) == (pytest.approx(at), Cause.RESERVE)


def test_a_reserve_counts_what_is_proven_by_the_reading_that_proves_more():
    """What the other leaves in doubt is kept by itself."""
    assert held(Known(left=1, speeds=5), reserve=1.0, job=BULK)[0] == pytest.approx(43.8)
    assert held(Known(left=5, speeds=1), reserve=1.0, job=BULK)[0] == pytest.approx(43.8)


def test_a_reserve_is_for_windows_and_against_bulk_calls():
    """Where resets move on there is no end to keep it for."""
    assert held(Known(windows=Windows(is_moving=True)), reserve=1.0, job=BULK) == (PAST, Cause.NOTHING)
    assert held(Known(), reserve=1.0) == (PAST, Cause.NOTHING)
    assert held(Known(), reserve=0, job=BULK) == (PAST, Cause.NOTHING)


def test_the_strictest_rule_decides_and_is_named():
    """Of a share that is spent and a pace that would allow the call."""
    assert held(Known(own=20), mode="polite", share=0.5, last_at=10.0) == (62.0, Cause.SHARE)
    assert held(Known(own=1), mode="polite", share=0.5, last_at=10.0)[1] is Cause.PACE
