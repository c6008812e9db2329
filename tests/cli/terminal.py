"""The command in a terminal of its own, with somebody who types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

# The terminal becomes the process's own, so that /dev/tty, which passwords are typed into, is this one.
_PROGRAM = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from apteligent_async.cli import main
main()
"""
_PATIENCE_S = 30
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_terminal(*arguments, columns=100, typed=(), **environment):
    """Run a command; give its exit code and all that the screen was sent.

    Args:
        arguments: the command line after ``apteligent``.
        columns: how wide the terminal is.
        typed: pairs of a prompt and what is typed when it shows; the character 3 is Ctrl-C.
        environment: all that the process is told, besides where it is and what the terminal can do.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    told = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=told, close_fds=True
    )
    os.close(theirs)
    try:
        screen = _converse(ours, list(typed))
        return process.wait(timeout=_PATIENCE_S), screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def plain(screen):
    """Take colours and movements off what a screen was sent, and end its lines as files do."""
    return _CONTROL.sub("", screen).replace("\r\n", "\n").replace("\r", "\n")


def _converse(terminal, typed):
    """Read until the other side hangs up, and type when a prompt shows."""
    screen, read_to, deadline = b"", 0, time.monotonic() + _PATIENCE_S
    while select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other end
            part = b""
        if not part:
            return screen.decode()
        screen += part
        if typed and typed[0][0].encode() in screen[read_to:]:
            read_to = len(screen)
            os.write(terminal, typed.pop(0)[1].encode())
    raise AssertionError(f"nothing more came: {screen.decode()!r}")
