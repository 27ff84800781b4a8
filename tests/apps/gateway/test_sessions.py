"""Stateful sessions: whoever opened one answers for it."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps import link
from parkade.apps.gateway import sessions
from parkade.apps.gateway.instances import CONNECTIONS, Instance
from parkade.apps.gateway.sessions import Sessions
from parkade.apps.gateway.variants import Variant
from tests.apps.gateway.stand import Gate, Reply, invocation, read_answer, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Caught, Request, Stand

numbers = itertools.count()
SESSION = "X_Amzn_SageMaker_Session_Id"


def expires(seconds: float = 3600) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def model(name: str, lasting: float = 3600) -> Any:
    """Return a model that opens sessions, closes them when told `end`, and tells its name."""

    def behave(request: Request) -> Reply:
        asked = request.headers.get("x-amzn-sagemaker-session-id")
        headers = {}
        if asked == "NEW_SESSION":
            told = f"{request.body.decode()}; Expires={expires(lasting)}"
            headers["X-Amzn-SageMaker-New-Session-Id"] = told
        elif request.body == b"end":
            headers["X-Amzn-SageMaker-Closed-Session-Id"] = str(asked)
        return Reply(body=name.encode(), headers=headers)

    return behave


def workers(house: Stand, count: int = 4, **options: Any) -> list[str]:
    names = [f"m{next(numbers)}" for _ in range(count)]
    for name in names:
        house.worker(name, model(name, **options))
    house.push(endpoints={"e": house.view(*names)})
    return names


def begin(house: Stand, session: str) -> Caught:
    return house.invoke(body=session, **{SESSION: "NEW_SESSION"})


@pytest.mark.semantics("invoke.answer_headers", "invoke.sessions")
def test_a_session_stays_with_the_instance_that_opened_it(house: Stand) -> None:
    names = workers(house)
    held = {}
    for number in range(12):
        answer = begin(house, f"session-{number}")
        assert answer.headers["X-Amzn-SageMaker-New-Session-Id"].startswith(f"session-{number}; ")
        held[f"session-{number}"] = answer.body
    assert set(held.values()) == {name.encode() for name in names}
    for _ in range(3):
        for session, holder in held.items():
            assert house.invoke(**{SESSION: session}).body == holder


def test_a_stream_goes_to_its_session(house: Stand) -> None:
    workers(house)
    holder = begin(house, "streamed").body
    path = "/endpoints/e/invocations-response-stream"
    for _ in range(5):
        assert holder in house.invoke(path=path, **{SESSION: "streamed"}).body


def test_unknown_sessions_stick_to_one_instance_and_spread(house: Stand) -> None:
    names = workers(house)
    seen: Counter[bytes] = Counter()
    for number in range(60):
        answers = {house.invoke(**{SESSION: f"unknown-{number}"}).body for _ in range(2)}
        assert len(answers) == 1
        seen += Counter(answers)
    assert set(seen) == {name.encode() for name in names}


@pytest.mark.semantics("invoke.sessions")
def test_a_session_whose_instance_is_gone_is_closed(house: Stand) -> None:
    names = workers(house)
    holder = begin(house, "orphan").body.decode()
    house.push(endpoints={"e": house.view(*(name for name in names if name != holder))})
    answer = house.invoke(**{SESSION: "orphan"})
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "Session orphan of endpoint e is closed" in answer.json["Message"]
    assert house.invoke().status == 200


def test_a_session_that_the_model_closed_or_that_is_over_is_one_like_any_other(
    house: Stand,
) -> None:
    """What is no longer pinned does not fail where its instance goes."""
    names = workers(house)
    ended, over = begin(house, "ended").body.decode(), ""
    answer = house.invoke(body="end", **{SESSION: "ended"})
    assert answer.headers["X-Amzn-SageMaker-Closed-Session-Id"] == "ended"
    short = workers(house, lasting=-1)
    over = begin(house, "over").body.decode()
    assert house.invoke(**{SESSION: "over"}).status == 200
    left = [name for name in (*names, *short) if name not in {ended, over}]
    house.push(endpoints={"e": house.view(*left)})
    assert house.invoke(**{SESSION: "ended"}).status == 200
    assert house.invoke(**{SESSION: "over"}).status == 200


@pytest.mark.parametrize("told", ["", "x", "x; Expires=soon", "a_b; Expires=2030-01-01T00:00:00Z"])
def test_a_model_that_opens_a_session_in_other_words_opens_none(house: Stand, told: str) -> None:
    name = f"m{next(numbers)}"
    headers = {"X-Amzn-SageMaker-New-Session-Id": told}
    house.worker(name, lambda _: Reply(headers=headers))
    house.push(endpoints={"e": house.view(name)})
    assert begin(house, "s").status == 200
    assert "words that are none" in house.log


def test_a_session_does_not_queue_for_its_instance(house: Stand) -> None:
    gate = Gate()
    name = f"m{next(numbers)}"
    house.worker(name, gate)
    house.push(endpoints={"full": house.view(name)})
    callers = [house.connect() for _ in range(CONNECTIONS)]
    for caller in callers:
        caller.sendall(invocation(b"", endpoint="full"))
    wait_for(lambda: house.usage[("full", "main")]["in_flight"] == CONNECTIONS)
    answer = house.invoke("full", **{SESSION: "s"})
    assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
    assert answer.headers["Retry-After"] == "1"
    house.call(gate.opened.set)
    for caller in callers:
        read_answer(caller)
        caller.close()


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LIMIT", 3)
    now = 0.0
    table = Sessions(lambda: now)
    route = link.InstanceRoute(id="i", addresses=("/nowhere",))
    instance = Instance(route, lambda: None)
    variant = Variant("main", counter=None)  # type: ignore[arg-type]
    for session in "abcd":
        told = f"{session}; Expires=1970-01-01T00:01:00Z".encode()
        table.heed([b"X-Amzn-SageMaker-New-Session-Id: ", told, b"\r\n"], variant, instance)
    assert [session for session in "abcd" if table.find(session)] == ["b", "c", "d"]
    now = 60.0
    assert table.find("d") is None
