"""The backend of the example, asked as its text says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from backend import running

from apteligent_async import MemoryCache
from apteligent_async.testing import ApteligentServer

PROGRAM = Path(__file__).parents[2] / "examples" / "backend.py"
PROBLEM = "application/problem+json"

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def example():
    """Import the program without running it."""
    spec = importlib.util.spec_from_file_location("backend_example", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def app_of(example, server, *, up=0.1):
    """Make the backend of one account, with another one beside it."""
    emea = ApteligentServer(apps=1)
    return example.make_app(lambda: server.client(transport=server.transport(up=up), cache=MemoryCache()), emea.client)


async def test_its_endpoints_answer(example):
    """Each as it says; the second request for the same costs no call, and readiness costs none at all."""
    server = ApteligentServer(apps=3)
    app_id = next(iter(server.world.apps))
    async with running(app_of(example, server)) as browser:
        assert (await browser.get("/readyz")).json()["accounts"].keys() == {"default", "emea"}
        assert len(server.requests) == 0
        first, second = [await browser.get("/apps") for _ in range(2)]
        assert (len(first.json()), second.json(), len(server.requests)) == (3, first.json(), 1)
        assert "age" in second.headers
        assert len((await browser.get("/fresh/apps")).json()) == 3
        assert len((await browser.get("/emea/apps")).json()) == 1
        assert len(server.requests) == 2
        shown = (await browser.get(f"/apps/{app_id}/versions")).json()
        assert shown.keys() == {"name", "crashes", "appLoads"}
        assert shown["crashes"]


async def test_what_goes_wrong_is_a_problem(example):
    """An app that is not there, and a request with too little time."""
    async with running(app_of(example, ApteligentServer(apps=1, limit=600), up=1)) as browser:
        missing = await browser.get("/apps/nothing/versions")
        late = await browser.get("/fresh/apps", headers={"X-Request-Timeout": "0.1"})
    assert [each.status_code for each in (missing, late)] == [404, 504]
    assert {each.headers["content-type"] for each in (missing, late)} == {PROBLEM}


async def test_without_budget_it_answers_from_what_is_kept_or_says_when_to_come_again(example):
    """Two charts that were never asked for cannot be had; the apps can, with their age."""
    server = ApteligentServer(apps=1, limit=1)
    app_id = next(iter(server.world.apps))
    async with running(app_of(example, server)) as browser:
        await browser.get("/apps")
        kept = await browser.get("/apps")
        refused = await browser.get(f"/apps/{app_id}/versions")
    assert (kept.status_code, "age" in kept.headers) == (200, True)
    assert (refused.status_code, refused.headers["content-type"]) == (503, PROBLEM)
    assert int(refused.headers["retry-after"]) > 1
    assert len(server.requests) == 1


def test_its_command_line_is_explained(example, monkeypatch, capsys):
    """With ``--help``, and without serving anything."""
    monkeypatch.setattr("sys.argv", ["backend.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        example.main()
    assert ended.value.code == 0
    assert "--region" in capsys.readouterr().out
