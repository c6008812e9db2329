"""Files that nobody but their owner can read: checked when they are read, replaced whole when they are written."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from apteligent_async.errors import ConfigurationError

__all__ = [
    "check_folder",
    "make_private",
    "read_private",
    "remove_private",
    "state_folder",
    "user_path",
    "write_private",
]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HAS_MODES = os.name == "posix"
_AFTERWARDS = " If anybody may have read it, log in again."


def state_folder() -> Path:
    """Name the folder for what is kept between runs, by the platform's custom; it may not exist yet."""
    return user_state_path("apteligent-async", appauthor=False)


def user_path(path: str | os.PathLike[str], *, of: str) -> Path:
    """Read a path as people write it, a ``~`` for the home of a user.

    Raises:
        ConfigurationError: it is no path; the message names what it is of.
    """
    try:
        return Path(path).expanduser()
    except (TypeError, RuntimeError):
        raise ConfigurationError(f"{of} takes the path of a file, such as ~/.cache/apteligent.db.") from None


def read_private(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        ConfigurationError: somebody else can read or replace it; the message names the mend.
        FileNotFoundError: there is none.
        OSError: it cannot be read.
    """
    check_folder(path.parent)
    opened = _opened(path)
    with open(opened, "rb") as file:  # noqa: PTH123  a descriptor: the file that is checked is the file that is read
        _check(path, os.fstat(opened), is_wanted=stat.S_ISREG, mode="600", more=_AFTERWARDS)
        return file.read()


def make_private(path: Path) -> None:
    """Make a file for its owner alone where there is none; where there is one, see that nobody else can use it.

    Raises:
        ConfigurationError: somebody else can read or replace it, or it is no file; the message names the mend.
        OSError: it cannot be made.
    """
    # What is there is looked at and not opened: whoever closes a file takes all locks from it that its process has by
    # POSIX, and with them a database from under SQLite's feet (sqlite.org/howtocorrupt.html, 2.2).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _link_at(path)
    _check(path, found, is_wanted=stat.S_ISREG, mode="600")


def _link_at(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path} is a link, and no file of ours: remove it.")


def _opened(path: Path) -> int:
    """Open a file to read it, without following a link to another, and without waiting where it is a pipe."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        if path.is_symlink():
            raise _link_at(path) from None
        raise


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file, or leave the old one as it is; folders that are missing are made.

    Raises:
        ConfigurationError: somebody else can read or replace what is in the folder; the message names the mend.
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_folder(path.parent)
    opened, name = tempfile.mkstemp(dir=path.parent, prefix=".")  # its mode is 600
    try:
        with open(opened, "wb") as file:  # noqa: PTH123  a descriptor
            file.write(content)
            file.flush()
            os.fsync(opened)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def remove_private(path: Path) -> bool:
    """Remove a file; tell whether there was one.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def check_folder(folder: Path) -> None:
    """Refuse a folder in which others can read or replace files; one that does not exist may pass.

    Raises:
        ConfigurationError: the message names the mend.
        OSError: it cannot be looked at.
    """
    try:
        found = folder.stat()
    except FileNotFoundError:
        return
    _check(folder, found, is_wanted=stat.S_ISDIR, mode="700", more=_AFTERWARDS)


def _check(path: Path, found: os.stat_result, *, is_wanted: Any, mode: str, more: str = "") -> None:
    if not is_wanted(found.st_mode):
        raise ConfigurationError(f"{path} is not what it should be: remove it.")
    if not _HAS_MODES:
        return
    if found.st_uid != os.geteuid():
        raise ConfigurationError(f"{path} belongs to another user: remove it, or run as that user.")
    if found.st_mode & _OTHERS:
        raise ConfigurationError(
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):o}): run chmod {mode} '{path}'.{more}"
        )
