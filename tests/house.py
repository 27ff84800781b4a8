"""A whole Parkade on this machine, for the tests that need one: real processes, real sockets.

`House` starts `parkade up` on a state folder of its own and offers what a caller, an operator
and a saboteur need: requests, waiting for conditions, process ids, signals.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from parkade.apps.statefolder import StatePaths
from parkade.runtime import packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
NO_OP = ROOT / "examples" / "no-op"
#: Seconds; generous, since the tests' machine may be slow and shared.
PATIENCE = float(os.environ.get("PARKADE_TEST_PATIENCE", "60"))


#: Where ports begin that the kernel gives to whoever asks for any: what is below is asked for by name.
_ANY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_BELOW = (15_000, int(_ANY.read_text().split()[0]) if _ANY.exists() else 32_768)
#: As long as this process lives.
_claims: list[socket.socket] = []


def free_port() -> int:
    """Return a port for a server that is to be started, and started again.

    Nobody listens there until then: so it is none that the kernel may meanwhile give to another
    server or client of the tests. A datagram socket of its number keeps it from other processes of
    tests.
    """
    ports = range(*_BELOW) if _BELOW[1] - _BELOW[0] > 1000 else range(15_000, 60_000)
    # Not of the tests' own randomness, which is the same in each of their processes.
    for port in random.SystemRandom().sample(ports, 100):
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise AssertionError(f"of a hundred ports from {ports.start} to {ports.stop} none is free")


def wait_for(what: Callable[[], object], *, limit: float = PATIENCE, why: str = "") -> object:
    """Return the first true answer of `what`; fail when the limit is over."""
    deadline = time.monotonic() + limit
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit:g} s in vain for {why or what}")
        time.sleep(0.02)


class House:
    """One state folder, and at most one supervisor on it."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        self.paths = StatePaths(state=state)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.output = state.parent / f"{state.name}-up.log"
        #: Seconds that the last start took until it answered.
        self.started_in = 0.0

    # -- life -----------------------------------------------------------------------------

    def up(self) -> None:
        """Start it, and wait until it answers."""
        begun = time.monotonic()
        self.begin()
        wait_for(self.is_ready, why=f"Parkade to be ready; {self.output.read_text()}")
        self.started_in = time.monotonic() - begun

    def begin(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "parkade.apps.cli", "up"]
        command += ["--state", str(self.state), "--port", str(self.port), *self.arguments]
        with self.output.open("ab") as log:
            self.supervisor = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        assert self.supervisor is not None
        assert self.supervisor.poll() is None, self.output.read_text()
        try:
            return self._ask("GET", "/v1/health/ready").is_success
        except httpx.TransportError:
            return False

    def down(self) -> int:
        """Stop as Ctrl-C does; return the exit status."""
        assert self.supervisor is not None
        self.supervisor.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Return the exit status of the supervisor once it has ended."""
        assert self.supervisor is not None
        # It gives each of its two children three quarters of a minute.
        return self.supervisor.wait(PATIENCE + 90)

    def end(self) -> None:
        """Leave no process behind, whatever the test did."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        left = self.processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=PATIENCE)

    # -- processes ------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """Return every process of this house but the supervisor: children and workers."""
        return [*self.of("control"), *self.of("gateway"), *self.workers()]

    def of(self, name: str) -> list[psutil.Process]:
        mark = {"control": str(self.state), "gateway": str(self.paths.link_socket)}[name]
        found = [
            process
            for process in psutil.process_iter(["cmdline", "ppid"])
            if f"parkade.apps.{name}" in (process.info["cmdline"] or [])
            and mark in process.info["cmdline"]
        ]
        # What it has just forked looks like it, until that is the program it is to be.
        known = {process.pid for process in found}
        return [process for process in found if process.info["ppid"] not in known]

    def workers(self) -> list[psutil.Process]:
        sockets = str(self.paths.sockets)
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(word.startswith(sockets) for word in process.info["cmdline"] or [])
        ]

    def kill(self, name: str) -> int:
        """SIGKILL control or gateway; return the process id that is gone."""
        (process,) = self.of(name)
        process.kill()
        _, left = psutil.wait_procs([process], timeout=PATIENCE)
        assert not left
        return process.pid

    def wait_begun(self, name: str, former: int) -> int:
        """Return the process id of the new control or gateway, which may not answer yet."""
        found = wait_for(
            lambda: [p.pid for p in self.of(name) if p.pid != former], why=f"a new {name}"
        )
        assert isinstance(found, list)
        return int(found[0])

    def wait_reborn(self, name: str, former: int) -> int:
        """Return the process id of the new control or gateway, once it answers.

        It may take longer on a busy machine than the gateway lets requests wait for control.
        """
        pid = self.wait_begun(name, former)
        wait_for(self.is_ready, why=f"the new {name} to answer")
        return pid

    # -- requests -------------------------------------------------------------------------

    @property
    def token(self) -> str:
        return self.paths.admin_token.read_text().strip()

    def call(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": self.token, **options.pop("headers", {})}
        return self._ask(method, path, headers=headers, timeout=PATIENCE, **options)

    def _ask(self, method: str, path: str, **options: object) -> httpx.Response:
        # Nobody shows a certificate: reading those that are trusted would be most of a request.
        return httpx.request(method, f"{self.url}{path}", verify=False, **options)  # noqa: S501

    def ok(self, method: str, path: str, **options: object) -> httpx.Response:
        answer = self.call(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def invoke(self, endpoint: str = "demo", **options: object) -> httpx.Response:
        options.setdefault("json", {"text": "coin"})
        return self.call("POST", f"/endpoints/{endpoint}/invocations", **options)

    def furnish(self, *, instances: int = 1, folder: Path = NO_OP, name: str = "demo") -> None:
        """Push a model and make the config `{name}-config` of it."""
        archive = self.state.parent / f"{name}.tar.gz"
        packing.pack(folder, archive)
        self.ok("PUT", f"/v1/objects/models/{name}.tar.gz", content=archive.read_bytes())
        model = {
            "name": f"{name}-model",
            "image": "sagemaker-scikit-learn",
            "data_url": f"s3://models/{name}.tar.gz",
        }
        self.ok("POST", "/v1/models", json=model)
        variant = {
            "name": "AllTraffic",
            "model_name": f"{name}-model",
            "instance_type": "ml.c5.xlarge",
            "instance_count": instances,
        }
        self.ok("POST", "/v1/configs", json={"name": f"{name}-config", "variants": [variant]})

    def park(self, name: str = "demo", *, minutes: float = 30, config: str = "demo-config") -> None:
        """Put an endpoint on the meter and wait until it runs."""
        self.ok("PUT", f"/v1/leases/{name}", json={"config_name": config, "minutes": minutes})
        self.wait_state(name, "running")

    def state_of(self, name: str = "demo") -> str:
        return str(self.ok("GET", f"/v1/endpoints/{name}").json()["state"])

    def wait_state(self, name: str, state: str) -> None:
        wait_for(lambda: self.state_of(name) == state, why=f"{name} to be {state}")

    def events(self, **query: str) -> list[dict[str, object]]:
        events = self.ok("GET", "/v1/events", params={"limit": "1000", **query}).json()["events"]
        return list(events)


@contextmanager
def house(state: Path, *arguments: str) -> Iterator[House]:
    """Start a house; whatever happens, leave none of its processes behind."""
    built = House(state, *arguments)
    try:
        built.up()
        yield built
    finally:
        built.end()


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
