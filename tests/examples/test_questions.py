"""The nine questions, answered by the example: as a program, and checked against the world that it asks about."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

NOW = datetime(2016, 12, 12, 18, tzinfo=UTC)
PROGRAM = Path(__file__).parents[2] / "examples" / "questions.py"


@pytest.fixture(scope="module")
def example():
    """Import the program without running it."""
    spec = importlib.util.spec_from_file_location("questions", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*flags, **environment):
    """Run the program; give its exit code and what it printed."""
    command = [sys.executable, "-W", "error", str(PROGRAM), *flags]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PATH": "", **environment})
    return done.returncode, done.stdout, done.stderr


def test_it_answers_nine_questions_as_it_stands():
    """Without an argument, an account or a network; every question has at least one line for an answer."""
    code, told, errors = run()
    assert (code, errors) == (0, "")
    questions = re.split(r"\n\n", told)[1:]
    assert len(questions) == 9
    assert all(re.search(r"\?.*\n +\S.* [\d,]+\.\d\d", question) for question in questions)


def test_it_asks_a_real_origin_with_the_credentials_of_the_environment():
    """Nine calls and one to choose the app arrive there."""
    service = Service(World(apps=2, now=NOW), quota=QuotaSettings(limit=1000))
    with serve(service) as url:
        token = service.issue_token(DEMO_ACCOUNT.client_id)
        code, told, errors = run("--base-url", url, APTELIGENT_TOKEN=token)
    assert (code, errors, told.count("?")) == (0, "", 9)
    assert len(service.quota().log) == 10


def test_an_error_is_a_line():
    """No traceback where credentials are missing."""
    code, told, errors = run("--region", "us")
    assert (code, told) == (1, "")
    assert errors.startswith("No credentials")
    assert errors.count("\n") == 1


@pytest.mark.anyio
async def test_each_ranking_is_what_the_world_holds(example):
    """Every ranking begins with its largest value, and the app with the most crashes is the one that the list names."""
    async with example.simulated_client() as client:
        apps = await client.apps.list()
        app = max(apps, key=lambda app: app.dau)
        for ask in set(example.QUESTIONS) - {example.users_of_latest_version}:
            found = await ask(client, app)
            values = [value for _, value in found]
            assert values
            assert values == sorted(values, reverse=True)
        worst = max((app for app in apps if app.crash_percent is not None), key=lambda app: app.crash_percent)
        assert (await example.apps_by_crashes(client, app))[0] == (worst.name, worst.crash_percent)
        loads = await client.error_monitoring.pie(graph="appLoads", group_by="appVersion", app_id=app.id)
        assert sum(part.value for part in loads.slices) == sum(
            value for _, value in await example.versions_by_use(client, app)
        )


@pytest.mark.anyio
async def test_users_of_the_latest_version_are_fewer_than_all_users(example):
    """The filter narrows the graph down; the newest day comes first, and there is one value a day."""
    async with example.simulated_client() as client:
        app = max(await client.apps.list(), key=lambda app: app.dau)
        found = await example.users_of_latest_version(client, app)
        everyone = await client.error_monitoring.graph(graph="dau", app_id=app.id)
    days = [day for day, _ in found]
    assert days == sorted(days, reverse=True)
    assert len(days) == 30
    assert 0 < sum(users for _, users in found) < sum(everyone.series[0].points)
