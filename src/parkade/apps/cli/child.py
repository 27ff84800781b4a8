"""A server of the demo's own: `parkade up` as a child process, stopped in order with it."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.cli import render
from parkade.apps.cli.client import Client, Refused, Unreachable
from parkade.apps.settings import ClientSettings
from parkade.domain.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.statefolder import StatePaths

#: Ports that are tried beginning with the one that was asked for.
_PORTS = 50
#: Seconds for the server to be ready, and to end; the latter waits for requests under way.
_READY, _END = 60.0, 120.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Server:
    """The demo's own server."""

    process: subprocess.Popen[bytes]
    paths: StatePaths
    url: str

    def client(self) -> Client:
        """Return a client with the admin token of the state folder."""
        token = self.paths.admin_token.read_text(encoding="ascii").strip()
        return Client(ClientSettings(url=self.url, token=token))

    def require_running(self) -> None:
        """Raise StartFailed, with its last words, once the process has ended."""
        if self.process.poll() is None:
            return
        log = self.paths.logs / "supervisor.log"
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        raise StartFailed(
            f"the server ended: {last.removeprefix('error: ').strip()}", hint=f"see {log}"
        )


@contextlib.contextmanager
def running(paths: StatePaths, port: int) -> Iterator[Server]:
    """Run `parkade up` in a session of its own; stop it in order, whatever happens."""
    command = [sys.executable, "-m", "parkade.apps.cli", "up"]
    command += ["--port", str(port), "--state", str(paths.state)]
    process = None
    try:
        with (paths.logs / "supervisor.log").open("ab") as log, _unbroken():
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        server = Server(process, paths, f"http://127.0.0.1:{port}")
        with render.working("Starting Parkade"):
            _until_ready(server)
        yield server
    finally:
        if process is not None:
            process.terminate()
            try:
                with render.working("Stopping Parkade and its workers"):
                    _await_end(process)
            finally:
                # Also where that could not be told: the terminal, or the pipe, may be gone.
                _await_end(process)


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Have signals that end a program wait: one that broke off a beginning would leave it behind."""
    came: list[int] = []
    before = {each: signal.getsignal(each) for each in _ENDING}
    try:
        for number in before:
            signal.signal(number, lambda signum, _frame: came.append(signum))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def _until_ready(server: Server) -> None:
    deadline = time.monotonic() + _READY
    while True:
        server.require_running()
        try:
            with server.client() as client:
                client.get("health", "ready")
        except (FileNotFoundError, Unreachable, Refused) as error:
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"Parkade is not ready after {_READY:g} s", hint=f"see {server.paths.logs}"
                ) from error
            time.sleep(0.05)
        else:
            return


def _await_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(first: int) -> int:
    """Return the first free port from `first` on; say so where that is another one."""
    for port in range(first, min(first + _PORTS, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != first:
            render.note(f"Port {first} is taken; using {port}.")
        return port
    raise StartFailed(f"no port from {first} on is free", hint="choose one with --port")
