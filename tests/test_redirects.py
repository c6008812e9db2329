"""Redirects to what is no address: an answer like any other that is not followed, and never taken for our own fault."""

from __future__ import annotations

import logging

import httpx
import pytest

from apteligent_async import (
    ApteligentClient,
    ConnectionFailed,
    MemoryBudget,
    RatePolicy,
    RetryPolicy,
    StaticToken,
    UnsafeLinkError,
)

pytestmark = pytest.mark.anyio

NOWHERE = [
    "https:apps",
    "http:\\\\thief.example",
    "mailto:somebody@example.com",
    "data:,x",
    "http://xn--/",
    "http://xn--a/",
    "http://[",
    "//[::1",
    "http://a:99999999/",
    "http://\u2100/",
    "/\x7f",
    "x" * 70_000,
]


class Redirecting(httpx.AsyncBaseTransport):
    """A service that knows one answer, with nineteen calls left after it."""

    def __init__(self, location, status):
        rates = {"Rate-Limit-Limit": "20", "Rate-Limit-Remaining": "19", "Rate-Limit-Reset": "60"}
        self.headers = [(b"Location", location.encode()), *((k.encode(), v.encode()) for k, v in rates.items())]
        self.status, self.calls = status, 0

    async def handle_async_request(self, request):
        """Redirect."""
        self.calls += 1
        return httpx.Response(self.status, headers=self.headers, request=request)


@pytest.fixture(params=["transport", "http_client", "transport, logged"])
def options_over(request, caplog):
    """Put a transport beneath a client in each way; httpx takes another one where it writes its log."""
    if request.param.endswith("logged"):
        caplog.set_level(logging.INFO, logger="httpx")
    if request.param == "http_client":
        return lambda transport: {"http_client": httpx.AsyncClient(transport=transport)}
    return lambda transport: {"transport": transport}


@pytest.mark.parametrize("status", [302, 308])
@pytest.mark.parametrize("location", NOWHERE)
async def test_a_redirect_to_nowhere_is_the_service_s_fault(options_over, location, status):
    """Neither a request that could not be sent, nor an error of another library."""
    service = Redirecting(location, status)
    options = {"policy": RatePolicy(mode="exclusive"), "retry": RetryPolicy(max_attempts=1), "budget": MemoryBudget()}
    async with ApteligentClient(
        StaticToken("t"), base_url="http://127.0.0.1:9", **options, **options_over(service)
    ) as client:
        with pytest.raises((UnsafeLinkError, ConnectionFailed), match=r"redirect|Invalid URL"):
            await client.apps.list()
        assert client.budget().in_flight == 0
    assert service.calls == 1
