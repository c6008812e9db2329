"""Triage of a crash: what led to it, for whom, and what is shown to nobody who has not asked for it."""

from __future__ import annotations

import json

import pytest

from apteligent_async.cli.families.breadcrumb_view import breadcrumb_sheet
from apteligent_async.models.breadcrumbs import Breadcrumb, BreadcrumbTrace
from apteligent_async.models.tables import rows


@pytest.fixture
def crash(command, simulator):
    """Give what shows the worst crash of an app: it takes options, and gives JSON."""
    service, _ = simulator
    app = next(iter(service.world.apps))

    def show(*options):
        ended = command("crash", app, *options, "--json", "--top", "0")
        assert ended.code == 0
        return json.loads(ended.out)

    return show


def test_breadcrumbs_tell_what_users_did_before(crash):
    """Session by session, each step with its time and in words; the last of each is the crash."""
    steps = crash("--breadcrumbs")["breadcrumbs"]
    sessions = {step["trace_ts"]: [each for each in steps if each["trace_ts"] == step["trace_ts"]] for step in steps}
    assert len(sessions) > 1
    for session in sessions.values():
        assert [each["type"] for each in session][-1] == "crash"
        assert [each["occurred"] for each in session] == sorted(each["occurred"] for each in session)
        assert any(each["what"].startswith("GET https://") and " 412 ms" in each["what"] for each in session)


def test_breadcrumbs_are_shown_on_request_alone(crash, command, simulator):
    """They are personal data; and asking for them costs no further call, as the service sends them anyhow."""
    service, _ = simulator
    before = len(service.quota().log)
    assert "breadcrumbs" not in crash()
    assert len(service.quota().log) == before + 2
    crash("--breadcrumbs")
    assert len(service.quota().log) == before + 4
    told = command("crash", next(iter(service.world.apps)))
    assert "--breadcrumbs" in told.out + told.err


def test_one_user_can_be_chosen(crash):
    """Who he is and what he did, and nobody else; of a stranger there is nothing."""
    chosen = crash("--breadcrumbs")["breadcrumbs"][0]["username"]
    found = crash("--user", chosen)
    for part in ("users", "breadcrumbs"):
        assert {each["username"] for each in found[part]} == {chosen}
    stranger = crash("--user", "nobody at all")
    assert (stranger["users"], stranger["breadcrumbs"]) == ([], [])


def test_an_exception_has_breadcrumbs_and_no_users(crash, command):
    """What the service does not tell of exceptions is refused before a call."""
    assert crash("--kind", "exception", "--breadcrumbs")["breadcrumbs"][6]["type"] == "handledException"
    refused = command("crash", "x", "--kind", "exception", "--user", "amelia")
    assert (refused.code, refused.out) == (1, "")
    assert "--user" in refused.err


def test_whatever_is_sent_is_shown():
    """A step of an unknown type, without a time, with a payload that is no object or none: a line each."""
    steps = (
        Breadcrumb(type=None, type_code=3, payload={"event": "backgrounded"}),
        Breadcrumb(type="new", type_code=99, payload="text"),
        Breadcrumb(payload=None),
        Breadcrumb(type="network", payload={"url": "u", "latencyMs": None, "more": [1]}),
    )
    traces = (BreadcrumbTrace(parsed_breadcrumbs=None), BreadcrumbTrace(username="amelia", parsed_breadcrumbs=steps))
    shown = [(row["type"], row["type_code"], row["what"]) for row in rows(breadcrumb_sheet(traces).columns)]
    assert shown == [
        ("foreground or background", "foreground or background", "backgrounded"),
        ("new", "99", "text"),
        (None, None, None),
        ("network", None, "u more=[1]"),
    ]
