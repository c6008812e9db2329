"""Budgets in memory: who shares one, under which policy, and when it ends."""

from __future__ import annotations

import pytest

from apteligent_async import ConfigurationError, MemoryBudget, RatePolicy
from apteligent_async._budgets import memory, shared_budget

POLITE, EXCLUSIVE = RatePolicy(mode="polite"), RatePolicy(mode="exclusive")


def scheduler_of(budget, loop="loop", policy=None):
    """Join, and take the scheduler itself for the runner."""
    return budget.join(loop, policy, lambda scheduler: scheduler)


def test_one_loop_has_one_line():
    """Whoever joins gets the same runner; another loop gets another."""
    budget = MemoryBudget()
    first = scheduler_of(budget)
    assert scheduler_of(budget) is first
    assert scheduler_of(budget, loop="other") is not first


def test_whoever_comes_first_sets_the_policy():
    """The same policy, or none, may join; another may not, and counts for nothing."""
    budget = MemoryBudget()
    first = scheduler_of(budget, policy=POLITE)
    assert first.policy == POLITE
    assert scheduler_of(budget, policy=RatePolicy(mode="polite")) is first
    assert scheduler_of(budget) is first
    with pytest.raises(ConfigurationError, match="under RatePolicy"):
        scheduler_of(budget, policy=EXCLUSIVE)
    for _ in range(3):
        budget.leave("loop")
    assert scheduler_of(budget, policy=EXCLUSIVE).policy == EXCLUSIVE


def test_what_was_spent_stays_spent_when_the_last_has_left():
    """The next client on the loop takes the line over; under another policy it begins anew, but knowing."""
    budget = MemoryBudget()
    first = scheduler_of(budget)
    budget.leave("loop")
    assert scheduler_of(budget) is first
    budget.leave("loop")
    other = scheduler_of(budget, policy=POLITE)
    assert other is not first
    assert other.learned() == first.learned()


def test_a_loop_that_nobody_uses_is_forgotten():
    """Loops come and go; a budget keeps no line of one on which nobody is left once another begins."""
    budget = MemoryBudget()
    first = scheduler_of(budget, loop="old")
    budget.leave("old")
    scheduler_of(budget, loop="new")
    assert scheduler_of(budget, loop="old") is not first


def test_a_client_id_has_one_budget_per_site_and_loop():
    """An unknown client id has one for every client."""
    one = shared_budget("https://a", "id", "loop")
    assert shared_budget("https://a", "id", "loop") is one
    assert shared_budget("https://b", "id", "loop") is not one
    assert shared_budget("https://a", "other", "loop") is not one
    assert shared_budget("https://a", "id", "other") is not one
    assert shared_budget("https://a", None, "loop") is not shared_budget("https://a", None, "loop")


def test_budgets_in_use_are_kept_and_idle_ones_bounded():
    """However many client ids come and go, those in use and the latest others remain."""
    used = shared_budget("https://a", "used", "loop")
    scheduler_of(used)
    latest = [shared_budget("https://a", f"id {number}", "loop") for number in range(100)][-1]
    assert shared_budget("https://a", "used", "loop") is used
    assert shared_budget("https://a", "id 99", "loop") is latest
    assert len(memory._shared) <= memory.MOST_SHARED + 2
    used.leave("loop")


def test_a_budget_shows_no_client_id():
    """Neither in its own repr nor anywhere in it."""
    assert "PlantedId" not in repr(shared_budget("https://a", "PlantedId", "loop"))
