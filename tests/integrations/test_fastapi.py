"""The kit for FastAPI: clients that live with the application, calls that end with the request, errors as problems."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Annotated

import anyio
import httpx
import pytest
from asking import SECRET, app_of
from backend import running
from counterparts import Scripted, bare, fine
from counting_source import Source, memory
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from own_client import assert_clean, client_of

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    ConfigurationError,
    StaticToken,
    UnsafeLinkError,
    errors,
)
from apteligent_async.integrations.fastapi import (
    Apteligent,
    apteligent_account,
    apteligent_client,
    apteligent_lifespan,
    apteligent_router,
    problem_answer,
)
from apteligent_async.integrations.problems import problem_of

pytestmark = pytest.mark.anyio

Emea = Annotated[ApteligentClient, apteligent_account("emea")]


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


async def test_bulk_calls_in_line_do_not_put_off_who_is_to_come_again():
    """They go after whoever comes then, and so do not count."""
    app, client = app_of(Scripted(lambda request, number: fine(left=0, reset=50)))
    async with running(app) as browser, anyio.create_task_group() as group:
        await browser.get("/apps")
        for _ in range(100):
            group.start_soon(client.with_options(priority="bulk").apps.list)
        await anyio.sleep(0.1)
        assert client.budget().eta(1) > 200
        assert int((await browser.get("/apps")).headers["retry-after"]) < 60
        group.cancel_scope.cancel()


async def test_an_endpoint_without_budget_answers_from_what_is_kept():
    """With the age of its data."""
    app, _ = app_of(Source(left=0, reset_s=5000), cache=memory())
    async with running(app) as browser:
        await browser.get("/apps")
        await anyio.sleep(700.5)
        answer = await browser.get("/apps")
    assert (answer.status_code, answer.json(), answer.headers["age"]) == (200, [f"{SECRET} 1"], "700")


async def test_an_answer_that_an_endpoint_makes_itself_tells_its_age():
    """Whatever the class of the answer, and whoever in the request made the call; an error tells none."""
    app, client = app_of(Source(), cache=memory())

    @app.get("/own")
    async def own() -> HTMLResponse:
        return HTMLResponse(str(len(await client.apps.list())))

    @app.get("/broken")
    async def broken(apteligent: Apteligent) -> None:
        await apteligent.apps.list()
        raise HTTPException(418)

    async with running(app) as browser:
        assert "age" not in (await browser.get("/own")).headers
        await anyio.sleep(30.5)
        assert (await browser.get("/own")).headers["age"] == "30"
        assert "age" not in (await browser.get("/broken")).headers


async def test_an_application_that_is_mounted_has_the_clients_too():
    """They are lent as anywhere; its problems it has to be told how to answer, as handlers are each one's own."""
    app, _ = app_of(Scripted(lambda request, number: fine() if number == 1 else bare(404, {})))
    mounted = FastAPI()
    mounted.add_exception_handler(ApteligentError, problem_answer)
    app.mount("/more", mounted)

    @mounted.get("/count")
    async def count(apteligent: Apteligent) -> int:
        return len(await apteligent.apps.list())

    async with running(app) as browser:
        assert (await browser.get("/more/count")).status_code == 200
        answer = await browser.get("/more/count")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_an_application_without_the_lifespan_is_told_so():
    """In the words of the error, before anything else happens."""
    app = FastAPI()

    @app.get("/apps")
    async def apps(apteligent: Apteligent) -> int:
        return len(await apteligent.apps.list())

    app.include_router(apteligent_router())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
        with pytest.raises(ConfigurationError, match=r"lifespan=apteligent_lifespan\(\)"):
            await browser.get("/apps")
        assert (await browser.get("/readyz")).status_code == 503


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
    """Each endpoint gets the client of its account; one that nobody passed is a fault of the backend's own."""
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
        assert (await browser.get("/none")).status_code == 500
        with pytest.raises(ConfigurationError, match="known: apac, emea"):
            apteligent_client(app)


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


def test_the_later_of_two_instants_to_come_again_is_told():
    """What the error states, or what the budget has learned since; nothing where neither is known."""
    told = [
        problem_of(errors.RateLimitedError("no", reset=own), retry_s=known).headers.get("Retry-After")
        for own, known in [(30, 120.2), (30, 2), (None, 7), (30, None), (None, None), (30, float("inf"))]
    ]
    assert told == ["121", "30", "7", "30", None, "30"]


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


async def test_errors_of_calls_made_at_once_are_problems_too():
    """A group of nothing but our errors is the first of them; with anything else in it, it is the backend's fault."""
    app, _ = app_of(Scripted(lambda request, number: bare(404, {})))

    @app.get("/both")
    async def both(apteligent: Apteligent, is_broken: bool = False) -> None:
        async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
            group.start_soon(apteligent.apps.list)
            group.start_soon(apteligent.apps.list)
            if is_broken:
                outer.start_soon(int, "x")

    async with running(app) as browser:
        answer = await browser.get("/both")
        broken = await browser.get("/both?is_broken=true")
    assert (answer.status_code, answer.json()["error"], broken.status_code) == (404, "NotFoundError", 500)


def test_a_deadline_that_cannot_be_is_refused():
    """Before the application starts."""
    with pytest.raises(ConfigurationError, match="deadline=0"):
        apteligent_lifespan(deadline=0)
