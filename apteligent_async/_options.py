"""What may differ from call to call."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from apteligent_async._cache.entries import CacheMode
from apteligent_async._scheduling.policy import RetryPolicy, checked, is_number, must_be
from apteligent_async._scheduling.signals import Priority
from apteligent_async.errors import ConfigurationError

__all__ = ["CallOptions"]

Choice = TypeVar("Choice", bound=Enum)

_SECONDS = checked(lambda value: value is None or (is_number(value) and value > 0), "seconds above 0, or None")


@frozen(kw_only=True)
class CallOptions:
    """What may differ from call to call."""

    priority: Priority = Priority.INTERACTIVE
    deadline: float | None = field(default=None, validator=_SECONDS)
    timeout: float | None = field(default=60.0, validator=_SECONDS)
    retry: RetryPolicy = field(
        factory=RetryPolicy, validator=must_be(RetryPolicy, "a RetryPolicy, such as RetryPolicy(max_attempts=3)")
    )
    cache: CacheMode = CacheMode.USE

    def changed(
        self, *, priority: Priority | str | None = None, cache: CacheMode | str | None = None, **others: Any
    ) -> CallOptions:
        """Give these options with changes; what is None stays.

        Raises:
            ConfigurationError: an option is not possible.
        """
        wanted = {name: value for name, value in others.items() if value is not None}
        if priority is not None:
            wanted["priority"] = _member(Priority, "priority", priority)
        if cache is not None:
            wanted["cache"] = _member(CacheMode, "cache", cache)
        return evolve(self, **wanted)


def _member(kind: type[Choice], option: str, name: Choice | str) -> Choice:
    try:
        return name if isinstance(name, kind) else kind(name.lower())  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        allowed = ", ".join(each.value for each in kind)
        raise ConfigurationError(f"{option}={name!r} is not known: it must be one of {allowed}.") from None
