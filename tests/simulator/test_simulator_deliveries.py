"""Answers that come late, slowly, in part or in excess: the same in process and over a socket."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from front_desk import NOW, FrontDesk

from apteligent_async.simulator import (
    DEMO_ACCOUNT,
    FaultRule,
    FaultSchedule,
    Service,
    SimulatorTransport,
    World,
    asgi_app,
    faults,
    serve,
)

PATH = "/v2/apps?attributes=appName"


def desk_with(*struck):
    """Open a service that does all of this to every call."""
    schedule = FaultSchedule([FaultRule(fault) for fault in struck])
    service = Service(World(now=NOW, apps=2), faults=schedule)
    return FrontDesk(service, service.issue_token(DEMO_ACCOUNT.client_id))


def whole():
    """Give the body of the same call when nothing goes wrong."""
    return desk_with().ask("/v2/apps", attributes="appName").body.replace(b"developers.crittercism.com", b"127.0.0.1:9")


async def received(transport, desk, *, timeout=None):
    """Ask in process; give the body and how long it took."""
    began_at = anyio.current_time()
    headers = {"Authorization": f"Bearer {desk.token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9", timeout=timeout) as client:
        async with client.stream("GET", PATH, headers=headers) as response:
            body = b"".join([part async for part in response.aiter_raw()])
        assert response.headers.get_list("Content-Length") == [str(len(body))]
    return body, anyio.current_time() - began_at


@pytest.mark.anyio
async def test_headers_and_bodies_take_their_time_in_process():
    """In all as long as both say, on the loop's clock; the body is whole."""
    desk = desk_with(faults.SlowHeaders(seconds=7), faults.SlowBody(seconds=11))
    transport = SimulatorTransport(desk.service, up=1.0, down=1.0)
    body, took_s = await received(transport, desk)
    assert took_s == pytest.approx(20, abs=0.01)
    assert body == whole()
    assert transport.in_flight == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "after_s"), [(faults.SlowHeaders(seconds=100), 3), (faults.SlowBody(seconds=100), 3)]
)
async def test_a_read_timeout_ends_a_slow_answer(fault, after_s):
    """When nothing has come for so long; nothing stays under way."""
    desk = desk_with(fault)
    transport = SimulatorTransport(desk.service)
    began_at = anyio.current_time()
    with pytest.raises(httpx.ReadTimeout):
        await received(transport, desk, timeout=3.0)
    assert anyio.current_time() - began_at == pytest.approx(after_s, abs=0.01)
    assert transport.in_flight == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.Reset(), httpx.ReadError),
        (faults.Reset(at=1.0), httpx.ReadError),
        (faults.Truncated(at=0.0), httpx.RemoteProtocolError),
        (faults.NoAnswer(), httpx.RemoteProtocolError),
    ],
)
async def test_a_broken_answer_is_httpx_s_own_error_in_process(fault, kind):
    """The call is counted, and nothing stays under way."""
    desk = desk_with(fault)
    transport = SimulatorTransport(desk.service)
    with pytest.raises(kind):
        await received(transport, desk)
    assert transport.in_flight == 0
    assert len(desk.service.quota().log) == 1


@pytest.mark.anyio
async def test_a_cut_of_the_link_ends_a_slow_body():
    """As it ends an answer that has not begun."""
    desk = desk_with(faults.SlowBody(seconds=100))
    transport = SimulatorTransport(desk.service)

    async def cut():
        await anyio.sleep(30)
        with transport.cut():
            await anyio.sleep(1)

    async with anyio.create_task_group() as group:
        group.start_soon(cut)
        with pytest.raises(httpx.ReadError, match="cut"):
            await received(transport, desk)
    assert transport.in_flight == 0


@pytest.mark.anyio
async def test_a_body_without_end_and_a_bomb_cost_the_simulator_nothing():
    """The one is made as it is sent, the other is handed over packed."""
    body, _ = await received(SimulatorTransport((desk := desk_with(faults.Oversized(megabytes=5))).service), desk)
    assert body == whole() + b" " * 5_000_000
    body, _ = await received(SimulatorTransport((desk := desk_with(faults.GzipBomb(megabytes=500))).service), desk)
    assert len(body) < 1_000_000


def spoken(url, desk):
    """Ask over a plain socket; give all that comes, how long it took and how the connection ended."""
    began_at = time.monotonic()
    host, port = urlsplit(url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        headers = {"Host": f"{host}:{port}", "Authorization": f"Bearer {desk.token}", "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"GET {PATH} HTTP/1.1\r\n{lines}\r\n".encode())
        heard = b""
        try:
            while part := connection.recv(65_536):
                heard += part
        except ConnectionResetError:
            return heard, time.monotonic() - began_at, "reset"
    return heard, time.monotonic() - began_at, "closed"


@pytest.mark.parametrize(
    ("fault", "share", "end"),
    [
        (faults.Reset(at=0.5), 0.5, "reset"),
        (faults.Truncated(at=0.25), 0.25, "closed"),
        (faults.SlowBody(seconds=0.3), 1.0, "closed"),
        (faults.SlowHeaders(seconds=0.3), 1.0, "closed"),
        (faults.Oversized(megabytes=3), 1.0, "closed"),
    ],
)
def test_the_same_happens_over_a_socket(caplog, fault, share, end):
    """The length is stated in full, the body ends where it should and how it should, and nothing is logged."""
    desk = desk_with(fault)
    with serve(desk.service) as url:
        heard, took_s, ended = spoken(url, desk)
    head, _, body = heard.partition(b"\r\n\r\n")
    stated = int(head.lower().partition(b"content-length: ")[2].split()[0])
    assert ended == end
    assert (len(body), stated > len(body)) == (int(stated * share), share < 1)
    assert took_s >= (0.3 if "Slow" in type(fault).__name__ else 0)
    assert stated > (3_000_000 if isinstance(fault, faults.Oversized) else 100)
    assert not caplog.records


def test_no_answer_over_a_socket_is_none(caplog):
    """The connection closes, the call is counted, and the next one is heard."""
    desk = desk_with(faults.NoAnswer())
    with serve(desk.service) as url:
        assert [spoken(url, desk)[0] for _ in range(2)] == [b"", b""]
    assert len(desk.service.quota().log) == 2
    assert not caplog.records


def test_under_another_server_a_cut_is_a_failure_of_the_application():
    """What plain ASGI offers; the server closes the connection then."""
    desk = desk_with(faults.Truncated())
    transport = httpx.ASGITransport(asgi_app(desk.service))

    async def ask():
        headers = {"Authorization": f"Bearer {desk.token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            await client.get(PATH)

    with pytest.raises(ConnectionAbortedError):
        anyio.run(ask)
