"""The network requests of an app in any window of minutes: volume, failures, latency and bytes.

Volume follows the app loads through the day. Means and percentages are weighted by requests, so that the value for the
whole is the weighted mean of its slices, whatever the grouping.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from attrs import frozen

from apteligent_async.simulator.world.clock import day_share
from apteligent_async.simulator.world.series import deal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apteligent_async.simulator.world.catalog import Service
    from apteligent_async.simulator.world.profile import AppProfile
    from apteligent_async.simulator.world.series import Cells, Series

__all__ = ["Flow", "NetworkGraph", "Traffic"]


class NetworkGraph(StrEnum):
    """The request's word for a metric, as the service spells it."""

    LATENCY = "latency"
    DATA_IN = "dataIn"
    DATA_OUT = "dataOut"
    VOLUME = "volume"
    ERRORS = "errors"


@frozen
class Flow:
    """Requests, and the sums from which their means are taken; flows can be added."""

    requests: int = 0
    failures: float = 0.0
    latency_ms: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0

    def __add__(self, other: Flow) -> Flow:
        return Flow(
            self.requests + other.requests,
            self.failures + other.failures,
            self.latency_ms + other.latency_ms,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
        )

    def scaled(self, whole: Flow, goal: Flow) -> Flow:
        """Return this part of `whole` with its sums stretched so that all parts make up `goal`; requests stay."""
        return Flow(
            self.requests,
            _stretched(self.failures, whole.failures, goal.failures),
            _stretched(self.latency_ms, whole.latency_ms, goal.latency_ms),
            _stretched(self.bytes_in, whole.bytes_in, goal.bytes_in),
            _stretched(self.bytes_out, whole.bytes_out, goal.bytes_out),
        )

    def value(self, graph: NetworkGraph) -> float:
        """Return one metric: requests, percent of failures, mean milliseconds, or mean bytes."""
        match graph:
            case NetworkGraph.VOLUME:
                return self.requests
            case NetworkGraph.ERRORS:
                return self._mean(100 * self.failures)
            case NetworkGraph.LATENCY:
                return self._mean(self.latency_ms)
            case NetworkGraph.DATA_IN:
                return self._mean(self.bytes_in)
            case NetworkGraph.DATA_OUT:
                return self._mean(self.bytes_out)
            case _:
                assert_never(graph)

    def _mean(self, total: float) -> float:
        return total / self.requests if self.requests else 0.0


def _stretched(part: float, whole: float, goal: float) -> float:
    return part * goal / whole if whole else 0.0


def _flow_to(service: Service, requests: int) -> Flow:
    return Flow(
        requests,
        requests * service.errors_percent / 100,
        requests * service.latency_ms,
        requests * service.bytes_in,
        requests * service.bytes_out,
    )


class Traffic:
    """One app's requests; holds nothing of its own but the mix of services."""

    def __init__(self, profile: AppProfile, series: Series) -> None:
        self._profile = profile
        self._series = series
        self._mix = _Mix.of(profile)

    def by_cohort(self, start: datetime, end: datetime) -> tuple[Flow, ...]:
        """Return each cohort's flow between two local instants."""
        profile, mix = self._profile, self._mix
        return tuple(
            Flow(
                requests,
                requests * mix.failed,
                requests * profile.latency_ms * cohort.latency_factor,
                requests * mix.bytes_in,
                requests * mix.bytes_out,
            )
            for cohort, requests in zip(profile.cohorts, self._requests(start, end), strict=True)
        )

    def by_service(self, flow: Flow) -> Sequence[tuple[Service, Flow]]:
        """Split a flow among the services; the parts add up to it."""
        services = self._profile.services
        requests = deal(flow.requests, [service.weight for service in services])
        parts = [_flow_to(service, count) for service, count in zip(services, requests, strict=True)]
        whole = sum(parts, Flow())
        return [(service, part.scaled(whole, flow)) for service, part in zip(services, parts, strict=True)]

    def _requests(self, start: datetime, end: datetime) -> Cells:
        total = sum(self._day_requests(day_start, start, end) for day_start in _days(start, end))
        shares = self._profile.version_shares(end.date())
        return deal(total, [shares[cohort.version] * cohort.share for cohort in self._profile.cohorts])

    def _day_requests(self, day_start: datetime, start: datetime, end: datetime) -> int:
        whole = self._series.ordinary_loads(day_start.date()) * self._profile.requests_per_load
        before = day_share((start - day_start).total_seconds())
        until = day_share((end - day_start).total_seconds())
        return int(whole * until) - int(whole * before)


@frozen
class _Mix:
    """The request-weighted means over an app's services."""

    failed: float
    latency_ms: float
    bytes_in: float
    bytes_out: float

    @classmethod
    def of(cls, profile: AppProfile) -> _Mix:
        services = profile.services
        return cls(
            _weighted(services, [service.errors_percent / 100 for service in services]),
            _weighted(services, [service.latency_ms for service in services]),
            _weighted(services, [service.bytes_in for service in services]),
            _weighted(services, [service.bytes_out for service in services]),
        )


def _weighted(services: Sequence[Service], values: Sequence[float]) -> float:
    whole = sum(service.weight for service in services)
    return (
        sum(service.weight * value for service, value in zip(services, values, strict=True)) / whole if whole else 0.0
    )


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = datetime.combine(start.date(), time())
    while day < end:
        yield day
        day += timedelta(days=1)
