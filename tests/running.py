"""The command line in a process of its own, and a carbon daemon on a socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager

COMMAND = [sys.executable, "-c", "from apteligent_async.cli import main; main()"]


@contextmanager
def running(*arguments, command=COMMAND, **environment):
    """Run a command, by default the project's, in a process of its own; what still runs at the end is killed."""
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class ListeningCarbon:
    """A carbon daemon that listens on loopback, in a thread, and keeps every line that comes."""

    def __init__(self):
        self.lines = Counter()
        self.port = 0
        self.open()

    def open(self):
        """Listen, at the same port again after a `close`."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._take, args=[self._listener])
        self._thread.start()

    def close(self):
        """Listen no more: whoever connects is refused. Twice does no harm."""
        if self._thread.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join()

    def _take(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile() as file:
                self.lines.update(file)


@contextmanager
def carbon():
    """Give a carbon daemon that listens until the block ends."""
    daemon = ListeningCarbon()
    try:
        yield daemon
    finally:
        daemon.close()
