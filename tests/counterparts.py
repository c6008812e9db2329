"""What stands at the other end of a client under test, written without a look at the simulator."""

from __future__ import annotations

import json
import math

import anyio
import httpx

APPS = {"data": {"app1": {"appName": "One"}}}
ROUNDINGS = {"floor": math.floor, "ceil": math.ceil, "round": round, "exact": float}


class WindowService(httpx.AsyncBaseTransport):
    """A service with fixed windows of so many calls; it notes when each call arrived and what became of it."""

    def __init__(
        self, *, calls=20, window_s=60.0, unit="speed", counts="after", rounding="round", trip_s=0.2, phase_s=0
    ):
        self.calls, self.window_s, self.trip_s, self.phase_s = calls, window_s, trip_s, phase_s
        self.unit, self.counts, self.round = unit, counts, ROUNDINGS[rounding]
        self.arrived: list[float] = []
        self.refused: list[float] = []
        self.used: dict[int, int] = {}

    async def handle_async_request(self, request):
        """Take half of the trip each way."""
        await anyio.sleep(self.trip_s / 2)
        status, headers, body = self.answer(anyio.current_time())
        await anyio.sleep(self.trip_s / 2)
        return httpx.Response(status, headers=headers, json=body, request=request)

    def answer(self, now):
        """Count one call."""
        window = math.floor((now - self.phase_s) / self.window_s)
        ends_s = (window + 1) * self.window_s + self.phase_s - now
        used = self.used.get(window, 0)
        self.used[window] = used + 1
        self.arrived.append(now)
        left = max(self.calls - used - (self.counts == "after"), 0)
        stated = left * 60 / ends_s if self.unit == "speed" else left
        limit = round(self.calls * 60 / self.window_s)
        headers = {
            "Rate-Limit-Limit": str(limit),
            "Rate-Limit-Remaining": str(self.round(stated)),
            "Rate-Limit-Reset": str(self.round(ends_s)),
        }
        if used < self.calls:
            return 200, headers, APPS
        self.refused.append(now)
        body = {"actual": used + 1, "message": "API rate limit exceeded", "limit": limit, "reset": self.round(ends_s)}
        return 429, headers, {**body, "success": 0}

    def bound_s(self, wanted, *, began_at=0.0):
        """Say how long so many calls take at least, sent from an idle window's beginning on."""
        return self.trip_s + max(math.ceil(wanted / self.calls) - 1, 0) * self.window_s


class Scripted(httpx.AsyncBaseTransport):
    """Answers with what a function makes of each request and its number; it may raise or wait."""

    def __init__(self, script):
        self.script = script
        self.requests: list[httpx.Request] = []
        self.arrived: list[float] = []
        self.is_closed = False

    async def handle_async_request(self, request):
        """Ask the script."""
        self.requests.append(request)
        self.arrived.append(anyio.current_time())
        answer = self.script(request, len(self.requests))
        if hasattr(answer, "__await__"):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self):
        """Note that it was closed."""
        self.is_closed = True

    @property
    def paths(self):
        """Where each request went."""
        return [request.url.path for request in self.requests]


def fine(*, left=15, reset=30, limit=20, body=APPS, status=200, **headers):
    """Answer with rate headers that count calls."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    rate = {"Rate-Limit-Limit": str(limit), "Rate-Limit-Remaining": str(left), "Rate-Limit-Reset": str(reset)}
    return httpx.Response(status, headers=rate | names, content=json.dumps(body).encode())


def bare(status=200, body=APPS, **headers):
    """Answer without rate headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=names, content=json.dumps(body).encode())


def refused(*, reset=40, limit=20, actual=21):
    """Answer 429 as documented."""
    body = {"actual": actual, "message": "API rate limit exceeded", "limit": limit, "reset": reset, "success": 0}
    return fine(left=0, reset=reset, limit=limit, body=body, status=429)


async def gather(*calls):
    """Run calls at once; give their results and errors in order."""
    ends = [None] * len(calls)

    async def run(number, call):
        try:
            ends[number] = await call()
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            ends[number] = error

    async with anyio.create_task_group() as group:
        for number, call in enumerate(calls):
            group.start_soon(run, number, call)
    return ends
