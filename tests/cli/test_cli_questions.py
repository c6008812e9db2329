"""The introductory page's nine questions: the command and the example's code give the same answer."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import anyio
import pytest

from apteligent_async import ApteligentClient, MemoryBudget, StaticToken
from apteligent_async.simulator import DEMO_ACCOUNT

PROGRAM = Path(__file__).parents[2] / "examples" / "questions.py"

COMMANDS = {
    "versions_by_use": ["pie", "APP", "--graph", "appLoads", "--by", "appVersion"],
    "systems_by_crashes": ["pie", "APP", "--graph", "crashPercent", "--by", "os"],
    "services_by_latency": ["pie", "APP", "--graph", "latency", "--by", "service"],
    "data_use": ["pie", "APP", "--graph", "dataIn", "--by", "appId"],
    "devices_by_use": ["pie", "APP", "--graph", "appLoads", "--by", "device"],
    "users_of_latest_version": ["graph", "APP", "--graph", "dau", "--filter", "appVersion=LATEST"],
    "apps_by_crashes": ["apps"],
    "apps_by_latency": ["apps", "--sort-by", "latency"],
    "services_by_errors": ["pie", "APP", "--graph", "errors", "--by", "service"],
}
VALUES = {"apps_by_crashes": "crash_percent", "apps_by_latency": "latency"}


@pytest.fixture(scope="module")
def example():
    """Import the example without running it."""
    spec = importlib.util.spec_from_file_location("questions", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def answers(simulator, example):
    """Give what the example's code answers to a question, and the app that it asked about."""
    service, url = simulator
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))

    async def ask(name):
        async with ApteligentClient(token, base_url=url, budget=MemoryBudget()) as client:
            app = max(await client.apps.list(), key=lambda app: app.dau or 0)
            return app, await getattr(example, name)(client, app)

    return lambda name: anyio.run(ask, name)


def test_every_question_has_a_command(example):
    """Nine of them, and no other."""
    assert [ask.__name__ for ask in example.QUESTIONS] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_answers_as_the_code_does(command, answers, name):
    """The same values; the command lists days from the oldest on, and all else as the code does."""
    app, ranking = answers(name)
    words = {"APP": app.name, "appVersion=LATEST": f"appVersion={app.latest_version_string}"}
    ended = command(*(words.get(word, word) for word in COMMANDS[name]), "--json")
    assert (ended.code, bool(ranking)) == (0, True)
    rows = json.loads(ended.out.splitlines()[-1])["rows"]
    values = [row[VALUES.get(name, "value")] for row in rows]
    expected = [value for _, value in ranking]
    assert [value for value in values if value is not None] == (
        expected[::-1] if "graph" in COMMANDS[name] else expected
    )
