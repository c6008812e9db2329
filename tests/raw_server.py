"""A server on loopback that misbehaves as told: it writes prepared bytes, and counts its connections."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager


def http(body=b"{}", *, status="200 OK", length=None, **headers):
    """Write a whole answer, perhaps with a length that is not true."""
    names = {"Content-Length": str(len(body) if length is None else length), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in names.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class RawServer:
    """Answers each request with what a function of its number gives: bytes, or a list of bytes and deeds.

    A deed is ``"close"``, ``"reset"``, or an event to wait for.
    """

    def __init__(self, script):
        self.script = script
        self.requests: list[bytes] = []
        self.accepted = 0
        self.open: set[socket.socket] = set()
        self.is_idle = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:{1}".format(*self._listener.getsockname())

    def accept(self):
        """Give each connection a thread."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self.is_idle:
                self.accepted += 1
                self.open.add(connection)
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def wait_until_open(self, count):
        """Wait until so many connections are open: the client's side of closing one is seen a moment later."""
        with self.is_idle:
            return self.is_idle.wait_for(lambda: len(self.open) == count, timeout=5)

    def close(self):
        """Stop listening and drop everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self.open):
            connection.close()

    def _talk(self, connection):
        try:
            while self._answer(connection):
                pass
        except OSError:
            pass
        finally:
            connection.close()
            with self.is_idle:
                self.open.discard(connection)
                self.is_idle.notify_all()

    def _answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part or part[:1] == b"\x16":  # the end, or a greeting by TLS, which is not spoken here
                return False
            request += part
        self.requests.append(request)
        answer = self.script(len(self.requests))
        for deed in answer if isinstance(answer, list) else [answer]:
            if isinstance(deed, bytes):
                connection.sendall(deed)
            elif isinstance(deed, threading.Event):
                deed.wait(timeout=10)
            else:
                if deed == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True


@contextmanager
def raw_server(script):
    """Serve while the block runs."""
    server = RawServer(script)
    thread = threading.Thread(target=server.accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(timeout=5)
