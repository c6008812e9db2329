"""OpenTelemetry spans and metrics of clients; needs the API only, what keeps them is yours to set up.

    stop = instrument(client)

Each call is a span of kind client, named after its endpoint and a child of whatever was under way where the call was
made; turns, answers and retries are its events. Metrics are called ``apteligent.calls`` and so on, after the table in
`measures`. No address, parameter or secret is in either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field
from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider, get_tracer_provider

from apteligent_async import __version__
from apteligent_async.integrations.measures import Measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async import ApteligentClient, Event

__all__ = ["instrument"]

_NAME = "apteligent_async"

MOST_SPANS = 10_000
"""Calls that are followed at once; the oldest ones of more are let go, as their ends may never be told."""

_EVENTS = {
    "call.start": ("attempt", "waited_s", "left"),
    "call.answer": ("outcome", "left"),
    "call.again": ("start_at",),
}
_HISTOGRAMS = ("call_seconds", "waited_seconds")
_COUNTERS = ("calls", "blocked_seconds", "rate_limited", "retries", "cache")


def instrument(
    client: ApteligentClient,
    *,
    account: str = "default",
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Callable[[], None]:
    """Make spans and metrics of a client's budget, other clients of the same budget included; give what ends it.

    Args:
        client: an open client.
        account: the value of the attribute ``apteligent.account``.
        tracer_provider: where spans go; by default to the global one.
        meter_provider: where metrics go; by default to the global one.

    Raises:
        ClientStateError: the client is not open.
    """
    tracer = (tracer_provider or get_tracer_provider()).get_tracer(_NAME, __version__)
    measures = Measures(_Instruments.of(meter_provider or get_meter_provider(), account))
    spans = _Spans(tracer, account)
    stops = [client.on_event(spans), client.on_event(measures)]

    def stop() -> None:
        for each in stops:
            each()

    return stop


@define(eq=False)
class _Spans:
    """Follows calls from queue to end. Its state is the spans of those under way."""

    tracer: Tracer
    account: str
    under_way: dict[int, Span] = field(factory=dict)

    def __call__(self, event: Event) -> None:
        call = event.detail.get("call")
        if not isinstance(call, int):
            return
        if event.name == "call.queued":
            self._begin(call, event)
        elif event.name == "call.done":
            self._end(self.under_way.pop(call, None), event.detail)
        elif event.name in _EVENTS and call in self.under_way:
            detail = {key: event.detail[key] for key in _EVENTS[event.name] if key in event.detail}
            self.under_way[call].add_event(event.name, detail)

    def _begin(self, call: int, event: Event) -> None:
        if call in self.under_way:
            return
        attributes = {"apteligent.account": self.account, "apteligent.lane": event.detail["lane"]}
        label = f"apteligent {event.detail['label']}"
        self.under_way[call] = self.tracer.start_span(label, kind=SpanKind.CLIENT, attributes=attributes)
        while len(self.under_way) > MOST_SPANS:
            self.under_way.pop(next(iter(self.under_way))).end()

    def _end(self, span: Span | None, detail: Mapping[str, Any]) -> None:
        if span is None:
            return
        parts = {
            f"apteligent.{key}": value for key, value in detail.items() if key.endswith("_s") and value is not None
        }
        span.set_attributes(
            {"apteligent.attempts": detail["attempts"], "apteligent.outcome": detail["outcome"], **parts}
        )
        if detail["outcome"] not in {"result", "cancelled"}:
            span.set_status(Status(StatusCode.ERROR, detail["outcome"]))
        span.end()


@define(eq=False)
class _Instruments:
    """One instrument for each measure."""

    by_measure: dict[str, Any]
    account: str

    @classmethod
    def of(cls, provider: MeterProvider, account: str) -> _Instruments:
        meter = provider.get_meter(_NAME, __version__)
        made: dict[str, Any] = {name: meter.create_counter(f"apteligent.{name}") for name in _COUNTERS}
        made.update({name: meter.create_histogram(f"apteligent.{name}", "s") for name in _HISTOGRAMS})
        made["budget_left"] = meter.create_gauge("apteligent.budget_left")
        return cls(made, account)

    def add(self, measure: str, value: float, **labels: str) -> None:
        self.by_measure[measure].add(value, {"account": self.account, **labels})

    def observe(self, measure: str, value: float, **labels: str) -> None:
        self.by_measure[measure].record(value, {"account": self.account, **labels})

    def set(self, measure: str, value: float) -> None:
        self.by_measure[measure].set(value, {"account": self.account})
