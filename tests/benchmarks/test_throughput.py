"""The throughput benchmark runs in its short form and counts what it says; no figure is a test."""

from __future__ import annotations

import json
import subprocess
import sys

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import throughput
from benchmarks.http_sample import Task
from benchmarks.load import Load, sample
from benchmarks.loopback import BUDGETS, PIE, pie
from benchmarks.own_http import OWN
from benchmarks.rivals import environment
from benchmarks.rivals.http import RIVALS
from benchmarks.throughput import LEVELS, OURS, Row, ratios_of

SEND = "AsyncClient.send over our transport"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run on real loops: sockets know no virtual time."""
    return request.param


@pytest.fixture
def served():
    """Serve the prepared pie, with a budget that is counted down; give the address."""
    command = [sys.executable, "-m", "benchmarks.loopback", "counted"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def row(client, level, cpu_us, backend="asyncio"):
    """Write a row."""
    return Row(client=client, backend=backend, in_flight=level, req_per_s=1.0, cpu_us=cpu_us, spread=0.0)


def test_the_server_counts_its_budget_down(served):
    """Each answer is the same pie, and states one call less than the one before."""
    with httpx.Client(trust_env=False) as client:
        answers = [client.get(served + PIE) for _ in range(3)]
    assert {answer.content for answer in answers} == {pie()}
    left = [int(answer.headers["rate-limit-remaining"]) for answer in answers]
    assert left in ([left[0], left[0] - 1, left[0] - 2], [599_999, 599_998, 599_997])


def test_the_server_answers_requests_that_come_in_pieces_or_together():
    """A head that is split is answered once, two in one piece twice."""
    from benchmarks.loopback import _Server

    class Transport:
        written = 0

        def write(self, data):
            self.written += 1

    server, transport = _Server(BUDGETS["unlimited"]()), Transport()
    server._transport = transport
    server.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r")
    assert transport.written == 0
    server.data_received(b"\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET")
    assert transport.written == 3


@pytest.mark.anyio
@pytest.mark.parametrize("client", OWN)
async def test_every_client_of_ours_makes_its_calls(served, client):
    """Each of them gets the whole answer, as often as it says, with several calls in flight."""
    measured = await sample(OWN[client], Load(url=served, in_flight=3, seconds=0.05))
    assert measured.calls >= 3
    assert measured.req_per_s > 0
    assert measured.cpu_us > 0


@pytest.mark.anyio
async def test_calls_are_counted_once_each():
    """What is counted is what was made after the warming up, and never more calls are in flight than asked for."""
    from contextlib import asynccontextmanager

    made, under_way, most = 0, 0, 0

    @asynccontextmanager
    async def opened(url, in_flight):
        async def call():
            nonlocal made, under_way, most
            under_way += 1
            most = max(most, under_way)
            await anyio.lowlevel.checkpoint()
            under_way -= 1
            made += 1

        yield call

    measured = await sample(opened, Load(url="", in_flight=4, seconds=0.02))
    assert most == 4
    assert 4 <= measured.calls < made


@pytest.mark.skipif(not environment.is_ready(), reason="the rivals' environment is not installed")
@pytest.mark.parametrize("client", RIVALS)
def test_every_rival_makes_its_calls(served, client):
    """Each of them is measured in the rivals' environment."""
    task = Task(client=client, backend="asyncio", url=served, in_flight=3, seconds=0.05)
    given = json.dumps({name: getattr(task, name) for name in task.__slots__ if name != "__weakref__"})
    measured = environment.ask("benchmarks.http_sample", [given], timeout_s=60)
    assert measured["calls"] >= 3


@given(st.lists(st.floats(1, 1e5), min_size=len(LEVELS), max_size=len(LEVELS)))
def test_ratios_are_against_ours_at_the_same_level(costs):
    """A client that costs twice as much stands at two on every level; what ours adds is a difference, not a ratio."""
    rows = [row(OURS, level, cost) for level, cost in zip(LEVELS, costs, strict=True)]
    rows += [row("httpx", each.in_flight, 2 * each.cpu_us) for each in rows]
    rows += [row(SEND, each.in_flight, each.cpu_us - 0.5) for each in rows if each.client == OURS]
    ratios = ratios_of(rows)
    assert ratios[f"httpx / {OURS}, asyncio"] == {str(level): 2.0 for level in LEVELS}
    assert ratios[f"µs over {SEND}, asyncio"] == {str(level): 0.5 for level in LEVELS}


def test_ratios_never_cross_event_loops():
    """A client on trio is compared with ours on trio only."""
    assert ratios_of([row(OURS, 1, 100.0), row("httpx", 1, 200.0, backend="trio")]) == {}


def test_the_short_form_prints_every_client_of_ours(capsys):
    """The short form needs no other package; its last line holds rows and ratios with the promised keys."""
    throughput.main(["--quick", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found) == {"rows", "ratios"}
    assert all(set(each) == {*Row.__slots__} - {"__weakref__"} for each in found["rows"])
    cells = {(each["client"], each["backend"], each["in_flight"]) for each in found["rows"]}
    assert cells == {(client, "asyncio", 10) for client in OWN} | {(name, "trio", 10) for name in (OURS, SEND, "httpx")}
    assert all(each["cpu_us"] > 0 for each in found["rows"])


def test_a_rival_that_fails_is_named_and_one_of_ours_ends_the_run(monkeypatch, capsys):
    """A broken rival costs its rows; a broken client of ours is an error."""

    def fail(module, arguments, *, timeout_s):
        raise environment.RivalError("no module")

    monkeypatch.setattr(throughput, "ask", fail)
    monkeypatch.setattr(throughput, "ask_own", fail)
    task = Task(client="httpx2", backend="asyncio", url="", in_flight=1, seconds=0.01)
    assert throughput._measured([task], 1) == []
    assert "httpx2, 1 in flight: not measured: no module" in capsys.readouterr().err
    with pytest.raises(environment.RivalError):
        throughput._measured([Task(client="httpx", backend="asyncio", url="", in_flight=1, seconds=0.01)], 1)
