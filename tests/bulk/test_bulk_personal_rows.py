"""Personal data: in rows only where a plan says so, and nobody's name anywhere else."""

from __future__ import annotations

import pytest
from pulled import account, facts, pull

from apteligent_async.bulk.families import FAMILIES
from apteligent_async.bulk.plan import Plan
from apteligent_async.bulk.wanted import Wanted

pytestmark = pytest.mark.anyio


async def test_personal_data_is_pulled_when_the_plan_says_so():
    """Breadcrumbs, affected users and traces of userflows have rows in a plan that says that they are meant."""
    kinds = ["crashes.breadcrumbs", "exceptions.breadcrumbs", "crashes.affected_users", "transactions.traces"]
    client, _ = account()
    async with client:
        wanted = [Wanted(kind, most=1) for kind in kinds]
        pulled = await pull(client, Plan(want=wanted, personal_data=True, apps=facts()[0].id))
        users = await client.crashes.affected_users(
            facts()[0].id, (await client.crashes.summaries(facts()[0].id))[0].hash
        )
    assert {kind for kind in FAMILIES if FAMILIES[kind].is_personal} == set(kinds)
    assert set(kinds) <= {row.query.partition("?")[0] for row in pulled}
    names = [row.label for row in pulled if "affected_users" in row.query and row.metric == "username"]
    assert names == [user.username for user in users if user.username is not None]


async def test_nobodys_name_is_in_rows_that_are_not_personal():
    """Details bring nobody's name or device along, though the answer holds them."""
    client, _ = account()
    app = facts()[0].id
    async with client:
        pulled = await pull(client, Plan(want=[Wanted("crashes.details", most=2, diagnostics=True)], apps=app))
        found = await client.crashes.details(app, (await client.crashes.summaries(app))[0].hash, diagnostics=True)
    secrets = {trace.username for trace in found.breadcrumb_traces} | set(found.diagnostics.affected_users)
    assert secrets
    assert not [row for row in pulled for secret in secrets if secret and secret in str(row)]
