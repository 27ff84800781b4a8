"""A gateway in the tests' own loop, whose time goes on only when it is moved.

What depends on how long something takes is tried here: a machine that is busy for a while lets no
time pass. Workers are the stand's stubs, on real sockets; callers are transports that note what
they are sent.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parkade.apps import link
from parkade.apps.gateway.client import Client
from parkade.apps.gateway.process import Gateway, Options, Patience
from tests.apps.gateway.stand import LIMIT, Stub, echo
from tests.apps.gateway.test_deadlines import MovedLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.apps.gateway.stand import Request


class Caller(asyncio.Transport):
    """A caller's connection, as the gateway sees it."""

    def __init__(self, moved: Moved) -> None:
        super().__init__()
        self.sent = b""
        #: Whether the gateway has closed it.
        self.over = False
        #: Bytes that the caller has not read.
        self.unread = 0
        self._loop = moved.loop
        self._moved = moved
        self.client = Client(moved.gateway, inside=False)
        self.client.connection_made(self)

    def send(self, data: bytes) -> None:
        self._loop.call_soon(self.client.data_received, data)
        self._moved.breathe()

    def hang_up(self) -> None:
        self._loop.call_soon(self.client.connection_lost, None)
        self._moved.breathe()

    @property
    def status(self) -> int:
        """The status of its answer, once that has begun; 0: it has not."""
        return int(self.sent[9:12] or 0)

    # What the gateway does with it.

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def writelines(self, list_of_data: Any) -> None:
        self.sent += b"".join(list_of_data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Whatever is sent is sent by hand."""

    resume_reading = pause_reading

    def close(self) -> None:
        if not self.over:
            self.over = True
            self._loop.call_soon(self.client.connection_lost, None)

    abort = close


class Moved:
    """The gateway, its workers, its callers."""

    def __init__(self, **patience: float) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pk", dir="/tmp"))
        self.loop = MovedLoop()
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        options = Options(
            public=-1,
            inside=-1,
            control_socket=str(self.folder / "control.sock"),
            link_socket=str(self.folder / "link.sock"),
            key=b"key",
            lifeline=-1,
            objects=self.folder / "objects",
            spools=self.folder / "spools",
        )
        self.gateway = Gateway(self.loop, options, Patience(**patience), self.loop.time)
        self._stubs: list[Stub] = []

    def push(
        self,
        routes: dict[str, link.RouteView] | None = None,
        limits: link.Limits | None = None,
        **endpoints: link.EndpointView,
    ) -> None:
        snapshot = link.Snapshot(
            version=1,
            inside="",
            auth=False,
            endpoints=endpoints,
            routes=routes or {},
            limits=limits or link.Limits(),
        )
        self.loop.call_soon(self.gateway.apply, snapshot)
        self.breathe()

    def worker(self, name: str, behave: Callable[[Request], Any] = echo) -> Stub:
        stub = Stub(behave)
        self._stubs.append(stub)
        self.loop.run_until_complete(stub.start(path=str(self.folder / f"{name}.sock")))
        return stub

    def variant(self, name: str, *workers: str, **fields: Any) -> link.VariantRoute:
        """Return a variant of these workers; those of an instance are joined by commas."""
        instances = tuple(
            link.InstanceRoute(
                id=worker,
                addresses=tuple(str(self.folder / f"{each}.sock") for each in worker.split(",")),
            )
            for worker in workers
        )
        return link.VariantRoute(name=name, weight=1, instances=instances, **fields)

    def view(self, *workers: str, **fields: Any) -> link.EndpointView:
        return link.EndpointView(variants=(self.variant("main", *workers, **fields),))

    def caller(self, data: bytes = b"") -> Caller:
        made = Caller(self)
        if data:
            made.send(data)
        return made

    def breathe(self) -> None:
        """Let happen what can happen now."""
        for _ in range(5):
            self.loop.run_until_complete(asyncio.sleep(0))

    def move(self, seconds: float) -> None:
        self.loop.move(seconds)
        self.breathe()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait, in real time, for what takes no time."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            self.breathe()

    def end(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.breathe()
        for stub in self._stubs:
            if stub._server is not None:
                stub._server.close()
            for writer in tuple(stub._writers):
                writer.transport.abort()
        for endpoint in self.gateway.fleet._endpoints.values():
            self.loop.call_soon(endpoint.vanish)
        self.breathe()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.breathe()
        self.loop.close()
        shutil.rmtree(self.folder)


@contextmanager
def moved(**patience: float) -> Iterator[Moved]:
    """A gateway of this patience; it must not have failed."""
    made = Moved(**patience)
    try:
        yield made
        assert not made.faults
    finally:
        made.end()
