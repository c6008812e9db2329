"""Sinks over real connections: what is read is done with, what may not be is sent again, and strangers are refused."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime

import anyio
import httpx
import pytest
from counterparts_of_sinks import Carbon, fetched, labelled, lined, samples_in
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from apteligent_async import ConfigurationError
from apteligent_async.bulk.recipes.points import Point
from apteligent_async.bulk.sinks.graphite import GraphiteSink, TcpAddress, graphite_line
from apteligent_async.bulk.sinks.open_metrics import open_metrics_text
from apteligent_async.bulk.sinks.scraped import MetricsServer, is_served
from apteligent_async.bulk.spool import Slot, Spool, SpooledPoint

pytestmark = pytest.mark.anyio

NOON = datetime(2016, 12, 12, 12, tzinfo=UTC)
AT = int(NOON.timestamp())


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, over real sockets."""
    return request.param


def point(value=1.5, **changes):
    """Make a point."""
    return Point(**{"app": "Lantern", "section": "daily", "metric": "dau", "at": AT, "value": value, **changes})


def kept(number, told):
    """Make a point as a spool holds it."""
    return SpooledPoint(number=number, path=told.path, point=told)


POINTS = [kept(n, point(float(n), key=f"v{n}", grouping="appVersion")) for n in range(1200)]


@asynccontextmanager
async def listening(handle):
    """Listen on loopback; give the address."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield TcpAddress("127.0.0.1", listener.extra(anyio.abc.SocketAttribute.local_port))
        tasks.cancel_scope.cancel()


async def test_carbon_gets_every_line_once():
    """Over TCP, and delivering returns when the other side has read all of it."""
    carbon = Carbon()
    async with listening(carbon.handle) as address:
        await GraphiteSink(address, root="root").deliver(POINTS)
        assert carbon.lines == dict.fromkeys(map(lined, POINTS), 1)


async def test_a_reset_is_no_receipt():
    """A daemon that dies with the lines unread resets the connection: the points count as not delivered."""

    async def die(stream):
        raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        await stream.aclose()

    async with listening(die) as address:
        with pytest.raises(OSError, match=r"broke the connection off|not connected|reset"):
            await GraphiteSink(address).deliver(POINTS)


async def test_nobody_listening_is_an_error_of_the_system():
    """The watch takes that for a sink that is down."""
    async with listening(Carbon().handle) as address:
        pass
    with pytest.raises(OSError, match=r".*"):
        await GraphiteSink(address).deliver(POINTS[:1])


@given(app=st.text(), metric=st.text(), key=st.text(), value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_line_is_one_line(app, metric, key, value):
    """Whatever the service calls things, there are three words and one line end."""
    line = graphite_line("root", kept(1, point(value, app=app, metric=metric, grouping="service", key=key)))
    path, number, at = line.removesuffix("\n").split(" ")
    assert path.count(".") == 5
    assert (float(number), int(at)) == (value, AT)
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("root", ["", "a b", "a\nb 1 2", ".a", "a..b"])
def test_a_root_is_the_beginning_of_a_path(root):
    """Anything else is refused before a point is sent."""
    with pytest.raises(ConfigurationError, match="no beginning of a path"):
        GraphiteSink(TcpAddress("carbon"), root=root)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("carbon", TcpAddress("carbon", 2003)),
        ("carbon:2013", TcpAddress("carbon", 2013)),
        ("[::1]:2013", TcpAddress("::1", 2013)),
        ("::1", TcpAddress("::1", 2003)),
    ],
)
def test_addresses_are_read(text, address):
    """With a port or without, of either kind; and written so that they can be read again."""
    assert TcpAddress.parse(text) == address
    assert TcpAddress.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "carbon:", "carbon:x", "carbon:0", "carbon:70000", "carbon..example", "c" * 64])
def test_what_is_no_address_is_refused(text):
    """With an example of one."""
    with pytest.raises(ConfigurationError, match="no address such as"):
        TcpAddress.parse(text)


@given(st.lists(st.builds(point, st.floats(allow_nan=False), app=st.text(), key=st.text(), grouping=st.just("os"))))
def test_prometheus_reads_what_is_written(points):
    """Whatever things are called: its own parser gives back each number, and no further family appears."""
    once = list({(each.app, each.key): each for each in points}.values())
    families = {family.name for family in text_string_to_metric_families(open_metrics_text(once))}
    assert families == {"apteligent_value", "apteligent_series_left_out"}
    assert sorted(value for _, _, value in samples_in(open_metrics_text(once))) == sorted(each.value for each in once)


async def filled(spool, *points):
    """Put points into a spool."""
    await spool.close_slot(Slot(at=NOON, opened_at=NOON), points, frozenset())
    return await spool.unread("nobody", most=10**6)


async def test_a_reader_is_told_once_and_anybody_the_latest(tmp_path):
    """Over HTTP, with a real client: what a reader has taken is not told again; the nameless see the latest of each."""
    async with Spool(tmp_path / "l") as spool:
        told = await filled(spool, point(1.0), point(2.0, at=AT + 60), point(3.0, metric="mau"))
        async with listening(MetricsServer(spools=[spool]).serve) as address, httpx.AsyncClient() as client:
            url = f"http://{address}/metrics"
            first, again, latest = [
                await client.get(url, params=query) for query in ({"reader": "a"}, {"reader": "a"}, {})
            ]
        assert first.headers["content-type"].startswith("application/openmetrics-text")
        assert sorted(samples_in(first.text)) == sorted(map(labelled, told))
        assert samples_in(again.text) == []
        assert sorted(value for _, _, value in samples_in(latest.text)) == [2.0, 3.0]


async def test_a_scrape_that_breaks_off_is_told_again(tmp_path):
    """A reader that resets the connection has not got it, for all that anybody knows."""
    async with Spool(tmp_path / "l") as spool:
        await filled(spool, point(1.0))
        server = MetricsServer(spools=[spool])
        async with listening(server.serve) as address:
            with socket.create_connection((address.host, address.port)) as reader:
                reader.sendall(b"GET /metrics?reader=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await anyio.wait_readable(reader)
                assert reader.recv(65_536)
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            _, body = await fetched(server, "/metrics?reader=a")  # which waits until the first has had its turn
        assert len(samples_in(body)) == 1


async def test_a_reader_who_asks_again_has_its_turn(tmp_path):
    """Before the first connection is closed nobody knows what it got: the second waits, and others do not."""
    async with Spool(tmp_path / "l") as spool:
        await filled(spool, point(1.0))
        server, bodies = MetricsServer(spools=[spool]), []

        async def again():
            bodies.append((await fetched(server, "/metrics?reader=a"))[1])

        async with listening(server.serve) as address, anyio.create_task_group() as tasks:
            first = await anyio.connect_tcp(address.host, address.port)
            await first.send(b"GET /metrics?reader=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await first.receive()
            tasks.start_soon(again)
            _, other = await fetched(server, "/metrics?reader=b")
            assert (len(samples_in(other)), bodies) == (1, [])
            await first.aclose()
        assert [samples_in(body) for body in bodies] == [[]]


async def test_a_ledger_that_cannot_be_read_ends_nothing(tmp_path):
    """It is told with the reason, and the next scrape is answered."""
    async with Spool(tmp_path / "l") as spool:
        await filled(spool, point(1.0))
        server = MetricsServer(spools=[spool])
        with closing(sqlite3.connect(tmp_path / "l")) as other, other:
            other.execute("ALTER TABLE points RENAME TO away")
        status, body = await fetched(server, "/metrics")
        assert status == 503
        assert "no such table" in body
        with closing(sqlite3.connect(tmp_path / "l")) as other, other:
            other.execute("ALTER TABLE away RENAME TO points")
        assert (await fetched(server, "/metrics"))[0] == 200


async def test_labels_are_bounded(tmp_path):
    """So many series and no more, however many there are; how many are left out is told."""
    async with Spool(tmp_path / "l") as spool:
        await filled(spool, *(point(1.0, grouping="device", key=f"d{n:03}") for n in range(50)))
        server = MetricsServer(spools=[spool], most_series=20)
        for target in ("/metrics", "/metrics?reader=a"):
            _, body = await fetched(server, target)
            assert len(samples_in(body)) == 20
            assert "apteligent_series_left_out 30\n" in body


@pytest.mark.parametrize(
    ("target", "asked", "status"),
    [
        ("/metrics", {"host": "evil.example"}, 421),
        ("/metrics", {"host": "127.0.0.1.evil.example"}, 421),
        ("/metrics", {"host": "[::1]:9108"}, 200),
        ("/metrics", {"host": "metrics.example:80"}, 200),
        ("/metrics", {"host": "METRICS.example"}, 200),
        ("/metrics", {"method": "POST"}, 405),
        ("/metrics", {"method": "HEAD"}, 200),
        ("/", {}, 404),
        ("/metrics?reader=a/b", {}, 400),
    ],
)
async def test_strangers_are_refused(target, asked, status, tmp_path):
    """A page in a browser cannot reach it under a foreign name; there is one path, for reading."""
    async with Spool(tmp_path / "l") as spool:
        assert (await fetched(MetricsServer(spools=[spool], host="Metrics.Example"), target, **asked))[0] == status


NOISE = (
    b"",
    b"\x16\x03\x01\r\n\r\n",
    b"GET HTTP/1.1\r\n\r\n",
    b"GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: [\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000,
)


async def test_what_is_no_request_is_answered_or_left(tmp_path):
    """Neither noise nor an endless head nor a caller who leaves ends the server."""
    async with Spool(tmp_path / "l") as spool:
        server = MetricsServer(spools=[spool])
        async with listening(server.serve) as address:
            for noise in NOISE:
                stream = await anyio.connect_tcp(address.host, address.port)
                await stream.send(noise)
                await stream.aclose()
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"http://{address}/metrics")).status_code == 200


def test_a_host_that_is_missing_is_not_served():
    """Nor one that cannot be read."""
    assert not is_served(None, "127.0.0.1")
    assert not is_served("", "127.0.0.1")
    assert not is_served("[", "127.0.0.1")
