"""Calls the service as a client would, without a client."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest
from attrs import frozen
from hypothesis import strategies as st

from apteligent_async.simulator import DEMO_ACCOUNT, Answer, Call, QuotaSettings, Service, World

NOW = datetime(2016, 12, 12, 20, 17, 43, tzinfo=UTC)
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def fixture(name):
    """Read one captured answer, or skip."""
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the captured answers are not beside this checkout")
    return json.loads(path.read_text())


def basic(user_and_password):
    """Write an Authorization header."""
    return {"Authorization": "Basic " + base64.b64encode(user_and_password.encode()).decode()}


@cache
def _ordinary_world():
    return World(now=NOW)


@frozen
class FrontDesk:
    """A service and a token that it accepts."""

    service: Service
    token: str

    @classmethod
    def open(cls, *, world=None, **quota):
        """Open a service for the demo account."""
        service = Service(world or _ordinary_world(), quota=QuotaSettings(**quota))
        return cls(service, service.issue_token(DEMO_ACCOUNT.client_id))

    @property
    def app_ids(self):
        """Every app's id, the most popular first."""
        return list(self.service.world.apps)

    def ask(self, path, *, now=1.0, token=None, method="GET", headers=(), **params) -> Answer:
        """Send one call with a token; a list is a repeated name."""
        target = f"{path}?{urlencode(params, doseq=True)}" if params else path
        all_headers = {"Authorization": f"Bearer {token or self.token}", **dict(headers)}
        return self.service.handle(Call.parse(method, target, all_headers, b""), now=now)

    def get(self, path, **params):
        """Return the decoded body of a call that must succeed."""
        answer = self.ask(path, **params)
        body = json.loads(answer.body)
        assert answer.status == 200, body
        return body

    def data(self, path, **params):
        """Return what is under ``data``."""
        return self.get(path, **params)["data"]

    def refused(self, path, **params):
        """Return the status and the decoded body of a call that must fail."""
        answer = self.ask(path, **params)
        assert answer.status >= 400
        return answer.status, json.loads(answer.body)

    def post_token(self, body="", *, now=1.0, path="/v2/token", user=DEMO_ACCOUNT.client_id + ":", **headers):
        """Send a token request."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        call = Call.parse("POST", path, {**basic(user), **names}, body if isinstance(body, bytes) else body.encode())
        answer = self.service.handle(call, now=now)
        return answer.status, json.loads(answer.body), dict(answer.headers)


PASSWORD_FORM = urlencode(
    {"grant_type": "password", "username": DEMO_ACCOUNT.username, "password": DEMO_ACCOUNT.password}
)

seeds = st.integers(0, 10_000)
instants = st.datetimes(datetime(2015, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def desks(draw):
    """A small world of any seed at any instant."""
    return FrontDesk.open(world=World(seed=draw(seeds), apps=3, now=draw(instants)), limit=10**6)


def pie(desk, family="errorMonitoring", **params):
    """Return a pie's slices as name → value."""
    slices = desk.data(f"/v2/{family}/pie", **params)["slices"]
    names = [one["name"] for one in slices]
    assert len(set(names)) == len(names)
    return {one["name"]: one["value"] for one in slices}


def points(desk, **params):
    """Return the points of a graph's only series."""
    (series,) = desk.data("/v2/errorMonitoring/graph", **params)["series"]
    return series["points"]


def total(values):
    """Add up a pie."""
    return sum(values.values())


def keys_of(value):
    """Return the shape of a body: keys all the way down, of the first element of each list."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(inner) for inner in value[:1]] if isinstance(value, list) else None


def ratio(part, whole):
    """Return the rounded percentage, 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0
