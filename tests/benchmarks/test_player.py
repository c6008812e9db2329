"""The discrete-event player: nothing lost, nothing twice, the same every time."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from brains import Reckless, Timid
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async._scheduling.signals import Job
from benchmarks.cases import START_AT, draw_case
from benchmarks.meters import FixedWindow
from benchmarks.player import Client, Player, StuckError
from benchmarks.surroundings import Foreign, Link, Whims
from benchmarks.zoo import Dialect, Server


def play(brain, *, n=5, budget=20, whims=None, foreign=None, tape=None, **link):
    """Play `n` calls against a plain fixed window; return the player and the one client."""
    server = Server(meter=FixedWindow(budget=budget, window_s=60.0), dialect=Dialect(), dice=Random("server"))
    settings = {"whims": whims or Whims(), "foreign": foreign, "tape": tape, "horizon_at": 1e6}
    player = Player(server=server, link=Link(**link), dice=Random("link"), **settings)
    client = Client(brain)
    player.submit(client, [Job() for _ in range(n)])
    player.run()
    return player, client


def test_a_sequential_client_takes_one_round_trip_per_call():
    """Five calls, one at a time over a link of 0.2 s, take one second and wait 0.6 s on average."""
    player, client = play(Timid())
    assert player.now == client.done_at == pytest.approx(1.0)
    assert sum(client.waits) / 5 == pytest.approx(0.6)
    assert player.server.allowed == client.allowed == 5


def test_a_refused_client_finishes_in_the_next_window():
    """A client that waits for the stated reset is refused once per window and served in the next."""
    _, client = play(Timid(), n=3, budget=2)
    assert client.rate_limited == 1
    assert 60 < client.done_at < 62


def test_reckless_bursts_are_counted_as_they_are():
    """Ten calls at once against a budget of four earn six refusals in the first second."""
    _, client = play(Reckless(), n=10, budget=4, up_s=0.05, down_s=0.05)
    assert client.rate_limited > 6
    assert client.allowed == 10


@settings(deadline=None)
@given(st.integers(0, 400))
def test_every_job_ends_exactly_once(number):
    """Whatever happens, each job is served, given up, cancelled, or still waits where a server starves it."""
    case = draw_case("ends", number)
    player = Player(
        server=case.server(),
        link=case.link,
        dice=Random(number),
        now=START_AT,
        whims=case.whims,
        foreign=case.foreign,
        most_events=5_000,
    )
    client = Client(Timid())
    player.submit(client, [Job() for _ in range(30)])
    with suppress(StuckError):
        player.run()
    assert client.allowed + client.given_up + len(client.live) == 30
    assert len(client.waits) == client.allowed
    assert set(client.flights) <= client.live


def test_cancelled_jobs_never_arrive_unless_they_were_sent():
    """Jobs withdrawn from the line or dropped after the grant leave no trace at the server."""
    player, client = play(Timid(), n=40, whims=Whims(dropped=1.0))
    assert player.server.allowed == 0
    assert client.given_up == 40


def test_lost_replies_end_in_a_timeout():
    """A lost reply costs its patience, and the call counts at the server."""
    player, client = play(Timid(), n=2, lost=1.0, timeout_s=9.0)
    assert client.done_at == pytest.approx(18.0)
    assert player.server.allowed == 2


def test_strangers_spend_the_budget():
    """Foreign bursts reach the server and are counted apart."""
    player, _ = play(Timid(), n=60, budget=30, foreign=Foreign(every_s=5.0, burst=7))
    assert len(player.visits) >= 7
    assert player.server.allowed == 60


def test_a_dead_scheduler_is_noticed():
    """If jobs wait and no event is left, the player says so instead of ending quietly."""

    class Asleep(Timid):
        def wake_at(self):
            return None

    with pytest.raises(StuckError, match="nothing will wake"):
        play(Asleep(), n=3, budget=2)


def test_a_wake_up_in_the_past_is_noticed():
    """A scheduler that names a wake-up before now breaks its promise."""

    class Late(Timid):
        def wake_at(self):
            return -1.0

    with pytest.raises(StuckError, match="lies before now"):
        play(Late())


def test_the_tape_tells_the_story():
    """The trace has one line per event, with the instant, what the oracle sees left, and what happened."""
    lines = []
    play(Timid(), n=1, tape=lines.append)
    assert [line.split()[5] for line in lines[:2]] == ["sent", "counted"]
    assert "Succeeded L=20 V=19 R=60" in lines[2]


def test_runs_repeat_exactly():
    """The same dice give the same tape, line by line."""
    tapes = [[], []]
    for tape in tapes:
        play(Timid(), n=30, jitter_s=1.0, lost=0.1, tape=tape.append)
    assert tapes[0] == tapes[1]


def test_callers_who_leave_are_told_apart():
    """A caller who leaves the line is withdrawn; one who leaves after sending is abandoned, and counted."""
    verbs = []

    class Recording(Timid):
        """Notes who left and how."""

        def withdraw(self, job, *, now):
            """Note it."""
            verbs.append(("withdraw", job is self.flying))
            super().withdraw(job, now=now)

        def abandon(self, job, *, now):
            """Note it."""
            verbs.append(("abandon", job is self.flying))
            super().abandon(job, now=now)

    player, client = play(Recording(), n=40, whims=Whims(cancelled=1.0, within_s=3.0))
    assert {("withdraw", False), ("abandon", True)} == set(verbs)
    assert player.server.allowed > client.allowed


def test_a_timer_that_was_set_anew_does_not_ring_at_its_old_instant():
    """There is one timer: once the scheduler names another instant, the old one asks nothing."""
    asked = []

    class Moving(Timid):
        """Names 5 s, and after the first answer 7 s."""

        def due(self, *, now):
            """Note when it is asked, and start a call at the beginning and at 7 s."""
            asked.append(now)
            return super().due(now=now) if now in {0.0, 7.0} else ()

        def wake_at(self):
            """Name the instant."""
            return 5.0 if asked == [0.0] else 7.0 if len(asked) == 2 else None

    play(Moving(), n=2)
    assert asked == [0.0, pytest.approx(0.2), 7.0, pytest.approx(7.2)]
