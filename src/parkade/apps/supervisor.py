"""`parkade up`: starts control and gateway, brings back what dies, stops everything in order.

The supervisor holds the listening sockets and hands them to its children, so that the callers
of a child that was killed wait in the backlog until its successor accepts. It decides nothing
and stores nothing.

Each child gets the reading end of a pipe whose writing end only the supervisor has: its end of
file tells a child that the supervisor is gone, even where that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import ipaddress
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import psutil

from parkade.apps import hangups, identity
from parkade.domain.errors import Conflict, InvalidInput, StartFailed
from parkade.runtime import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from parkade.apps.settings import Settings
    from parkade.apps.statefolder import StatePaths

#: Seconds before a child that died at once is started again; doubles up to the longest.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
#: A child that ran this long, in seconds, is started again without a pause.
SETTLED = 30.0
#: Seconds that a child has to end in order; it may have to wait for 30 s of requests itself.
CHILD_GRACE = 45.0
#: Seconds within which a start has to be ready before the log is pointed at.
READY_LIMIT = 60.0
BACKLOG = 1024
#: Bytes above which a process that starts begins a new log and keeps the one before.
LOG_LIMIT = 20 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `parkade up` was asked for."""

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8700
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def url(self) -> str:
        """Where callers on this machine find the gateway."""
        address = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        scheme = "https" if self.tls_cert else "http"
        return f"{scheme}://{f'[{address}]' if ':' in address else address}:{self.port}"

    def check(self) -> list[str]:
        """Return warnings. Raises InvalidInput for what would be unsafe or cannot work."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InvalidInput(
                "HTTPS needs both a certificate and its key",
                field="tls-cert",
                hint="give --tls-cert FILE and --tls-key FILE",
            )
        for file in (self.tls_cert, self.tls_key):
            if file is not None and not os.access(file, os.R_OK):
                raise InvalidInput(f"{file} cannot be read", field="tls-cert")
        if not 0 < self.settings.time_scale <= 100_000:
            raise InvalidInput(
                f"time-scale {self.settings.time_scale:g} is not between 0 and 100000",
                field="time-scale",
            )
        if _loopback(self.host):
            return []
        if not self.settings.auth:
            raise InvalidInput(
                f"--no-auth is refused on {self.host}: everybody who reaches this machine could "
                "run and stop endpoints",
                field="no-auth",
                hint="leave out --no-auth, or listen on 127.0.0.1",
            )
        if self.tls_cert is None:
            warning = (
                f"{self.host} is served without HTTPS: tokens, requests and answers can be read "
                "and changed on the way; give --tls-cert and --tls-key, or put a proxy before it"
            )
            return [warning]
        return []


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class _Child:
    """One child process and what it takes to start it again."""

    name: str
    command: list[str]
    descriptors: tuple[int, ...]
    log: Path
    process: asyncio.subprocess.Process | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    deaths: int = field(default=0)

    async def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches the supervisor alone."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".1.log"))
        with self.log.open("ab") as log, hangups.kept():
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.descriptors,
                start_new_session=True,
            )
        self.started = time.monotonic()

    def send(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def end(self) -> None:
        """Stop it: SIGTERM, then SIGKILL."""
        if self.process is None:
            return
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), CHILD_GRACE)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self.process.wait()


class Supervisor:
    """One run of Parkade on one state folder."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        self._paths = options.settings.paths
        self._say = say
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises what makes a start impossible."""
        for warning in self._options.check():
            self._say(f"Warning: {warning}")
        self._options.settings.read()
        self._paths.make()
        with _only_one(self._paths):
            identity.make_admin_token(self._paths)
            _end_former_children(self._paths)
            with contextlib.ExitStack() as stack:
                children = self._children(stack)
                self._paths.tell_url(self._options.url)
                stack.callback(self._paths.url_file.unlink, missing_ok=True)
                await self._serve(children)
                await self._sweep_up()

    async def _serve(self, children: list[_Child]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up, children)
        for child in children:
            await child.start()
        # None of these ends by itself but by an error, which then ends the rest in order.
        watch = [
            asyncio.create_task(self._stop.wait()),
            asyncio.create_task(self._tell_ready()),
            *(asyncio.create_task(self._keep(child)) for child in children),
        ]
        ended, running = await asyncio.wait(watch, return_when=asyncio.FIRST_COMPLETED)
        self._say("Stopping: requests under way are finished, then workers end.")
        for task in running:
            task.cancel()
        # The gateway first: it finishes its requests while workers still run.
        for child in reversed(children):
            await child.end()
        for task in ended:
            task.result()

    async def _keep(self, child: _Child) -> None:
        """Bring the child back whenever it dies."""
        while True:
            assert child.process is not None  # noqa: S101  started before it is kept
            status = await child.process.wait()
            if time.monotonic() - child.started > SETTLED:
                child.pause = FIRST_PAUSE
            self._say(f"The {child.name} process ended ({_how(status)}); starting it again.")
            await asyncio.sleep(child.pause)
            child.pause = min(child.pause * 2, LONGEST_PAUSE)
            await child.start()

    async def _tell_ready(self) -> None:
        """Say so once invocations are served, then wait with the others.

        Where it takes long, point at the log.
        """
        transport = httpx.AsyncHTTPTransport(uds=str(self._paths.control_socket), verify=False)
        deadline = time.monotonic() + READY_LIMIT
        told = False
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
            while not await _is_ready(client):
                if time.monotonic() > deadline and not told:
                    self._say(f"Not ready after {READY_LIMIT:g} s; see {self._paths.logs}")
                    told = True
                await asyncio.sleep(0.02)
        self._say(f"Parkade is ready at {self._options.url} (state: {self._paths.state})")
        await self._stop.wait()

    def _hang_up(self, children: list[_Child]) -> None:
        """Take up changed settings; end where SIGHUP means that the terminal is gone."""
        try:
            if sys.stdin is not None and not sys.stdin.closed and os.isatty(sys.stdin.fileno()):
                os.tcgetpgrp(sys.stdin.fileno())
        except OSError:
            self._stop.set()
            return
        for child in children:
            child.send(signal.SIGHUP)

    async def _sweep_up(self) -> None:
        """Leave no worker behind, whatever became of the control process that kept them."""
        left = await leftovers.clear(identity.state_id(self._paths), lambda _: True)
        if left:
            self._say(f"Ended {left} left-over worker process(es).")

    def _children(self, stack: contextlib.ExitStack) -> list[_Child]:
        paths, options = self._paths, self._options
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        stack.callback(os.close, writing)
        public = stack.enter_context(_listen_tcp(options.host, options.port)).fileno()
        inside = stack.enter_context(_listen_unix(paths.gateway_socket)).fileno()
        control = stack.enter_context(_listen_unix(paths.control_socket)).fileno()
        link = stack.enter_context(_listen_unix(paths.link_socket)).fileno()
        return [
            _Child(
                name="control",
                command=[
                    *(sys.executable, "-m", "parkade.apps.control"),
                    *("--state", str(paths.state)),
                    *("--control-fd", str(control), "--link-fd", str(link)),
                    *("--lifeline", str(reading)),
                    *("--time-scale", repr(options.settings.time_scale)),
                    *(
                        ("--config", str(options.settings.config))
                        if options.settings.config
                        else ()
                    ),
                    *(() if options.settings.auth else ("--no-auth",)),
                ],
                descriptors=(control, link, reading),
                log=paths.logs / "control.log",
            ),
            _Child(
                name="gateway",
                command=[
                    *(sys.executable, "-m", "parkade.apps.gateway"),
                    *("--public-fd", str(public), "--inside-fd", str(inside)),
                    *("--control-sock", str(paths.control_socket)),
                    *("--link-sock", str(paths.link_socket)),
                    *("--key-file", str(paths.server_key), "--lifeline", str(reading)),
                    *("--objects", str(paths.objects), "--spools", str(paths.spools)),
                    *(("--tls-cert", str(options.tls_cert)) if options.tls_cert else ()),
                    *(("--tls-key", str(options.tls_key)) if options.tls_key else ()),
                ],
                descriptors=(public, inside, reading),
                log=paths.logs / "gateway.log",
            ),
        ]


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        answer = await client.get("/v1/health/ready", timeout=5)
    except httpx.TransportError:
        # The control process is on its way, or on its way back.
        return False
    return answer.is_success


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


@contextlib.contextmanager
def _only_one(paths: StatePaths) -> Iterator[None]:
    """Hold the state folder for this supervisor alone. Raises Conflict where another has it."""
    descriptor = os.open(paths.pid_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(descriptor, 64, 0).decode().strip() or "unknown"
            raise Conflict(
                f"Parkade already runs on {paths.state} (process {other})",
                hint="use it, stop it, or name another folder with --state",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _end_former_children(paths: StatePaths) -> None:
    """End control and gateway of a supervisor that was killed; their workers are adopted."""
    former = [process for process in psutil.process_iter(["cmdline"]) if _is_child(process, paths)]
    for process in former:
        with contextlib.suppress(psutil.NoSuchProcess):
            # Killing either loses nothing, and waiting would leave the port taken.
            process.kill()
    psutil.wait_procs(former, timeout=CHILD_GRACE)


def _is_child(process: psutil.Process, paths: StatePaths) -> bool:
    words = process.info["cmdline"] or []
    if "parkade.apps.control" in words:
        return str(paths.state) in words
    return "parkade.apps.gateway" in words and str(paths.link_socket) in words


def _listen_tcp(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise StartFailed(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="another program has it; choose one with --port" if taken else "check --host",
        ) from error
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _listen_unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
