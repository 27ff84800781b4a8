"""Errors have the form of SageMaker's runtime, so that boto3 raises its own classes."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from parkade.apps import link
from tests.apps.gateway.stand import Reply

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Request, Stand


@pytest.mark.semantics("invoke.model_error")
@pytest.mark.parametrize(
    ("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")]
)
def test_a_models_error_is_told_with_its_status_and_message(
    house: Stand, status: int, side: str
) -> None:
    name = f"error{status}"
    house.worker(name, lambda _: Reply(status=status, body='{"why": "ä"}'.encode()))
    house.push(endpoints={"e": house.view(name)})
    answer = house.invoke()
    assert (answer.status, answer.kind) == (424, "ModelError")
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json
    assert told["Message"].startswith(
        f'Received {side} error ({status}) from primary with message "{{"why": "ä"}}".'
    )
    assert told["OriginalStatusCode"] == status
    assert told["OriginalMessage"] == '{"why": "ä"}'
    assert told["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/e")


def test_a_models_long_error_is_cut(house: Stand) -> None:
    house.worker("long-error", lambda _: Reply(status=500, body=b"x" * 1_000_000))
    house.push(endpoints={"e": house.view("long-error")})
    told = house.invoke().json
    assert len(told["Message"]) < 2000
    assert len(told["OriginalMessage"]) == 65_536


@pytest.mark.semantics("invoke.time_limit")
def test_a_model_that_takes_too_long(house: Stand) -> None:
    async def forever(_: Request) -> Reply:
        await asyncio.sleep(1000)
        raise AssertionError

    house.worker("slow-model", forever)
    house.push(endpoints={"e": house.view("slow-model")}, limits=house.limits(model_seconds=0.3))
    begun = time.monotonic()
    answer = house.invoke()
    assert time.monotonic() - begun > 0.25
    assert (answer.status, answer.kind) == (424, "ModelError")
    assert (
        "Your invocation timed out while waiting for a response from container primary. Review "
        "the latency metrics for each container in Amazon CloudWatch" in answer.json["Message"]
    )


@pytest.mark.semantics("invoke.unknown_endpoint")
def test_an_unknown_endpoint(house: Stand) -> None:
    answer = house.invoke("nowhere")
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert answer.json["Message"] == "Endpoint nowhere of account 000000000000 not found."


def test_a_route_to_an_endpoint_that_is_gone(house: Stand) -> None:
    house.push(routes={"/gone": link.RouteView(endpoint="nowhere")})
    assert house.invoke(path="/gone").status == 400


def test_an_endpoint_that_is_down_says_why_and_what_to_do(house: Stand) -> None:
    down = link.Down(reason="failed: no such member", hint="parkade logs e", retry_after=59.2)
    house.push(endpoints={"e": link.EndpointView(down=down)})
    answer = house.invoke()
    assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
    assert answer.headers["Retry-After"] == "60"
    assert answer.json == {
        "Message": "Endpoint e is not running: failed: no such member.",
        "reason": "failed: no such member",
        "hint": "parkade logs e",
    }


def test_an_endpoint_that_starts_says_when_it_is_expected_as_of_now(house: Stand) -> None:
    # The snapshot is an hour old: what it said then of asking again holds no more.
    at = math.floor(time.time()) + 3600
    down = link.Down(reason="starting", hint="", retry_after=7200, expected_at=at)
    house.push(endpoints={"e": link.EndpointView(down=down)})
    answer = house.invoke()
    assert answer.json["expected_at"] == f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert 3000 < int(answer.headers["Retry-After"]) <= 3600


def test_an_endpoint_that_starts_for_longer_than_it_used_to_is_asked_for_soon(
    house: Stand,
) -> None:
    down = link.Down(reason="starting", hint="", retry_after=7200, expected_at=1_700_000_000)
    house.push(endpoints={"e": link.EndpointView(down=down)})
    answer = house.invoke()
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["expected_at"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("path", ["/endpoints/e/invocations", "/falcon"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_invocations_are_made_with_post(house: Stand, method: str, path: str) -> None:
    house.push(routes={"/falcon": link.RouteView(endpoint="e")})
    answer = house.invoke(path=path, method=method, body=b"")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.semantics("limits.body")
@pytest.mark.parametrize("framing", ["declared", "until-close"])
def test_an_answer_over_the_limit_is_the_models_error(house: Stand, framing: str) -> None:
    size = 2_000_001
    reply = Reply(body=b"x" * size)
    if framing == "until-close":
        reply = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + reply.body, close=True)
    house.worker(f"big-{framing}", lambda _: reply)
    house.push(
        endpoints={"e": house.view(f"big-{framing}")}, limits=house.limits(body_bytes=2_000_000)
    )
    answer = house.invoke()
    assert (answer.status, answer.kind) == (424, "ModelError")
    assert "larger than 2000000 bytes" in answer.json["OriginalMessage"]


@pytest.mark.semantics("limits.body")
def test_an_answer_as_large_as_allowed_arrives(house: Stand) -> None:
    house.worker("large")
    house.push(endpoints={"e": house.view("large")})
    body = bytes(6_291_456)
    assert house.invoke(body=body).body == body


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "within its answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Ty", "within its answer"),
        (b"nonsense\r\n\r\n", "not HTTP"),
    ],
)
def test_a_broken_answer_is_the_models_error(house: Stand, raw: bytes, text: str) -> None:
    name = f"broken{len(raw)}"
    worker = house.worker(name, lambda _: Reply(raw=raw, close=True))
    house.push(endpoints={"e": house.view(name)})
    answer = house.invoke()
    assert (answer.status, answer.kind) == (424, "ModelError")
    assert text in answer.json["Message"]
    assert len(worker.requests) == 1
