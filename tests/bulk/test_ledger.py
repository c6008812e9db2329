"""The ledger: a unit and its rows are there together or not at all, and one pull at a time holds it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from datetime import timedelta

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wanted import NOON, rows_for, unit

from apteligent_async import ConfigurationError, LedgerError, LedgerInUse
from apteligent_async.bulk.ledger import DiskLedger, MemoryLedger
from apteligent_async.bulk.ledger_file import LedgerFile

pytestmark = pytest.mark.anyio

HOLD = """
import anyio, os, sys
from apteligent_async.bulk.ledger import DiskLedger
async def main():
    await DiskLedger(sys.argv[1]).open()
    print("held", flush=True)
    await anyio.sleep_forever()
anyio.run(main)
"""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run in real time, as the ledger has a thread."""
    return request.param


@asynccontextmanager
async def opened(path):
    """Give a ledger that is open for the block."""
    ledger = DiskLedger(path)
    await ledger.open()
    try:
        yield ledger
    finally:
        await ledger.aclose()


def read(path):
    """Give every row as stored, and the units that were missed."""
    with closing(LedgerFile.reading(path)) as file:
        return list(file.rows()), file.missed()


@pytest.mark.parametrize("kind", [DiskLedger, lambda path: MemoryLedger()])
async def test_what_was_had_is_known_again(kind, tmp_path):
    """Of each wanted unit in turn it is told when it was had, if it was."""
    ledger = kind(tmp_path / "ledger")
    first, second = unit("one", is_listing=True), unit("two", order=1)
    await ledger.open()
    assert await ledger.register([first, second]) == [None, None]
    await ledger.commit([(first.key, rows_for(first, 1, 2))], NOON)
    await ledger.aclose()
    await ledger.open()
    assert await ledger.register([second, first]) == [None, NOON]
    assert await ledger.rows_of(first.key) in (rows_for(first, 1, 2), tuple(rows_for(first, 1, 2)))
    await ledger.keep_note("survey", "a")
    await ledger.keep_note("survey", "b")
    assert (await ledger.note("survey"), await ledger.note("other")) == ("b", None)
    await ledger.aclose()
    await ledger.aclose()


async def test_rows_come_in_plan_order_whenever_they_were_had(tmp_path):
    """By the place of their question in the last plan, then by day; what that plan left out comes last."""
    old, late = unit("old", order=0), unit("b", day=12, order=1)
    early, first = unit("b", day=11, order=1), unit("c", order=0)
    async with opened(tmp_path / "ledger") as ledger:
        await ledger.register([old, early])
        await ledger.commit([(early.key, rows_for(early, 1)), (old.key, rows_for(old, 2))], NOON)
        await ledger.register([first, late])
        await ledger.commit([(late.key, rows_for(late, 3))], NOON)
        await ledger.commit([(first.key, rows_for(first, 4, 5))], NOON)
    rows, _ = read(tmp_path / "ledger")
    assert [row[-3] for row in rows] == [4, 5, 1, 3, 2]
    assert {row[-1] for row in rows} == {NOON.isoformat()}


async def test_a_unit_had_again_replaces_its_rows(tmp_path):
    """No row of the first time is left."""
    wanted = unit("one")
    async with opened(tmp_path / "ledger") as ledger:
        await ledger.register([wanted])
        await ledger.commit([(wanted.key, rows_for(wanted, 1, 2, 3))], NOON)
        await ledger.commit([(wanted.key, rows_for(wanted, 4))], NOON + timedelta(days=1))
    rows, _ = read(tmp_path / "ledger")
    assert [(row[-3], row[-1]) for row in rows] == [(4, "2016-12-13T12:00:00+00:00")]


async def test_what_can_be_had_no_more_is_missed(tmp_path):
    """A unit that an earlier plan wanted and nobody brought is a gap; one that waits or was had is none."""
    lost, had, waiting = unit("lost", day=10), unit("had", day=10), unit("one", day=12)
    gone = unit("gone", day=9, is_gone=True)
    async with opened(tmp_path / "ledger") as ledger:
        await ledger.register([lost, had])
        assert await ledger.missed() == []
        await ledger.commit([(had.key, [])], NOON)
        await ledger.register([waiting, gone])
        assert sorted(await ledger.missed()) == sorted([lost.key, gone.key])


async def test_a_batch_that_fails_half_way_leaves_nothing(tmp_path):
    """Its first unit is not had either, and the ledger works on."""
    first, second = unit("one"), unit("two", order=1)

    def broken():
        yield from rows_for(second, 1)
        raise OverflowError

    async with opened(tmp_path / "ledger") as ledger:
        await ledger.register([first, second])
        with pytest.raises(OverflowError):
            await ledger.commit([(first.key, rows_for(first, 1)), (second.key, broken())], NOON)
        assert await ledger.register([first, second]) == [None, None]
        await ledger.commit([(second.key, rows_for(second, 2))], NOON)
    assert [row[-3] for row in read(tmp_path / "ledger")[0]] == [2]


async def test_two_pulls_exclude_each_other(tmp_path):
    """Also in one process; the error says who has it, and it is free when that one ends."""
    path = tmp_path / "ledger"
    async with opened(path):
        with pytest.raises(LedgerInUse, match=f"process {os.getpid()} on") as caught:
            await DiskLedger(path).open()
    assert (caught.value.pid, caught.value.since[:2]) == (os.getpid(), "20")
    async with opened(path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path):
    """Another process is named while it lives, and forgotten when it is killed."""
    path = tmp_path / "ledger"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerInUse) as caught:
            anyio.run(DiskLedger(path).open)
        assert caught.value.pid == holder.pid
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()

    async def reopen():
        async with opened(path):
            pass

    anyio.run(reopen)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ledger", "ledger-lock"]


async def test_its_files_are_for_the_owner_alone(tmp_path):
    """Also those that SQLite keeps beside it, whatever the umask says."""
    before = os.umask(0)
    try:
        async with opened(tmp_path / "made" / "ledger") as ledger:
            await ledger.register([unit("one")])
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "made").iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["ledger", "ledger-wal", "ledger-shm", "ledger-lock"], 0o600)


def _full(path):
    """Leave next to no room for the file's growth, as on a full disk."""
    largest = path.with_name(f"{path.name}-wal").stat().st_size + 8192
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


async def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path):
    """The batch that found no room is not there; with room again, the same ledger takes it."""
    path, first, second = tmp_path / "ledger", unit("one"), unit("two", order=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with opened(path) as ledger:
        await ledger.register([first, second])
        await ledger.commit([(first.key, rows_for(first, 1))], NOON)
        _full(path)
        try:
            with pytest.raises(LedgerError, match="cannot write the ledger"):
                await ledger.commit([(second.key, rows_for(second, *range(10_000)))], NOON)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert await ledger.register([first, second]) == [NOON, None]
        await ledger.commit([(second.key, rows_for(second, 2))], NOON)
    assert [row[-3] for row in read(path)[0]] == [1, 2]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [("CREATE TABLE mine (a)", "no ledger"), ("PRAGMA user_version = 9", "later version"), (None, "not a database")],
)
async def test_other_files_are_left_alone(content, said, tmp_path):
    """Whatever is no ledger of ours is refused, and not written to."""
    path = tmp_path / "ledger"
    if content is None:
        path.write_bytes(b"something else" * 100)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(content)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=said):
        await DiskLedger(path).open()
    assert path.read_bytes() == before


@pytest.mark.parametrize("wide", [0o644, 0o660, 0o602])
async def test_a_ledger_that_others_can_use_is_refused(wide, tmp_path):
    """It holds what an account's apps answered; the mend is named, and works."""
    path = tmp_path / "ledger"
    async with opened(path):
        path.chmod(wide)
    with pytest.raises(ConfigurationError, match=f"mode {wide:o}.*chmod 600"):
        await DiskLedger(path).open()
    path.chmod(0o600)
    async with opened(path):
        pass


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_there_must_be_something_to_read(name, tmp_path):
    """Reading makes no file."""
    path = tmp_path / name
    if name == "empty":
        path.touch()
    with pytest.raises((LedgerError, sqlite3.Error)):
        LedgerFile.reading(path)
    assert path.exists() == (name == "empty")


async def test_commits_outlast_cancellation(tmp_path):
    """A commit that has begun is finished, even where nobody waits for it."""
    path, wanted = tmp_path / "ledger", unit("one")
    async with opened(path) as ledger:
        await ledger.register([wanted])
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ledger.commit([(wanted.key, rows_for(wanted, 1))], NOON)
    assert len(read(path)[0]) == 1


@settings(max_examples=50, deadline=None)
@given(value=st.one_of(st.none(), st.integers(), st.floats()), label=st.text(st.characters()))
def test_no_cell_stops_a_commit(value, label, tmp_path_factory):
    """Whatever the service sends can be kept, as JSON can say it; ordinary cells come back as they were."""
    path, wanted = tmp_path_factory.mktemp("cells") / "ledger", unit("one")
    row = rows_for(wanted, value)[0]._replace(label=label)
    with closing(LedgerFile.open(path)) as file:
        file.register([wanted])
        file.commit([(wanted.key, [row])], NOON)
        [kept] = file.rows_of(wanted.key)
    json.dumps(kept, allow_nan=False)
    assert kept.label == label.encode(errors="replace").decode()
    if value is None or abs(value) < 2**63:
        assert kept.value == value
        assert type(kept.value) is type(value)


def test_whole_numbers_beyond_the_file_are_rounded(tmp_path):
    """And beyond every number they are none."""
    wanted = unit("one")
    with closing(LedgerFile.open(tmp_path / "ledger")) as file:
        file.register([wanted])
        file.commit([(wanted.key, rows_for(wanted, 2**63, -(2**70), 10**400, float("inf")))], NOON)
        assert [row.value for row in file.rows_of(wanted.key)] == [2.0**63, -(2.0**70), None, None]
