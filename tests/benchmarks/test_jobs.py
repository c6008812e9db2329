"""The costs of the jobs: a plan loses nothing and is never refused, and what saves calls says why."""

from __future__ import annotations

import pytest

from apteligent_async import Plan
from apteligent_async.bulk.recipes.recipe import find_recipe
from benchmarks.job_patterns import PLANS
from benchmarks.jobs import compare, demand

APPS = 3
RECIPES = {
    "J1": ("daily", "grouped", "services", "live"),
    "J2": ("crashes", "cuts", "daily", "network", "userflows"),
    "J5": ("daily",),
}


@pytest.fixture(scope="module")
def compared():
    """Compare all jobs, with few apps; the long one with one."""
    parts = [compare(["J1", "J5"], apps=APPS, limit=20), compare(["J2"], apps=1, limit=20)]
    return [cost for costs, _ in parts for cost in costs], {
        job: uses for _, found in parts for job, uses in found.items()
    }


def test_the_programs_lose_calls_and_ours_do_not(compared):
    """At 20 calls a minute every program was refused; a loop over the client and a plan never are."""
    costs, _ = compared
    for cost in costs:
        if cost.way == "existing":
            assert cost.rate_limited
            assert cost.lost
        else:
            assert (cost.rate_limited, cost.lost) == (0, 0)


def test_a_plan_asks_no_more_than_a_loop(compared):
    """Besides what a round of the jobs takes: 23 calls per app for J1, 8 for J5, and two for the survey."""
    costs, _ = compared
    calls = {(cost.job, cost.way): cost.calls for cost in costs}
    assert calls["J1", "plan"] == calls["J1", "loop"] == 23 * APPS + 2
    assert calls["J5", "plan"] == calls["J5", "loop"] == 8 * APPS + 2
    assert calls["J2", "plan, guesses allowed"] < calls["J2", "plan"] == calls["J2", "loop"]


def test_every_saving_names_its_fact(compared):
    """With its source and grade; guesses are not used unless they are allowed."""
    _, savings = compared
    for uses in savings.values():
        for use in uses:
            assert use["fact"]
            assert use["source"]
            assert not (use["is_used"] and use["grade"] in {"C", "D"})


def test_what_the_importer_wants_is_counted_by_the_hour():
    """Forty apps want three to five times what the service allows at twenty calls a minute, whoever asks."""
    assert demand(40, 20) == {"wanted_at_least": 3453, "wanted_at_most": 5373, "allowed": 1200}


def questions_of(plan):
    """Give what a plan asks of an app, whatever the number of days or groups."""
    return {(wanted.what, frozenset(arguments.items())) for wanted in plan.want for arguments in wanted.combinations()}


@pytest.mark.parametrize("job", PLANS)
def test_what_is_measured_is_what_ships(job):
    """Each question of a job's plan is one of the recipes that stand for the job."""
    shipped = set().union(*(questions_of(find_recipe(name).plan) for name in RECIPES[job]))
    assert questions_of(Plan.from_toml(PLANS[job])) <= shipped
