"""The socket side of a container, spoken to by hand over real sockets."""

import os
import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from parkade.runtime.container.server import LONG_JOB_SECONDS
from tests.runtime.container.harness import (
    PATIENCE,
    a_container,
    connected,
    model_folder,
    post,
    read_reply,
    until,
)

ECHO = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, body, content_type, accept):
        return body
"""

# Each job is written down when it runs; "block" first waits until somebody writes to the gate.
RECORDER = """
    import pathlib

    def model_fn(model_dir):
        return pathlib.Path(model_dir)

    def transform_fn(folder, body, content_type, accept):
        with (folder / "record").open("a") as record:
            record.write(body + "\\n")
        if body == "block":
            (folder / "gate").read_text()
        return body
"""

CONTAINER = "parkade.runtime.container"
#: A container that waits for an hour where others wait for two seconds.
PATIENT = (
    sys.executable,
    "-c",
    f"from {CONTAINER} import __main__, server; server.UPLOAD_SECONDS = 3600; __main__.main()",
)

PING = b"GET /ping HTTP/1.1\r\nHost: c\r\n\r\n"


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    folder = model_folder(tmp_path_factory.mktemp("echo"), ECHO)
    with a_container(folder, env={"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}) as container:
        yield container


@pytest.fixture
def wire(echo):
    with connected(echo.path) as sock, sock.makefile("rb") as stream:
        yield sock, stream


@pytest.fixture
def recorder(tmp_path):
    folder = model_folder(tmp_path, RECORDER)
    os.mkfifo(folder / "gate")
    with a_container(folder, command=PATIENT) as container:
        container.folder = folder
        container.record = lambda: (
            (folder / "record").read_text().split() if (folder / "record").exists() else []
        )
        yield container


def send(container, body):
    sock = connected(container.path)
    sock.sendall(post(body))
    return sock


def block(container):
    """Keep the container busy; it has begun when this returns."""
    sock = send(container, "block")
    until(lambda: container.record() == ["block"])
    container.blocked_at = time.monotonic()
    return sock


def release(container):
    """Let the job end, once it is one that the container catches up after."""
    until(lambda: time.monotonic() - container.blocked_at > 10 * LONG_JOB_SECONDS)
    (container.folder / "gate").write_text("go")


def reply_of(sock):
    with sock, sock.makefile("rb") as stream:
        return read_reply(stream)


@pytest.mark.semantics("container.ping")
def test_ping_is_200_and_empty(echo):
    reply = echo.ask("GET", "/ping")
    assert (reply.status, reply.body) == (200, b"")


def test_the_socket_appears_only_when_the_model_is_loaded(tmp_path):
    os.mkfifo(tmp_path / "gate")
    folder = model_folder(
        tmp_path,
        """
        import pathlib
        def model_fn(model_dir):
            print("loading")
            return (pathlib.Path(model_dir) / "gate").read_text()
        def transform_fn(model, body, content_type, accept):
            return model
        """,
    )
    with a_container(folder, ready=False) as container:
        until(lambda: "loading" in container.log.read_text())
        assert not container.path.exists()
        (tmp_path / "gate").write_text("loaded")
        until(container.answers)
        assert container.invoke({}).body == b"loaded"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/models", 404),
        ("GET", "/invocations", 405),
        ("POST", "/ping", 405),
    ],
)
def test_anything_else_is_refused_with_a_reason(echo, method, path, status):
    reply = echo.ask(method, path)
    assert reply.status == status
    assert reply.json["error"]


def test_one_connection_serves_many_requests(wire):
    sock, stream = wire
    for number in range(50):
        sock.sendall(post(f'"{number}"'))
        assert read_reply(stream)[2] == f'"{number}"'.encode()


def test_pipelined_requests_are_answered_in_their_order(wire):
    sock, stream = wire
    sock.sendall(post('"a"') + PING + post('"b"') + post("", path="/nowhere") + PING)
    replies = [read_reply(stream) for _ in range(5)]
    assert [status for status, _, _ in replies] == [200, 200, 200, 404, 200]
    assert [body for _, _, body in replies[:3]] == [b'"a"', b"", b'"b"']


def test_a_chunked_body_is_put_together(wire):
    sock, stream = wire
    head = "POST /invocations HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
    sock.sendall(head.encode() + b"3\r\nabc\r\n")
    sock.sendall(b"4\r\ndefg\r\n0\r\n\r\n")
    assert read_reply(stream)[2] == b"abcdefg"


def test_a_client_that_asks_first_is_told_to_go_on(wire):
    sock, stream = wire
    sock.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert stream.readline() == b"\r\n"
    sock.sendall(b"abc")
    assert read_reply(stream)[2] == b"abc"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_connection_that_shall_close_is_closed_after_the_answer(wire, version):
    sock, stream = wire
    head = f"POST /invocations HTTP/{version}\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    sock.sendall(head.encode())
    status, headers, body = read_reply(stream)
    assert (status, headers["Connection"], body) == (200, "close", b"x")
    assert stream.read() == b""


def test_what_is_not_http_is_refused_after_what_was_asked_before(wire):
    sock, stream = wire
    sock.sendall(post('"a"') + b"nonsense\r\n\r\n")
    assert read_reply(stream)[2] == b'"a"'
    status, headers, _ = read_reply(stream)
    assert (status, headers["Connection"]) == (400, "close")
    assert stream.read() == b""


@pytest.mark.semantics("container.payload")
def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(wire):
    sock, stream = wire
    sock.sendall(post("x" * (1024 * 1024 + 1)))
    assert read_reply(stream)[0] == 413
    sock.sendall(post("x" * 1024 * 1024))
    status, _, body = read_reply(stream)
    assert (status, len(body)) == (200, 1024 * 1024)


def test_a_client_that_takes_no_answers_does_not_hold_up_others(echo):
    with connected(echo.path) as slow:
        # It sends until the container stops reading, because its answers pile up unread.
        slow.settimeout(1)
        with pytest.raises(TimeoutError):
            slow.sendall(post("x" * 100_000) * 512)
        assert echo.invoke("still here").json == "still here"


def test_many_connections_are_served_fairly(tmp_path):
    """Each of eight clients asks again at once; none is served twice while another waits."""
    script = """
        import time
        def model_fn(model_dir): ...
        def transform_fn(model, body, content_type, accept):
            end = time.perf_counter() + 0.003
            while time.perf_counter() < end:
                pass
            return body
    """
    clients = 8
    served = []
    with (
        a_container(model_folder(tmp_path, script)) as container,
        selectors.DefaultSelector() as selector,
        ExitStack() as stack,
    ):
        for number in range(clients):
            sock = stack.enter_context(connected(container.path))
            stream = stack.enter_context(sock.makefile("rb", buffering=0))
            selector.register(sock, selectors.EVENT_READ, (sock, stream, number))
            sock.sendall(post(str(number)))
        while len(served) < 25 * clients:
            for key, _ in selector.select(PATIENCE):
                sock, stream, number = key.data
                served.append(int(read_reply(stream)[2]))
                sock.sendall(post(str(number)))
    last = dict.fromkeys(range(clients), -1)
    gaps = []
    for turn, number in enumerate(served):
        gaps.append(turn - last[number])
        last[number] = turn
    # In turn it is 8; twice as much where the machine was busy and the client late.
    assert max(gaps) <= 2 * clients


def test_a_job_whose_client_hung_up_is_not_run(recorder):
    blocked = block(recorder)
    send(recorder, "dropped").close()
    kept = send(recorder, "kept")
    release(recorder)
    assert reply_of(blocked)[2] == b"block"
    assert reply_of(kept)[2] == b"kept"
    assert recorder.record() == ["block", "kept"]


def test_a_client_that_hangs_up_during_its_job_harms_nobody(recorder):
    block(recorder).close()
    other = send(recorder, "other")
    release(recorder)
    assert reply_of(other)[2] == b"other"


def test_sigterm_ends_an_idle_container_at_once(tmp_path):
    """It does not wait for requests that could come, as it does for those that have begun to."""
    with (
        a_container(model_folder(tmp_path, ECHO), command=PATIENT) as container,
        connected(container.path) as idle,
    ):
        idle.sendall(PING)
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        container.process.send_signal(signal.SIGTERM)
        assert container.wait() == 0
        # 0.1 s on a free machine; the limit is for a busy one.
        assert time.monotonic() - begun < 2
        assert idle.recv(100) == b""
        assert not container.path.exists()


def test_sigterm_finishes_what_was_received(recorder):
    blocked = block(recorder)
    names = [f"job-{number}" for number in range(40)]
    queued = [send(recorder, name) for name in names]
    recorder.process.send_signal(signal.SIGTERM)
    release(recorder)
    assert reply_of(blocked)[2] == b"block"
    assert [reply_of(sock)[2].decode() for sock in queued] == names
    assert recorder.wait() == 0
    with pytest.raises(OSError, match="No such file"):
        connected(recorder.path)


def test_sigterm_lets_a_request_that_has_begun_arrive(tmp_path):
    with (
        a_container(model_folder(tmp_path, ECHO), command=PATIENT) as container,
        connected(container.path) as idle,
        connected(container.path) as sock,
        sock.makefile("rb") as stream,
    ):
        idle.sendall(PING)
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        request = post("late")
        # The pong tells that the beginning of the next request has been read as well.
        sock.sendall(PING + request[:-2])
        assert read_reply(stream)[0] == 200
        container.process.send_signal(signal.SIGTERM)
        # Idle connections are closed once nothing new is taken.
        assert idle.recv(100) == b""
        sock.sendall(request[-2:])
        status, headers, body = read_reply(stream)
        assert (status, headers["Connection"], body) == (200, "close", b"late")
        assert stream.read() == b""
        assert container.wait() == 0


def test_sigterm_does_not_wait_for_ever_for_the_rest_of_a_request(tmp_path):
    with (
        a_container(model_folder(tmp_path, ECHO)) as container,
        connected(container.path) as sock,
    ):
        sock.sendall(PING + post("never")[:-2])
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        container.process.send_signal(signal.SIGTERM)
        assert container.wait() == 0


def test_no_answer_is_lost_or_mixed_up_under_many_clients(echo):
    mistakes = []

    def client(name):
        with connected(echo.path) as sock, sock.makefile("rb") as stream:
            for number in range(200):
                sock.sendall(post(f'"{name}-{number}"'))
                if read_reply(stream)[2] != f'"{name}-{number}"'.encode():
                    mistakes.append((name, number))

    threads = [threading.Thread(target=client, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mistakes == []


def test_a_half_closed_connection_counts_as_hung_up(echo):
    with connected(echo.path) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(10) == b""
    assert echo.ask("GET", "/ping").status == 200
