"""The in-process transport: delays, deadlines and cuts, in virtual time on both event loops."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import httpx
import pytest
from front_desk import FrontDesk

from apteligent_async.simulator import SimulatorTransport, uniform


def client_of(transport, desk, **options):
    """Open an ordinary client on the transport."""
    headers = {"Authorization": f"Bearer {desk.token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9", headers=headers, **options)


@pytest.fixture
def desk():
    """A service with twenty calls a minute."""
    return FrontDesk.open(limit=20)


@pytest.mark.anyio
async def test_a_call_takes_the_time_of_both_ways(desk):
    """The service counts it when it arrives, and the answer is complete."""
    async with client_of(SimulatorTransport(desk.service, connect=0.25, up=1.0, down=2.0), desk) as client:
        began = anyio.current_time()
        response = await client.get("/v2/apps", params={"attributes": "appName"})
    assert anyio.current_time() - began == pytest.approx(3.25, abs=0.01)
    assert desk.service.quota().log[0].at - began == pytest.approx(1.25, abs=0.01)
    assert len(response.json()["data"]) == 40
    assert response.headers["Rate-Limit-Limit"] == "20"


@pytest.mark.anyio
async def test_the_quota_runs_on_the_loop_s_clock(desk):
    """Twenty-one calls: the last is refused, and admitted a bucket later."""
    transport = SimulatorTransport(desk.service)
    async with client_of(transport, desk) as client:
        statuses = [(await client.get("/v2/apps?attributes=dau")).status_code for _ in range(21)]
        await anyio.sleep(60)
        statuses.append((await client.get("/v2/apps?attributes=dau")).status_code)
    assert statuses == [200] * 20 + [429, 200]
    assert transport.calls == 22


@pytest.mark.anyio
async def test_calls_overlap(desk):
    """Ten at a time take as long as one."""
    transport = SimulatorTransport(desk.service, up=1.0, down=1.0)
    began = anyio.current_time()
    async with client_of(transport, desk) as client, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(client.get, "/v2/apps?attributes=dau")
    assert anyio.current_time() - began == pytest.approx(2.0, abs=0.01)
    assert (transport.most_in_flight, transport.in_flight) == (10, 0)


@pytest.mark.anyio
@pytest.mark.parametrize(("up", "down"), [(0.5, 9.0), (9.0, 0.5)])
async def test_a_read_timeout_is_honoured_and_the_call_still_counts(desk, up, down):
    """The request is on the wire: it arrives although nobody waits for the answer."""
    transport = SimulatorTransport(desk.service, up=up, down=down)
    async with client_of(transport, desk, timeout=2.0) as client:
        began = anyio.current_time()
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/v2/apps")
        assert anyio.current_time() - began == pytest.approx(2.0, abs=0.01)
        await anyio.sleep(10)
        transport.settle()
    assert [entry.at - began for entry in desk.service.quota().log] == pytest.approx([up], abs=0.01)


@pytest.mark.anyio
async def test_a_connect_timeout_means_that_nothing_was_sent(desk):
    """The quota is not touched."""
    async with client_of(SimulatorTransport(desk.service, connect=9.0), desk, timeout=2.0) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("/v2/apps")
    assert not desk.service.quota().log


@pytest.mark.anyio
async def test_a_cancelled_call_reaches_the_service_late(desk):
    """Cancelling does not unsend; a call not yet sent is not counted."""
    transport = SimulatorTransport(desk.service, up=5.0)
    async with client_of(transport, desk) as client:
        began = anyio.current_time()
        with anyio.move_on_after(1.0):
            await client.get("/v2/apps")
        assert not desk.service.quota().log
        await anyio.sleep(8.0)
        await client.get("/v2/apps")
    assert [entry.at - began for entry in desk.service.quota().log] == pytest.approx([5.0, 14.0], abs=0.01)
    assert transport.in_flight == 0


@pytest.mark.anyio
async def test_a_cut_breaks_calls_under_way_and_new_ones(desk):
    """ReadError for those under way, at once; ConnectError for new ones; then all is well again."""
    transport = SimulatorTransport(desk.service, up=1.0, down=1.0)
    broken_after = []

    async def call():
        began = anyio.current_time()
        with pytest.raises(httpx.ReadError):
            await client.get("/v2/apps")
        broken_after.append(anyio.current_time() - began)

    async with client_of(transport, desk) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            group.start_soon(call)
            await anyio.sleep(1.5)
            with transport.cut():
                with pytest.raises(httpx.ConnectError):
                    await client.get("/v2/apps")
                await anyio.sleep(5.0)
        assert broken_after == pytest.approx([1.5, 1.5], abs=0.01)
        assert (await client.get("/v2/apps")).status_code == 200


@pytest.mark.anyio
async def test_a_cut_while_connecting_is_a_connect_error(desk):
    """Nothing was sent."""
    transport = SimulatorTransport(desk.service, connect=2.0)

    async def call():
        with pytest.raises(httpx.ConnectError):
            await client.get("/v2/apps")

    async with client_of(transport, desk) as client, anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.sleep(1.0)
        with transport.cut():
            await anyio.lowlevel.checkpoint()
    assert not desk.service.quota().log


@pytest.mark.anyio
async def test_seeded_delays_are_repeatable_and_reorder_calls(desk):
    """The same seed gives the same arrivals, which need not be in the order of sending."""

    async def arrivals():
        desk = FrontDesk.open()
        transport = SimulatorTransport(desk.service, up=uniform(0.0, 3.0, seed=7))
        began = anyio.current_time()
        async with client_of(transport, desk) as client, anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(client.get, "/v2/apps?attributes=dau")
        return [entry.at - began for entry in desk.service.quota().log]

    first = await arrivals()
    assert first == sorted(first)
    assert await arrivals() == pytest.approx(first, abs=0.01)
    sent = uniform(0.0, 3.0, seed=7)
    assert [sent() for _ in range(8)] != sorted(first)


@pytest.mark.anyio
async def test_an_encoded_slash_stays_in_its_segment(desk):
    """The path reaches the service still encoded."""
    seen = []
    answer = desk.service.handle

    class Spy:
        def handle(self, call, *, now):
            seen.append(call.path)
            return answer(call, now=now)

    async with client_of(SimulatorTransport(Spy()), desk) as client:
        await client.get("/v2/a%2Fb/c%20d")
    assert seen == ["/v2/a%2Fb/c%20d"]


def test_one_transport_serves_several_event_loops():
    """One after the other, as in a program that calls `run` twice."""
    desk = FrontDesk.open(limit=20)
    transport = SimulatorTransport(desk.service, up=0.01, down=0.01)

    async def fetch():
        async with client_of(transport, desk) as client:
            return (await client.get("/v2/apps?attributes=dau")).status_code

    runs = [anyio.run(fetch, backend=backend) for backend in ("asyncio", "trio", "asyncio")]
    assert runs == [200, 200, 200]
