"""Budgets in memory: who shares one, under which policy, and when it ends."""

from __future__ import annotations

import gc

import pytest

from apteligent_async import ConfigurationError, MemoryBudget, RatePolicy
from apteligent_async._budgets import shared_budget

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


def test_the_last_to_leave_ends_the_line():
    """Until then its knowledge is kept."""
    budget = MemoryBudget()
    first = scheduler_of(budget)
    scheduler_of(budget)
    budget.leave("loop")
    assert scheduler_of(budget) is first
    budget.leave("loop")
    budget.leave("loop")
    assert scheduler_of(budget) is not first


def test_a_client_id_has_one_budget_per_site():
    """An unknown client id has one for every client."""
    one = shared_budget("https://a", "id")
    assert shared_budget("https://a", "id") is one
    assert shared_budget("https://b", "id") is not one
    assert shared_budget("https://a", "other") is not one
    assert shared_budget("https://a", None) is not shared_budget("https://a", None)


def test_a_shared_budget_lives_as_long_as_its_clients():
    """Nothing is kept for a client id that nobody uses any more."""
    budget = shared_budget("https://a", "gone")
    mark = scheduler_of(budget)
    assert scheduler_of(shared_budget("https://a", "gone")) is mark
    del budget
    gc.collect()
    assert scheduler_of(shared_budget("https://a", "gone")) is not mark


def test_a_budget_shows_no_client_id():
    """Neither in its own repr nor anywhere in it."""
    assert "PlantedId" not in repr(shared_budget("https://a", "PlantedId"))
