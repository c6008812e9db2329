"""Files that only their owner can read: their modes, their wholeness, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async import ConfigurationError, SQLiteBudget, SQLiteCache, _private_files
from apteligent_async._private_files import make_private, read_private, remove_private, state_folder, write_private
from apteligent_async.bulk.ledger import DiskLedger

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


@pytest.fixture
def path(tmp_path):
    """Name a file in a folder that does not exist yet."""
    return tmp_path / "state" / "file"


def mode(path):
    """Give the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@given(st.binary(max_size=200))
def test_what_is_written_is_read(tmp_path_factory, content):
    """Byte by byte."""
    path = tmp_path_factory.mktemp("state") / "new" / "file"
    write_private(path, content)
    assert read_private(path) == content


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_it_whatever_the_mask(path, mask):
    """The file is 0600 and its folder 0700, from the first moment on."""
    old = os.umask(mask)
    try:
        write_private(path, b"secret")
    finally:
        os.umask(old)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


@posix
@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660, 0o620, 0o602, 0o601])
def test_a_file_that_others_can_use_is_refused(path, wide):
    """Reading, writing or running it: the mend is named, and works."""
    write_private(path, b"secret")
    path.chmod(wide)
    with pytest.raises(ConfigurationError, match=rf"mode {wide:o}\): run chmod 600 '{path}'"):
        read_private(path)
    path.chmod(0o600)
    assert read_private(path) == b"secret"


@posix
def test_a_folder_that_others_can_use_is_refused(path):
    """For reading and for writing: whoever can write there could put a file of his in the place of ours."""
    write_private(path, b"old")
    path.parent.chmod(0o770)
    for use in (lambda: read_private(path), lambda: write_private(path, b"new")):
        with pytest.raises(ConfigurationError, match=f"run chmod 700 '{path.parent}'"):
            use()
    path.parent.chmod(0o700)
    assert read_private(path) == b"old"


@posix
def test_a_file_of_another_user_is_refused(path, monkeypatch):
    """Even where its mode is right."""
    write_private(path, b"secret")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        read_private(path)


@posix
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_refused_at_once(path, kind):
    """A link is not followed, and a pipe is not waited for."""
    write_private(path.with_name("other"), b"secret")
    {
        "link": lambda: path.symlink_to(path.with_name("other")),
        "pipe": lambda: os.mkfifo(path, 0o600),
        "folder": lambda: path.mkdir(mode=0o700),
    }[kind]()
    with pytest.raises((ConfigurationError, IsADirectoryError)):
        read_private(path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    """A full disk, or a kill, tears nothing."""
    write_private(path, b"old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new and longer")
    assert read_private(path) == b"old"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_the_content_is_on_disk_before_it_takes_the_place(path, monkeypatch):
    """Flushed first, renamed second: a reader sees the old bytes or the new ones, never half."""
    seen = []
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(os.fstat(descriptor).st_size))
    monkeypatch.setattr(Path, "replace", lambda new, old: (seen.append("replaced"), replace(new, old))[1])
    write_private(path, b"12345")
    assert seen == [5, "replaced"]


def test_removing_tells_whether_there_was_one(path):
    """Twice does no harm."""
    write_private(path, b"")
    assert (remove_private(path), remove_private(path)) == (True, False)


def test_the_state_folder_is_the_platforms(monkeypatch, tmp_path):
    """On Linux it follows ``XDG_STATE_HOME``; asking for it makes nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = state_folder()
    assert found.name == "apteligent-async"
    assert not found.exists()


@pytest.mark.parametrize("make", [SQLiteBudget, SQLiteCache, DiskLedger])
def test_a_tilde_is_the_home_wherever_a_path_is_given(make, monkeypatch, tmp_path):
    """No folder is ever called so; and what is no path is refused at once."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert make("~/below/file.db").path == tmp_path / "below" / "file.db"
    with pytest.raises(ConfigurationError, match="takes the path of a file"):
        make(None)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_folder_of_a_cache_is_made_for_its_owner_alone(backend, tmp_path):
    """As that of a budget."""

    async def use():
        cache = SQLiteCache(tmp_path / "below" / "file.db")
        await cache.open()
        await cache.aclose()

    anyio.run(use, backend=backend)
    assert stat.S_IMODE((tmp_path / "below").stat().st_mode) == 0o700


def test_systems_without_modes_are_not_asked_for_them(path, monkeypatch):
    """Where modes mean nothing, none is refused."""
    write_private(path, b"secret")
    path.chmod(0o644)
    monkeypatch.setattr(_private_files, "_HAS_MODES", False)
    assert read_private(path) == b"secret"


@posix
def test_a_file_is_made_for_its_owner_alone_and_left_as_it_is_later(path):
    """Whatever the mask, and with what was written meanwhile."""
    path.parent.mkdir()
    before = os.umask(0)
    try:
        make_private(path)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    path.write_bytes(b"x")
    make_private(path)
    assert path.read_bytes() == b"x"


@posix
@pytest.mark.parametrize("wide", [0o644, 0o606, 0o660])
def test_a_file_that_others_can_use_is_not_taken_for_one_s_own(path, wide):
    """The mend is named, and works."""
    path.parent.mkdir()
    path.touch()
    path.chmod(wide)
    with pytest.raises(ConfigurationError, match=f"mode {wide:o}.*chmod 600"):
        make_private(path)
    path.chmod(0o600)
    make_private(path)


@posix
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_made_nothing_of(path, kind):
    """A link is not followed, as somebody else may have put it there; a pipe is not waited for."""
    path.parent.mkdir()
    elsewhere = path.parent / "elsewhere"
    path.symlink_to(elsewhere) if kind == "link" else os.mkfifo(path, 0o600)
    with pytest.raises(ConfigurationError, match="remove it"):
        make_private(path)
    assert not elsewhere.exists()


@posix
def test_looking_at_a_file_leaves_its_locks_alone(path):
    """Whoever closes a file gives up all locks of his process on it: a database that is in use is not even opened."""
    path.parent.mkdir(mode=0o700)
    make_private(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        make_private(path)
        other = subprocess.run(
            [sys.executable, "-c", TRIES_TO_WRITE, str(path)], check=False, capture_output=True, text=True
        )
    assert "database is locked" in other.stderr


TRIES_TO_WRITE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
"""
