"""Whatever the other end does, every call ends: in time, in a result or in one of our errors, and nothing is left."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from functools import partial

import anyio
import pytest
from counterparts import gather
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from operations import OPERATIONS, small_world
from own_client import assert_clean, client_of
from strangers import RULES, tasks_alive

from apteligent_async import (
    ApteligentClient,
    ApteligentError,
    MemoryBudget,
    NotFoundError,
    PasswordGrant,
    RatePolicy,
    RetryPolicy,
)
from apteligent_async import _http as link_module
from apteligent_async.simulator import (
    DEMO_ACCOUNT,
    FaultSchedule,
    QuotaSettings,
    Service,
    SimulatorTransport,
    uniform,
)

GRANT = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
RETRY = RetryPolicy()
LONGEST_S = 1e7
UNSERVED = {"request of no path", "performance_management.graph"}
PAGED = {"crashes.table", "exceptions.table", "transactions.details", "transactions.traces"}
PAGES = 20
"""More than any list of the small world has."""

CALLS = st.lists(
    st.tuples(
        st.sampled_from(sorted(OPERATIONS)),
        st.floats(0, 90),  # when it comes
        st.none() | st.floats(0.1, 300),  # its deadline
        st.sampled_from(["interactive", "bulk"]),
    ),
    min_size=1,
    max_size=12,
)
POLICIES = st.sampled_from([RatePolicy(mode="exclusive"), RatePolicy(), RatePolicy(mode="polite", max_in_flight=2)])


def test_every_operation_is_put_to_the_test():
    """Each public method that sends is in the table."""
    properties = [name for name, found in vars(ApteligentClient).items() if isinstance(found, property)]
    groups = [name for name in properties if name != "account"]
    sending = {"discover", "token", "request", "follow"}
    for group in groups:
        kind = type(getattr(ApteligentClient(GRANT), group))
        sending |= {
            f"{group}.{name}"
            for name, found in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }
    assert sending == {name.partition(" ")[0] for name in OPERATIONS}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_works_where_nothing_is_wrong(runs, name):
    """So that what fails under a fault fails by it; what the service does not have is not found."""

    async def call():
        transport = SimulatorTransport(Service(small_world(), quota=QuotaSettings(limit=10_000)))
        async with client_of(transport, GRANT) as client:
            with pytest.raises(NotFoundError) if name in UNSERVED else nullcontext():
                assert await OPERATIONS[name](client)

    runs(call)


@pytest.fixture(autouse=True, scope="module")
def _small_bodies():
    """Let bodies be too large sooner, so that it takes less time to be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link_module, "MOST_BYTES", 1_000_000)
        yield


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=st.lists(RULES, max_size=5), calls=CALLS, policy=POLICIES, limit=st.integers(1, 60), seed=st.integers(0, 99)
)
def test_under_any_schedule_every_call_ends(runs, rules, calls, policy, limit, seed):  # noqa: PLR0917  drawn by name
    """In a result or a typed error, by its deadline; nothing hangs, leaks or stampedes."""
    service = Service(small_world(), quota=QuotaSettings(limit=limit), faults=FaultSchedule(rules, seed=seed))
    transport = SimulatorTransport(service, up=uniform(0.0, 0.2, seed=seed), down=0.1)
    runs(_bombarded, transport, calls, policy)


async def _bombarded(transport, calls, policy):
    before = tasks_alive()
    client = ApteligentClient(
        GRANT, base_url="http://127.0.0.1:9", transport=transport, budget=MemoryBudget(), policy=policy, timeout=30
    )
    async with client:
        with anyio.fail_after(LONGEST_S):
            ends = await gather(*[partial(_called, client, *call) for call in calls])
        note(f"{transport.service.struck} {ends}")
        assert not [end for end in ends if end is not None]
        assert_clean(client)
    assert transport.in_flight == 0
    assert tasks_alive() == before
    assert transport.calls <= _most_requests(calls)


async def _called(client, name, at, deadline, priority):
    await anyio.sleep(at)
    began_at = anyio.current_time()
    try:
        shown = repr(await OPERATIONS[name](client.with_options(deadline=deadline, priority=priority)))
    except ApteligentError as error:
        shown = str(error)
    assert shown
    if deadline is not None:
        assert anyio.current_time() <= began_at + deadline * _pages(name) + 0.01


def _pages(name):
    return PAGES if name.partition(" ")[0] in PAGED else 1


def _most_requests(calls):
    """Bound what may be sent: attempts and refusals for each page, all again after a new token, and the tokens."""
    each = (RETRY.max_attempts + RETRY.max_rate_limited) * 2
    return 2 * each * sum(_pages(name) for name, *_ in calls)
