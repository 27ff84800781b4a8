"""A gateway process on its own: this module plays supervisor, control and workers.

The gateway is the real program with real sockets; the link is control's real end of it. Workers
and the control process are small servers of the tests' own that do as they are told.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parkade.apps import link
from parkade.apps.control.link import LinkServer

if TYPE_CHECKING:
    import io
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from parkade.apps.control.monitor.collector import Report

#: Generous: the tests' machine may be slow and shared.
LIMIT = 60.0
TOKEN = "pk_token-of-the-tests"
INSIDE = "secret-of-this-run"
HERE = Path(__file__).parent
#: A gateway with a patience, and numbers, that the tests set.
PROGRAM = """
import importlib, json, sys
from parkade.apps.gateway.__main__ import main
from parkade.apps.gateway.process import Patience
patience, numbers = json.loads(sys.argv[1])
for path, number in numbers.items():
    module, _, name = path.rpartition(".")
    loaded = importlib.import_module(f"parkade.apps.gateway.{module}")
    assert hasattr(loaded, name), path
    setattr(loaded, name, number)
main(sys.argv[2:], Patience(**patience))
"""
#: A server on a socket that is the stand's must not remove its path, as it would from 3.13 on.
KEEPING: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


def wait_for(what: Callable[[], Any], why: str = "", limit: float = LIMIT) -> Any:
    deadline = time.monotonic() + limit
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit:g} s in vain for {why or what}")
        time.sleep(0.005)
    return answer


@dataclass
class Request:
    """What a stub was sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    number: int


@dataclass
class Reply:
    """What a stub answers: `raw` bytes as they are, or status, headers and body."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    close: bool = False

    def wire(self) -> bytes:
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/1.1 {self.status} Some Reason"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass
class Flow:
    """What a stub answers in chunks, as they come; one that is broken lacks its end."""

    pieces: AsyncIterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    broken: bool = False

    async def wire(self) -> AsyncIterator[bytes]:
        lines = [f"HTTP/1.1 {self.status} Some Reason", "Transfer-Encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        yield "\r\n".join(lines).encode() + b"\r\n\r\n"
        async for piece in self.pieces:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        if not self.broken:
            yield b"0\r\n\r\n"


class Stub:
    """An HTTP server on a unix socket, or a TCP port, in the tests' event loop. `behave` decides each answer."""

    def __init__(self, behave: Callable[[Request], Any]) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self.connections = 0
        self.open = 0
        self.hung_up = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start_tcp(self) -> str:
        """Listen on a port, and return the address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self, *, path: str | None = None, sock: socket.socket | None = None) -> None:
        where = {"path": path} if sock is None else {"sock": sock, **KEEPING}
        self._server = await asyncio.start_unix_server(self._serve, **where, limit=2**24)

    async def stop(self) -> None:
        """Accept nothing more and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self._writers.add(writer)
        try:
            while (request := await self._read(reader, writer)) is not None:
                watch = asyncio.ensure_future(self._answer(request, writer))
                gone = asyncio.ensure_future(self._gone(reader))
                await asyncio.wait({watch, gone}, return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                if not watch.done():
                    self.hung_up += 1
                    watch.cancel()
                    return
                if watch.result():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _gone(self, reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            await asyncio.sleep(0.005)

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Request | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return None
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._body(reader, headers)
        request = Request(method, target, headers, body, len(self.requests))
        self.requests.append(request)
        return request

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(pieces)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Return whether the connection is to be closed."""
        reply = self.behave(request)
        if asyncio.iscoroutine(reply):
            reply = await reply
        if reply is None:
            return True
        if isinstance(reply, Reply):
            writer.write(reply.wire())
            await writer.drain()
            return reply.close
        close = not isinstance(reply, Flow) or reply.broken
        async for piece in reply.wire() if isinstance(reply, Flow) else reply:
            writer.write(piece)
            await writer.drain()
        return close


def echo(request: Request) -> Reply:
    content_type = request.headers.get("content-type", "text/plain")
    return Reply(body=request.body, headers={"Content-Type": content_type})


class Gate:
    """A behaviour that holds requests until it is opened."""

    def __init__(self, behave: Callable[[Request], Reply] = echo) -> None:
        self._behave = behave
        self.opened = asyncio.Event()

    async def __call__(self, request: Request) -> Reply:
        await self.opened.wait()
        return self._behave(request)


class Desk:
    """What control hears about target models."""

    def __init__(self) -> None:
        self.gateway = ""
        self.messages: list[dict[str, Any]] = []
        self.uses: list[dict[str, Any]] = []

    def joined(self, gateway: str) -> None:
        self.gateway = gateway

    def left(self, gateway: str) -> None:
        pass

    def used(self, gateway: str, rows: list[dict[str, Any]]) -> None:
        self.uses += rows

    def heard(self, gateway: str, message: dict[str, Any]) -> bool:
        self.messages.append(message)
        self.uses += message.get("targets", ())
        return True


class Stand:
    """The gateway and all around it."""

    def __init__(
        self,
        *options: str,
        patience: dict[str, float] | None = None,
        numbers: dict[str, float] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pk", dir="/tmp"))
        self.key = secrets.token_bytes(32)
        (self.folder / "server.key").write_text(self.key.hex())
        self.public = socket.socket()
        self.public.bind(("127.0.0.1", 0))
        self.public.listen(256)
        self.port = self.public.getsockname()[1]
        self.inside, self.control, self.link = (
            self._listen(f"{name}.sock") for name in ("gateway", "control", "link")
        )
        self.lifeline, self._lifeline_end = os.pipe()
        self.options = options
        self.patience = patience or {}
        #: Other numbers than the modules of the gateway have, by `module.NAME`.
        self.numbers = numbers or {}
        #: Sums of what was reported, by endpoint and variant.
        self.usage: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.reports: list[Report] = []
        #: Histograms by endpoint, variant and what took so long.
        self.times: defaultdict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
        self.gone: list[str] = []
        self.desk: Any = Desk()
        self.events: list[link.Happening] = []
        #: Endpoints that control was asked to wake, as often as it was.
        self.wanted: list[str] = []
        self.objects = self.folder / "objects"
        self.objects.mkdir()
        self.spools = self.folder / "spools"
        self.process: subprocess.Popen[bytes] | None = None
        self.server: LinkServer | None = None
        self.snapshot = link.Snapshot(
            version=0,
            inside=INSIDE,
            tokens=(self.token_view("tests", TOKEN),),
            limits=self.limits(),
        )
        self._numbers = itertools.count(1)
        self._stubs: list[Stub] = []
        self._addresses: dict[str, str] = {}
        self._workers: list[subprocess.Popen[bytes]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _listen(self, name: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.folder / name))
        listener.listen(256)
        listener.setblocking(False)
        return listener

    # The tests' event loop.

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        async def inside() -> None:
            function(*arguments)

        self.run(inside())

    # Control.

    def open_link(self) -> None:
        self.server = LinkServer(
            self.link.dup(),
            on_usage=self._on_usage,
            on_gone=self.gone.append,
            on_event=self.events.append,
            on_report=self.reports.append,
            on_wanted=self.wanted.append,
            targets=self.desk,
        )
        self.run(self.server.start())
        if self.snapshot.version:
            self.call(self.server.push, self.snapshot)

    def close_link(self) -> None:
        assert self.server is not None
        self.run(self.server.close())
        self.server = None

    def push(self, **changes: Any) -> None:
        """Change the snapshot and wait until the gateway serves by it."""
        self.tell(**changes)
        assert self.server is not None
        server, version = self.server, self.snapshot.version

        def applied() -> bool:
            assert self.process is None or self.process.poll() is None, "the gateway is gone"
            peers = tuple(server._peers)
            return bool(peers) and all(peer.applied == version for peer in peers)

        wait_for(applied, "the gateway to apply the snapshot")

    def tell(self, **changes: Any) -> None:
        """Change the snapshot."""
        fields = {name: getattr(self.snapshot, name) for name in link.Snapshot.__slots__}
        self.snapshot = link.Snapshot(**{**fields, **changes, "version": next(self._numbers)})
        if self.server is not None:
            self.call(self.server.push, self.snapshot)

    def limits(self, **changes: float) -> link.Limits:
        # However full the disk of the tests' machine is.
        return link.Limits(**{"usage_seconds": 0.05, "capture_disk_percent": 100, **changes})

    def _on_usage(self, gateway: str, usage: link.UsageReport) -> None:
        for endpoint, variants in usage.items():
            for variant, row in variants.items():
                for name in link.SPREADS:
                    self.times[endpoint, variant, name] += Counter(getattr(row, name).buckets)
                total = self.usage[(endpoint, variant)]
                told = {
                    name: total[name] + value
                    for name in link.Usage.__slots__
                    if isinstance(value := getattr(row, name), int)
                }
                # At once: whoever waits for one of them, in another thread, looks at others then.
                dict.update(total, {**told, "in_flight": row.in_flight})

    def token_view(self, name: str, secret: str, **fields: Any) -> link.TokenView:
        digest = hmac.new(self.key, secret.encode(), hashlib.sha256).hexdigest()
        return link.TokenView(name=name, digest=digest, **{"role": "invoker", **fields})

    def play_control(self, behave: Callable[[Request], Any]) -> Stub:
        stub = Stub(behave)
        self._stubs.append(stub)
        self.run(stub.start(sock=self.control.dup()))
        return stub

    # Workers.

    def worker(self, name: str, behave: Callable[[Request], Any] = echo) -> Stub:
        stub = Stub(behave)
        self._stubs.append(stub)
        self.run(stub.start(path=str(self.folder / f"{name}.sock")))
        return stub

    def tcp_worker(self, name: str, behave: Callable[[Request], Any] = echo) -> Stub:
        stub = Stub(behave)
        self._stubs.append(stub)
        self._addresses[name] = self.run(stub.start_tcp())
        return stub

    def worker_process(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker that can be killed; it has begun to listen when this returns."""
        path = self.folder / f"{name}.sock"
        path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, str(HERE / "worker.py"), str(path)])
        self._workers.append(process)
        wait_for(path.exists, f"worker {name}")
        return process

    def route(self, name: str) -> link.InstanceRoute:
        """Return the route to an instance of these containers, joined by commas."""
        addresses = (
            self._addresses.get(each, str(self.folder / f"{each}.sock")) for each in name.split(",")
        )
        return link.InstanceRoute(id=name, addresses=tuple(addresses))

    def variant(
        self, name: str, *workers: str, weight: float = 1.0, **fields: Any
    ) -> link.VariantRoute:
        instances = tuple(self.route(worker) for worker in workers)
        return link.VariantRoute(name=name, weight=weight, instances=instances, **fields)

    def view(self, *workers: str, **fields: Any) -> link.EndpointView:
        return link.EndpointView(variants=(self.variant("main", *workers, **fields),))

    # The gateway process.

    def start(self) -> None:
        arguments = [
            *("--public-fd", str(self.public.fileno()), "--inside-fd", str(self.inside.fileno())),
            *("--control-sock", str(self.folder / "control.sock")),
            *("--link-sock", str(self.folder / "link.sock")),
            *("--key-file", str(self.folder / "server.key"), "--lifeline", str(self.lifeline)),
            *("--objects", str(self.objects), "--spools", str(self.spools)),
            *self.options,
        ]
        command = [sys.executable, "-m", "parkade.apps.gateway"]
        if self.patience or self.numbers:
            given = json.dumps([self.patience, self.numbers])
            command = [sys.executable, "-c", PROGRAM, given]
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *arguments],
                pass_fds=(self.public.fileno(), self.inside.fileno(), self.lifeline),
                stderr=log,
            )

    @property
    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(LIMIT)

    def cut_lifeline(self) -> None:
        os.close(self._lifeline_end)
        self._lifeline_end = -1

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for worker in self._workers:
            worker.kill()
            worker.wait()
        if self.server is not None:
            self.close_link()
        for stub in self._stubs:
            self.run(stub.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()
        for each in (self.public, self.inside, self.control, self.link):
            each.close()
        os.close(self.lifeline)
        if self._lifeline_end >= 0:
            os.close(self._lifeline_end)
        shutil.rmtree(self.folder)

    # Callers.

    def connect(self) -> socket.socket:
        caller = socket.create_connection(("127.0.0.1", self.port))
        caller.settimeout(LIMIT)
        return caller

    def invoke(
        self,
        endpoint: str = "e",
        body: bytes | str = b'{"text": "x"}',
        *,
        token: str | None = TOKEN,
        path: str | None = None,
        method: str = "POST",
        **headers: str,
    ) -> Caught:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            target = path or f"/endpoints/{endpoint}/invocations"
            connection.request(method, target, body or None, given)
            with connection.getresponse() as answer:
                return Caught(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@dataclass
class Caught:
    """An answer as the caller got it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str | None:
        return self.headers["x-amzn-ErrorType"]


@contextmanager
def stand(
    *options: str,
    link_open: bool = True,
    patience: dict[str, float] | None = None,
    numbers: dict[str, float] | None = None,
    errors: bool = False,
) -> Iterator[Stand]:
    """A gateway that runs; unless `errors` are expected, it must not have logged one."""
    made = Stand(*options, patience=patience, numbers=numbers)
    try:
        if link_open:
            made.open_link()
        made.start()
        yield made
        assert errors or '"level": "error"' not in made.log, made.log
    except BaseException:
        sys.stderr.write(made.log)
        raise
    finally:
        made.end()


def head(method: str, target: str, *headers: str, token: str | None = TOKEN) -> bytes:
    """Return a request's head as a caller sends it."""
    lines = [f"{method} {target} HTTP/1.1", "Host: gateway", *headers]
    if token is not None:
        lines.append(f"Authorization: {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def invocation(body: bytes, *headers: str, endpoint: str = "e") -> bytes:
    target = f"/endpoints/{endpoint}/invocations"
    return head("POST", target, f"Content-Length: {len(body)}", *headers) + body


def read_answer(caller: socket.socket, *, method: str = "POST") -> Caught:
    """Return one answer; nothing may have been sent behind it."""
    return read_answers(caller, 1, method=method)[0]


def read_answers(caller: socket.socket, count: int, *, method: str = "POST") -> list[Caught]:
    """Return the answers to pipelined requests."""
    caught = []
    with caller.makefile("rb") as file:
        for _ in range(count):
            answer = http.client.HTTPResponse(_Held(file), method=method)  # type: ignore[arg-type]
            answer.begin()
            caught.append(Caught(answer.status, answer.headers, answer.read()))
    return caught


class _Held:
    """A socket whose file is another's: answers share what was read ahead."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, _mode: str) -> _Held:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        """The file is closed by its owner."""


def read_to_end(caller: socket.socket) -> bytes:
    pieces = []
    while piece := caller.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)
