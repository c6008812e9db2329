"""The kit for FastAPI: clients that live with the application, calls that end with the request, errors as problems."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Annotated

import anyio
import pytest
from backend import running
from counterparts import Scripted, bare, fine
from counting_source import Source, memory
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from own_client import assert_clean, client_of

from apteligent_async import ApteligentClient, ConfigurationError, StaticToken, UnsafeLinkError, errors
from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_account,
    apteligent_client,
    apteligent_lifespan,
    apteligent_router,
)
from apteligent_async.integrations.problems import problem_of

pytestmark = pytest.mark.anyio

Emea = Annotated[ApteligentClient, apteligent_account("emea")]
SECRET = "planted-secret-token"


def app_of(transport, **options):
    """Make an application with a few endpoints."""
    client = client_of(transport, StaticToken(SECRET), **options)
    app = FastAPI(lifespan=apteligent_lifespan(lambda: client))
    app.include_router(apteligent_router())

    @app.get("/apps")
    async def apps(apteligent: Apteligent) -> list[str | None]:
        return [each.app_name for each in await apteligent.apps.list()]

    @app.post("/twice")
    async def twice(apteligent: Apteligent, numbers: list[int]) -> int:
        for _ in range(2):
            await apteligent.apps.list()
        return sum(numbers)

    return app, client


async def test_an_endpoint_gets_an_open_client():
    """Two lines: the lifespan opens it, the dependency lends it, the end closes it."""
    app, client = app_of(Source())
    async with running(app) as browser:
        answer = await browser.get("/apps")
        assert (answer.status_code, answer.json()) == (200, [f"{SECRET} 1"])
        assert "age" not in answer.headers
        assert (await browser.post("/twice", json=[1, 2])).json() == 3
        assert_clean(client)
    assert "closed" in repr(client)


async def test_work_beside_requests_gets_the_same_client():
    """By account, from the application; before it has begun, or under another name, the message says what to do."""
    app, client = app_of(Source())
    with pytest.raises(ConfigurationError, match=r"lifespan=apteligent_lifespan\(\)"):
        apteligent_client(app)
    async with running(app):
        assert apteligent_client(app) is client
        with pytest.raises(ConfigurationError, match="known: default"):
            apteligent_client(app, "emea")


async def test_an_endpoint_without_budget_answers_503_at_once():
    """As a problem, with the seconds to come again after, and without a secret; no call is made in vain."""
    transport = Scripted(lambda request, number: fine(left=0, reset=50))
    app, _ = app_of(transport)
    async with running(app) as browser:
        await browser.get("/apps")
        began_at = anyio.current_time()
        answer = await browser.get("/apps")
        assert anyio.current_time() - began_at < 0.1
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert 45 <= int(answer.headers["retry-after"]) <= 55
    body = answer.json()
    assert (body["status"], body["error"], body["endpoint"]) == (503, "DeadlineExceeded", "apps.list")
    assert SECRET not in answer.text
    assert len(transport.requests) == 1


async def test_an_endpoint_without_budget_answers_from_what_is_kept():
    """With the age of its data."""
    app, _ = app_of(Source(left=0, reset_s=5000), cache=memory())
    async with running(app) as browser:
        await browser.get("/apps")
        await anyio.sleep(700.5)
        answer = await browser.get("/apps")
    assert (answer.status_code, answer.json(), answer.headers["age"]) == (200, [f"{SECRET} 1"], "700")


@pytest.mark.parametrize(("header", "seconds"), [(None, 30), ("5", 5), ("500", 30), ("soon", 30), ("-1", 30)])
async def test_the_deadline_of_the_request_reaches_the_call(header, seconds):
    """A header may shorten it; an answer that does not come is a 503 at that instant, and the call has ended."""

    async def never():
        await anyio.sleep(1000)

    app, client = app_of(Scripted(lambda request, number: never()))
    async with running(app) as browser:
        began_at = anyio.current_time()
        answer = await browser.get("/apps", headers={"x-request-timeout": header} if header else {}, timeout=None)
        assert anyio.current_time() - began_at == pytest.approx(seconds, abs=0.01)
        assert answer.status_code in {503, 504}
        assert_clean(client)


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


async def test_a_client_that_hangs_up_ends_the_call():
    """The call leaves the line, and what was booked is given back."""
    source = Source(left=0, reset_s=20)
    app, client = app_of(source)
    sent = []
    hung_up = anyio.Event()

    async def receive():
        if not sent:
            sent.append("request")
            return {"type": "http.request", "body": b"", "more_body": False}
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/apps", "raw_path": b"/apps", "query_string": b"", "headers": [],
        "http_version": "1.1", "scheme": "http", "server": ("backend", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    async with app.router.lifespan_context(app):
        await client.apps.list()
        async with anyio.create_task_group() as group:
            group.start_soon(app, scope, receive, send)
            await anyio.sleep(1)
            assert sum(client.budget().queued.values()) == 1
            hung_up.set()
            await anyio.sleep(0.01)
            assert_clean(client)
    assert len(source.asked) == 1


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


async def test_readiness_costs_no_call():
    """It tells the budget as known, and turns to 503 when a client has closed."""
    source = Source()
    app, client = app_of(source)
    async with running(app) as browser:
        assert (await browser.get("/healthz")).json() == {"status": "ok"}
        ready = await browser.get("/readyz")
        assert (ready.status_code, ready.json()["accounts"]["default"]["open"]) == (200, True)
        await client.aclose()
        assert (await browser.get("/readyz")).status_code == 503
    assert source.asked == []


async def test_several_accounts_live_in_one_process():
    """Each endpoint gets the client of its account; one that nobody passed is named."""
    accounts = {name: lambda name=name: client_of(Source(), StaticToken(name)) for name in ("emea", "apac")}
    app = FastAPI(lifespan=apteligent_lifespan(accounts=accounts))

    @app.get("/emea")
    async def emea(client: Emea) -> str | None:
        return (await client.apps.list())[0].app_name

    @app.get("/apac")
    async def apac(client: Annotated[ApteligentClient, apteligent_account("apac")]) -> str | None:
        return (await client.apps.list())[0].app_name

    @app.get("/none")
    async def none(client: Apteligent) -> str:
        return repr(client)

    async with running(app) as browser:
        assert (await browser.get("/emea")).json() == "emea 1"
        assert (await browser.get("/apac")).json() == "apac 1"
        assert "known: apac, emea" in (await browser.get("/none")).json()["detail"]


async def test_it_goes_with_a_lifespan_of_the_application_s_own():
    """Passed along, or around: both run, in order, and what the other yields is kept."""
    happened = []

    @asynccontextmanager
    async def own(app):
        happened.append("begin")
        yield {"a": 1}
        happened.append("end")

    lifespan = apteligent_lifespan(lambda: client_of(Source()), lifespan=own)
    app = FastAPI(lifespan=lifespan)
    async with lifespan(app) as state:
        assert state == {"a": 1}
        assert happened == ["begin"]
    assert happened == ["begin", "end"]


@pytest.mark.parametrize("name", errors.__all__)
async def test_every_error_is_a_problem(name):
    """With a status of 400 and more; what is about the backend's own access says nothing more."""
    error = getattr(errors, name)(f"about {SECRET}", endpoint="apps.list", attempts=2, waited=1.5)
    problem = problem_of(error, retry_s=0.2)
    assert 400 <= problem.status <= 599
    assert problem.body["status"] == problem.status
    assert ("Retry-After" in problem.headers) == (problem.status == 503)
    if isinstance(error, errors.AuthenticationError | UnsafeLinkError):
        assert SECRET not in str(problem.body)


async def test_errors_of_the_service_reach_the_browser_as_problems():
    """A 404 stays one, a refused token is the backend's own trouble."""
    for status, expected in ((404, 404), (401, 502), (500, 502)):
        app, _ = app_of(Scripted(lambda request, number, status=status: bare(status, {"error": SECRET})))
        async with running(app) as browser:
            answer = await browser.get("/apps")
            assert answer.status_code == expected
            assert answer.headers["content-type"] == "application/problem+json"
            assert SECRET not in answer.text


def test_a_deadline_that_cannot_be_is_refused():
    """Before the application starts."""
    with pytest.raises(ConfigurationError, match="deadline=0"):
        apteligent_lifespan(deadline=0)
