"""Where a budget's state lives."""

from __future__ import annotations

from apteligent_async._budgets.address import Budget, budget_from
from apteligent_async._budgets.memory import MemoryBudget, shared_budget
from apteligent_async._budgets.redis import RedisBudget
from apteligent_async._budgets.seats import Seat, take_seat
from apteligent_async._budgets.sqlite import SQLiteBudget

__all__ = ["Budget", "MemoryBudget", "RedisBudget", "SQLiteBudget", "Seat", "budget_from", "shared_budget", "take_seat"]
