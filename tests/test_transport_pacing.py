"""The transport for any httpx client: other services' budgets, however stated, are used up and never overdrawn."""

from __future__ import annotations

import math
from email.utils import formatdate
from functools import partial
from itertools import pairwise

import anyio
import httpx
import pytest
from attrs import define, field
from counterparts import Scripted, gather
from other_service import URL

from apteligent_async import (
    IetfDialect,
    RateLimitedTransport,
    RatePolicy,
    XRateLimitDialect,
)

pytestmark = pytest.mark.anyio


NOON = 1_391_688_000  # an instant since 1970 at which the virtual clocks begin
EXCLUSIVE = RatePolicy(mode="exclusive")
TRIP_S = 0.2


def delta_headers(service, left, ends_s, now):
    """State the reset as seconds."""
    return {
        "X-RateLimit-Limit": f"{service.calls}",
        "X-RateLimit-Remaining": f"{left}",
        "X-RateLimit-Reset": _up(ends_s),
    }


def epoch_headers(service, left, ends_s, now):
    """State the reset as an instant, as GitHub does."""
    reset = f"{NOON + math.ceil(now + ends_s)}"
    return {"Date": formatdate(NOON + now, usegmt=True), "X-RateLimit-Remaining": f"{left}", "X-RateLimit-Reset": reset}


def ietf_headers(service, left, ends_s, now):
    """State the policy and what is left of it."""
    policy = f'"default";q={service.calls};w={service.window_s:.0f}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"default";r={left};t={_up(ends_s)}'}


def no_headers(service, left, ends_s, now):
    """State nothing."""
    return {}


def _up(seconds):
    return str(math.ceil(seconds))


@define
class Elsewhere(httpx.AsyncBaseTransport):
    """Another service: so many calls in fixed windows, stated in its own way; refusals are counted by nobody."""

    state: object = delta_headers
    calls: int = 20
    window_s: float = 60.0
    before: bool = False
    retry_after: bool = False
    arrived: list[float] = field(factory=list)
    refused: list[float] = field(factory=list)
    used: dict[int, int] = field(factory=dict)
    began_at: float = field(factory=anyio.current_time)

    async def handle_async_request(self, request):
        """Count the call half a trip after it was sent, and answer another half later."""
        await anyio.sleep(TRIP_S / 2)
        now = anyio.current_time() - self.began_at
        window, ends_s = int(now // self.window_s), self.window_s - now % self.window_s
        used = self.used.get(window, 0)
        is_refused = used >= self.calls
        self.used[window] = used if is_refused else used + 1
        (self.refused if is_refused else self.arrived).append(now)
        left = self.calls - (used if self.before else self.used[window])
        headers = self.state(self, left, ends_s, now)
        if is_refused and self.retry_after:
            headers |= {"Retry-After": _up(ends_s)}
        await anyio.sleep(TRIP_S / 2)
        return httpx.Response(429 if is_refused else 200, headers=headers, json={})


async def pull(count, service, dialect, **options):
    """Send so many requests at once; give their statuses and the seconds they took."""
    began_at = anyio.current_time()
    transport = RateLimitedTransport(service, dialect=dialect, **options)
    async with httpx.AsyncClient(transport=transport) as client:
        answers = await gather(*[partial(client.get, URL)] * count)
    return [answer.status_code for answer in answers], anyio.current_time() - began_at


@pytest.mark.parametrize("policy", [None, EXCLUSIVE])
@pytest.mark.parametrize("window_s", [60.0, 300.0])
@pytest.mark.parametrize(
    ("dialect", "state"),
    [(XRateLimitDialect(), delta_headers), (XRateLimitDialect(), epoch_headers), (IetfDialect(), ietf_headers)],
)
async def test_three_windows_are_used_up_without_a_refusal(dialect, state, window_s, policy):
    """Whatever the dialect and the window: nobody is refused, and all is done within a twentieth of the bound."""
    service = Elsewhere(state, window_s=window_s)
    statuses, took_s = await pull(60, service, dialect, policy=policy)
    assert statuses == [200] * 60
    assert service.refused == []
    assert took_s <= 1.05 * (2 * window_s + TRIP_S)


async def test_a_service_that_counts_otherwise_is_found_out_by_one_refusal():
    """Where the number does not hold its own call yet, the first refusal shows it, and there is no second."""
    service = Elsewhere(delta_headers, before=True)
    statuses, took_s = await pull(100, service, XRateLimitDialect(), policy=EXCLUSIVE)
    assert statuses == [200] * 100
    assert len(service.refused) == 1
    assert took_s < 7 * 60


async def test_retry_after_alone_paces_a_service_that_states_nothing_else():
    """Calls begin slowly and grow faster until they are refused, and then the time that was asked for is kept."""
    service = Elsewhere(no_headers, calls=10, retry_after=True)
    statuses, _ = await pull(60, service, XRateLimitDialect())
    assert statuses == [200] * 60
    assert len(service.refused) <= 6
    for at in service.refused:
        ends_at = (at // 60 + 1) * 60
        assert not [each for each in service.arrived + service.refused if at + TRIP_S < each < ends_at]


async def test_without_any_header_calls_go_one_by_one_and_slowly_faster():
    """No stampede: never two at once, some seconds apart at first, and never slower than the call before."""
    service = Elsewhere(no_headers, calls=1000)
    statuses, _ = await pull(40, service, IetfDialect())
    assert statuses == [200] * 40
    gaps = [later - earlier for earlier, later in pairwise(service.arrived)]
    assert 2 < gaps[0] < 4
    assert gaps[-1] < 1.5
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(gaps))
    assert min(gaps) > TRIP_S


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "9999999999", "X-RateLimit-Reset": "-5"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "5"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": "5", "Age": "30"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": "99999999"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": f"{NOON}"},
    ],
)
async def test_headers_gone_bad_start_no_stampede(headers):
    """Numbers that cannot be true open nothing: the second call waits as if there were none."""
    service = Scripted(lambda request, number: httpx.Response(200, headers=headers))
    statuses, _ = await pull(3, service, XRateLimitDialect())
    assert statuses == [200] * 3
    assert all(later - earlier > 2 for earlier, later in pairwise(service.arrived))
