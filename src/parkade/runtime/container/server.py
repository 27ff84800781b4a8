"""The HTTP side of a container: a unix socket, and the model inline on the event loop.

Requests are parsed as they come and queued; each turn of the loop runs one of them, in the
order in which they were complete. Between two jobs the loop reads what has arrived, so that
many connections are served fairly, and whoever hung up meanwhile is not worked for. A thread
would only add a hop: the model holds the processor either way.
"""

from __future__ import annotations

import asyncio
import select
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from .connection import Connection, Job

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from .connection import Program
    from .outflow import Outflow

BACKLOG = 1024
#: After a job as long as this the loop catches up before the next: to accept a client, to read
#: its request and to see that it hung up takes a turn each.
LONG_JOB_SECONDS = 0.001
CATCH_UP_TURNS = 4
#: After SIGTERM: what had arrived by then (in the backlog, in a socket's buffer) is read first.
LINGER_SECONDS = 0.02
#: After SIGTERM: how long a request that has begun to arrive may take to be complete.
UPLOAD_SECONDS = 2.0


class Server:
    """The connections and the queue of one worker."""

    def __init__(self, program: Program, *, max_body: int | None) -> None:
        self.program = program
        self._loop = asyncio.get_running_loop()
        self._due: deque[Job | Outflow] = deque()
        self._turn_is_due = False
        self._turns_to_catch_up = 0
        self._gone = asyncio.Event()
        self.max_body = max_body
        self.stopping = False
        self.uploads_over = False
        self.connections: set[Connection] = set()

    def add(self, task: Job | Outflow) -> None:
        """Queue a complete request, or the next part of a stream."""
        self._due.append(task)
        self._wake()

    def put_back(self, jobs: list[Job]) -> None:
        """Queue jobs whose turn had come already; others of their client may be behind them."""
        self._due.extendleft(reversed(jobs))
        self._wake()

    def _wake(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Run the next task that somebody still waits for."""
        if self._turns_to_catch_up:
            self._turns_to_catch_up -= 1
            self._loop.call_soon(self._turn)
            return
        task = self._next()
        if self._due:
            self._loop.call_soon(self._turn)
        else:
            self._turn_is_due = False
        if task is not None:
            begun = time.monotonic()
            task.run()
            if time.monotonic() - begun > LONG_JOB_SECONDS:
                self._turns_to_catch_up = CATCH_UP_TURNS

    def _next(self) -> Job | Outflow | None:
        while self._due:
            task = self._due.popleft()
            connection = task.connection
            if connection.is_closing():
                continue
            if isinstance(task, Job) and connection.is_answering():
                connection.defer(task)
                continue
            return task
        return None

    def lost(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        if self.stopping and not self.connections:
            self._gone.set()

    async def drain(self, listener: asyncio.Server) -> None:
        """Stop accepting, answer what was received, and return when every connection is closed."""
        await asyncio.sleep(LINGER_SECONDS)
        latest = self._loop.time() + UPLOAD_SECONDS
        while self._has_unread(listener) and self._loop.time() < latest:  # noqa: ASYNC110 - each turn reads
            await asyncio.sleep(0)
        listener.close()
        self.stopping = True
        self._close_idle()
        deadline = self._loop.call_later(UPLOAD_SECONDS, self._give_up_uploads)
        if self.connections:
            await self._gone.wait()
        deadline.cancel()

    def _has_unread(self, listener: asyncio.Server) -> bool:
        """Tell whether something has arrived that the loop has not come to yet."""
        arrivals = select.poll()
        for door in listener.sockets:
            arrivals.register(door.fileno(), select.POLLIN)
        for connection in self.connections:
            if connection.reads():
                arrivals.register(connection.fileno(), select.POLLIN)
        return bool(arrivals.poll(0))

    def _give_up_uploads(self) -> None:
        self.uploads_over = True
        self._close_idle()

    def _close_idle(self) -> None:
        for connection in tuple(self.connections):
            connection.close_if_idle()


async def serve(
    program: Program,
    path: Path,
    *,
    max_body: int | None = None,
    listening: Coroutine[Any, Any, None] | None = None,
) -> None:
    """Answer on a unix socket until SIGTERM, then finish what was received.

    `listening` is run, beside the answers, once there is somebody to ask.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    server = Server(program, max_body=max_body)
    listener = await loop.create_unix_server(lambda: Connection(server), str(path), backlog=BACKLOG)
    telling = asyncio.ensure_future(listening) if listening else None
    await stop.wait()
    if telling is not None:
        telling.cancel()
    # No further client finds the way in; those who did are served.
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - a local name, gone at once
    await server.drain(listener)
