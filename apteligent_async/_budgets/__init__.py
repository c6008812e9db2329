"""Where a budget's state lives."""

from __future__ import annotations

from apteligent_async._budgets.memory import MemoryBudget, shared_budget

__all__ = ["MemoryBudget", "shared_budget"]
