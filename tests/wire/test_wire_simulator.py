"""The client's table and the simulator were written apart: every call of one is understood by the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from apteligent_async._wire.codec import unstructure
from apteligent_async._wire.drift import Drift
from apteligent_async._wire.endpoints import ENDPOINTS, endpoint_for
from apteligent_async._wire.links import safe_link
from apteligent_async._wire.messages import Reply
from apteligent_async._wire.replies import decode
from apteligent_async.errors import NotFoundError
from apteligent_async.simulator import Call, QuotaSettings, Service, World

RANKING = {"limit": 10, "duration": 240, "geo_mode": True}
CALLS = [
    ("apps.list", {}),
    ("error_monitoring.pie", {"graph": "crashPercent", "group_by": "os", "duration": 1440}),
    ("error_monitoring.graph", {"graph": "dau", "duration": 43200, "filters": {"os": "none"}}),
    ("error_monitoring.sparklines", {"graph": "crashes", "duration": 10080}),
    ("performance_management.pie", {"graph": "volume", "group_by": "service", "duration": 60}),
    ("performance_management.endpoints", {"sort": "latency", **RANKING}),
    ("performance_management.services", {"sort": "errors", **RANKING}),
    ("performance_management.geo", {"graph": "volume", **RANKING}),
    *[(f"{kind}.{call}", {}) for kind in ("crashes", "exceptions") for call in ("summaries", "counts", "table")],
    ("trends.app", {}),
    ("trends.dau", {}),
    ("trends.mau", {}),
    ("live_stats.get", {"period": "PT5M"}),
    ("live_stats.get", {"period": "P1D"}),
    ("transactions.summary", {}),
    ("transactions.ranked", {"category": "failed"}),
    ("transactions.details", {"period": "P1M", "page_size": 5}),
]


class Desk:
    """Sends requests to a simulated service and decodes what comes back, keeping count of surprises."""

    def __init__(self):
        self.service = Service(
            World(apps=4, now=datetime(2016, 12, 12, 18, tzinfo=UTC)), quota=QuotaSettings(limit=10**6)
        )
        self.token = self.service.issue_token(self.service.accounts[0].client_id)
        self.drift = Drift()
        self.app_id = self.call("apps.list")[0].id

    def send(self, endpoint, request):
        """Send one request; what comes back must survive decoding unchanged."""
        headers = {"authorization": f"Bearer {self.token}", "host": "127.0.0.1:8080"}
        call = Call(method=request.method, path=request.path, query=request.query, headers=headers)
        answer = self.service.handle(call, now=0.0)
        reply = Reply(status=answer.status, headers=dict(answer.headers), body=answer.body)
        result = decode(endpoint, reply, drift=self.drift)
        assert unstructure(result) == json.loads(answer.body)
        return result

    def call(self, name, /, **arguments):
        """Make one call of the table."""
        return self.send(ENDPOINTS[name], ENDPOINTS[name].request(**arguments))


@pytest.fixture(scope="module")
def desk():
    """One simulated service for all tests of this file."""
    return Desk()


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_simulator_understands_every_call(desk, name, arguments):
    """A call of the table is answered, in either order of its path, and its answer has rows and no surprises."""
    endpoint = ENDPOINTS[name]
    if name != "apps.list":
        arguments = {**arguments, "app_id": desk.app_id}
    for row in (endpoint, *([endpoint.with_alternative_path()] if endpoint.alternative else [])):
        assert desk.send(row, row.request(**arguments)).to_rows()
    assert desk.drift.report() == {}


@pytest.mark.parametrize("kind", ["crashes", "exceptions"])
def test_details_hold_all_their_parts(desk, kind):
    """Details of a group have days, diagnostics, breadcrumbs and a stack."""
    group = desk.call(f"{kind}.summaries", app_id=desk.app_id)[0]
    details = desk.call(
        f"{kind}.details", app_id=desk.app_id, hash=group.hash, diagnostics=True, daily_occurrences=True
    )
    assert details.hash == group.hash
    assert details.first_occurred < details.last_occurred == group.last_occurred
    assert details.daily_occurrences_by_version["total"].date
    assert details.stacktrace
    assert details.breadcrumb_traces[0].parsed_breadcrumbs
    assert details.diagnostics.discrete_diagnostic_data
    assert desk.drift.report() == {}


def test_users_and_userflows_can_be_followed(desk):
    """A crash leads to its users, a userflow's link to its group and its name to its traces."""
    crash = desk.call("crashes.summaries", app_id=desk.app_id)[0]
    assert desk.call("crashes.affected_users", app_id=desk.app_id, hash=crash.hash)[0].username
    flow = desk.call("transactions.details", app_id=desk.app_id, period="P1M")[0]
    path, query = safe_link(flow.link, "http://127.0.0.1:8080")
    row = endpoint_for(path)
    assert desk.send(row, row.request_to(path, query=query)).series
    assert desk.call("transactions.traces", app_id=desk.app_id, name=flow.name, period="P1M").to_rows()
    assert desk.drift.report() == {}


def test_links_of_answers_lead_back(desk):
    """The link of an answer to itself can be followed to the same answer."""
    trends = desk.call("trends.app", app_id=desk.app_id)
    path, query = safe_link(trends.links["self"], "http://127.0.0.1:8080")
    row = endpoint_for(path)
    assert row is ENDPOINTS["trends.app"]
    assert desk.send(row, row.request_to(path, query=query)) == trends


def test_what_nobody_attests_is_not_there(desk):
    """The graph of performance management exists in the table alone, as a guess."""
    with pytest.raises(NotFoundError):
        desk.call("performance_management.graph", graph="volume", app_id=desk.app_id)
