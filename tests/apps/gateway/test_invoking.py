"""What reaches a worker, what comes back, and which worker it is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from parkade.apps import link
from tests.apps.gateway.stand import Gate, Reply, Request, echo, head, read_answer, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand

ALL_BYTES = bytes(range(256)) * 3


def test_body_and_content_type_pass_untouched_in_both_directions(house: Stand) -> None:
    worker = house.worker("plain")
    house.push(endpoints={"e": house.view("plain")})
    answer = house.invoke(body=ALL_BYTES, Content_Type='application/x; a="b"')
    assert (answer.status, answer.body) == (200, ALL_BYTES)
    assert answer.headers["Content-Type"] == 'application/x; a="b"'
    assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "main"
    (request,) = worker.requests
    assert (request.method, request.target, request.body) == ("POST", "/invocations", ALL_BYTES)


@pytest.mark.semantics("invoke.paths")
@pytest.mark.parametrize(
    "path",
    [
        "/endpoints/e/invocations",
        "/prod/endpoints/e/invocations",
        "/endpoints/e/invocations?x=1",
        "/endpoints/%65/invocations",
        "/falcon",
        "/prod/falcon",
        "/prod/falcon?q",
        "http://elsewhere/falcon?q",
    ],
)
def test_addresses_lead_to_the_endpoint(house: Stand, path: str) -> None:
    name = f"a{abs(hash(path))}"
    house.worker(name)
    house.push(endpoints={"e": house.view(name)}, routes={"/falcon": link.RouteView(endpoint="e")})
    assert house.invoke(path=path, body="ok").body == b"ok"


def test_a_broken_origin_says_nothing(house: Stand) -> None:
    house.worker("origin")
    house.push(endpoints={"e": house.view("origin")})
    with house.connect() as caller:
        caller.sendall(head("POST", "http://[/endpoints/e/invocations", "Content-Length: 0"))
        assert read_answer(caller).status == 200


def test_the_prefix_is_taken_off_once(house: Stand) -> None:
    control = house.play_control(lambda _: Reply(status=404))
    try:
        assert house.invoke(path="/prod/prod/falcon").status == 404
        assert control.requests[0].target == "/prod/falcon"
    finally:
        house.run(control.stop())


@pytest.mark.semantics("invoke.headers")
def test_only_sagemakers_headers_reach_the_worker(house: Stand) -> None:
    worker = house.worker("headers")
    house.push(endpoints={"e": house.view("headers")})
    passed = {
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
        "X-Amzn-SageMaker-Target-Variant": "main",
        "X-Amzn-SageMaker-Inference-Id": "id-1",
        "X-Amzn-SageMaker-Session-Id": "NEW_SESSION",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }
    house.invoke(**passed, Cookie="secret", X_Forwarded_For="1.2.3.4", Accept_Encoding="gzip")
    sent = worker.requests[0].headers
    assert sent.pop("host") == "localhost"
    assert sent.pop("content-length") == "13"
    assert sent == {name.lower(): value for name, value in passed.items()}


@pytest.mark.parametrize("operation", ["invocations", "invocations-response-stream"])
def test_a_trace_context_that_is_not_valid_is_dropped(house: Stand, operation: str) -> None:
    name = f"traces-{operation}"
    worker = house.worker(name)
    house.push(endpoints={name: house.view(name)})
    path = f"/endpoints/{name}/{operation}"
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for given in (
        {"traceparent": parent, "tracestate": "a=1"},
        {"traceparent": parent, "tracestate": "not a state"},
        {"traceparent": "00-1-2-01", "tracestate": "a=1"},
        {"tracestate": "a=1"},
        {"baggage": "user=1"},
    ):
        assert house.invoke(path=path, **given).status == 200
    passed = [
        (each.headers.get("traceparent"), each.headers.get("tracestate"))
        for each in worker.requests
    ]
    assert passed == [(parent, "a=1"), (parent, None), (None, None), (None, None), (None, None)]
    assert not any("baggage" in each.headers for each in worker.requests)


@pytest.mark.semantics("invoke.answer_headers")
def test_only_sagemakers_headers_come_back(house: Stand) -> None:
    passed = {
        "Content-Type": "text/csv",
        "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
        "X-Amzn-SageMaker-New-Session-Id": "s; Expires=2030-01-01T00:00:00Z",
        "X-Amzn-SageMaker-Closed-Session-Id": "s",
    }
    house.worker("back", lambda _: Reply(headers={**passed, "Server": "x", "Set-Cookie": "y"}))
    house.push(endpoints={"e": house.view("back")})
    headers = dict(house.invoke().headers)
    assert passed.items() <= headers.items()
    assert not {"Server", "Set-Cookie"} & headers.keys()


def test_every_answer_has_its_own_request_id(house: Stand) -> None:
    house.worker("ids")
    house.push(endpoints={"e": house.view("ids")})
    answers = [house.invoke(), house.invoke(), house.invoke("unknown"), house.invoke(token=None)]
    ids = {answer.headers["x-amzn-RequestId"] for answer in answers}
    assert len(ids) == 4
    assert {len(each) for each in ids} == {36}


def test_a_chunked_answer_and_one_without_a_length_arrive_whole(house: Stand) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n\r\nabc"
    interim = b"HTTP/1.1 100 Continue\r\nContent-Type: no/no\r\n\r\n" + chunked
    raws = iter([chunked, endless, interim])
    house.worker("framing", lambda _: Reply(raw=next(raws), close=True))
    house.push(endpoints={"e": house.view("framing")})
    answers = [house.invoke(), house.invoke(), house.invoke()]
    assert [answer.body for answer in answers] == [b"abc"] * 3
    assert [answer.headers["Content-Length"] for answer in answers] == ["3"] * 3
    assert answers[2].headers["Content-Type"] is None


@pytest.mark.semantics("limits.weight")
def test_variants_share_by_weight_exactly(house: Stand) -> None:
    for name in ("share-a", "share-b", "share-c"):
        house.worker(name)
    variants = (
        house.variant("a", "share-a", weight=7),
        house.variant("b", "share-b", weight=2),
        house.variant("c", "share-c", weight=1),
        house.variant("none", weight=90),
        house.variant("zero", "share-c", weight=0),
    )
    house.push(endpoints={"e": link.EndpointView(variants=variants)})
    seen = Counter(house.invoke().headers["x-Amzn-Invoked-Production-Variant"] for _ in range(50))
    assert seen == {"a": 35, "b": 10, "c": 5}


def test_without_any_weight_variants_share_evenly(house: Stand) -> None:
    house.worker("even-a")
    house.worker("even-b")
    variants = (
        house.variant("a", "even-a", weight=0),
        house.variant("b", "even-b", weight=0),
    )
    house.push(endpoints={"e": link.EndpointView(variants=variants)})
    seen = Counter(house.invoke().headers["x-Amzn-Invoked-Production-Variant"] for _ in range(10))
    assert seen == {"a": 5, "b": 5}


@pytest.mark.semantics("invoke.target_variant")
def test_the_target_variant_overrides_the_weights(house: Stand) -> None:
    house.worker("target-a")
    house.worker("target-b")
    variants = (
        house.variant("a", "target-a", weight=1),
        house.variant("b", "target-b", weight=0),
    )
    house.push(endpoints={"e": link.EndpointView(variants=variants)})
    for _ in range(3):
        answer = house.invoke(X_Amzn_SageMaker_Target_Variant="b")
        assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "b"
    answer = house.invoke(X_Amzn_SageMaker_Target_Variant="x")
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "x" in answer.json["Message"]


@pytest.mark.semantics("limits.routing")
def test_the_instance_with_the_fewest_requests_in_flight_is_asked(house: Stand) -> None:
    gates = {name: Gate() for name in ("least-1", "least-2", "least-3")}
    workers = {name: house.worker(name, gate) for name, gate in gates.items()}
    house.push(endpoints={"e": house.view(*workers)})
    callers = [house.connect() for _ in range(9)]
    for number, caller in enumerate(callers, 1):
        caller.sendall(
            b"POST /endpoints/e/invocations HTTP/1.1\r\nAuthorization: pk_token-of-the-tests\r\n"
            b"Content-Length: 1\r\n\r\nx"
        )
        wait_for(lambda n=number: sum(len(each.requests) for each in workers.values()) == n)
    assert {name: len(each.requests) for name, each in workers.items()} == dict.fromkeys(gates, 3)
    for gate in gates.values():
        house.call(gate.opened.set)
    for caller in callers:
        assert caller.recv(4096).startswith(b"HTTP/1.1 200")
        caller.close()


def test_worker_connections_are_kept_and_used_again(house: Stand) -> None:
    worker = house.worker("kept")
    house.push(endpoints={"e": house.view("kept")})
    for _ in range(20):
        house.invoke()
    assert (worker.connections, len(worker.requests)) == (1, 20)


def test_a_second_answer_nobody_asked_for_is_given_to_nobody(house: Stand) -> None:
    def behave(request: Request) -> Reply:
        reply = echo(request)
        if request.body == b"first":
            reply.raw = reply.wire() + Reply(body=b"smuggled").wire()
        return reply

    worker = house.worker("surplus", behave)
    house.push(endpoints={"e": house.view("surplus")})
    assert house.invoke(body="first").body == b"first"
    assert house.invoke(body="second").body == b"second"
    assert worker.connections == 2
