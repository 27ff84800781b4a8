"""Instances of several containers: one after the other, or the one that is named."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.gateway.stand import Flow, Reply, Stand, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STREAM = "/endpoints/{}/invocations-response-stream"
numbers = itertools.count()


def adds(text: str, **headers: str) -> Any:
    """Return a container that adds a text to what it is given."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Reply(body=request.body + text.encode(), headers=named)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def pipeline(
    house: Stand, *containers: Any, hostnames: tuple[str, ...] = (), direct: bool = False
) -> tuple[str, list[Any]]:
    """Serve an endpoint of one such instance; return its name and the containers' stubs."""
    number = next(numbers)
    named = [f"p{number}-{index}" for index in range(len(containers))]
    stubs = [house.worker(name, each) for name, each in zip(named, containers, strict=True)]
    fields = {"hostnames": hostnames or ("",) * len(containers), "direct": direct}
    endpoint = f"pipe{number}"
    house.push(endpoints={endpoint: house.view(",".join(named), **fields)})
    return endpoint, stubs


@pytest.mark.semantics("container.pipeline")
def test_each_answer_is_the_request_for_the_next_container(house: Stand) -> None:
    endpoint, (one, two, three) = pipeline(
        house,
        adds("1", Content_Type="text/one", X_Amzn_SageMaker_Custom_Attributes="a=1"),
        adds("2"),
        adds("3", Content_Type="text/three"),
    )
    answer = house.invoke(
        endpoint,
        body="0",
        Content_Type="text/csv",
        Accept="application/json",
        X_Amzn_SageMaker_Custom_Attributes="a=0",
        X_Amzn_SageMaker_Inference_Id="id-1",
        traceparent=TRACE,
        tracestate="a=1",
    )
    assert (answer.status, answer.body) == (200, b"0123")
    assert answer.headers["Content-Type"] == "text/three"
    headers = [stub.requests[0].headers for stub in (one, two, three)]
    # What a container does not tell is not told of it.
    assert [each.get("content-type") for each in headers] == ["text/csv", "text/one", None]
    assert [each.get("accept") for each in headers] == [None, None, "application/json"]
    attributes = [each["x-amzn-sagemaker-custom-attributes"] for each in headers]
    assert attributes == ["a=0", "a=1", "a=1"]
    assert {each["x-amzn-sagemaker-inference-id"] for each in headers} == {"id-1"}
    assert {(each["traceparent"], each["tracestate"]) for each in headers} == {(TRACE, "a=1")}
    assert {stub.requests[0].target for stub in (one, two, three)} == {"/invocations"}


@pytest.mark.parametrize(
    ("hostnames", "name"), [((), "container-2"), (("first", "second", ""), "second")]
)
def test_an_error_names_its_container(house: Stand, hostnames: tuple[str, ...], name: str) -> None:
    endpoint, stubs = pipeline(
        house,
        adds("1"),
        lambda _: Reply(status=415, body=b"what is this?"),
        adds("3"),
        hostnames=hostnames,
    )
    answer = house.invoke(endpoint)
    assert (answer.status, answer.kind) == (424, "ModelError")
    told = f'Received client error (415) from {name} with message "what is this?"'
    assert answer.json["Message"].startswith(told)
    assert not stubs[2].requests
    wait_for(lambda: house.usage[(endpoint, "main")]["errors_4xx"] == 1)
    assert house.usage[(endpoint, "main")]["invocations"] == 1


def test_only_the_last_container_streams(house: Stand) -> None:
    async def pieces(*texts: bytes) -> AsyncIterator[bytes]:
        for text in texts:
            yield text

    endpoint, (_, last) = pipeline(
        house,
        lambda _: Flow(pieces(b"a", b"b")),
        lambda request: Flow(pieces(request.body, b"c")),
    )
    assert house.invoke(endpoint).body == b"abc"
    assert last.requests[0].headers["content-length"] == "2"
    assert b"ab" in house.invoke(path=STREAM.format(endpoint)).body


def test_a_container_that_goes_away_has_the_pipeline_begun_again(house: Stand) -> None:
    replies = iter([None, Reply(body=b"good")])
    endpoint, (first, second) = pipeline(house, adds("1"), lambda _: next(replies))
    assert house.invoke(endpoint, body="0").body == b"good"
    assert [request.body for request in first.requests] == [b"0", b"0"]
    assert [request.body for request in second.requests] == [b"01", b"01"]
    wait_for(lambda: house.usage[(endpoint, "main")]["retried"] == 1)


def test_a_container_that_does_not_listen_yet_is_waited_for(house: Stand) -> None:
    house.worker("early", adds("1"))
    house.push(endpoints={"e": house.view("early,late", hostnames=("", ""))})
    with house.connect() as caller:
        caller.sendall(
            b"POST /endpoints/e/invocations HTTP/1.1\r\nAuthorization: pk_token-of-the-tests\r\n"
            b"Content-Length: 1\r\n\r\n0"
        )
        wait_for(lambda: "instance early,late refuses connections" in house.log)
        house.worker("late", adds("2"))
        assert caller.recv(4096).endswith(b"\r\n\r\n012")


@pytest.mark.semantics("container.pipeline")
def test_direct_invocation_asks_the_container_that_is_named(house: Stand) -> None:
    endpoint, stubs = pipeline(
        house, adds("1"), adds("2"), hostnames=("first", "second"), direct=True
    )
    for name, body in (("first", b"01"), ("second", b"02")):
        answer = house.invoke(
            endpoint, body="0", Accept="a/b", X_Amzn_SageMaker_Target_Container_Hostname=name
        )
        assert answer.body == body
    assert [len(stub.requests) for stub in stubs] == [1, 1]
    assert stubs[1].requests[0].headers["accept"] == "a/b"


def test_direct_invocation_needs_one_of_the_containers(house: Stand) -> None:
    endpoint, _ = pipeline(house, adds("1"), adds("2"), hostnames=("first", "second"), direct=True)
    for headers in ({}, {"X_Amzn_SageMaker_Target_Container_Hostname": "third"}):
        answer = house.invoke(endpoint, **headers)
        assert (answer.status, answer.kind) == (400, "ValidationError")
        assert "first, second" in answer.json["Message"]


def test_an_error_of_direct_invocation_names_its_container(house: Stand) -> None:
    endpoint, _ = pipeline(
        house,
        adds("1"),
        lambda _: Reply(status=500, body=b"no"),
        hostnames=("first", "second"),
        direct=True,
    )
    answer = house.invoke(endpoint, X_Amzn_SageMaker_Target_Container_Hostname="second")
    assert 'server error (500) from second with message "no"' in answer.json["Message"]


def test_a_container_cannot_be_named_where_none_is_chosen(house: Stand) -> None:
    endpoint, _ = pipeline(house, adds("1"), adds("2"), hostnames=("first", "second"))
    answer = house.invoke(endpoint, X_Amzn_SageMaker_Target_Container_Hostname="first")
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "not configured for direct invocation" in answer.json["Message"]
