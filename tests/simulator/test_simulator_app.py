"""The service over a real socket, in process."""

from __future__ import annotations

import ast
import asyncio
import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trio
from front_desk import PASSWORD_FORM, FrontDesk, basic

from apteligent_async import simulator
from apteligent_async.simulator import DEMO_ACCOUNT, CannotListen, serve


def connection_to(url):
    """Open a plain connection of the standard library."""
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)


def test_the_introduction_works_over_a_socket(desk):
    """Get a token with the client id and the password, then list the apps, with the standard library alone."""
    with serve(desk.service) as url:
        connection = connection_to(url)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **basic(DEMO_ACCOUNT.client_id + ":")}
        connection.request("POST", "/v2/token", PASSWORD_FORM, headers)
        token = json.load(connection.getresponse())["access_token"]
        connection.request("GET", "/v2/apps?attributes=appName", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert response.headers["Rate-Limit-Limit"] == "1000000"
        assert json.load(response)["links"]["self"] == f"{url}/v2/apps?attributes=appName"
        connection.close()


def test_head_works_over_a_socket(desk):
    """The length is that of GET's body, no body comes, and the connection serves the next call."""
    headers = {"Authorization": f"Bearer {desk.token}"}
    with serve(desk.service) as url, httpx.Client(base_url=url, headers=headers) as client:
        bare, whole = client.head("/v2/apps"), client.get("/v2/apps")
        assert (bare.status_code, bare.content) == (200, b"")
        assert bare.headers["Content-Length"] == whole.headers["Content-Length"] == str(len(whole.content))


def test_it_serves_clients_of_asyncio_and_trio(desk):
    """The server has a loop of its own, so that it does not matter which the caller runs."""

    async def fetch():
        with serve(desk.service) as url:
            async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {desk.token}"}) as client:
                return (await client.get("/v2/apps?attributes=dau")).status_code

    assert asyncio.run(fetch()) == 200
    assert trio.run(fetch) == 200


def test_it_stops_at_once_with_calls_under_way(desk):
    """An answer that would take a minute does not hold it up, and the thread is gone."""
    with serve(desk.service, latency=60.0) as url:
        connection = connection_to(url)
        connection.request("GET", "/v2/apps", headers={"Authorization": f"Bearer {desk.token}"})
        time.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()


def test_the_clock_is_the_one_given(desk):
    """Calls are counted at the instants that it tells."""
    with serve(desk.service, clock=lambda: 4711.0) as url:
        httpx.get(f"{url}/v2/apps", headers={"Authorization": f"Bearer {desk.token}"})
    assert [entry.at for entry in desk.service.quota().log] == [4711.0]


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:80", 200), ("127.9.9.9", 200), ("evil.example", 421), ("169.254.169.254", 421)],
)
def test_only_loopback_names_are_served(desk, host, status):
    """A page in a browser cannot reach it under a name of its own."""
    with serve(desk.service) as url:
        headers = {"Authorization": f"Bearer {desk.token}", "Host": host}
        assert httpx.get(f"{url}/v2/apps?attributes=dau", headers=headers).status_code == status


def test_a_port_in_use_is_said_in_one_line(desk):
    """The error is an OSError that names the address."""
    with serve(desk.service) as url:
        port = urlsplit(url).port
        with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port}"), serve(desk.service, port=port):
            pass


def test_small_answers_are_not_held_back(desk):
    """Nagle's algorithm is off on the server's side, else each answer waits 40 ms for the client's ACK."""
    accepted = []

    class Watched(asyncio.SelectorEventLoop):
        def _make_socket_transport(self, sock, *args, **options):
            transport = super()._make_socket_transport(sock, *args, **options)
            accepted.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            return transport

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "SelectorEventLoop", Watched)
        with serve(desk.service) as url:
            httpx.get(f"{url}/allyourbase")
    assert any(accepted)
    assert all(accepted)


def test_an_encoded_slash_stays_in_its_segment_over_a_socket(desk):
    """The 404 names the path as it was sent."""
    with serve(desk.service) as url:
        answer = httpx.get(f"{url}/v2/a%2Fb", headers={"Authorization": f"Bearer {desk.token}"})
    assert answer.json()["message"].endswith("/v2/a%2Fb")


IMPORT_WITHOUT = """
import sys
for name in ("starlette", "uvicorn", "cyclopts", "rich"):
    sys.modules[name] = None
import apteligent_async.simulator as simulator
from datetime import datetime, UTC
service = simulator.Service(simulator.World(now=datetime.now(UTC), apps=1))
try:
    with simulator.serve(service):
        pass
except ModuleNotFoundError as error:
    print(error)
"""


def test_importing_the_simulator_needs_no_extra():
    """Only serving does, and then the message names the extra."""
    run = subprocess.run([sys.executable, "-c", IMPORT_WITHOUT], capture_output=True, text=True, check=True)
    assert "apteligent-async[simulator]" in run.stdout


def test_the_simulator_shares_no_code_with_the_client():
    """No module of it imports anything of the package outside of it."""
    imported = set()
    for path in Path(simulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    ours = {name for name in imported if name.startswith("apteligent_async")}
    assert ours
    assert all(name.startswith("apteligent_async.simulator") for name in ours)
    assert "cattrs" not in imported


def test_a_desk_can_be_opened_twice():
    """Two services never share a budget."""
    first, second = FrontDesk.open(limit=1), FrontDesk.open(limit=1)
    assert first.ask("/v2/apps").status == second.ask("/v2/apps").status == 200
