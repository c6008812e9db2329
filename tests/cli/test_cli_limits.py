"""The command ``apteligent limits``, against the simulator on loopback."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime

import pytest

from apteligent_async.cli import main
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

WORLD = World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))
GRANT = {
    "APTELIGENT_CLIENT_ID": DEMO_ACCOUNT.client_id,
    "APTELIGENT_USERNAME": DEMO_ACCOUNT.username,
    "APTELIGENT_PASSWORD": DEMO_ACCOUNT.password,
}


@pytest.fixture
def ask(capsys, monkeypatch):
    """Give the command: it takes flags and an environment, and gives its exit code and what it printed."""

    def run(*flags, **environment):
        for name in ["TOKEN", "CLIENT_ID", "USERNAME", "PASSWORD", "BASE_URL", "REGION"]:
            monkeypatch.delenv(f"APTELIGENT_{name}", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["apteligent", "limits", *flags])
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def service_of(**quota):
    """Make a simulated service."""
    return Service(WORLD, quota=QuotaSettings(**{"bucket_s": 3600, **quota}))


def test_it_shows_the_budget_and_what_it_cost(ask):
    """Limit, calls left, reset, bucket, readings and others, for one call, as the service's books say."""
    service = service_of(reading="count", rounding="exact", initial_use=7)
    with serve(service) as url:
        token = service.issue_token(DEMO_ACCOUNT.client_id)
        code, told, errors = ask("--base-url", url, APTELIGENT_TOKEN=token)
    assert (code, errors) == (0, "")
    assert len(service.quota().log) == 1
    assert "Asked with GET /v2/apps?attributes=appName: 1 call of the budget.\n" in told
    for row in [
        "limit +20 calls a minute",
        "calls left +[0-9a]",
        r"reset +in \d+ s",
        "bucket +",
        "readings +",
        "others +",
    ]:
        assert re.search(f"^{row}", told, flags=re.MULTILINE)


def test_a_login_is_counted_and_said(ask):
    """It is a call of the budget like any other."""
    service = service_of()
    with serve(service) as url:
        code, printed, told = ask("--base-url", url, "--json", **GRANT)
    [line] = printed.splitlines()
    figures = json.loads(line)
    assert code == 0
    assert figures["calls"] == len(service.quota().log) == 2
    assert "attributes=appName and the login: 2 calls of the budget.\n" in told
    names = ["calls", "limit", "left_low", "left_high", "reset_s", "is_gated", "bucket_s", "bucket_calls"]
    assert list(figures) == [*names, "unit", "includes_call", "others_seen"]
    assert figures["limit"] == 20
    assert 0 < figures["reset_s"] <= 3600


@pytest.mark.parametrize("reading", ["speed", "count"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round", "exact"])
def test_what_it_says_is_left_is_left(ask, reading, rounding):
    """The truth lies between the bounds, however the service writes its numbers."""
    service = service_of(reading=reading, rounding=rounding, initial_use=1000)
    with serve(service) as url:
        figures = json.loads(ask("--base-url", url, "--json", **GRANT)[1])
    left = 1200 - 1000 - 2
    assert figures["left_low"] <= left
    assert figures["left_high"] is None or left <= figures["left_high"]


def test_a_429_is_an_answer_too(ask):
    """It tells the limit and the reset, is not waited out, and costs one call."""
    service = service_of(initial_use=1200)
    with serve(service) as url:
        token = service.issue_token(DEMO_ACCOUNT.client_id)
        code, printed, told = ask("--base-url", url, "--json", APTELIGENT_TOKEN=token)
    figures = json.loads(printed)
    assert (code, figures["is_gated"], figures["left_low"], figures["calls"]) == (0, True, 0, 1)
    assert figures["limit"] == 20
    assert "none: the service has answered 429" in " ".join(told.split())


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "No credentials"),
        ({"APTELIGENT_TOKEN": "gone"}, "does not accept the token"),
        (GRANT | {"APTELIGENT_PASSWORD": "wrong"}, "401|400|refused|accept"),
    ],
)
def test_an_error_is_two_lines_at_most(ask, environment, problem):
    """Exit code 1, the cause and what to do, no traceback, and nothing on standard output."""
    with serve(service_of()) as url:
        code, told, errors = ask("--base-url", url, **environment)
    assert (code, told) == (1, "")
    assert errors.startswith("apteligent: ")
    assert re.search(problem, errors)
    assert errors.count("\n") <= 2


def test_a_wrong_region_is_a_usage_error(ask):
    """Exit code 2, before anything is asked."""
    assert ask("--region", "moon")[0] == 2
