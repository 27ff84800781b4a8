"""A steady load on one endpoint: requests are sent when they are due, whatever becomes of others.

Each carries a number, and its answer has to be 200 with that number and the word of a model that
is there; a connection that breaks has lost what was sent on it.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import httptools

from tests.house import PATIENCE, House, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Requests a second. Less is for looking into a failure, not for passing.
RATE = float(os.environ.get("PARKADE_TEST_RATE", "200"))
#: Seconds that the sender may be late before it begins a new count: then it is this machine that
#: was stopped, and what was not sent is not lost.
_LATE = 1.0


@dataclass(slots=True)
class Call:
    """One request, when it was sent, and what came of it."""

    number: int
    sent_at: float
    answered_at: float = 0.0
    word: str = ""
    fault: str = ""


class Load:
    """Sends to one address over connections that are kept; knows each request and its answer."""

    def __init__(
        self, house: House, endpoint: str, headers: Mapping[str, str], rate: float
    ) -> None:
        self.calls: list[Call] = []
        self._rate = rate
        self._port = house.port
        self._stop = threading.Event()
        self._rests = threading.Event()
        self._idle: list[_Connection] = []
        given = {"Authorization": house.token, "Content-Type": "application/json", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self._head = f"POST /endpoints/{endpoint}/invocations HTTP/1.1\r\nHost: parkade\r\n{lines}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def begin(self) -> None:
        """Send from now on."""
        self._thread.start()

    def end(self) -> None:
        """Send no more; return when each request has its answer, or has waited in vain."""
        self._stop.set()
        self._thread.join()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Send nothing meanwhile."""
        self._rests.set()
        try:
            yield
        finally:
            self._rests.clear()

    def answered(self, word: str) -> int:
        """Return how many answers were this word, until now."""
        return sum(call.word == word for call in self.calls)

    def go_on(self, seconds: float = 1.0) -> None:
        """Return when so many more requests were answered as are sent in that time."""
        enough = sum(bool(call.answered_at) for call in self.calls) + self._rate * seconds
        wait_for(lambda: sum(bool(call.answered_at) for call in self.calls) >= enough)

    def words(self) -> list[str]:
        """Return the words in the order in which they were asked for."""
        return [call.word for call in self.calls]

    def faults(self) -> list[str]:
        """Tell of everything but answers."""
        return [f"{call.number}: {call.fault}" for call in self.calls if call.fault]

    def switches(self, old: str, new: str) -> bool:
        """Tell whether the old word is answered until the new one is, and never from then on."""
        words = set(self.words())
        first = min((call.answered_at for call in self.calls if call.word == new), default=None)
        late = [call for call in self.calls if first and call.sent_at > first and call.word == old]
        return words == {old, new} and not late

    async def _run(self) -> None:
        begun, number = time.monotonic(), 0
        tasks: set[asyncio.Task[None]] = set()
        while not self._stop.is_set():
            if self._rests.is_set():
                await asyncio.sleep(0.005)
                begun, number = time.monotonic(), 0
                continue
            late = time.monotonic() - begun - number / self._rate
            if late > _LATE:
                begun += late
            elif late < 0:
                await asyncio.sleep(-late)
            self._send(Call(len(self.calls), time.monotonic()), tasks)
            number += 1
            await asyncio.sleep(0)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not all(c.word or c.fault for c in self.calls):
            await asyncio.sleep(0.01)
        for call in self.calls:
            if not (call.word or call.fault):
                call.fault = "it was never answered"
        for connection in self._idle:
            connection.close()

    def _send(self, call: Call, tasks: set[asyncio.Task[None]]) -> None:
        self.calls.append(call)
        body = json.dumps({"n": call.number})
        request = f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        if self._idle:
            self._idle.pop().send(call, request)
        else:
            task = asyncio.get_running_loop().create_task(self._connect(call, request))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _connect(self, call: Call, request: bytes) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._idle), "127.0.0.1", self._port
            )
        except OSError as error:
            call.fault = f"no connection: {error}"
        else:
            connection.send(call, request)


class _Connection(asyncio.Protocol):
    """Asks one thing at a time; is among the idle ones in between."""

    def __init__(self, idle: list[_Connection]) -> None:
        self._idle = idle
        self._parser = httptools.HttpResponseParser(self)
        self._call: Call | None = None
        self._body = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._call is not None:
            self._call.fault = f"the connection was closed: {exc}"
        if self in self._idle:
            self._idle.remove(self)

    def send(self, call: Call, request: bytes) -> None:
        self._call, self._body = call, b""
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def on_body(self, piece: bytes) -> None:
        self._body += piece

    def on_message_complete(self) -> None:
        call, self._call = self._call, None
        assert call is not None
        status = self._parser.get_status_code()
        call.answered_at = time.monotonic()
        if status == 200 and (answer := json.loads(self._body))["n"] == call.number:
            call.word = answer["word"]
        else:
            call.fault = f"{status} {self._body[:300]!r}"
        if self._parser.should_keep_alive():
            self._idle.append(self)
        else:
            self.close()


@contextmanager
def steady(
    house: House, endpoint: str, headers: Mapping[str, str] | None = None, *, rate: float = RATE
) -> Iterator[Load]:
    """Keep a load on the endpoint meanwhile; afterwards, no request may have been lost."""
    load = Load(house, endpoint, headers or {}, rate)
    load.begin()
    try:
        load.go_on()
        yield load
        load.go_on()
    finally:
        load.end()
    assert load.faults() == []
