"""A relay before a server that keeps a request waiting in its midst, until it is cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 64 * 1024


class Relay:
    """Passes bytes on, both ways; of requests that begin with `held` only the first piece."""

    def __init__(self, port: int, held: bytes) -> None:
        self._port = port
        self._held = held
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        #: Set once a request is kept in its midst.
        self.holding = threading.Event()
        self._release = threading.Event()

    def accept(self) -> None:
        """Take connections until it is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, server]
                for pair in ((client, server, self._held), (server, client, b"")):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, held: bytes) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                target.sendall(piece)
                if held and piece.startswith(held):
                    self.holding.set()
                    self._release.wait()
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Cut everything, what is kept waiting included: none of it comes further."""
        # Unlike close alone, a shutdown ends an accept or a recv that is under way.
        for each in (self._server, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._release.set()


@contextmanager
def relay(port: int, *, held: bytes) -> Iterator[Relay]:
    """Run a relay before a port of this machine."""
    made = Relay(port, held)
    thread = threading.Thread(target=made.accept, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(30)
