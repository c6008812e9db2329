"""A budget by its address, as `APTELIGENT_BUDGET` and the command line name it."""

from __future__ import annotations

from apteligent_async._budgets.memory import MemoryBudget
from apteligent_async._budgets.redis import RedisBudget
from apteligent_async._budgets.sqlite import SQLiteBudget
from apteligent_async._wire.secret import Secret
from apteligent_async.errors import ConfigurationError

__all__ = ["Budget", "budget_from"]

Budget = MemoryBudget | SQLiteBudget | RedisBudget


def budget_from(address: str) -> Budget | None:
    """Give the budget that an address names; None for the default, which is this process's memory.

    ``memory://``; ``sqlite:///path/to/file``, from the root or, as ``sqlite:///~/file``, from the home; ``redis://``,
    ``rediss://`` (TLS) or ``unix://`` as Redis clients write them. A path that depends on where a process happens to
    run cannot be written.

    Raises:
        ConfigurationError: it names none; the message does not repeat it, as it may hold a password.
    """
    scheme, _, rest = map(Secret, address.strip().partition("://"))
    match scheme:
        case "" | "memory":
            return None
        case "sqlite" if rest.strip("/") and rest.startswith("/"):
            return SQLiteBudget(rest.lstrip("/") if rest.lstrip("/").startswith("~") else "/" + rest.lstrip("/"))
        case "redis" | "rediss" | "unix":
            return RedisBudget(address.strip())
        case _:
            raise ConfigurationError(
                "A budget's address is memory://, sqlite:///path/to/file or redis://host:port; this is none of them."
            )
