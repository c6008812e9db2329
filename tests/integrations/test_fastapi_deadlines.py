"""How long a request's calls may take: its deadline, and its caller who may hang up."""

from __future__ import annotations

import anyio
import pytest
from asking import SECRET, app_of, ask
from backend import running
from counterparts import Scripted, fine
from counting_source import Source, memory
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from own_client import assert_clean, client_of

from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_lifespan,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("header", "seconds"), [(None, 30), ("5", 5), ("500", 30), ("soon", 30), ("-1", 30)])
async def test_the_deadline_of_the_request_reaches_the_call(header, seconds):
    """A header may shorten it; an answer that does not come is a problem just before, and the call has ended."""

    async def never():
        await anyio.sleep(1000)

    app, client = app_of(Scripted(lambda request, number: never()))
    async with running(app) as browser:
        began_at = anyio.current_time()
        answer = await browser.get("/apps", headers={"x-request-timeout": header} if header else {}, timeout=None)
        assert anyio.current_time() - began_at == pytest.approx(seconds - min(seconds / 10, 1), abs=0.01)
        assert (answer.status_code, answer.json()["error"]) == (504, "DeadlineExceeded")
        assert_clean(client)


async def test_what_is_kept_is_given_when_the_service_is_silent_until_the_deadline():
    """The endpoint has time left to answer with what it had before."""
    source = Source()
    app, _ = app_of(source, cache=memory())
    async with running(app) as browser:
        await browser.get("/apps")
        await anyio.sleep(1000)
        source.trip_s = 1000
        answer = await browser.get("/apps", headers={"x-request-timeout": "5"}, timeout=None)
    assert (answer.status_code, answer.json()) == (200, [f"{SECRET} 1"])
    assert 1000 <= int(answer.headers["age"]) <= 1006


async def test_a_deadline_is_that_of_all_calls_of_a_request():
    """Two calls of twenty seconds each do not fit into thirty."""

    async def slow():
        await anyio.sleep(20)
        return fine()

    app, client = app_of(Scripted(lambda request, number: slow()))
    async with running(app) as browser:
        began_at = anyio.current_time()
        answer = await browser.post("/twice", json=[], timeout=None)
        assert anyio.current_time() - began_at == pytest.approx(30, abs=0.01)
        assert answer.status_code == 503
        assert_clean(client)


@pytest.mark.parametrize(("method", "path", "body"), [("GET", "/apps", b""), ("POST", "/twice", b"[1, 2]")])
async def test_a_client_that_hangs_up_ends_the_call(method, path, body):
    """The call leaves the line, and what was booked is given back; also where a body was sent first."""
    source = Source(left=0, reset_s=20)
    app, client = app_of(source)
    hung_up = anyio.Event()
    async with app.router.lifespan_context(app):
        await client.apps.list()
        async with anyio.create_task_group() as group:
            group.start_soon(ask, app, method, path, body, hung_up)
            await anyio.sleep(1)
            assert sum(client.budget().queued.values()) == 1
            hung_up.set()
            await anyio.sleep(0.01)
            assert_clean(client)
    assert len(source.asked) == 1


async def test_a_large_body_is_left_to_its_endpoint():
    """It is received piece by piece, as the endpoint wants it, while the client is lent; one of unknown length too."""
    app = FastAPI(lifespan=apteligent_lifespan(lambda: client_of(Source())))
    seen = []

    @app.put("/large")
    async def large(apteligent: Apteligent, request: Request) -> int:
        seen.append(hasattr(request, "_body"))
        sizes = [len(part) async for part in request.stream()]
        await apteligent.apps.list()
        return sum(sizes)

    async def without_length(scope, receive, send):
        if scope["type"] == "http":
            headers = [each for each in scope["headers"] if each[0] != b"content-length"]
            scope = {**scope, "http_version": "2", "headers": headers}
        await app(scope, receive, send)

    for served, size in [(app, 2_000_000), (app, 20), (without_length, 20)]:
        async with running(served) as browser:
            assert (await browser.put("/large", content=bytes(size))).json() == size
    assert seen == [False, True, False]


async def test_a_streaming_answer_outlasts_the_deadline_of_the_endpoint():
    """What is sent after the endpoint has returned may take its time, and still call."""
    app, _ = app_of(Source())

    @app.get("/stream")
    async def stream(apteligent: Apteligent) -> StreamingResponse:
        async def lines():
            await anyio.sleep(40)
            yield (await apteligent.apps.list())[0].app_name

        return StreamingResponse(lines())

    async with running(app) as browser:
        answer = await browser.get("/stream", timeout=None)
    assert answer.text == f"{SECRET} 1"
