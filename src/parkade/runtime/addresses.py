"""Where a worker answers: the path of a unix socket, or `127.0.0.1:PORT`."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
#: Below the ports that systems give to outgoing connections; in blocks, of which a worker's own
#: port is the first and the rest its safe range.
_FIRST, _LAST, _SIZE = 20_000, 32_000, 16
#: Seconds; a kernel that knows the port answers within microseconds.
_CONNECT = 0.25


@dataclass(frozen=True, slots=True)
class Block:
    """Ports that one worker has to itself."""

    port: int

    @property
    def address(self) -> str:
        """Where the worker is to answer."""
        return f"{HOST}:{self.port}"

    @property
    def spare(self) -> str:
        """The ports that it may use for its own ends, as SageMaker writes them."""
        return f"{self.port + 1}-{self.port + _SIZE - 1}"


class Ports:
    """Gives each worker that needs one a block of ports; `owner` is the id of its place.

    Before the worker listens there a process has to start, and another host of this machine, which
    finds the port free until then, must not choose it as well. So a datagram socket of the same
    number, which is of no other use, holds the block for as long as the worker has it.
    """

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._holds: dict[str, socket.socket] = {}

    def take(self, owner: str) -> Block:
        """Return a block that nobody has and whose first port is free. Raises StartFailed."""
        others = {port for name, port in self._taken.items() if name != owner}
        starts = [port for port in range(_FIRST, _LAST, _SIZE) if port not in others]
        random.shuffle(starts)
        for port in starts:
            hold = _held(port)
            if hold is None:
                continue
            if _free(port):
                self.release(owner)
                self._taken[owner], self._holds[owner] = port, hold
                return Block(port)
            hold.close()
        raise StartFailed(f"no port between {_FIRST} and {_LAST} is free")

    def note(self, owner: str, address: str) -> None:
        """Remember what a worker has that was found running."""
        if is_port(address):
            self.release(owner)
            self._taken[owner] = port = _port(address)
            # Its former host may not have let go of it yet; what matters is that it listens.
            if (hold := _held(port)) is not None:
                self._holds[owner] = hold

    def release(self, owner: str) -> None:
        """Take back what the worker had, if anything."""
        self._taken.pop(owner, None)
        if (hold := self._holds.pop(owner, None)) is not None:
            hold.close()

    def close(self) -> None:
        """Hold nothing any more; workers that run have their ports themselves."""
        for owner in tuple(self._taken):
            self.release(owner)


def is_port(address: str) -> bool:
    """Tell a TCP address from the path of a socket."""
    return address.startswith(f"{HOST}:")


def _port(address: str) -> int:
    return int(address.removeprefix(f"{HOST}:"))


async def connect(connection: socket.socket, address: str) -> None:
    """Connect a socket made by `opened`. Raises OSError."""
    target = (HOST, _port(address)) if is_port(address) else address
    await asyncio.get_running_loop().sock_connect(connection, target)


@contextmanager
def opened(address: str) -> Iterator[socket.socket]:
    """Give a socket that can be connected to the address, closed in the end."""
    family = socket.AF_INET if is_port(address) else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        yield connection


def listens(address: str) -> bool:
    """Tell whether somebody accepts connections there, however busy."""
    with opened(address) as connection:
        if not is_port(address):
            return connection.connect_ex(address) in {0, errno.EAGAIN}
        connection.settimeout(_CONNECT)
        return connection.connect_ex((HOST, _port(address))) == 0


def _held(port: int) -> socket.socket | None:
    """Return a socket that holds the number; None where another host has it."""
    hold = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        hold.bind((HOST, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hold.close()
            return None
        # A sandbox without datagrams: then it is as likely as before that two choose the same.
    return hold


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
