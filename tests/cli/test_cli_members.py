"""The command ``apteligent limits`` where the budget is shared, against the simulator on loopback."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import anyio
import pytest

from apteligent_async import ApteligentClient, RatePolicy, SQLiteBudget, StaticToken
from apteligent_async._budgets.hosts import host_id
from apteligent_async._budgets.shared import account_key
from apteligent_async._scheduling.fleet import Step
from apteligent_async._scheduling.fleet_text import advance
from apteligent_async._scheduling.readings import ALL_HYPOTHESES
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

WORLD = World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))
OTHER = Step(member="0ther", policy=RatePolicy(), host=host_id(), pid=os.getppid(), held=2, wanted=(0, 0, 3, 40))


@pytest.fixture
def shared(command, tmp_path):
    """Give a simulated service of its own, what runs ``limits`` on it, and the budget's path."""
    service = Service(WORLD, quota=QuotaSettings(bucket_s=3600))
    path = tmp_path / "budget.db"
    with serve(service) as url:
        token = service.issue_token(DEMO_ACCOUNT.client_id)
        environment = {
            "APTELIGENT_BASE_URL": url,
            "APTELIGENT_TOKEN": token,
            "APTELIGENT_CLIENT_ID": DEMO_ACCOUNT.client_id,
        }

        def limits(*flags, **others):
            return command("limits", *flags, **(environment | others))

        yield service, limits, path, StaticToken(token, client_id=DEMO_ACCOUNT.client_id), url


def occupy(path, credentials, url):
    """Spend a call of the shared budget, and let another process hold and await tokens of it."""
    budget = SQLiteBudget(path)
    store = budget.lines.open_store(account_key(f"{url} {credentials.client_id}"))

    async def use():
        async with ApteligentClient(credentials, base_url=url, budget=budget) as client:
            await client.apps.list()
        await store.change(
            lambda told: (
                advance(told.text, OTHER, hypotheses=ALL_HYPOTHESES, clock=told.clock, now=told.now)[0],
                None,
            )
        )
        await store.aclose()

    anyio.run(use)


def test_the_store_tells_without_a_call(shared):
    """The budget, who holds what and what waits, for people; it says that no call was made."""
    service, limits, path, credentials, url = shared
    occupy(path, credentials, url)
    ended = limits("--budget", f"sqlite://{path}")
    assert (ended.code, ended.err, len(service.quota().log)) == (0, "", 1)
    words = " ".join(ended.out.split())
    assert "no call was made" in words
    assert f"0ther this one {os.getppid()}" in words
    assert "leased 2 calls, taken off those left queue waiting: 3 interactive, 40 bulk" in words
    assert "limit 20 calls a minute" in words


def test_a_program_gets_the_same(shared):
    """One JSON object; the environment names the budget as well as a flag."""
    service, limits, path, credentials, url = shared
    occupy(path, credentials, url)
    figures = json.loads(limits("--json", APTELIGENT_BUDGET=f"sqlite://{path}").out)
    [member] = figures["fleet"]["members"]
    assert (figures["calls"], len(service.quota().log)) == (0, 1)
    assert figures["fleet"]["leased"] == member["held"] == 2
    assert figures["fleet"]["queued"]["bulk"] == member["wanted"]["bulk"] == 40
    assert (member["name"], member["pid"], member["host"], member["standing"]) == (
        "0ther",
        os.getppid(),
        host_id(),
        "present",
    )
    assert "asked_because" not in figures


def test_a_call_is_made_only_where_the_store_does_not_know(shared):
    """It says why; what it brought is in the store then, for the next one to ask."""
    service, limits, path, *_ = shared
    ended = limits("--json", "--budget", f"sqlite://{path}")
    assert (ended.code, len(service.quota().log)) == (0, 1)
    figures = json.loads(ended.out)
    assert figures["asked_because"] == "the shared budget's store knows nothing of this client id yet"
    assert (figures["calls"], figures["fleet"]["members"]) == (1, [])
    assert "yet. Asked with GET" in " ".join(ended.err.split())
    assert json.loads(limits("--json", "--budget", f"sqlite://{path}").out)["calls"] == 0
    assert len(service.quota().log) == 1


def test_a_store_that_cannot_be_read_is_said(shared):
    """The call is made then, with care, and shows what there is."""
    service, limits, path, *_ = shared
    path.write_bytes(b"no database" * 100)
    path.chmod(0o600)
    ended = limits("--json", "--budget", f"sqlite://{path}")
    figures = json.loads(ended.out)
    assert (ended.code, figures["calls"], len(service.quota().log)) == (0, 1, 1)
    assert "cannot be read (DatabaseError" in figures["asked_because"]
    assert "fleet" not in figures
    with closing(sqlite3.connect(path)) as file, pytest.raises(sqlite3.DatabaseError):
        file.execute("SELECT 1 FROM budgets")


def test_a_file_that_is_open_to_others_is_refused(shared):
    """Two lines at most, with the mend."""
    service, limits, path, *_ = shared
    path.touch()
    path.chmod(0o644)
    ended = limits("--budget", f"sqlite://{path}")
    assert (ended.code, ended.out, len(service.quota().log)) == (1, "", 0)
    assert "chmod 600" in ended.err
