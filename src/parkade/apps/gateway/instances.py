"""Instances as the gateway sees them: their containers, and how busy they are.

A connection that is refused has not cost anybody anything. It is no try: the instance is left
out until it accepts connections again or control takes it away, and the request goes elsewhere or
waits. The same holds while a container's backlog is full.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING

from parkade.apps.gateway.upstream import WorkerConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from parkade.apps import link
    from parkade.apps.gateway.carried import Carried

#: Connections to a container, and so requests, that one instance is given at a time.
CONNECTIONS = 64
#: Seconds until an instance that refused a connection is tried again; doubles up to the longest.
FIRST_PROBE = 0.05
LONGEST_PROBE = 1.0

logger = logging.getLogger(__name__)


class Container:
    """One container of an instance: its address, and the idle connections to it."""

    __slots__ = ("_address", "_instance", "idle")

    def __init__(self, instance: Instance, address: str) -> None:
        self.idle: list[WorkerConnection] = []
        self._instance = instance
        self._address = address

    def carry(self, invocation: Carried) -> None:
        """Send the invocation over a connection that is free, or over a new one."""
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                connection.send(invocation)
                return
        self._instance.spawn(self._open(invocation))

    def release(self, connection: WorkerConnection) -> None:
        """Take back a connection that has done its work."""
        if self._instance.gone:
            connection.transport.close()
        else:
            self.idle.append(connection)

    def lost(self, connection: WorkerConnection) -> None:
        """Forget a connection that is closed."""
        if connection in self.idle:
            self.idle.remove(connection)

    def close(self) -> None:
        """Close what is idle."""
        for connection in self.idle:
            connection.transport.close()
        self.idle.clear()

    async def connect(self) -> WorkerConnection:
        """Return a new connection. Raises OSError."""
        loop = asyncio.get_running_loop()
        if self._address.startswith("/"):
            _, connection = await loop.create_unix_connection(
                lambda: WorkerConnection(self), self._address
            )
        else:
            host, _, port = self._address.rpartition(":")
            transport, connection = await loop.create_connection(
                lambda: WorkerConnection(self), host, int(port)
            )
            if transport.get_extra_info("sockname") == transport.get_extra_info("peername"):
                # Nobody listens, and the port was given to this very socket for its own end.
                transport.abort()
                raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens", self._address)
        return connection

    async def _open(self, invocation: Carried) -> None:
        instance = self._instance
        try:
            connection = await self.connect()
        except OSError as error:
            instance.refuse(self, error)
            if invocation.instance is instance:
                invocation.refused()
            return
        if invocation.instance is instance:
            connection.send(invocation)
        else:
            self.release(connection)


class Instance:
    """One instance of a variant; a pipeline's has several containers."""

    __slots__ = (
        "_changed",
        "_pause",
        "_tasks",
        "_timer",
        "addresses",
        "containers",
        "gone",
        "id",
        "in_flight",
        "refusing",
    )

    def __init__(self, route: link.InstanceRoute, changed: Callable[[], None]) -> None:
        """Call `changed` when it stops or begins again to accept connections."""
        self.id = route.id
        self.addresses = route.addresses
        self.containers = tuple(Container(self, address) for address in route.addresses)
        self.in_flight = 0
        self.gone = False
        self.refusing = False
        self._changed = changed
        self._pause = FIRST_PROBE
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, invocation: Carried) -> None:
        """Carry the invocation to its container; `Endpoint.leave` gives the place back."""
        self.in_flight += 1
        invocation.instance = self
        self.containers[invocation.at].carry(invocation)

    def vanish(self) -> None:
        """Take nothing new; what is under way is finished."""
        self.gone = True
        for container in self.containers:
            container.close()
        if self._timer is not None:
            self._timer.cancel()

    def refuse(self, container: Container, error: OSError) -> None:
        """Know that a container accepts no connections."""
        if self.refusing or self.gone:
            return
        logger.warning("instance %s refuses connections: %s", self.id, error)
        self.refusing = True
        self._pause = FIRST_PROBE
        self._probe_later(container)
        self._changed()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do the work beside what is under way."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _probe_later(self, container: Container) -> None:
        # A worker that restarts on its socket tells nobody here; a full backlog neither.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pause, lambda: self.spawn(self._probe(container)))
        self._pause = min(self._pause * 2, LONGEST_PROBE)

    async def _probe(self, container: Container) -> None:
        try:
            connection = await container.connect()
        except OSError:
            if not self.gone:
                self._probe_later(container)
            return
        logger.info("instance %s accepts connections again", self.id)
        self.refusing = False
        container.release(connection)
        self._changed()
