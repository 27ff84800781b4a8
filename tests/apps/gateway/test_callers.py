"""HTTP as callers speak it, well and badly."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from parkade.apps import link
from tests.apps.gateway.stand import LIMIT as TIMEOUT
from tests.apps.gateway.stand import (
    TOKEN,
    Gate,
    Reply,
    Request,
    echo,
    head,
    invocation,
    read_answer,
    read_answers,
    read_to_end,
    stand,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.apps.gateway.stand import Stand

LIMIT = 1000


@pytest.fixture
def ready(house: Stand) -> Stand:
    """A gateway with endpoint `e`, and a body limit of 1000 bytes."""
    if not (house.folder / "echo.sock").exists():
        house.worker("echo")
    house.push(endpoints={"e": house.view("echo")}, limits=house.limits(body_bytes=LIMIT))
    return house


@pytest.fixture(scope="module")
def hasty() -> Iterator[Stand]:
    """A gateway of little patience, with endpoint `e`."""
    patience = {"head": 0.4, "body": 0.4, "idle": 0.6, "linger": 0.5, "stall": 0.5}
    with stand(patience=patience) as made:
        made.worker("echo")
        made.push(endpoints={"e": made.view("echo")})
        yield made


def test_a_connection_serves_one_request_after_the_other(ready: Stand) -> None:
    with ready.connect() as caller:
        for number in range(20):
            caller.sendall(invocation(b"%d" % number))
            assert read_answer(caller).body == b"%d" % number


def test_a_request_in_single_bytes_is_a_request(ready: Stand) -> None:
    with ready.connect() as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in invocation(b"slow"):
            caller.sendall(bytes([byte]))
        assert read_answer(caller).body == b"slow"


def test_a_chunked_request_with_trailers_reaches_the_worker_with_its_length(ready: Stand) -> None:
    with ready.connect() as caller:
        for _ in range(2):
            caller.sendall(head("POST", "/endpoints/e/invocations", "Transfer-Encoding: chunked"))
            caller.sendall(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nAuthorization: wrong\r\n\r\n")
            answer = read_answer(caller)
            assert (answer.status, answer.body) == (200, b"abcde")


def test_pipelined_requests_are_answered_in_order(ready: Stand) -> None:
    gate = Gate()
    ready.worker("gated", gate)
    endpoints = {**ready.snapshot.endpoints, "gated": ready.view("gated")}
    ready.push(endpoints=endpoints)
    with ready.connect() as caller:
        caller.sendall(
            invocation(b"first", endpoint="gated")
            + invocation(b"second")
            + invocation(b"third", endpoint="unknown")
            + head("GET", "/endpoints/e/invocations")
            + invocation(b"fifth", "Connection: close")
        )
        ready.call(gate.opened.set)
        text = read_to_end(caller)
    bodies = [text.find(each) for each in (b"first", b"second", b"unknown", b"POST", b"fifth")]
    assert -1 not in bodies
    assert bodies == sorted(bodies)
    assert text.count(b"HTTP/1.1 ") == 5


def test_thousands_of_pipelined_requests_are_answered(ready: Stand) -> None:
    many = 5000
    with ready.connect() as caller:
        sender = _send_aside(caller, invocation(b"", endpoint="unknown") * many)
        found = 0
        text = b""
        while found < many:
            text += caller.recv(1 << 20)
            found += text.count(b"HTTP/1.1 400")
            text = text[text.rfind(b"HTTP/1.1") :].removeprefix(b"HTTP/1.1 400")
        sender.join()


def test_requests_behind_one_that_waits_stay_with_the_caller(ready: Stand) -> None:
    gate = Gate()
    ready.worker("pipelined", gate)
    # Large ones: thousands of small ones would have to be answered in the end.
    ready.push(
        endpoints={"slow": ready.view("pipelined"), **ready.snapshot.endpoints},
        limits=ready.limits(body_bytes=100_000),
    )
    with ready.connect() as caller:
        caller.sendall(invocation(b"first", endpoint="slow"))
        caller.setblocking(False)
        requests = invocation(b"x" * 100_000) * 10
        sent = stuck = 0
        while stuck < 20:
            try:
                sent += caller.send(requests[sent % len(requests) :])
                stuck = 0
            except BlockingIOError:
                stuck += 1
                time.sleep(0.02)
            assert sent < 30_000_000
        caller.settimeout(TIMEOUT)
        ready.call(gate.opened.set)
        count = 1 + sent * 10 // len(requests)
        answers = read_answers(caller, count)
    assert answers[0].body == b"first"
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_answers_that_nobody_reads_are_not_piled_up(ready: Stand, pause: float) -> None:
    count, size = 40, 900_000
    worker = ready.worker(f"piled{pause}", lambda _: Reply(body=bytes(size)))
    view = ready.view(f"piled{pause}")
    ready.push(endpoints={"e": view}, limits=ready.limits(body_bytes=size))
    with ready.connect() as caller:
        for _ in range(count):
            caller.sendall(invocation(b"x"))
            time.sleep(pause)
        time.sleep(0.5)
        assert len(worker.requests) < count / 2
        answers = read_answers(caller, count)
    assert {(answer.status, len(answer.body)) for answer in answers} == {(200, size)}


def _send_aside(caller: socket.socket, data: bytes) -> threading.Thread:
    sender = threading.Thread(target=caller.sendall, args=(data,))
    sender.start()
    return sender


def test_connection_close_is_kept(ready: Stand) -> None:
    with ready.connect() as caller:
        caller.sendall(invocation(b"x", "Connection: close"))
        text = read_to_end(caller)
    assert b"Connection: close\r\n" in text
    assert text.endswith(b"\r\n\r\nx")


@pytest.mark.parametrize("keep", [True, False])
def test_http_1_0(ready: Stand, *, keep: bool) -> None:
    request = invocation(b"old", *(["Connection: keep-alive"] if keep else []))
    request = request.replace(b"HTTP/1.1", b"HTTP/1.0")
    with ready.connect() as caller:
        caller.sendall(request)
        answer = read_answer(caller)
        assert answer.body == b"old"
        assert answer.headers["Connection"] == ("keep-alive" if keep else "close")
        if keep:
            caller.sendall(request)
            assert read_answer(caller).body == b"old"
        else:
            assert caller.recv(1) == b""


def test_expect_100_continue(ready: Stand) -> None:
    with ready.connect() as caller:
        caller.sendall(invocation(b"abc", "Expect: 100-continue").removesuffix(b"abc"))
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(b"abc")
        assert read_answer(caller).body == b"abc"


def test_a_refused_body_is_not_asked_for(ready: Stand) -> None:
    request = head(
        "POST",
        "/endpoints/e/invocations",
        "Content-Length: 3",
        "Expect: 100-continue",
        token="pk_wrong",
    )
    with ready.connect() as caller:
        caller.sendall(request)
        answer = read_answer(caller)
        assert (answer.status, answer.headers["Connection"]) == (401, "close")


def test_a_refused_request_leaves_the_connection_as_it_was(ready: Stand) -> None:
    with ready.connect() as caller:
        caller.sendall(invocation(b"x" * 500).replace(TOKEN.encode(), b"pk_wrong"))
        assert read_answer(caller).status == 401
        caller.sendall(invocation(b"fine"))
        assert read_answer(caller).body == b"fine"


@pytest.mark.semantics("limits.body")
def test_the_largest_body_is_taken_one_more_byte_is_not(ready: Stand) -> None:
    assert ready.invoke(body=b"x" * LIMIT).status == 200
    answer = ready.invoke(body=b"x" * (LIMIT + 1))
    assert (answer.status, answer.kind) == (413, "RequestEntityTooLargeException")
    assert answer.json["Message"] == f"HTTP content length exceeded {LIMIT} bytes."


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_answered_while_it_is_sent(
    ready: Stand, *, declared: bool
) -> None:
    """The caller sends on, as many do, and still gets to read the answer."""
    piece = b"x" * 65536
    framing = f"Content-Length: {len(piece) * 200}" if declared else "Transfer-Encoding: chunked"
    chunk = piece if declared else b"%x\r\n%b\r\n" % (len(piece), piece)
    with ready.connect() as caller:
        caller.sendall(head("POST", "/endpoints/e/invocations", framing))
        for _ in range(200):
            caller.sendall(chunk)
        answer = read_answer(caller)
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        assert caller.recv(1) == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /endpoints/e/invocations HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        head("POST", "/endpoints/e/invocations", "Content-Length: 1", "Transfer-Encoding: chunked"),
        b"POST /endpoints/e/invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
    ],
)
def test_bad_http_is_told_so(ready: Stand, raw: bytes) -> None:
    with ready.connect() as caller:
        caller.sendall(raw)
        text = read_to_end(caller)
    assert text.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert text.count(b"HTTP/1.1 400") == 1
    assert "Message" in json.loads(text.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "more",
    [
        b"garbage",
        invocation(b"x"),
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
@pytest.mark.parametrize("endpoint", ["e", "unknown"])
def test_what_comes_after_the_last_request_is_passed_over(
    ready: Stand, endpoint: str, more: bytes
) -> None:
    request = invocation(b"last", "Connection: close", endpoint=endpoint)
    with ready.connect() as caller:
        caller.sendall(request + more)
        text = read_to_end(caller)
    assert text.count(b"HTTP/1.1 ") == 1
    with ready.connect() as caller:
        caller.sendall(invocation(b"x" * (LIMIT + 1)) + more)
        text = read_to_end(caller)
    assert text.startswith(b"HTTP/1.1 413 ")
    assert text.count(b"HTTP/1.1 ") == 1


def test_bad_http_after_a_request_does_not_harm_its_answer(ready: Stand) -> None:
    with ready.connect() as caller:
        caller.sendall(invocation(b"good") + b"\0\0\0")
        text = read_to_end(caller)
    assert text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\ngoodHTTP/1.1 400 Bad Request\r\n" in text


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head("GET", "/" + "x" * 9000), 414),
        (head("GET", "/", "X: " + "x" * 70_000), 431),
        (head("GET", "/", *[f"X-{number}: 1" for number in range(101)]), 431),
        (b"GET / HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyy\r\n" * 20_000, 431),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\n\r\n", 405),
    ],
)
def test_heads_beyond_all_bounds(ready: Stand, request_head: bytes, status: int) -> None:
    with ready.connect() as caller:
        _send_aside(caller, request_head).join()
        answer = read_answer(caller)
        assert (answer.status, answer.headers["Connection"]) == (status, "close")


def test_an_offer_of_another_protocol_is_passed_over(ready: Stand) -> None:
    """Java's client offers HTTP/2 in the clear with each first request."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    with ready.connect() as caller:
        for _ in range(2):
            caller.sendall(invocation(b"whole", *offer) + invocation(b"next"))
            assert [each.body for each in read_answers(caller, 2)] == [b"whole", b"next"]


def test_a_caller_that_hangs_up_takes_its_request_from_the_worker(ready: Stand) -> None:
    gate = Gate()
    worker = ready.worker("hang-up", gate)
    endpoints = {**ready.snapshot.endpoints, "hang": ready.view("hang-up")}
    ready.push(endpoints=endpoints)
    goer, stayer = ready.connect(), ready.connect()
    goer.sendall(invocation(b"goes", endpoint="hang"))
    wait_for(lambda: len(worker.requests) == 1)
    stayer.sendall(invocation(b"stays", endpoint="hang"))
    wait_for(lambda: len(worker.requests) == 2)
    goer.close()
    wait_for(lambda: worker.hung_up == 1)
    ready.call(gate.opened.set)
    assert read_answer(stayer).body == b"stays"
    stayer.close()
    wait_for(lambda: ready.usage[("hang", "main")]["invocations"] == 2)
    assert ready.usage[("hang", "main")]["in_flight"] == 0
    assert ready.usage[("hang", "main")]["model_errors"] == 0


def test_a_head_that_does_not_come_to_its_end(hasty: Stand) -> None:
    begun = time.monotonic()
    with hasty.connect() as caller:
        for byte in b"POST / HTTP/1.1\r\nX: " + b"x" * 4000:
            try:
                caller.sendall(bytes([byte]))
            except ConnectionError:
                break
            time.sleep(0.02)
        else:
            pytest.fail("it was read to its end")
        assert 0.3 < time.monotonic() - begun < 20


def test_a_connection_without_any_request(hasty: Stand) -> None:
    with hasty.connect() as caller:
        assert caller.recv(1) == b""


def test_a_body_that_stalls(hasty: Stand) -> None:
    with hasty.connect() as caller:
        caller.sendall(invocation(b"12345").removesuffix(b"345"))
        assert _end(caller) == b""


def test_a_caller_that_does_not_read_its_answer(hasty: Stand) -> None:
    worker = hasty.worker("large", lambda _: Reply(body=bytes(6_000_000)))
    hasty.push(endpoints={**hasty.snapshot.endpoints, "large": hasty.view("large")})
    with hasty.connect() as caller:
        caller.sendall(invocation(b"x", endpoint="large") * 3)
        wait_for(lambda: worker.requests)
        assert hasty.process is not None
        gateway, own = psutil.Process(hasty.process.pid), caller.getsockname()
        # Where it has hung up, what it had sent is there to be read.
        wait_for(lambda: all(each.raddr != own for each in gateway.net_connections("tcp4")))
        assert len(_end(caller)) < 18_000_000


def _end(caller: socket.socket) -> bytes:
    """Return what comes until the other side hangs up, in whatever way."""
    text = b""
    try:
        while piece := caller.recv(1 << 20):
            text += piece
    except ConnectionError:
        pass
    return text


def test_many_callers_at_once_each_get_their_own_answer(ready: Stand) -> None:
    def behave(request: Request) -> Reply:
        return echo(request)

    ready.worker("crowd", behave)
    ready.push(endpoints={"e": ready.view("echo", "crowd")})
    callers = [ready.connect() for _ in range(200)]
    for turn in range(5):
        for number, caller in enumerate(callers):
            caller.sendall(invocation(b"%d-%d" % (turn, number)))
        for number, caller in enumerate(callers):
            assert read_answer(caller).body == b"%d-%d" % (turn, number)
    for caller in callers:
        caller.close()


def test_a_down_endpoint_does_not_read_more_than_it_must(ready: Stand) -> None:
    down = link.Down(reason="expired", hint="h", retry_after=60)
    ready.push(endpoints={"e": link.EndpointView(down=down)})
    with ready.connect() as caller:
        caller.sendall(invocation(b"x" * 100))
        assert read_answer(caller).json["reason"] == "expired"
        caller.sendall(invocation(b"x" * 100))
        assert read_answer(caller).status == 503
