"""Lambda functions as Lambda runs them: real processes under `awslambdaric`, fed on loopback.

A `Function` is what a template says of one: handler, code, environment, time limit, reserved
concurrency. Each of its processes (a `Sandbox`) asks a server of its own, on a port of its own, for
the next event, by Lambda's Runtime API, and tells it the answer; processes that are done are used
again. What ends a process (an import that fails, `sys.exit`, the time limit) is answered as Lambda
answers it, and a new process takes its place.

    function = Function(Spec(name="sweep", handler="app.handler", code=folder, timeout=60))
    answer = function.invoke({"names": []})
    answer.failed, answer.document
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_API = "/2018-06-01/runtime/"
#: What lies before a function's code on its path: the test clock, and the record of AWS calls.
SHIM = Path(__file__).parent / "shim"
#: Variables that a function's process may take from ours: where programs and homes are.
_OURS = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a template says of a function, with everything resolved."""

    name: str
    handler: str
    code: Path
    arn: str = "arn:aws:lambda:us-east-1:000000000000:function:unnamed"
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3
    memory: int = 128
    #: Executions at once that are reserved for it, and that it never exceeds; none: no limit.
    reserved: int | None = None
    #: The ARN of the queue or topic that takes events which failed to the end.
    dead_letters: str | None = None
    #: Attempts after the first for an event that nobody waits for.
    retries: int = 2
    role: str | None = None
    json_logs: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a function answered, or how it failed."""

    payload: bytes
    failed: bool = False

    @property
    def document(self) -> Any:
        return json.loads(self.payload) if self.payload else None

    @property
    def error_type(self) -> str:
        """The name that a state machine's Retry and Catch know the failure by."""
        return str((self.document or {}).get("errorType", "Unknown")) if self.failed else ""

    @property
    def error_message(self) -> str:
        return str((self.document or {}).get("errorMessage", "")) if self.failed else ""


class TooManyRequests(Exception):
    """All that is reserved for a function is in use."""


def _failure(kind: str, message: str) -> Answer:
    body = {"errorMessage": message, "errorType": kind}
    return Answer(payload=json.dumps(body).encode(), failed=True)


@dataclass(frozen=True)
class _Event:
    number: str
    body: bytes
    deadline_ms: int


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    sandbox: Sandbox


class _Handler(BaseHTTPRequestHandler):
    """The Runtime API, as far as a runtime asks for it."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sandbox = self.server.sandbox
        assert self.path == f"{_API}invocation/next", self.path
        sandbox.idle.set()
        event = sandbox.events.get()
        if event is None:  # the sandbox closes
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event.body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", event.number)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(event.deadline_ms))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", sandbox.spec.arn)
        self.send_header("Lambda-Runtime-Trace-Id", f"Root=1-{event.number[:8]}-{'0' * 24}")
        self.end_headers()
        self.wfile.write(event.body)

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        failed = not self.path.endswith("/response")
        assert self.path.startswith(_API)
        self.server.sandbox.answers.put(Answer(payload=body, failed=failed))
        accepted = b'{"status":"OK"}'
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(accepted)))
        self.end_headers()
        self.wfile.write(accepted)

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def log_message(self, *arguments: object) -> None:
        """Say nothing: what a function logs is what is worth reading."""


class Sandbox:
    """One process of a function, one event at a time."""

    def __init__(
        self,
        spec: Spec,
        environment: Mapping[str, str],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ticks` gives the seconds that the function's time limit is measured in."""
        self.spec = spec
        self._ticks = ticks
        self.events: queue.Queue[_Event | None] = queue.Queue()
        self.answers: queue.Queue[Answer] = queue.Queue()
        #: The process has asked for an event: its module is imported.
        self.idle = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sandbox = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        ours = {name: os.environ[name] for name in _OURS if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", spec.handler],
            cwd=spec.code,
            env={**ours, **self._lambdas(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def _lambdas(self) -> dict[str, str]:
        """Return what Lambda itself gives each function."""
        host, port = self._server.server_address[:2]
        return {
            "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.spec.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            **({"AWS_LAMBDA_LOG_FORMAT": "JSON"} if self.spec.json_logs else {}),
            "LAMBDA_TASK_ROOT": str(self.spec.code),
            "PYTHONPATH": os.pathsep.join([str(SHIM), str(self.spec.code)]),
            "PYTHONDONTWRITEBYTECODE": "1",  # the code folder is an asset, and stays as it is
            "TZ": ":UTC",
            "_HANDLER": self.spec.handler,
        }

    def invoke(self, body: bytes) -> Answer:
        """Give one event; return the answer, or what became of the process."""
        limit = self.spec.timeout
        deadline = self._ticks() + limit
        number = str(uuid.uuid4())
        self.events.put(_Event(number, body, int((time.time() + limit) * 1000)))
        while True:
            try:
                return self.answers.get(timeout=0.02)
            except queue.Empty:
                pass
            if self.process.poll() is not None:
                # Said after our last look at the answers; whatever says one waits until it is there.
                try:
                    return self.answers.get_nowait()
                except queue.Empty:
                    status = self.process.returncode
                    said = f"RequestId: {number} Error: Runtime exited with error: exit status"
                    return _failure("Runtime.ExitError", f"{said} {status}")
            # Importing has its own limit on Lambda, of 10 s; here machines are slow and shared.
            if self.idle.is_set() and self._ticks() > deadline:
                self.process.kill()
                self.process.wait()
                said = f"RequestId: {number} Error: Task timed out after {limit:.2f} seconds"
                return _failure("Sandbox.Timedout", said)
            if not self.idle.is_set():
                deadline = self._ticks() + limit

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        """Return what the process wrote so far."""
        return os.pread(self._log.fileno(), 10_000_000, 0).decode(errors="replace")

    def close(self) -> None:
        if self.alive:
            self.process.kill()
        self.process.wait()
        self.events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._log.close()


@dataclass
class Function:
    """A function: its processes, made as they are needed and used again."""

    spec: Spec
    #: Variables beside the template's: endpoints, credentials, the clock. Read at each new process.
    surroundings: Callable[[Spec], Mapping[str, str]] = lambda _: {}
    #: Takes an event that failed to the end, with its last answer.
    bury: Callable[[Spec, bytes, Answer], None] | None = None
    #: The seconds that its time limit is measured in.
    ticks: Callable[[], float] = time.monotonic
    #: Every event that was given, with its answer, oldest first.
    calls: list[tuple[Any, Answer]] = field(default_factory=list)
    #: Processes that were started in all: more than the calls at once means that some ended.
    started: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Sandbox] = []
        self._busy = 0
        self._logs: list[str] = []
        self._errands: list[threading.Thread] = []

    def invoke(self, event: object) -> Answer:
        """Wait for the answer. Raises TooManyRequests above the reserved concurrency."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        with self._lock:
            reserved = self.spec.reserved
            if reserved is not None and self._busy >= reserved:
                raise TooManyRequests(f"{self.spec.name}: {reserved} at once are reserved for it")
            self._busy += 1
            sandbox = self._free.pop() if self._free else None
            self.started += sandbox is None
        try:
            if sandbox is None:
                template = dict(self.spec.environment)
                environment = {**template, **self.surroundings(self.spec)}
                sandbox = Sandbox(self.spec, environment, self.ticks)
            answer = sandbox.invoke(body)
            # Before it counts as done: whoever sees that looks for it.
            self.calls.append((json.loads(body), answer))
        finally:
            with self._lock:
                self._busy -= 1
                if sandbox is not None and sandbox.alive and not self._ended(sandbox):
                    self._free.append(sandbox)
                    sandbox = None
            if sandbox is not None:
                self._logs.append(sandbox.log())
                sandbox.close()
        return answer

    @staticmethod
    def _ended(sandbox: Sandbox) -> bool:
        """Tell whether it never asked for an event: its import failed, and it is on its way out."""
        return not sandbox.idle.is_set()

    def send(self, event: object) -> None:
        """Invoke, with nobody waiting: tried again as Lambda does, then buried."""
        thread = threading.Thread(target=self._errand, args=(event,))
        # At once for whoever settles: one that is not started yet cannot be waited for.
        with self._lock:
            self._errands.append(thread)
            thread.start()

    def _errand(self, event: object) -> None:
        for attempt in range(1 + self.spec.retries):
            while True:
                try:
                    answer = self.invoke(event)
                    break
                except TooManyRequests:
                    # Lambda keeps such an event for hours; no attempt is lost by it.
                    time.sleep(0.02)
            if not answer.failed:
                return
            if attempt == self.spec.retries and self.bury is not None:
                body = event if isinstance(event, bytes) else json.dumps(event).encode()
                self.bury(self.spec, body, answer)

    @property
    def busy(self) -> bool:
        """Tell whether an event is under way, or waits to be."""
        with self._lock:
            return self._busy > 0 or any(each.is_alive() for each in self._errands)

    def settle(self) -> None:
        """Return once no event that was sent is under way."""
        while errand := self._last_errand():
            errand.join()
            # Only now: until it is over, the function is busy.
            with self._lock, suppress(ValueError):
                self._errands.remove(errand)

    def _last_errand(self) -> threading.Thread | None:
        with self._lock:
            return self._errands[-1] if self._errands else None

    def log(self) -> str:
        """Return what all its processes wrote."""
        with self._lock:
            return "\n".join([*self._logs, *(each.log() for each in self._free)])

    def cool(self) -> None:
        """End the processes that are free: what comes next starts cold."""
        with self._lock:
            free, self._free = self._free, []
        for each in free:
            self._logs.append(each.log())
            each.close()

    def close(self) -> None:
        self.settle()
        self.cool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
