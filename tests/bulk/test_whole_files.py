"""Files take their name when they are whole; by the rules of POSIX, and by those of systems without them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apteligent_async.bulk import whole_files
from apteligent_async.bulk.whole_files import replacing


def open_names():
    """Name the files that this process holds open."""
    return [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]


def refuse_open(name):
    """Refuse what such systems refuse of an open file."""
    if str(name) in open_names():
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")


@pytest.fixture
def elsewhere(monkeypatch):
    """Keep the rules of a system that is not POSIX."""
    replace, unlink, fsync, opening = Path.replace, Path.unlink, os.fsync, os.open

    def strict_open(path, *arguments, **options):
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied")
        return opening(path, *arguments, **options)

    def strict_sync(descriptor):
        assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        fsync(descriptor)

    def no_lock(*_):
        raise AssertionError("there is no flock")

    monkeypatch.setattr(whole_files, "_IS_POSIX", False)
    monkeypatch.setattr(fcntl, "flock", no_lock)
    monkeypatch.setattr(os, "open", strict_open)
    monkeypatch.setattr(os, "fsync", strict_sync)
    monkeypatch.setattr(Path, "replace", lambda path, target: refuse_open(path) or replace(path, target))
    monkeypatch.setattr(Path, "unlink", lambda path, **options: refuse_open(path) or unlink(path, **options))


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is read from /proc")
def test_a_file_is_written_where_an_open_one_keeps_its_name(elsewhere, tmp_path):
    """And what was left behind is removed, unless somebody has it open."""
    target = tmp_path / "rows.csv"
    left, alive = tmp_path / ".rows.csv.1-0.part", tmp_path / ".rows.csv.2-0.part"
    left.write_text("half")
    with alive.open("x"):
        for content in ("first", "second"):
            with replacing(target) as part:
                part.write_text(content)
        assert sorted(each.name for each in tmp_path.iterdir()) == [alive.name, target.name]
    assert target.read_text() == "second"


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    """And nothing beside it."""
    target = tmp_path / "rows.csv"
    target.write_text("old")
    with pytest.raises(AttributeError), replacing(target) as part:
        part.write_text("half").no_such_thing()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


WRITE = """
import sys, time
from pathlib import Path
from apteligent_async.bulk.whole_files import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_cleared(tmp_path):
    """By the next that writes there; while the process lives, nobody touches its part."""
    target = tmp_path / "out" / "rows.csv"
    command = [sys.executable, "-c", WRITE, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        for _ in range(2):
            with replacing(target) as part:
                part.write_text("whole")
            [half] = target.parent.glob(".*.part")
            assert half.read_text() == "half"
        writer.kill()
    with replacing(target) as part:
        part.write_text("whole")
    assert [each.name for each in target.parent.iterdir()] == [target.name]
