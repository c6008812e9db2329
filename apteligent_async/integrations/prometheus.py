"""Prometheus metrics of clients.

    stop = instrument(client)

Metrics are called ``apteligent_calls_total`` and so on, after the table in `measures`, and have one label more:
``account``. All labels are bounded: endpoints of the table, causes, outcomes, states, and the accounts that you name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from attrs import define
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from apteligent_async.integrations.measures import LABELS, Measures

if TYPE_CHECKING:
    from collections.abc import Callable

    from apteligent_async import ApteligentClient

__all__ = ["instrument"]

_SECONDS = (0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 900)

_KINDS: dict[str, tuple[type, str, dict[str, Any]]] = {
    "calls": (Counter, "Calls, by how they ended", {}),
    "call_seconds": (Histogram, "Seconds from call to result, waiting included", {"buckets": _SECONDS}),
    "waited_seconds": (Histogram, "Seconds that calls waited for budget", {"buckets": _SECONDS}),
    "blocked_seconds": (Counter, "Seconds that the head of the line waited, by cause", {}),
    "budget_left": (Gauge, "Calls proven to be left of the rate budget", {}),
    "rate_limited": (Counter, "Answers of 429", {}),
    "retries": (Counter, "Attempts after the first", {}),
    "cache": (Counter, "Results of clients with a cache, by where they came from", {}),
}

_made: WeakKeyDictionary[CollectorRegistry, dict[str, Any]] = WeakKeyDictionary()


def instrument(
    client: ApteligentClient, *, account: str = "default", registry: CollectorRegistry = REGISTRY
) -> Callable[[], None]:
    """Keep metrics of a client's budget, other clients of the same budget included; give what ends it.

    Args:
        client: an open client.
        account: the value of the label ``account``.
        registry: where the metrics are registered, once for all accounts.

    Raises:
        ClientStateError: the client is not open.
    """
    if registry not in _made:
        _made[registry] = {
            name: kind(f"apteligent_{name}", help_text, ["account", *LABELS[name]], registry=registry, **options)
            for name, (kind, help_text, options) in _KINDS.items()
        }
    return client.on_event(Measures(_Registered(_made[registry], account)))


@define(eq=False)
class _Registered:
    metrics: dict[str, Any]
    account: str

    def add(self, measure: str, value: float, **labels: str) -> None:
        self.metrics[measure].labels(account=self.account, **labels).inc(value)

    def observe(self, measure: str, value: float, **labels: str) -> None:
        self.metrics[measure].labels(account=self.account, **labels).observe(value)

    def set(self, measure: str, value: float) -> None:
        self.metrics[measure].labels(account=self.account).set(value)
