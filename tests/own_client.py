"""The client under test, alone with its budget, and how it looks when nothing is left over."""

from __future__ import annotations

from apteligent_async import ApteligentClient, MemoryBudget, RatePolicy, StaticToken

EXCLUSIVE = RatePolicy(mode="exclusive")


def client_of(transport, credentials=None, **options):
    """Make a client with a budget of its own."""
    options = {"budget": MemoryBudget(), "policy": EXCLUSIVE, **options}
    credentials = credentials or StaticToken("t")
    return ApteligentClient(credentials, base_url="http://127.0.0.1:9", transport=transport, **options)


def assert_clean(client):
    """Nothing waits, is booked, or is registered."""
    session = client._session
    assert not session._visits
    assert not session._dispatcher._sleepers
    assert session._dispatcher._timer is None
    budget = client.budget()
    assert (budget.in_flight, sum(budget.queued.values())) == (0, 0)
