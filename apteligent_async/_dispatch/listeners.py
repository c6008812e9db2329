"""Whoever watches a line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from apteligent_async._scheduling.signals import Event

__all__ = ["Listeners"]

_logger = logging.getLogger("apteligent_async")


class Listeners:
    """Functions that are called with each event. Its state is those functions."""

    def __init__(self) -> None:
        self._functions: list[Callable[[Event], object]] = []

    def __bool__(self) -> bool:
        return bool(self._functions)

    def add(self, listener: Callable[[Event], object]) -> None:
        """Call a function from now on.

        Raises:
            ConfigurationError: it is none.
        """
        if not callable(listener):
            raise ConfigurationError(f"A listener is a function of one event, not {listener!r}.")
        self._functions.append(listener)

    def discard(self, listener: Callable[[Event], object]) -> None:
        """Call it no more; twice does no harm."""
        if listener in self._functions:
            self._functions.remove(listener)

    def hear(self, event: Event) -> None:
        """Hand an event to all of them; what one raises is logged."""
        for listener in tuple(self._functions):
            try:
                listener(event)
            except Exception:  # a watcher's fault must not stop the line
                _logger.exception("A listener to %s failed.", event.name)
