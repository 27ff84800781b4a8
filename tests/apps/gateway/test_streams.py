"""Answers that are passed on while the model still makes them."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.apps import link
from parkade.apps.gateway.eventstream import PART_LIMIT
from tests.apps.gateway.stand import (
    LIMIT,
    Flow,
    Reply,
    Stand,
    head,
    invocation,
    read_answer,
    read_to_end,
    stand,
    wait_for,
)
from tests.apps.gateway.test_signed import client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.apps.gateway.stand import Request, Stub

STREAM = "/endpoints/{}/invocations-response-stream"
names = (f"s{number}" for number in itertools.count())


class Script:
    """What a model makes, when the test says so: pieces, then an end, or a broken one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.sent = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self._queue.get()) is not None:
            yield piece
            self.sent += 1

    def say(self, house: Stand, *pieces: bytes | None) -> None:
        for piece in pieces:
            house.call(self._queue.put_nowait, piece)


def scripted(house: Stand, *, broken: bool = False, **headers: str) -> tuple[str, Script, Stub]:
    """Serve an endpoint whose model makes what the script says; return the endpoint's name."""
    script, name = Script(), next(names)
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    worker = house.worker(name, lambda _: Flow(script.pieces(), headers=given, broken=broken))
    house.push(endpoints={**house.snapshot.endpoints, name: house.view(name)})
    return name, script, worker


def served(house: Stand, behave: Any) -> str:
    name = next(names)
    house.worker(name, behave)
    house.push(endpoints={**house.snapshot.endpoints, name: house.view(name)})
    return name


@contextmanager
def opened(
    house: Stand, endpoint: str, path: str = "/endpoints/{}/invocations", **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """Begin an invocation and give its answer, of which the head alone is read."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=LIMIT)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named["Authorization"] = "pk_token-of-the-tests"
    try:
        connection.request("POST", path.format(endpoint), b"{}", named)
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def events(house: Stand, endpoint: str, **options: Any) -> tuple[dict[str, Any], Iterator[bytes]]:
    """Invoke with boto3; return its answer, and the parts as they are read."""
    caller = client(house)
    try:
        answer = caller.invoke_endpoint_with_response_stream(
            EndpointName=endpoint, Body=b"{}", **options
        )
    except ClientError:
        caller.close()
        raise
    return answer, _parts(caller, answer["Body"])


def _parts(caller: Any, stream: Any) -> Iterator[bytes]:
    try:
        yield from (event["PayloadPart"]["Bytes"] for event in stream)
    finally:
        stream.close()
        caller.close()


def in_flight(house: Stand, endpoint: str) -> int:
    return house.usage[(endpoint, "main")]["in_flight"]


# boto3, in AWS's encoding.


@pytest.mark.semantics("invoke.stream_headers", "invoke.stream")
def test_boto3_reads_each_part_as_the_model_makes_it(house: Stand) -> None:
    endpoint, script, worker = scripted(
        house, Content_Type="text/csv", X_Amzn_SageMaker_Custom_Attributes="trace=1"
    )
    script.say(house, b"one,")
    answer, parts = events(
        house,
        endpoint,
        Accept="text/csv",
        ContentType="application/json",
        InferenceId="id-1",
        CustomAttributes="trace=0",
        TargetVariant="main",
    )
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "main"
    assert answer["CustomAttributes"] == "trace=1"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert next(parts) == b"one,"
    for piece in (b"two,", b"three,"):
        # The next is not made before the one before was read.
        script.say(house, piece)
        assert next(parts) == piece
    script.say(house, None)
    assert list(parts) == []
    sent = worker.requests[0].headers
    assert (sent["accept"], sent["content-type"]) == ("text/csv", "application/json")
    assert sent["x-amzn-sagemaker-inference-id"] == "id-1"
    assert not {name for name in sent if name.startswith(("x-amz-", "x-amzn-sagemaker-accept"))}


def test_the_first_part_is_there_within_50_ms_of_the_models(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    delays = []
    for _ in range(5):
        with opened(house, endpoint) as answer:
            begun = time.monotonic()
            script.say(house, b"now")
            assert answer.read1(100) == b"now"
            delays.append(time.monotonic() - begun)
            script.say(house, None)
    # The best of some: the machine may be busy, the gateway may not wait.
    assert min(delays) < 0.05


def test_a_model_that_answers_whole_is_a_stream_too(house: Stand) -> None:
    endpoint = served(house, lambda _: Reply(body=b"whole", headers={"Content-Type": "a/b"}))
    answer, parts = events(house, endpoint)
    assert answer["ContentType"] == "a/b"
    assert list(parts) == [b"whole"]


def test_an_empty_answer_has_no_parts(house: Stand) -> None:
    endpoint = served(house, lambda _: Reply(body=b""))
    assert list(events(house, endpoint)[1]) == []


@pytest.mark.semantics("limits.body")
def test_large_parts_are_split_and_have_no_limit_in_sum(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    house.push(limits=house.limits(body_bytes=100_000))
    piece = bytes(range(256)) * 2000
    script.say(house, piece, piece, None)
    parts = list(events(house, endpoint)[1])
    assert b"".join(parts) == piece * 2
    assert max(map(len, parts)) <= PART_LIMIT


def test_a_models_error_before_the_stream_is_a_model_error(house: Stand) -> None:
    endpoint = served(house, lambda _: Reply(status=503, body=b"busy"))
    with pytest.raises(ClientError) as raised:
        events(house, endpoint)
    told = raised.value.response
    assert told["Error"]["Code"] == "ModelError"
    assert (told["OriginalStatusCode"], told["OriginalMessage"]) == (503, "busy")


def test_a_model_that_dies_before_it_answers_is_tried_again(house: Stand) -> None:
    replies = iter([None, Reply(body=b"second")])
    endpoint = served(house, lambda _: next(replies))
    assert list(events(house, endpoint)[1]) == [b"second"]


def test_a_model_that_dies_within_its_stream_is_told_as_broken(house: Stand) -> None:
    endpoint, script, worker = scripted(house, broken=True)
    script.say(house, b"one", None)
    _, parts = events(house, endpoint)
    assert next(parts) == b"one"
    with pytest.raises(EventStreamError) as raised:
        next(parts)
    told = raised.value.response
    assert told["Error"]["Code"] == "ModelStreamError"
    assert "closed the connection within its answer" in str(raised.value)
    # It was begun, so it is not tried again; and it is counted.
    assert len(worker.requests) == 1
    wait_for(lambda: house.usage[(endpoint, "main")]["model_errors"] == 1)
    assert house.usage[(endpoint, "main")]["streams"] == 1


@pytest.mark.semantics("invoke.stream_errors")
def test_the_code_of_a_failure_is_in_its_frame(house: Stand) -> None:
    endpoint, script, _ = scripted(house, broken=True)
    script.say(house, b"one", None)
    with opened(house, endpoint, STREAM) as answer:
        wire = answer.read()
    assert b'"ErrorCode": "StreamBroken"' in wire
    assert answer.isclosed()


@pytest.mark.semantics("invoke.stream_time", "invoke.stream_errors")
def test_a_stream_that_takes_too_long_is_told_so(house: Stand) -> None:
    endpoint, script, worker = scripted(house)
    house.push(limits=house.limits(stream_seconds=0.5))
    script.say(house, b"one")
    with opened(house, endpoint, STREAM) as answer:
        wire = answer.read()
    assert b"one" in wire
    assert b'"ErrorCode": "ModelInvocationTimeExceeded"' in wire
    wait_for(lambda: worker.hung_up == 1)


def test_a_first_byte_that_takes_too_long_is_a_model_error(house: Stand) -> None:
    async def forever(_: Request) -> None:
        await asyncio.sleep(1000)

    endpoint = served(house, forever)
    house.push(limits=house.limits(model_seconds=0.3))
    answer = house.invoke(path=STREAM.format(endpoint))
    assert (answer.status, answer.kind) == (424, "ModelError")


@pytest.mark.semantics("names.session_id")
def test_a_stream_opens_no_session(house: Stand) -> None:
    endpoint = served(house, lambda _: Reply())
    answer = house.invoke(path=STREAM.format(endpoint), X_Amzn_SageMaker_Session_Id="NEW_SESSION")
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "at 'sessionId' failed to satisfy constraint" in answer.json["Message"]


@pytest.mark.semantics("invoke.paths")
@pytest.mark.parametrize("prefix", ["", "/prod"])
def test_the_door_of_streams(house: Stand, prefix: str) -> None:
    endpoint = served(house, lambda _: Reply(body=b"x"))
    house.push(endpoints={"a": house.snapshot.endpoints[endpoint]})
    for path in (STREAM.format("a"), STREAM.format("%61") + "?q=1"):
        answer = house.invoke(path=prefix + path)
        assert answer.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    assert house.invoke(path=prefix + STREAM.format("nowhere")).kind == "ValidationError"
    assert house.invoke(path=prefix + STREAM.format("a"), token=None).status == 401


# The other doors, as the model sends it.


@pytest.mark.parametrize("door", ["/endpoints/{}/invocations", "/tell"])
def test_a_chunked_answer_passes_in_chunks(house: Stand, door: str) -> None:
    endpoint, script, _ = scripted(house, Content_Type="text/event-stream")
    house.push(routes={"/tell": link.RouteView(endpoint=endpoint)})
    with opened(house, endpoint, door) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "main"
        for piece in (b"data: one\n\n", b"data: two\n\n"):
            script.say(house, piece)
            assert answer.read1(100) == piece
        script.say(house, None)
        assert answer.read() == b""


def test_events_of_a_model_that_does_not_frame_them_pass_as_they_come(house: Stand) -> None:
    gate = asyncio.Event()

    async def unframed() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n"
        await gate.wait()
        yield b"data: two\n\n"

    endpoint = served(house, lambda _: unframed())
    with opened(house, endpoint) as answer:
        assert answer.read1(100) == b"data: one\n\n"
        house.call(gate.set)
        assert answer.read() == b"data: two\n\n"


def test_an_error_is_never_streamed(house: Stand) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"no "
        await asyncio.sleep(0.05)
        yield b"good"

    endpoint = served(house, lambda _: Flow(pieces(), status=500))
    for path in ("/endpoints/{}/invocations", STREAM):
        answer = house.invoke(path=path.format(endpoint))
        assert (answer.status, answer.json["OriginalMessage"]) == (424, "no good")


def test_a_broken_stream_has_no_end(house: Stand) -> None:
    endpoint, script, _ = scripted(house, broken=True)
    with opened(house, endpoint) as answer:
        script.say(house, b"one", None)
        with pytest.raises(http.client.IncompleteRead) as raised:
            answer.read()
        assert raised.value.partial == b"one"
    # The next caller is not concerned.
    script.say(house, b"two", None)
    with opened(house, endpoint) as answer:
        assert answer.read1(100) == b"two"


def test_nonsense_within_a_stream_breaks_it(house: Stand) -> None:
    async def nonsense() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\nnonsense\r\n"

    endpoint = served(house, lambda _: nonsense())
    with opened(house, endpoint) as answer, pytest.raises(http.client.IncompleteRead) as raised:
        answer.read()
    assert raised.value.partial == b"one"


def test_what_comes_behind_a_stream_is_given_to_nobody(house: Stand) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"

    def behave(_: Request) -> Reply:
        return Reply(raw=chunked + Reply(body=b"smuggled").wire())

    endpoint = served(house, behave)
    for _ in range(2):
        assert list(events(house, endpoint)[1]) == [b"one"]
        assert house.invoke(endpoint).body == b"one"


def test_a_caller_of_http_1_0_reads_until_the_end(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    for path in ("/endpoints/{}/invocations", STREAM):
        with house.connect() as caller:
            request = head("POST", path.format(endpoint), "Content-Length: 0")
            caller.sendall(request.replace(b"HTTP/1.1", b"HTTP/1.0"))
            script.say(house, b"one", b"two", None)
            answer = read_to_end(caller)
        top, _, body = answer.partition(b"\r\n\r\n")
        assert b"Connection: close" in top
        assert b"Transfer-Encoding" not in top
        assert body == b"onetwo" or (b"one" in body and b"PayloadPart" in body)


def test_the_connections_go_on_after_a_stream(house: Stand) -> None:
    endpoint, script, worker = scripted(house)
    with house.connect() as caller:
        for _ in range(3):
            caller.sendall(invocation(b"{}", endpoint=endpoint))
            script.say(house, b"one", b"two", None)
            assert read_answer(caller).body == b"onetwo"
    assert (worker.connections, len(worker.requests)) == (1, 3)


def test_pipelined_requests_are_answered_behind_a_stream(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    whole = served(house, lambda _: Reply(body=b"whole"))
    with house.connect() as caller:
        caller.sendall(invocation(b"{}", endpoint=endpoint) + invocation(b"{}", endpoint=whole))
        script.say(house, b"one")
        assert caller.recv(5) == b"HTTP/"
        script.say(house, b"two", None)
        rest = b""
        while not rest.endswith(b"whole"):
            rest += caller.recv(4096)
        assert rest.index(b"two") < rest.index(b"0\r\n\r\nHTTP/1.1 200 OK")


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.binary(min_size=1, max_size=3000), max_size=8),
    st.lists(st.integers(min_value=1, max_value=4000), max_size=6),
    st.booleans(),
)
def test_any_chunking_gives_the_same_body(
    house: Stand,
    pieces: list[bytes],
    cuts: list[int],
    chunked: bool,  # noqa: FBT001  as hypothesis gives it
) -> None:
    body = b"".join(pieces)
    framing, wire = b"Content-Length: %d" % len(body), body
    if chunked:
        framing = b"Transfer-Encoding: chunked"
        wire = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"
    wire = b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % framing + wire

    async def cut() -> AsyncIterator[bytes]:
        rest = wire
        for size in cuts:
            yield rest[:size]
            rest = rest[size:]
            await asyncio.sleep(0.001)
        yield rest

    replies = [cut(), cut()]
    endpoint = served(house, lambda _: replies.pop())
    assert house.invoke(endpoint).body == body
    assert b"".join(events(house, endpoint)[1]) == body


# Slow callers, callers that leave, a gateway that ends, snapshots that change.


def test_a_slow_reader_holds_the_model_and_not_the_memory(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    piece = bytes(200_000)
    with house.connect() as caller:
        caller.sendall(invocation(b"{}", endpoint=endpoint))
        assert caller.recv(5) == b"HTTP/"
        script.say(house, *([piece] * 200))
        # It comes to a stop far from the end, for nobody reads.
        stopped = -1
        while script.sent != stopped:
            stopped = script.sent
            before = time.monotonic()
            wait_for(lambda then=before: time.monotonic() - then > 0.3)
        assert script.sent < 150
        script.say(house, None)
        got = 5
        while got < len(piece) * 200:
            got += len(caller.recv(1_000_000))
    wait_for(lambda: script.sent == 200)
    # The worker's connection, held at times, serves on.
    script.say(house, b"again", None)
    assert house.invoke(endpoint).body == b"again"


@pytest.mark.parametrize("path", ["/endpoints/{}/invocations", STREAM], ids=["plain", "events"])
def test_a_caller_who_leaves_ends_the_models_work(house: Stand, path: str) -> None:
    endpoint, script, worker = scripted(house)
    with opened(house, endpoint, path) as answer:
        script.say(house, b"one")
        assert answer.read1(1)
        wait_for(lambda: in_flight(house, endpoint) == 1)
    wait_for(lambda: worker.hung_up == 1)
    wait_for(lambda: in_flight(house, endpoint) == 0)
    assert house.usage[(endpoint, "main")]["invocations"] == 1


def test_a_stream_keeps_its_place_and_is_counted_to_its_end(house: Stand) -> None:
    endpoint, script, _ = scripted(house)
    used = house.usage[(endpoint, "main")]
    with opened(house, endpoint) as answer:
        script.say(house, b"one")
        assert answer.read1(100) == b"one"
        wait_for(lambda: used["in_flight"] == 1)
        begun = time.monotonic()
        wait_for(lambda: time.monotonic() - begun > 0.2)
        assert used["invocations"] == 0
        script.say(house, None)
        assert answer.read() == b""
    wait_for(lambda: used["invocations"] == 1)
    assert (used["streams"], used["in_flight"]) == (1, 0)
    assert used["model_us"] >= 200_000
    assert 0 < used["first_byte_us"] < used["model_us"]


@pytest.mark.parametrize("path", ["/endpoints/{}/invocations", STREAM], ids=["plain", "events"])
def test_a_change_of_the_snapshot_cuts_no_stream(house: Stand, path: str) -> None:
    endpoint, script, _ = scripted(house)
    with opened(house, endpoint, path) as answer:
        script.say(house, b"one")
        house.push(endpoints={})
        script.say(house, b"two", None)
        whole = answer.read()
        assert whole.index(b"one") < whole.index(b"two")
        assert b"exception" not in whole


def test_a_gateway_that_ends_lets_streams_come_to_theirs() -> None:
    with stand() as house:
        endpoint, script, _ = scripted(house)
        with opened(house, endpoint) as answer, house.connect() as idle:
            idle.sendall(head("POST", "/endpoints/nowhere/invocations", "Content-Length: 0"))
            assert read_answer(idle).status == 400
            script.say(house, b"one")
            assert answer.read1(100) == b"one"
            assert house.process is not None
            house.process.send_signal(signal.SIGTERM)
            # The gateway has begun to end when it closes what is idle.
            assert idle.recv(1) == b""
            script.say(house, b"two", None)
            assert answer.read() == b"two"
        assert house.process.wait(LIMIT) == 0


@pytest.mark.semantics("invoke.stream_errors")
def test_a_stream_that_outlasts_the_gateway_is_told_so() -> None:
    with stand(patience={"drain": 0.3}) as house:
        endpoint, script, _ = scripted(house)
        with opened(house, endpoint, STREAM) as answer:
            script.say(house, b"one")
            assert answer.read1(1)
            assert house.process is not None
            house.process.send_signal(signal.SIGTERM)
            wire = answer.read()
        assert b"InternalStreamFailure" in wire
        assert house.process.wait(LIMIT) == 0
