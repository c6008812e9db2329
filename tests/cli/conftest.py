"""The command line in this process, against a simulator on loopback that is shared by the tests."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from attrs import frozen

from apteligent_async.cli import main
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

WORLD = World(apps=12, now=datetime(2016, 12, 12, 18, tzinfo=UTC))


@frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def simulator():
    """Give a simulated service with plenty of budget, and its address."""
    service = Service(WORLD, quota=QuotaSettings(limit=1_000_000))
    with serve(service) as url:
        yield service, url


@pytest.fixture
def command(simulator, capsys, monkeypatch, tmp_path):
    """Give the command: it takes arguments and an environment, and tells how it ended; it is logged in by a token."""
    service, url = simulator
    token = service.issue_token(DEMO_ACCOUNT.client_id)

    def run(*arguments, columns=100, **environment):
        for name in ["TOKEN", "CLIENT_ID", "USERNAME", "PASSWORD", "BASE_URL", "REGION"]:
            monkeypatch.delenv(f"APTELIGENT_{name}", raising=False)
        told = {"APTELIGENT_TOKEN": token, "APTELIGENT_BASE_URL": url, "XDG_STATE_HOME": str(tmp_path / "state")}
        for name, value in (told | environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["apteligent", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ended(ended.value.code, printed.out, printed.err)

    return run
