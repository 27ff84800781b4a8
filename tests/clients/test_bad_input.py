"""Input of every bad kind: each gets a clear error, and leaves nothing of itself.

One house, with a neighbour whose requests go on through all of it and must not notice.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import tarfile
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.clients.account import IMAGE, Account, account, variant
from tests.clients.archives import MODEL, NEIGHBOUR, member, packed, script
from tests.faults.load import Load, steady
from tests.house import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = """
limits:
  startup_seconds: 4
  grace_seconds: 1
  unpacked_bytes: 10000000
  log_bytes: 1000000
"""
#: Requests a second of the neighbour.
LIGHT = 20.0
#: So that a busy machine fails nothing but what hangs.
UNHURRIED = {"ContainerStartupHealthCheckTimeoutInSeconds": 600}
_numbers = count()


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("bad"), SETTINGS) as built:
        put(built, "neighbour", script(NEIGHBOUR))
        built.config("neighbour", variant(model="neighbour", **UNHURRIED))
        built.endpoint("neighbour", "neighbour")
        yield built


@pytest.fixture(scope="module")
def neighbour(boto: Account) -> Iterator[Load]:
    """The load on the endpoint next door; the module fails with its first lost request."""
    with steady(boto.house, "neighbour", rate=LIGHT) as load:
        yield load


def put(boto: Account, name: str, archive: bytes) -> None:
    """Put the archive and make a model of it."""
    boto.house.ok("PUT", f"/v1/objects/models/{name}.tar.gz", content=archive)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.tar.gz"}
    boto.sagemaker.create_model(ModelName=name, PrimaryContainer=container)


def possessions(boto: Account) -> dict[str, Any]:
    """Return all that is there and is to stay: on disk, in lists, as processes."""
    client = boto.sagemaker
    state = boto.house.state
    folders = ("models", "objects", "run", "uploads", "work")
    return {
        "files": {
            path.relative_to(state)
            for folder in folders
            for path in (state / folder).rglob("*")
            if path.name != "__pycache__"
            and path.suffix != ".pyc"
            # Processes in reserve come and go by themselves, whoever moves in.
            and not any(part.startswith("standby-") for part in path.relative_to(state).parts)
        },
        "processes": {process.pid for process in belonging(boto)},
        "models": [each["ModelName"] for each in client.list_models()["Models"]],
        "configs": [
            each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]
        ],
        "endpoints": [each["EndpointName"] for each in client.list_endpoints()["Endpoints"]],
        "routes": boto.house.ok("GET", "/v1/routes").json(),
        "tokens": boto.house.ok("GET", "/v1/tokens").json(),
        "leases": boto.house.ok("GET", "/v1/leases").json()["leases"],
    }


def belonging(boto: Account) -> list[psutil.Process]:
    """Return every process that a worker of this house is, or has forked."""
    mark = str(boto.house.paths.models)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SM_MODEL_DIR", "").startswith(mark):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture
def untouched(boto: Account, neighbour: Load) -> Iterator[None]:
    """What was there is there afterwards, nothing else is, and nobody next door has noticed."""
    before = possessions(boto)
    yield
    neighbour.go_on(0.2)
    assert neighbour.faults() == []
    after = possessions(boto)
    assert after == before


@pytest.fixture
def name() -> str:
    return f"bad-{next(_numbers)}"


class Guest:
    """An endpoint of something bad."""

    def __init__(self, boto: Account, name: str) -> None:
        self.boto, self.name = boto, name

    def move_in(self, archive: bytes | None, *, patient: bool = True) -> dict[str, Any]:
        """Create it; return how it is described once it is clear what it comes to."""
        put(self.boto, self.name, archive or b"")
        if archive is None:
            self.boto.house.ok("DELETE", f"/v1/objects/models/{self.name}.tar.gz")
        given = variant(model=self.name, **(UNHURRIED if patient else {}))
        self.boto.config(self.name, given)
        client = self.boto.sagemaker
        client.create_endpoint(EndpointName=self.name, EndpointConfigName=self.name)
        wait_for(lambda: self.boto.status(self.name) != "Creating", why=f"{self.name} to be clear")
        described = client.describe_endpoint(EndpointName=self.name)
        assert isinstance(described, dict)
        return described

    def move_out(self) -> None:
        """Delete all that was made for it."""
        boto = self.boto
        boto.delete(self.name)
        boto.sagemaker.delete_endpoint_config(EndpointConfigName=self.name)
        boto.sagemaker.delete_model(ModelName=self.name)
        boto.house.call("DELETE", f"/v1/objects/models/{self.name}.tar.gz")

    def invoke(self, path: str = "") -> tuple[int, str]:
        path = path or f"/endpoints/{self.name}/invocations"
        answer = self.boto.house.call("POST", path, json={"text": "coin"})
        return answer.status_code, answer.json().get("Message", "")

    def invoke_in_haste(self) -> tuple[int, str]:
        """Invoke it by a route that gives it two seconds; all others have their time."""
        path = f"/v1/routes/{self.name}"
        form = {"endpoint_name": self.name, "timeout_seconds": 2}
        self.boto.house.ok("PUT", path, json=form)
        try:
            return self.invoke(f"/{self.name}")
        finally:
            self.boto.house.ok("DELETE", path)


@pytest.fixture
def guest(boto: Account, name: str, untouched: None) -> Iterator[Guest]:
    guest = Guest(boto, name)
    yield guest
    guest.move_out()


GOOD = script(MODEL + "def transform_fn(model, body, content_type, accept):\n    return body\n")
#: What cannot be packed any smaller.
NOISE = hashlib.shake_128(b"noise").digest(200_000)

ARCHIVES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "s3://models/"),
    "empty": (b"", "holds no readable tar archive at its beginning: empty file"),
    "no-gzip": (b"this is no archive", "model.tar.gz is broken at its beginning"),
    "no-tar": (gzip.compress(b"neither is this" * 99), "holds no readable tar archive"),
    "cut": (packed(member("weights", NOISE))[:-1000], "model.tar.gz is broken"),
    "flipped": (GOOD[:-8] + b"\0" * 8, "model.tar.gz is broken"),
    "climbing": (packed(member("../evil", b"x")), "'../evil' points outside"),
    "climbing-within": (packed(member("a/../../evil", b"x")), "points outside"),
    "absolute": (packed(member("/tmp/evil", b"x")), "'/tmp/evil' points outside"),
    "link-out": (
        packed(member("code", kind=tarfile.SYMTYPE, target="../../objects")),
        "leads outside of the archive",
    ),
    "through-a-link": (
        packed(member("a", kind=tarfile.SYMTYPE, target="/tmp"), member("a/evil", b"x")),
        "is a link to '/tmp' outside",
    ),
    "hard-link-out": (
        packed(member("code/inference.py", kind=tarfile.LNKTYPE, target="../../admin.token")),
        "points outside",
    ),
    "device": (packed(member("null", kind=tarfile.CHRTYPE)), "neither a file, a folder nor a link"),
    "pipe": (packed(member("p", kind=tarfile.FIFOTYPE)), "neither a file, a folder nor a link"),
    "bomb": (packed(member("weights", bytes(20_000_000))), "more than 10000000 bytes"),
    "no-script": (packed(member("weights", b"x")), "code/inference.py"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_cannot_be_used(guest: Guest, kind: str) -> None:
    archive, told = ARCHIVES[kind]
    described = guest.move_in(archive)
    assert described["EndpointStatus"] == "Failed"
    assert told in described["FailureReason"]
    assert guest.invoke()[0] in {400, 503}


DEEP = "".join(
    f"def f{n}():\n    return f{n + 1}(){' ' * 90}# {'a long line' * 9}\n" for n in range(9)
)

GREED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))

def model_fn(folder):
    eaten = []
    while True:
        eaten.append(bytearray(2**24))
"""

SCRIPTS: dict[str, tuple[str, str]] = {
    "syntax": ("def model_fn(folder:\n", "SyntaxError: '(' was never closed"),
    "null-byte": ("\0", "null bytes"),
    "no-model-fn": ("x = 1\n", "inference.py defines no model_fn"),
    "import": ("import nonesuch_package\n", "No module named 'nonesuch_package'"),
    "raises": ("raise RuntimeError('no such luck')\n", "RuntimeError: no such luck"),
    "deep": (f"{DEEP}def f9():\n    raise RuntimeError('no such luck')\n\nf0()\n", "no such luck"),
    "exits": ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    "exits-at-once": ("import os\nos._exit(7)\n", "exited with status 7"),
    "killed": ("import os\nos.kill(os.getpid(), 9)\n", "was killed by signal 9 (Killed)"),
    "crashes": ("import ctypes\nctypes.string_at(0)\n", "Segmentation fault"),
    "recursion": ("def f():\n    f()\n\nf()\n", "RecursionError"),
    "load": ("def model_fn(folder):\n    raise ValueError('bad weights')\n", "bad weights"),
    "eats-memory": (GREED, "MemoryError"),
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_that_cannot_be_loaded(guest: Guest, kind: str) -> None:
    text, told = SCRIPTS[kind]
    described = guest.move_in(script(text))
    assert described["EndpointStatus"] == "Failed"
    assert told in described["FailureReason"]
    assert len(described["FailureReason"]) <= 1024


HANGING = {
    "sleeps": "import time\ndef model_fn(folder):\n    time.sleep(1000)\n",
    "computes": "def model_fn(folder):\n    while True:\n        pass\n",
    "talks": (
        "import os, time\n"
        "def model_fn(folder):\n"
        "    while True:\n"
        "        os.write(1, b'not yet ' * 9_000 + b'\\n')\n"
        "        time.sleep(0.001)\n"
    ),
}


@pytest.mark.parametrize("kind", HANGING)
def test_a_script_that_never_comes_to_an_end(guest: Guest, kind: str) -> None:
    described = guest.move_in(script(HANGING[kind]), patient=False)
    assert described["EndpointStatus"] == "Failed"
    assert "did not answer /ping within 4.0 s" in described["FailureReason"]


#: What it does with a request, and what the caller is told.
CALLS: dict[str, tuple[str, int, str]] = {
    "raises": ("raise RuntimeError('no such luck')", 424, "no such luck"),
    "exits": ("import os; os._exit(1)", 500, "The container went away"),
    "hangs": ("while True: pass", 424, "Your invocation timed out"),
    "returns-an-object": ("return object()", 424, "object"),
    "returns-too-much": ("return b'x' * 7_000_000", 424, "larger than"),
    "recursion": (
        "return transform_fn(model, body, content_type, accept)",
        424,
        "maximum recursion depth exceeded",
    ),
    "eats-memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29)); bytearray(2**30)",
        424,
        "MemoryError",
    ),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_script_that_cannot_answer(guest: Guest, kind: str) -> None:
    act, status, told = CALLS[kind]
    text = f"{MODEL}def transform_fn(model, body, content_type, accept):\n    {act}\n"
    assert guest.move_in(script(text))["EndpointStatus"] == "InService"
    found, message = guest.invoke_in_haste() if kind == "hangs" else guest.invoke()
    assert found == status, message
    assert told in message


#: What it does beside serving well.
VICES = {
    "ignores-sigterm": (
        "import signal, threading, time\n"
        "def deaf():\n"
        "    while True:\n"
        "        time.sleep(1)\n"
        "threading.Thread(target=deaf).start()\n"
    ),
    "forks": (
        "import subprocess, sys\n"
        "SLEEP = [sys.executable, '-c', 'import time; time.sleep(1000)']\n"
        "subprocess.Popen(SLEEP)\n"
        "subprocess.Popen(SLEEP, start_new_session=True)\n"
    ),
    "litters": (
        "import os\n"
        "for number in range(99):\n"
        "    os.makedirs(f'litter/{number}')\n"
        "    open(f'litter/{number}/file', 'w').write('x' * 1000)\n"
        "os.chmod('litter', 0o500)\n"
        "os.symlink('/tmp', 'way-out')\n"
    ),
}


@pytest.mark.parametrize("kind", VICES)
def test_a_script_that_will_not_go(guest: Guest, kind: str) -> None:
    serving = "def transform_fn(model, body, content_type, accept):\n    return body\n"
    described = guest.move_in(script(VICES[kind] + MODEL + serving))
    assert described["EndpointStatus"] == "InService"
    assert guest.invoke()[0] == 200


def test_a_script_that_writes_without_end_fills_no_disk(guest: Guest) -> None:
    talk = (
        "import os, threading, time\n"
        "def talk():\n"
        "    while True:\n"
        "        os.write(1, b'and another thing ' * 6_000 + b'\\n')\n"
        "        time.sleep(0.001)\n"
        "threading.Thread(target=talk, daemon=True).start()\n"
    )
    serving = "def transform_fn(model, body, content_type, accept):\n    return body\n"
    described = guest.move_in(script(talk + MODEL + serving))
    assert described["EndpointStatus"] == "InService"
    folder = guest.boto.house.paths.logs / "endpoints" / guest.name
    (log,) = folder.glob("*.log")
    older = log.with_name(log.name + ".1")
    turns: set[int] = set()
    most = 0

    def turned() -> bool:
        nonlocal most
        # Either of them may go while it is looked at.
        with suppress(FileNotFoundError):
            most = max(most, sum(path.stat().st_size for path in folder.iterdir()))
            turns.add(older.stat().st_mtime_ns)
        return len(turns) >= 4

    wait_for(turned, why="its log to be rotated")
    assert guest.invoke()[0] == 200
    # About 100 MB a second come; what is kept is two files of 1 MB, and what came between looks.
    assert most < 150_000_000


SAGEMAKER = {"X-Amz-Target": "SageMaker.CreateModel"}
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=PKIANOBODYSKEY234567/20200101/us-east-1/{}/"
    "aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
    "X-Amz-Date": "20200101T000000Z",
    "X-Amz-Content-SHA256": hashlib.sha256(b"x").hexdigest(),
}
INVOKE = "/endpoints/neighbour/invocations"
HUGE = b"x" * 7_000_000


def signed(service: str) -> dict[str, str]:
    return {**SIGNED, "Authorization": SIGNED["Authorization"].format(service)}


def summed(content: bytes) -> dict[str, str]:
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return {"Content-MD5": base64.b64encode(digest).decode()}


#: What is sent where, with which headers; the status, and words of the answer.
REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes, int, str]] = {
    "sagemaker-broken-json": ("POST", "/", SAGEMAKER, b"{", 400, "not valid JSON"),
    "sagemaker-deep-json": ("POST", "/", SAGEMAKER, b"[" * 200_000, 400, "not valid JSON"),
    "sagemaker-no-object": ("POST", "/", SAGEMAKER, b"[1]", 400, "SerializationException"),
    "sagemaker-wrong-type": ("POST", "/", SAGEMAKER, b'{"ModelName": 7}', 400, "modelName"),
    "sagemaker-unknown-field": (
        "POST",
        "/",
        SAGEMAKER,
        b'{"ModelName": "m", "Modle": 1, "PrimaryContainer": {"Image": "i"}}',
        400,
        "modle",
    ),
    "sagemaker-no-operation": (
        "POST",
        "/",
        {"X-Amz-Target": "SageMaker.Dance"},
        b"{}",
        400,
        "UnknownOperationException",
    ),
    "sagemaker-huge": ("POST", "/", SAGEMAKER, b" " * 2_000_000, 413, "1048576 bytes"),
    "sagemaker-signature": ("POST", "/", signed("sagemaker"), b"{}", 403, "Exception"),
    "api-broken-json": ("POST", "/v1/models", {}, b"{", 400, "JSON"),
    "api-no-object": ("POST", "/v1/models", {}, b'"model"', 400, "not a JSON object"),
    "api-wrong-type": ("POST", "/v1/models", {}, b'{"name": [], "image": "i"}', 400, "name"),
    "api-unknown-field": (
        "POST",
        "/v1/models",
        {},
        b'{"name": "m", "image": "i", "date_url": ""}',
        400,
        "date_url is not known",
    ),
    "api-huge": ("POST", "/v1/models", {}, bytes(2**24 + 1), 413, "bytes"),
    "api-token": ("GET", "/v1/models", {"Authorization": "guess"}, b"", 401, "token"),
    "lease-wrong-type": ("PUT", "/v1/leases/neighbour", {}, b'{"minutes": "NaN"}', 400, "minutes"),
    "expiry-broken-json": ("POST", "/endpoint-expiry", {}, b"{", 400, "JSON"),
    "object-climbing": ("PUT", "/v1/objects/models/..%2F..%2Fadmin.token", {}, b"x", 400, "key"),
    "object-bucket": ("PUT", "/v1/objects/%2e%2e/key", {}, b"x", 400, "bucket"),
    "object-wrong-sum": (
        "PUT",
        "/v1/objects/models/damaged",
        {"X-Parkade-SHA256": "0" * 64},
        b"x",
        400,
        "SHA-256",
    ),
    "s3-signature": ("PUT", "/s3/models/forged", signed("s3"), b"x", 403, "<Code>"),
    "s3-climbing": ("PUT", "/s3/models/..%2F..%2Fadmin.token", {}, b"x", 400, "<Code>"),
    "s3-broken-xml": (
        "POST",
        "/s3/models?delete",
        summed(b"<Delete><Obj"),
        b"<Delete><Obj",
        400,
        "MalformedXML",
    ),
    "sts-signature": ("POST", "/sts", signed("sts"), b"Action=GetCallerIdentity", 403, "<Code>"),
    "invoke-huge": ("POST", INVOKE, {}, HUGE, 413, "exceeded 6291456 bytes"),
    "invoke-token": ("POST", INVOKE, {"Authorization": "guess"}, b"{}", 401, "No token"),
    "invoke-signature": ("POST", INVOKE, signed("sagemaker"), b"{}", 403, "x"),
    "invoke-broken-json": ("POST", INVOKE, {}, b"{", 424, "JSONDecodeError"),
    "invoke-nobody": ("POST", "/endpoints/nobody/invocations", {}, b"{}", 400, "not found"),
    "invoke-variant": (
        "POST",
        INVOKE,
        {"X-Amzn-SageMaker-Target-Variant": "../x"},
        b"{}",
        400,
        "ValidationError",
    ),
    "invoke-model": (
        "POST",
        INVOKE,
        {"X-Amzn-SageMaker-Target-Model": "../../x.tar.gz"},
        b"{}",
        400,
        "ValidationError",
    ),
    "invoke-async": (
        "POST",
        "/endpoints/neighbour/async-invocations",
        {"X-Amzn-SageMaker-InputLocation": "s3://models/x"},
        b"",
        400,
        "ValidationError",
    ),
    "long-address": ("GET", "/" + "x" * 9000, {}, b"", 414, "8192 bytes"),
    "large-head": ("GET", "/", {"X": "x" * 70_000}, b"", 431, "65536 bytes"),
    "nowhere": ("GET", "/v1/nowhere", {}, b"", 404, "nothing at /v1/nowhere"),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_that_cannot_be_done(boto: Account, untouched: None, kind: str) -> None:
    method, path, headers, content, status, told = REQUESTS[kind]
    answer = boto.house.call(method, path, headers=headers, content=content)
    assert answer.status_code == status, answer.text
    assert told in f"{answer.headers} {answer.text}"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/", SAGEMAKER, 413),
        ("POST", "/v1/models", {}, 413),
        ("PUT", "/v1/objects/models/x", {"Authorization": "guess"}, 401),
        ("PUT", "/s3/models/x", signed("s3"), 403),
    ],
    ids=["sagemaker", "api", "object", "s3"],
)
def test_a_refusal_is_not_lost_while_a_large_body_is_sent(
    boto: Account, untouched: None, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    for _ in range(15):
        answer = boto.house.call(method, path, headers=headers, content=bytes(17 * 2**20))
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST " + INVOKE.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
    ids=["tls", "version", "length", "two-lengths", "chunk"],
)
def test_what_is_no_http(boto: Account, untouched: None, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", boto.house.port), PATIENCE) as line:
        line.sendall(raw)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"not a valid HTTP/1.1 request" in answer
