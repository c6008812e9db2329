"""The makespan benchmark: its figures, its scenarios, and the clock that rivals run on."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from attrs import fields
from brains import Timid
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import makespan
from benchmarks.rivals import environment
from benchmarks.rivals.clients import CLIENTS
from benchmarks.scenarios import SCENARIOS, START_AT, Row, jain, row

PUBLISHED = {"idle": 240.2, "used": 275.1, "jitter": 167.8, "long": 500.1, "sliding log": 240.2}
COLUMNS = [field.name for field in fields(Row)]
INSTANTS = st.lists(st.lists(st.floats(0, 100), min_size=1, max_size=9), min_size=1, max_size=8)


@pytest.mark.parametrize(("name", "expected_s"), PUBLISHED.items())
def test_scenarios_are_the_published_columns(name, expected_s):
    """The bounds of the scenarios are those of the comparison that they repeat."""
    assert SCENARIOS[name].bound_s() == pytest.approx(expected_s)


@settings(deadline=None)
@given(INSTANTS)
def test_fairness_lies_between_one_over_n_and_one(served_at):
    """Jain's index of n processes is between 1/n and 1, and exactly 1 if all were served alike."""
    assert 1 / len(served_at) - 1e-9 <= jain(served_at) <= 1 + 1e-9
    assert jain([served_at[0]] * 3) == pytest.approx(1)


def test_fairness_is_judged_when_the_first_is_done():
    """Who is served late is unfair even if everybody is served in the end."""
    assert jain([[1.0, 2.0], [50.0, 60.0]]) == pytest.approx(0.5)


def test_a_row_takes_the_figures_from_the_start():
    """Makespan and waits count from the scenario's start, the ratio is over the bound."""
    found = row("x", "y", SCENARIOS["fits"], served_at=[[START_AT + 1, START_AT + 3]], refused=4, visits=[True, False])
    assert (found.makespan, found.mean_wait, found.rate_limited, found.foreign_success) == (3.0, 2.0, 4, 0.5)
    assert found.ratio == pytest.approx(3 / 0.2)


@pytest.mark.parametrize("name", SCENARIOS)
def test_any_scheduler_can_be_measured(name):
    """Every scenario ends for a scheduler that is merely patient, and never below the bound without a stranger."""
    found = makespan.measure_ours("exclusive", SCENARIOS[name], brain=lambda _: Timid())
    assert found.note == ""
    assert found.ratio >= 1 or SCENARIOS[name].foreign_share


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_ours_is_near_the_bound_without_a_refusal(mode, name):
    """In the published columns our scheduler is within a tenth of the bound and is never refused."""
    found = makespan.measure_ours(mode, SCENARIOS[name])
    assert found.ratio < 1.1
    assert found.rate_limited == 0


def test_short_form_prints_rows(capsys):
    """The short form needs no other package, and its last line holds the rows."""
    makespan.main(["--quick", "--json"])
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert len(rows) == 9
    assert sorted(rows[0]) == sorted(COLUMNS)


def test_clients_and_scenarios_are_picked_by_name():
    """Names of either kind narrow their own kind only."""
    clients, scenarios = makespan._chosen("hikari, idle")
    assert clients == [("hikari", "headers")]
    assert [scenario.name for scenario in scenarios] == ["idle"]
    clients, scenarios = makespan._chosen("others")
    assert clients == list(CLIENTS)
    assert len(scenarios) == len(SCENARIOS)


def test_a_rival_that_cannot_be_driven_is_named_with_the_reason(monkeypatch):
    """A process that fails gives a row with its last words, and no figures."""

    def fail(*_, **__):
        raise environment.RivalError("ImportError: no such thing")

    monkeypatch.setattr(makespan, "ask", fail)
    (found,) = makespan.measure_rival(("hikari", "headers"), [SCENARIOS["idle"]])
    assert (found.makespan, found.note) == (None, "ImportError: no such thing")


def run_apart(program):
    """Run a program that takes over the clocks in a process of its own; return what it printed."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()


def test_virtual_time_moves_every_clock_together():
    """Sleeping an hour takes no time, and monotonic, wall and date clocks agree that an hour went by."""
    said = run_apart("""
        from benchmarks.rivals.virtual_time import run, take_over
        clock = take_over(1000.0)
        import asyncio, time
        from datetime import datetime, timezone
        async def main():
            before = time.monotonic(), time.time(), datetime.now(timezone.utc)
            await asyncio.sleep(3600)
            return time.monotonic() - before[0], time.time() - before[1], datetime.now(timezone.utc) - before[2]
        monotonic, wall, date = run(clock, main())
        print(round(monotonic), round(wall), round(date.total_seconds()), isinstance(datetime.now(), datetime))
    """)
    assert said == ["3600", "3600", "3600", "True"]


def test_virtual_time_notices_a_deadlock():
    """A loop in which everybody waits for nobody ends with an error instead of hanging."""
    said = run_apart("""
        from benchmarks.rivals.virtual_time import DeadlockError, run, take_over
        clock = take_over(0.0)
        import asyncio
        async def main():
            await asyncio.Event().wait()
        try:
            run(clock, main())
        except DeadlockError as error:
            print("dead")
    """)
    assert said == ["dead"]


needs_rivals = pytest.mark.skipif(not environment.is_ready(), reason="the rivals' environment is not installed")


@needs_rivals
@pytest.mark.parametrize("client", CLIENTS)
def test_every_rival_can_be_driven(client):
    """Each real package finishes a small scenario, not sooner than the bound allows."""
    (found,) = makespan.measure_rival(client, [SCENARIOS["fits"]])
    assert found.note == ""
    assert found.ratio >= 1


@needs_rivals
def test_known_figures_are_reproduced():
    """Of hikari and discord.py, each takes the time in the second column that was published for them."""
    for client, expected_s in ((("hikari", "headers"), 278.1), (("discord.py", "headers"), 335.1)):
        (found,) = makespan.measure_rival(client, [SCENARIOS["used"]])
        assert found.makespan == pytest.approx(expected_s, abs=1)
