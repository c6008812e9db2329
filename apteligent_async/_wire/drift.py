"""What the service sends that this package does not know, counted: the first sign that the service has changed."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from apteligent_async._wire.values import SURPRISES

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Drift"]

MOST_NAMES = 200
OTHERS = "(others)"


class Drift:
    """Counts unknown keys and values per endpoint. Its state: one counter per endpoint, each of bounded size."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}

    @contextmanager
    def watching(self, endpoint: str) -> Generator[None]:
        """Count whatever is structured inside as an answer of this endpoint."""
        noted: Counter[str] = Counter()
        token = SURPRISES.set(noted)
        try:
            yield
        finally:
            SURPRISES.reset(token)
            if noted:
                self._count(endpoint, noted)

    def report(self) -> dict[str, dict[str, int]]:
        """Tell how often each unknown key (``App.colour``) or value (``AppType=tv``) came, by endpoint."""
        return {endpoint: dict(counter) for endpoint, counter in self._seen.items()}

    def _count(self, endpoint: str, noted: Counter[str]) -> None:
        counter = self._seen.setdefault(endpoint, Counter())
        for name, times in noted.items():
            counter[name if name in counter or len(counter) < MOST_NAMES else OTHERS] += times
