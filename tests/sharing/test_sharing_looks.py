"""A client that makes no call itself, and yet knows what others have done to the budget."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apteligent_async import ApteligentClient, ClientStateError, MemoryBudget, SQLiteBudget, StaticToken
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """Run in real time: the file is written by threads."""
    return "asyncio"


async def test_a_look_tells_what_others_have_spent(tmp_path):
    """Without one the budget is as it was at the last call of one's own; looking costs no call."""
    service = Service(World(apps=1, now=datetime(2016, 12, 12, 18, tzinfo=UTC)), quota=QuotaSettings(limit=40))
    credentials = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id), client_id=DEMO_ACCOUNT.client_id)
    path = tmp_path / "budget.db"
    with serve(service) as origin:

        def member():
            return ApteligentClient(credentials, base_url=origin, budget=SQLiteBudget(path))

        async with member() as idle, member() as busy:
            await idle.apps.list()
            before = idle.budget().left_low
            for _ in range(5):
                await busy.apps.list()
            await busy.refreshed_budget()
            assert idle.budget().left_low == before
            assert (await idle.refreshed_budget()).left_low < before
            assert len(service.quota().log) == 6


async def test_a_budget_of_one_process_needs_no_look():
    """It is given as it is; a client that is not open has none."""
    client = ApteligentClient(StaticToken("t"), base_url="http://127.0.0.1:9", budget=MemoryBudget())
    with pytest.raises(ClientStateError):
        await client.refreshed_budget()
    async with client:
        assert (await client.refreshed_budget()).limit is None
