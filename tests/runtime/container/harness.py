"""A container as a real process on a unix socket, and a client for it."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60


def until(condition, *, what="the condition"):
    """Wait for a condition, generously: the machine may be busy."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come true in {PATIENCE} s")


def model_folder(folder, script, **files):
    """Write a model folder with this inference.py, and further files of code/."""
    code = folder / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(textwrap.dedent(script))
    for name, text in files.items():
        (code / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("container", timeout=PATIENCE)
        self._path = path

    def connect(self):
        self.sock = connected(self._path)


def connected(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Container:
    def __init__(self, process, path, log):
        self.process = process
        self.path = path
        self.log = log

    def ask(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.path)
        try:
            connection.request(method, path, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def invoke(self, value, content_type="application/json", **headers):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        extra = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.ask("POST", "/invocations", body, {"Content-Type": content_type, **extra})

    def answers(self):
        try:
            return self.ask("GET", "/ping").status == 200
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError(f"the container has ended: {self.log.read_text()}") from None
            return False

    def wait(self):
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def a_container(model_dir, *, command=(), env=None, ready=True):
    """Run a container until the end of the block; `ready=False` does not wait for the model."""
    # Short, because the path of a unix socket may have about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pk-"))
    argv = [*(command or (sys.executable, "-m", "parkade.runtime.container"))]
    argv += ["--socket", str(folder / "w.sock"), "--model-dir", str(model_dir)]
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )
    container = Container(process, folder / "w.sock", folder / "log")
    try:
        if ready:
            until(container.answers, what="the container's ping")
        yield container
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        shutil.rmtree(folder)


def refusal_to_start(model_dir, **env):
    """Return what a container that cannot start leaves in its log."""
    with a_container(model_dir, env=env, ready=False) as container:
        assert container.wait() == 1
        return container.log.read_text()


def read_reply(stream):
    """Read one answer from a socket's file: status, headers, body."""
    status = int(stream.readline().split()[1])
    headers = http.client.parse_headers(stream)
    return status, headers, stream.read(int(headers.get("Content-Length", "0")))


def post(body, *, path="/invocations", extra=""):
    """Return the bytes of a request."""
    head = f"POST {path} HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
