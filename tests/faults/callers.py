"""Callers who come all at once, each with a number that its answer has to bring back."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.house import PATIENCE, House, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Caller:
    """One request and what came of it."""

    number: int
    status: int = 0
    body: bytes = b""

    @property
    def right(self) -> bool:
        return self.status == 200 and json.loads(self.body)["n"] == self.number


class Callers:
    """So many callers, each on a connection of its own; they have sent when this is made."""

    def __init__(self, house: House, endpoint: str, count: int, **headers: str) -> None:
        self.all = [Caller(number) for number in range(count)]
        given = {"Authorization": house.token, "Content-Type": "application/json", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self._head = f"POST /endpoints/{endpoint}/invocations HTTP/1.1\r\nHost: p\r\n{lines}"
        self._port = house.port
        self._sent = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._task: asyncio.Task[object] | None = None
        self._thread.start()
        assert self._sent.wait(PATIENCE), "they could not all send"

    def answers(self) -> list[Caller]:
        """Return them with their answers, or what is left where one was not answered."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"{self.unanswered()} were never answered"
        return self.all

    def wrong(self) -> list[Caller]:
        """Return those, of all who were answered, who got another answer than their own."""
        return [each for each in self.answers() if not each.right]

    def unanswered(self) -> int:
        return sum(not each.status for each in self.all)

    def hang_up(self) -> None:
        """Close all connections."""
        assert self._task is not None
        with suppress(RuntimeError):  # they have all been answered, and the loop is closed
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE)

    async def _run(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        opened = []
        try:
            for caller in self.all:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                opened.append((caller, reader, writer))
                body = json.dumps({"n": caller.number})
                writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            for *_, writer in opened:
                await writer.drain()
            self._sent.set()
            await asyncio.gather(*(self._read(caller, reader) for caller, reader, _ in opened))
        except asyncio.CancelledError:
            pass  # they hang up
        finally:
            for *_, writer in opened:
                writer.transport.abort()
            await asyncio.sleep(0)

    async def _read(self, caller: Caller, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            int(line.partition(":")[2])
            for line in head.split("\r\n")
            if line.lower().startswith("content-length:")
        )
        caller.body = await reader.readexactly(length)
        caller.status = int(head.split(" ")[1])


@contextmanager
def calling(house: House, endpoint: str, count: int, **headers: str) -> Iterator[Callers]:
    """Let so many call at once; whatever happens, leave no connection behind."""
    callers = Callers(house, endpoint, count, **headers)
    try:
        yield callers
    finally:
        callers.hang_up()


def in_flight(house: House, endpoint: str) -> int:
    return int(house.ok("GET", f"/v1/endpoints/{endpoint}").json()["in_flight"])


def wait_held(house: House, endpoint: str, count: int) -> None:
    """Wait until the gateway has told that so many are there."""
    wait_for(lambda: in_flight(house, endpoint) == count, why=f"{count} to be held")
