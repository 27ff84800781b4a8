"""What is no invocation passes through to the control process, in both directions."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.gateway.stand import (
    KEEPING,
    Gate,
    Reply,
    Stub,
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
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.apps.gateway.stand import Request, Stand

BIG = 20_000_000


class Control:
    """A control process whose behaviour each test sets."""

    def __init__(self, house: Stand) -> None:
        self.house = house
        self.behave: Callable[[Request], Any] = echo
        self.stub: Stub = house.play_control(self._behave)

    def _behave(self, request: Request) -> Any:
        return self.behave(request)


@pytest.fixture(scope="module")
def played(shared: Stand) -> Control:
    return Control(shared)


@pytest.fixture
def control(house: Stand, played: Control) -> Iterator[Control]:
    played.behave = echo
    played.stub.requests.clear()
    yield played
    wait_for(lambda: played.stub.open == 0, "all passages to be closed")
    assert house.process is not None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_any_method_and_address_passes(control: Control, method: str) -> None:
    answer = control.house.invoke(
        path="/v1/leases?limit=1&x=%20y", method=method, body=b"abc", X_Custom="1"
    )
    assert (answer.status, answer.body) == (200, b"abc")
    (request,) = control.stub.requests
    assert (request.method, request.target) == (method, "/v1/leases?limit=1&x=%20y")
    assert request.headers["x-custom"] == "1"
    assert request.headers["host"].startswith("127.0.0.1:")
    assert request.headers["x-forwarded-for"] == "127.0.0.1"
    assert request.headers["x-forwarded-proto"] == "http"
    assert request.headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/prod/endpoint-expiry?EndpointName=e", "/endpoint-expiry?EndpointName=e"),
        ("/prod", "/"),
        ("/prod?x", "/?x"),
        ("/product", "/product"),
        ("/unknown-route", "/unknown-route"),
        ("/endpoints/e/other", "/endpoints/e/other"),
        ("/a/../b//c", "/a/../b//c"),
    ],
)
def test_control_gets_what_the_gateway_does_not_serve(
    control: Control, path: str, target: str
) -> None:
    control.house.invoke(path=path)
    assert control.stub.requests[0].target == target


def test_headers_of_the_connection_do_not_pass(control: Control) -> None:
    control.behave = lambda _: Reply(
        headers={
            "Connection": "keep-alive, X-Own",
            "Keep-Alive": "timeout=5",
            "X-Own": "1",
            "X": "2",
        }
    )
    with control.house.connect() as caller:
        caller.sendall(
            head("GET", "/v1/x", "Connection: x-mine", "X-Mine: 1", "TE: trailers", "X-Yours: 2")
        )
        answer = read_answer(caller)
    sent = control.stub.requests[0].headers
    assert {"x-mine", "te", "connection"}.isdisjoint(sent)
    assert sent["x-yours"] == "2"
    assert (answer.headers["X"], answer.headers["X-Own"]) == ("2", None)
    assert answer.headers["Keep-Alive"] is None


def test_a_chain_of_proxies_is_kept(control: Control) -> None:
    control.house.invoke(path="/v1", X_Forwarded_For="9.9.9.9", X_Forwarded_Proto="https")
    sent = control.stub.requests[0].headers
    assert sent["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
    assert sent["x-forwarded-proto"] == "http"


def test_a_connection_serves_passages_and_invocations_in_turn(control: Control) -> None:
    house = control.house
    house.worker("mixed")
    house.push(endpoints={"e": house.view("mixed")})
    with house.connect() as caller:
        for _ in range(3):
            caller.sendall(head("PUT", "/v1/x", "Content-Length: 2") + b"ab" + invocation(b"cd"))
            assert [answer.body for answer in read_answers(caller, 2)] == [b"ab", b"cd"]


def test_a_large_upload_and_download_stream_through(control: Control) -> None:
    body = bytes(range(256)) * (BIG // 256)
    assert control.house.invoke(path="/v1/objects/b/k", method="PUT", body=body).body == body


def test_a_chunked_upload_stays_chunked(control: Control) -> None:
    with control.house.connect() as caller:
        caller.sendall(head("PUT", "/v1/objects/b/k", "Transfer-Encoding: chunked"))
        caller.sendall(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert read_answer(caller).body == b"abcde"
    assert control.stub.requests[0].headers["transfer-encoding"] == "chunked"


def test_control_that_reads_slowly_slows_the_caller_down(control: Control) -> None:
    """What neither side has taken stays with the caller, not in the gateway's memory."""
    house = control.house
    house.run(control.stub.stop())
    listener = house.control.dup()
    listener.setblocking(True)
    try:
        with house.connect() as caller:
            caller.sendall(head("PUT", "/v1/objects/b/k", f"Content-Length: {BIG * 10}"))
            taker, _ = listener.accept()
            caller.setblocking(False)
            sent = 0
            stuck = 0
            while stuck < 20:
                try:
                    sent += caller.send(bytes(65536))
                    stuck = 0
                except BlockingIOError:
                    stuck += 1
                    time.sleep(0.02)
            assert sent < BIG
            taker.close()
    finally:
        listener.close()
        house.run(control.stub.start(sock=house.control.dup()))


def test_a_caller_that_reads_slowly_slows_control_down(control: Control) -> None:
    produced = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal produced
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
        while True:
            produced += 65536
            yield bytes(65536)

    control.behave = lambda _: endless()
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        caller.connect(("127.0.0.1", control.house.port))
        caller.sendall(head("GET", "/v1/objects/b/k"))
        wait_for(lambda: produced)
        last = -1
        while produced != last:
            last = produced
            time.sleep(0.3)
        assert produced < BIG
        taken = 0
        while taken < BIG:
            taken += len(caller.recv(1 << 20))


def test_events_pass_one_by_one(control: Control) -> None:
    steps: asyncio.Queue[bytes] = asyncio.Queue()

    async def events() -> AsyncIterator[bytes]:
        yield (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        while piece := await steps.get():
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    control.behave = lambda _: events()
    with control.house.connect() as caller:
        caller.sendall(head("GET", "/v1/events/stream"))
        lines = caller.makefile("rb")
        while lines.readline() != b"\r\n":
            pass
        for number in range(3):
            event = b"data: %d\n\n" % number
            control.house.call(steps.put_nowait, event)
            assert lines.readline() == b"%x\r\n" % len(event)
            assert lines.read(len(event) + 2) == event + b"\r\n"
        control.house.call(steps.put_nowait, b"")
        assert lines.read(5) == b"0\r\n\r\n"
        # The connection goes on.
        control.behave = echo
        caller.sendall(head("GET", "/v1/x"))
        assert lines.readline() == b"HTTP/1.1 200 Some Reason\r\n"
        lines.close()


def test_an_answer_without_a_length_is_chunked_or_ends_with_the_connection(
    control: Control,
) -> None:
    control.behave = lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\n\r\nabc", close=True)
    with control.house.connect() as caller:
        caller.sendall(head("GET", "/v1/x"))
        answer = read_answer(caller)
        assert (answer.headers["Transfer-Encoding"], answer.body) == ("chunked", b"abc")
    with control.house.connect() as caller:
        caller.sendall(b"GET /v1/x HTTP/1.0\r\n\r\n")
        text = read_to_end(caller)
    assert text.endswith(b"\r\n\r\nabc")
    assert b"chunked" not in text


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(control: Control, status: int) -> None:
    control.behave = lambda _: Reply(raw=b"HTTP/1.1 %d Nothing\r\n\r\n" % status)
    with control.house.connect() as caller:
        for _ in range(2):
            caller.sendall(head("DELETE", "/v1/x"))
            assert read_answer(caller).status == status


def test_head_has_the_length_and_no_body(control: Control) -> None:
    control.behave = lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    with control.house.connect() as caller:
        for _ in range(2):
            caller.sendall(head("HEAD", "/v1/objects/b/k"))
            answer = read_answer(caller, method="HEAD")
            assert (answer.headers["Content-Length"], answer.body) == ("5000", b"")


def test_expect_100_continue_is_controls_to_answer(control: Control) -> None:
    request = head("PUT", "/v1/objects/b/k", "Content-Length: 3", "Expect: 100-continue")
    with control.house.connect() as caller:
        caller.sendall(request)
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(b"abc")
        assert read_answer(caller).body == b"abc"


def test_control_may_refuse_before_it_has_read_all(control: Control) -> None:
    house = control.house
    house.run(control.stub.stop())

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(Reply(status=401, body=b"no").wire())
        await writer.drain()
        while await reader.read(65536):
            pass
        writer.close()

    server = house.run(asyncio.start_unix_server(refuse, sock=house.control.dup(), **KEEPING))
    try:
        with house.connect() as caller:
            caller.sendall(head("PUT", "/v1/objects/b/k", f"Content-Length: {BIG}"))
            for _ in range(BIG // 65536):
                caller.sendall(bytes(65536))
            answer = read_answer(caller)
            assert (answer.status, answer.body) == (401, b"no")
            assert answer.headers["Connection"] == "close"
    finally:
        house.call(server.close)
        house.run(control.stub.start(sock=house.control.dup()))


def test_a_caller_that_hangs_up_ends_the_passage(control: Control) -> None:
    control.behave = Gate()
    with control.house.connect() as caller:
        caller.sendall(head("GET", "/v1/x"))
        wait_for(lambda: control.stub.requests)
    wait_for(lambda: control.stub.open == 0)


def test_an_answer_that_breaks_off_is_not_taken_for_whole(control: Control) -> None:
    control.behave = lambda _: Reply(
        raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", close=True
    )
    with control.house.connect() as caller:
        caller.sendall(head("GET", "/v1/x"))
        text = b""
        try:
            text = read_to_end(caller)
        except ConnectionResetError:
            return
    assert not text.endswith(b"0\r\n\r\n")


def test_an_answer_that_is_not_http(control: Control) -> None:
    control.behave = lambda _: Reply(raw=b"nonsense\r\n\r\n", close=True)
    answer = control.house.invoke(path="/v1/x")
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")


def test_reading_is_asked_again_when_control_dies_over_it(control: Control) -> None:
    control.behave = lambda request: None if request.number == 0 else echo(request)
    assert control.house.invoke(path="/v1/x", method="GET", body=b"").status == 200
    assert len(control.stub.requests) == 2


def test_writing_is_not_asked_again_when_control_dies_over_it(control: Control) -> None:
    control.behave = lambda _: None
    answer = control.house.invoke(path="/v1/x")
    assert answer.status == 503
    assert answer.json["error"]["code"] == "unavailable"
    assert "went away" in answer.json["error"]["message"]
    assert answer.json["error"]["hint"]
    assert answer.headers["Retry-After"] == "1"
    assert len(control.stub.requests) == 1


def test_requests_wait_for_a_control_process_that_is_on_its_way_back() -> None:
    with stand(numbers={"passage.PATIENCE": 10_000}) as house:
        house.push()
        house.close_link()
        with house.connect() as one, house.connect() as two:
            one.sendall(head("GET", "/v1/x"))
            two.sendall(head("POST", "/v1/x", "Content-Length: 3") + b"abc")
            time.sleep(0.5)
            house.open_link()
            house.play_control(echo)
            assert read_answer(one).status == 200
            assert read_answer(two).body == b"abc"


def test_without_control_management_is_refused_and_invocations_go_on() -> None:
    with stand(numbers={"passage.PATIENCE": 1.0}) as house:
        house.worker("w")
        house.push(endpoints={"e": house.view("w")})
        house.close_link()
        begun = time.monotonic()
        answer = house.invoke(path="/v1/x")
        assert time.monotonic() - begun > 0.9
        assert answer.status == 503
        assert answer.json["error"]["code"] == "unavailable"
        assert house.invoke().status == 200
