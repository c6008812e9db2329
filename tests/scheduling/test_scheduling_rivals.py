"""One test for each defect that other schedulers were found to have: this one does not have it."""

from __future__ import annotations

from collections import Counter

import pytest
from runs import fixed, player
from scripts import Row, play

from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Again, Job, Limited, Reading, Stage
from benchmarks.meters import Refusals
from benchmarks.player import Client, StuckError
from benchmarks.surroundings import Link, Whims

ALONE = RatePolicy(mode="exclusive", reserve=0)
SLOW = Link(up_s=0.25, down_s=0.25)


def finish(policy, *, calls, server, link=None, **settings):
    """Play so many calls at once; return the client, and its last end."""
    game, client = player(server, link=link, **settings), Client(Scheduler(policy))
    game.submit(client, [Job() for _ in range(calls)])
    game.run()
    return client


def test_cancel_head():
    """The waiter at the head of the line may leave at any time, and the next one has its place (hikari 2.7.0)."""
    rows = [
        Row(0, "submit a b c", starts="a"),
        Row(0.2, "refused a L=20 R=42", wakes=43.2),
        Row(1, "withdraw a", wakes=43.2),
        Row(2, "withdraw b", wakes=43.2),
        Row(43.2, "ask", starts="c"),
    ]
    play(ALONE, rows)


def test_serial_after_probe():
    """After the probe the gate widens: a backlog is not served one call per round trip (hikari 2.7.0)."""
    client = finish(ALONE, calls=600, server=fixed(600), link=SLOW)
    assert client.done_at < 5.0


def test_caller_pays():
    """Whoever has its answer is done: the last call of a window does not sleep until the reset (discord.py)."""
    client = finish(ALONE, calls=15, server=fixed(20), link=Link(up_s=0.15, down_s=0.15))
    assert client.done_at == pytest.approx(0.6, abs=0.05)
    assert client.rate_limited == 0


def test_double_subtract():
    """Calls under way are taken off once: all but the last of a fresh budget of twenty are out, and it follows them."""
    rows = [
        Row(0, "submit " + " ".join("abcdefghijklmnopqrstuv"), starts="a"),
        Row(0.2, "ok a L=20 V=19 R=60", starts=" ".join("bcdefghijklmnopqrs")),
        Row(0.4, "ok b L=20 V=18 R=60"),
        Row(0.5, "ok c d e f L=20 V=14 R=60"),
        Row(0.6, "ok " + " ".join("ghijklmnopqrs") + " L=20 V=1 R=60", starts="t"),
    ]
    assert play(ALONE, rows).scheduler.budget.left == 0


def test_cancelled_still_sent():
    """No call is sent for a caller that has gone: of sixty, twenty leave and forty arrive (adaptive-rate-limiter)."""
    server, brain = fixed(20), Scheduler(ALONE)
    game, client = player(server), Client(brain)
    jobs = [Job() for _ in range(60)]
    game.submit(client, jobs)
    for job in jobs[20:40]:
        game._cancel((client, job))
    game.run()
    assert server.allowed == 40
    assert server.refused == 0


def test_exponent_per_reply():
    """A burst of refusals is one event: the wait is that of one, however many calls it hits (crawlee-python)."""
    waits = []
    for burst in (1, 8):
        script = play(ALONE, [Row(0, "submit a b c d e f g h i j", starts="a")])
        scheduler = script.scheduler
        script.happen("ok a L=20 V=14 R=42", now=0.2)
        flying = [job for job in script.jobs.values() if job.stage is Stage.STARTED]
        assert len(flying) == 8
        for job in flying[:burst]:
            scheduler.settle(job, Limited(reading=Reading(limit=20, reset_s=42, actual=25)), now=0.4, dice=0.9)
        for job in flying[burst:]:
            scheduler.withdraw(job, now=0.4)
        assert scheduler.due(now=0.4) == []
        waits.append(scheduler.wake_at())
    assert waits == [43.4, 43.4]


def test_siblings_send_into_the_wall():
    """When one call is refused nobody else sends until the reset, newcomers included (octokit plugin-throttling)."""
    rows = [
        Row(0, "submit a b c", starts="a"),
        Row(0.2, "refused a L=20 R=30"),
        Row(5, "submit d e"),
        Row(31.1, "ask"),
        Row(31.2, "ask", starts="a"),
        Row(31.4, "ok a L=20 V=19 R=60", starts="b c d e"),
    ]
    play(ALONE, rows)


@pytest.mark.parametrize("stated", ["L=20 V=20 R=0", "L=20 V=0 R=0", "L=20 V=1200 R=0"])
def test_boundary_zero_reset(stated):
    """An answer at the very reset neither divides by zero nor opens more than one call, nor shuts for ever."""
    rows = [
        Row(0, "submit a b c", starts="a"),
        Row(0.2, f"refused a {stated}", wakes=1.2),
        Row(1.2, "ask", starts="a"),
        Row(1.4, "ok a L=20 V=19 R=60", starts="b c"),
    ]
    play(ALONE, rows)


def test_restart_cancel():
    """A call that is refused, waits again and then leaves, leaves nothing behind: its place and token are free."""
    rows = [
        Row(0, "submit a b", starts="a"),
        Row(0.2, "refused a L=20 R=30"),
        Row(31.2, "ask", starts="a"),
        Row(31.3, "withdraw a", starts="b"),
        Row(31.5, "ok b L=20 V=19 R=60", wakes=None),
    ]
    script = play(ALONE, rows)
    assert script.scheduler.budget.live == 0
    assert script.scheduler.snapshot(now=32.0).in_flight == 0


def test_token_lost():
    """Granted and cancelled at one instant, again and again: no token is lost, and the line moves on (anyio#947)."""
    scheduler = Scheduler(ALONE)
    for number in range(1000):
        job = Job()
        scheduler.submit(job, now=float(number))
        assert scheduler.due(now=float(number)) == [job]
        scheduler.withdraw(job, now=float(number))
    assert scheduler.budget.live == 0
    assert scheduler.budget.left == 1


def test_speed_read_as_count():
    """Two hundred calls a minute for three seconds are ten calls, and no more than those are sent."""
    server = fixed(20, used=9)
    server.meter.began_at, server.meter._ends_at = -57.0, 3.0
    client = finish(ALONE, calls=15, server=server)
    assert client.rate_limited == 0
    assert server.refused == 0


@pytest.mark.parametrize(("calls", "within_s"), [(80, 3.0), (99, 300.0)])
def test_a_bucket_of_five_minutes(calls, within_s):
    """A hundred calls per three hundred seconds are no twenty a minute: most go at once, all but one in the window."""
    client = finish(ALONE, calls=calls, server=fixed(100, 300.0))
    assert client.rate_limited == 0
    assert client.done_at < within_s


def test_dropping_after_the_grant():
    """Callers that leave between grant and sending, half of them, cost nothing: the others use the whole budget."""
    server = fixed(40)
    client = finish(ALONE, calls=80, server=server, whims=Whims(dropped=0.5))
    assert server.refused == 0
    assert client.allowed + client.given_up == 80
    assert client.allowed == server.allowed


def test_refused_calls_that_count():
    """Where refusals are counted too, a client that is alone is refused once at most, at its cold start."""
    server = fixed(20, used=20)
    server.meter.refusals = Refusals.COUNTED
    client = finish(ALONE, calls=60, server=server)
    assert client.rate_limited == 1


def jain(parts):
    """Return Jain's fairness index: one where all parts are equal."""
    return sum(parts) ** 2 / (len(parts) * sum(part**2 for part in parts))


def share_out(mode, clients, *, budget=60, windows=6):
    """Let greedy strangers share some windows; return what each was served, and its refusals by window."""
    server, refusals = fixed(budget), Counter()
    game = player(server, seed=f"{mode} {clients}", link=Link(jitter_s=0.05))
    game.on_refusal = lambda client, _, at: refusals.update([(client.name, int(at // 60))])
    crowd = [Client(Scheduler(RatePolicy(mode=mode, reserve=0)), name=str(number)) for number in range(clients)]
    for client in crowd:
        game.submit(client, [Job() for _ in range(budget * windows)], at=game.dice.random())
    game.horizon_at = 60.0 * windows
    with pytest.raises(StuckError, match="beyond the bound"):
        game.run()
    return [len(client.served_at) for client in crowd], refusals


@pytest.mark.parametrize("clients", [2, 3, 4, 5, 6, 7, 8])
def test_polite_strangers_share_fairly(clients):
    """Two to eight polite clients that know nothing of each other have the same part, to one in a hundred."""
    served, refusals = share_out("polite", clients)
    assert jain(served) >= 0.99
    assert sum(served) >= 0.97 * 6 * 60
    assert max(refusals.values(), default=0) <= 1


def test_two_sharers_are_hardly_ever_refused():
    """Two clients in shared mode have one refusal per client and window at most, and leave nothing unused."""
    served, refusals = share_out("shared", 2)
    assert max(refusals.values(), default=0) <= 1
    assert sum(served) >= 0.97 * 6 * 60


@pytest.mark.parametrize("clients", [3, 4, 5, 6, 7, 8])
def test_many_sharers_are_hardly_ever_refused(clients):
    """Three to eight clients in shared mode average one refusal per client and window at most, and use all there is."""
    served, refusals = share_out("shared", clients)
    assert sum(refusals.values()) <= clients * 6
    assert sum(served) >= 0.97 * 6 * 60


def test_a_refusal_is_not_held_against_the_error_budget():
    """A call that is refused several times waits for the budget each time, at its old place."""
    scheduler, job = Scheduler(ALONE), Job()
    scheduler.submit(job, now=0.0)
    for minute in range(5):
        assert scheduler.due(now=62.0 * minute) == [job]
        verdict = scheduler.settle(job, Limited(reading=Reading(limit=20, reset_s=60)), now=62.0 * minute, dice=0.5)
        assert isinstance(verdict, Again)
        assert 62.0 * minute + 60 < verdict.at <= 62.0 * (minute + 1)
    assert job.failures == 0
