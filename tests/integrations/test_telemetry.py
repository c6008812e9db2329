"""What is told of calls: metrics with few labels, spans in the right place, timelines and logs; and never a secret."""

from __future__ import annotations

import logging

import anyio
import pytest
from counterparts import Scripted, fine, gather, refused
from counting_source import Source, cached_client, memory
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from own_client import client_of
from prometheus_client import CollectorRegistry, generate_latest
from raw_server import http, raw_server

from apteligent_async import ApteligentClient, Event, MemoryBudget, NotFoundError, StaticToken
from apteligent_async.integrations import otel, prometheus
from apteligent_async.integrations.measures import MOST_ENDPOINTS, Measures

pytestmark = pytest.mark.anyio

SECRET = "planted-secret-token"


def bumpy(request, number):
    """Answer: a 429, then a result, then that there is no such thing."""
    return [refused(reset=40), fine(left=3, reset=50), fine(status=404, body={"error": SECRET})][min(number, 3) - 1]


async def test_prometheus_counts_what_happened():
    """Calls by outcome, 429s, retries, waits by cause, the budget and the cache; for two accounts in one registry."""
    registry = CollectorRegistry()
    async with client_of(Scripted(bumpy), StaticToken(SECRET)) as client:
        stop = prometheus.instrument(client, registry=registry)
        await client.apps.list()
        with pytest.raises(NotFoundError):
            await client.trends.dau("app1")
        left = client.budget().left_low
        stop()
        with pytest.raises(NotFoundError):
            await client.live_stats.get("app1")
    async with cached_client(Source(), memory()) as client:
        prometheus.instrument(client, account="emea", registry=registry)
        for _ in range(3):
            await client.apps.list()

    def value(name, **labels):
        return registry.get_sample_value(f"apteligent_{name}", {"account": "default", **labels})

    assert value("calls_total", endpoint="apps.list", outcome="result") == 1
    assert value("calls_total", endpoint="trends.dau", outcome="NotFoundError") == 1
    assert value("rate_limited_total", endpoint="apps.list") == 1
    assert value("retries_total", endpoint="apps.list") == 1
    assert value("blocked_seconds_total", cause="refused") == pytest.approx(40, abs=3)
    assert value("call_seconds_sum", endpoint="apps.list") == pytest.approx(40, abs=3)
    assert value("waited_seconds_sum", endpoint="apps.list") == pytest.approx(40, abs=3)
    assert value("budget_left") == left
    assert value("calls_total", endpoint="live_stats.get", outcome="NotFoundError") is None
    assert value("cache_total", account="emea", endpoint="apps.list", state="fresh") == 2
    assert value("cache_total", account="emea", endpoint="apps.list", state="missed") == 1
    assert SECRET not in generate_latest(registry).decode()


async def test_opentelemetry_spans_hang_below_their_caller_s():
    """One span for each call, with its parts, its retry and its end; an error is one there, too."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = tracers.get_tracer("test")

    async def ask(client, name, call):
        with tracer.start_as_current_span(name):
            await call()

    async with client_of(Scripted(bumpy), StaticToken(SECRET)) as client:
        stop = otel.instrument(client, tracer_provider=tracers, meter_provider=MeterProvider([reader]))
        await ask(client, "one", client.apps.list)
        with pytest.raises(NotFoundError):
            await ask(client, "two", lambda: client.trends.dau("app1"))
        stop()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    for parent, name in (("one", "apteligent apps.list"), ("two", "apteligent trends.dau")):
        assert spans[name].parent.span_id == spans[parent].context.span_id
    good, bad = spans["apteligent apps.list"], spans["apteligent trends.dau"]
    assert [event.name for event in good.events] == [
        "call.start", "call.answer", "call.again", "call.start", "call.answer",
    ]  # fmt: skip
    assert good.attributes["apteligent.attempts"] == 2
    assert good.attributes["apteligent.waited_s"] == pytest.approx(40, abs=3)
    assert (good.status.is_ok, bad.status.is_ok, bad.status.description) == (True, False, "NotFoundError")
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    told = {metric.name for metric in metrics}
    assert {"apteligent.calls", "apteligent.rate_limited", "apteligent.retries", "apteligent.budget_left"} <= told
    assert SECRET not in "".join(span.to_json() for span in spans.values()) + str(metrics)


async def test_spans_of_shared_calls_hang_below_whoever_began_them():
    """A call that a cache makes for several is one span, below the first of them."""
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))

    async def ask(client):
        with tracers.get_tracer("test").start_as_current_span("page"):
            await client.apps.list()

    async with cached_client(Source(), memory()) as client, anyio.create_task_group() as group:
        otel.instrument(client, tracer_provider=tracers, meter_provider=MeterProvider())
        group.start_soon(ask, client)
        await anyio.sleep(0.5)
        group.start_soon(ask, client)
    spans = exporter.get_finished_spans()
    (call,) = [span for span in spans if span.name == "apteligent apps.list"]
    assert call.parent.span_id in {span.context.span_id for span in spans if span.name == "page"}


def test_labels_are_bounded():
    """However many names callers make up, only so many are told apart."""

    class Seen(set):
        def add(self, measure, value, **labels):
            super().add(labels["endpoint"])

    seen = Seen()
    measures = Measures(seen)
    for number in range(10 * MOST_ENDPOINTS):
        measures(Event("call.again", 0.0, {"label": f"made up {number}"}))
    assert len(seen) == MOST_ENDPOINTS + 1
    assert "other" in seen


async def test_a_timeline_adds_up():
    """The parts of a call are told apart: behind others, held by the budget, under way, decoding."""

    async def slowly(number):
        await anyio.sleep(3)
        return fine(left=0, reset=50) if number == 1 else fine(left=9, reset=50)

    async with client_of(Scripted(lambda request, number: slowly(number))) as client:
        await client.apps.list()
        ends = [apps.http.timeline for apps in await gather(client.apps.list, client.apps.list)]
        behind, held = sorted(ends, key=lambda timeline: timeline.limiter_s)
    for timeline in (held, behind):
        assert timeline.first_byte_s == pytest.approx(3)
        assert timeline.total_s == pytest.approx(timeline.waited_s + timeline.first_byte_s)
        assert timeline.token_s + timeline.limiter_s + timeline.queue_s == pytest.approx(timeline.waited_s)
        assert 0 < timeline.decode_s < 1
        assert timeline.connect_s is None
    assert (held.limiter_s, held.queue_s) == (pytest.approx(50, abs=3), pytest.approx(0))
    assert behind.queue_s == pytest.approx(50, abs=3)


async def test_logs_are_quiet_at_info_and_structured_at_debug(caplog):
    """Nobody says a word of a good day at INFO, httpx neither; at DEBUG each call is told, with fields, no secret."""
    caplog.set_level(logging.INFO)
    async with client_of(Scripted(lambda request, number: fine()), StaticToken(SECRET)) as client:
        await client.apps.list()
        assert [each for each in caplog.records if not each.name.startswith("asyncio")] == []
        caplog.set_level(logging.DEBUG, logger="apteligent_async")
        await client.apps.list()
    (record,) = [each for each in caplog.records if each.name == "apteligent_async"]
    assert (record.apteligent_event, record.apteligent_label) == ("call.done", "apps.list")
    assert (record.apteligent_outcome, record.apteligent_attempts) == ("result", 1)
    assert SECRET not in "".join(str(vars(each)) for each in caplog.records)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_connecting_is_told_apart(backend):
    """The first call makes a connection, which takes its time; the second has one at hand."""

    async def main():
        with raw_server(lambda number: http(b'{"data": {}}')) as server:
            async with ApteligentClient(StaticToken(SECRET), base_url=server.url, budget=MemoryBudget()) as client:
                return [(await client.apps.list()).http.timeline for _ in range(2)]

    first, second = anyio.run(main, backend=backend)
    assert 0 < first.connect_s < first.first_byte_s
    assert second.connect_s == 0
