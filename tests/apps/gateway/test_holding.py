"""Callers of what is not there yet: held within bounds, told where to look, or refused."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from parkade.apps import link
from parkade.apps.gateway.wishes import AGAIN
from tests.apps.gateway.stand import (
    TOKEN,
    Caught,
    Flow,
    Gate,
    head,
    invocation,
    read_answer,
    read_answers,
    stand,
    wait_for,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator

    from tests.apps.gateway.stand import Request, Stand

#: As long as any of these tests may take.
LONG = "Prefer: wait=600"
STARTING = link.Down(reason="starting", hint="it is being started", retry_after=7)
ASLEEP = link.Down(reason="asleep", hint="a request wakes it", retry_after=3, wakes=True)


def down(line: link.Down = STARTING, **changes: Any) -> link.EndpointView:
    fields = {name: getattr(line, name) for name in link.Down.__slots__}
    return link.EndpointView(down=link.Down(**{**fields, **changes}))


@contextmanager
def held(
    house: Stand,
    body: bytes = b"held",
    *headers: str,
    endpoint: str = "e",
    count: int = 1,
    beside: int = 0,
) -> Iterator[list[socket.socket]]:
    """Callers who are held, `beside` others: the gateway has told that so many wait."""
    with ExitStack() as stack:
        callers = [stack.enter_context(house.connect()) for _ in range(count)]
        for caller in callers:
            caller.sendall(invocation(body, *(headers or (LONG,)), endpoint=endpoint))
        total = beside + count
        wait_for(lambda: house.usage[(endpoint, "")]["in_flight"] == total, "all held")
        yield callers


def nobody_waits(house: Stand) -> None:
    """Wait until the gateway has told that nobody waits any more."""
    waiting = [key for key in list(house.usage) if key[1] == ""]
    wait_for(lambda: not any(house.usage[key]["in_flight"] for key in waiting))


@pytest.fixture
def house(house: Stand) -> Stand:
    """The module's gateway, at which nobody is held from the test before."""
    nobody_waits(house)
    house.wanted.clear()
    return house


def test_a_caller_is_held_until_the_endpoint_has_started(house: Stand) -> None:
    worker = house.worker("started")
    house.push(endpoints={"e": down()})
    with held(house, b"patient") as (caller,):
        house.push(endpoints={"e": house.view("started")})
        answer = read_answer(caller)
        assert (answer.status, answer.body) == (200, b"patient")
        assert answer.headers["Preference-Applied"] == "wait=600"
    assert len(worker.requests) == 1
    # Nobody was held here, and no preference applied.
    assert house.invoke(Prefer="wait=5").headers["Preference-Applied"] is None
    assert not house.wanted


def test_by_default_nobody_is_held_and_the_refusal_says_how_to_be(house: Stand) -> None:
    house.push(endpoints={"e": down(retry_after=41.2)})
    answer = house.invoke()
    assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
    assert answer.headers["Retry-After"] == "42"
    assert answer.headers["Preference-Applied"] is None
    assert answer.json["hint"] == (
        "it is being started; with the header 'Prefer: wait=SECONDS' (parkade invoke --wait SECONDS) "
        "you are held until it runs"
    )


def test_a_wait_that_runs_out_is_told_when_to_ask_again(house: Stand) -> None:
    at = int(time.time()) + 1000
    house.push(endpoints={"e": down(expected_at=at)})
    begun = time.monotonic()
    answer = house.invoke(Prefer="wait=1")
    assert time.monotonic() - begun >= 0.95
    assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
    assert 900 < int(answer.headers["Retry-After"]) <= 1000
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_nobody_is_held_for_longer_than_the_limit(house: Stand) -> None:
    house.push(endpoints={"e": down()}, limits=house.limits(hold_seconds=0.2))
    answer = house.invoke(Prefer="wait=600")
    assert answer.status == 503
    assert answer.headers["Preference-Applied"] == "wait=0"


def test_an_owner_may_have_callers_held_who_say_nothing(house: Stand) -> None:
    house.worker("owned")
    house.push(endpoints={"e": down(hold=600)})
    # Who says so is told at once.
    assert house.invoke(Prefer="wait=0").status == 503
    with held(house, b"plain", "X-Other: header") as (caller,):
        house.push(endpoints={"e": house.view("owned")})
        answer = read_answer(caller)
        assert answer.body == b"plain"
        assert answer.headers["Preference-Applied"] is None


def test_a_caller_may_be_told_where_to_look(house: Stand) -> None:
    at = int(time.time()) + 1000
    house.push(endpoints={"e": down(ASLEEP, expected_at=at, hold=600)})
    house.wanted.clear()
    answer = house.invoke(Prefer="respond-async")
    assert answer.status == 202
    assert answer.headers["Location"] == "/v1/endpoints/e"
    assert 900 < int(answer.headers["Retry-After"]) <= 1000
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.json["status_url"] == "/v1/endpoints/e"
    assert answer.json["reason"] == "asleep"
    assert answer.json["expected_at"].endswith("Z")
    wait_for(lambda: house.wanted)
    # Both together: to be held first.
    begun = time.monotonic()
    answer = house.invoke(Prefer="respond-async, wait=1")
    assert time.monotonic() - begun >= 0.95
    assert answer.status == 202
    assert answer.headers.get_all("Preference-Applied") == ["respond-async", "wait=1"]


def test_what_is_over_holds_nobody(house: Stand) -> None:
    expired = down(reason="expired", hint="pay", hold=600)
    house.push(endpoints={"e": expired})
    for prefer in ("wait=600", "respond-async"):
        answer = house.invoke(Prefer=prefer)
        assert (answer.status, answer.json["hint"]) == (503, "pay")
    assert house.invoke().status == 503


def test_control_is_asked_once_for_all_who_call(house: Stand) -> None:
    house.worker("woken")
    house.push(endpoints={"e": down(ASLEEP)})
    house.wanted.clear()
    with held(house, count=60) as callers:
        assert house.invoke().headers["Retry-After"] == "3"
        # Once, or a few times where this machine is slow; never as often as they are.
        assert 1 <= len(house.wanted) < 30
        house.push(endpoints={"e": down()})
        house.push(endpoints={"e": house.view("woken")})
        assert {read_answer(each).status for each in callers} == {200}
    # It has been awake meanwhile: the next one who calls wakes it again.
    house.push(endpoints={"e": down(ASLEEP)})
    house.wanted.clear()
    house.invoke()
    wait_for(lambda: house.wanted)


def test_control_is_asked_again_until_it_answers(house: Stand) -> None:
    house.push(endpoints={"e": down(ASLEEP)})
    assert house.invoke().status == 503
    wait_for(lambda: len(house.wanted) > 1, "what was not answered to be asked for again")
    house.push(endpoints={"e": down(ASLEEP, wakes=False)})


def test_control_that_has_begun_to_wake_it_is_asked_no_more(house: Stand) -> None:
    house.push(endpoints={"e": down(ASLEEP)})
    assert house.invoke().status == 503
    wait_for(lambda: house.wanted)
    house.push(endpoints={"e": down()})
    house.wanted.clear()
    time.sleep(AGAIN * 1.2)
    assert not house.wanted


def test_a_new_link_to_control_asks_again_and_nobody_held_is_lost() -> None:
    with stand() as house:
        house.worker("after")
        house.push(endpoints={"e": down(ASLEEP)})
        with held(house, count=3) as callers:
            wait_for(lambda: house.wanted)
            house.close_link()
            house.wanted.clear()
            house.open_link()
            wait_for(lambda: house.wanted, "the new control to be asked")
            house.push(endpoints={"e": house.view("after")})
            assert {read_answer(each).body for each in callers} == {b"held"}


def test_the_one_over_hold_max_is_refused_and_who_hangs_up_gives_way(house: Stand) -> None:
    worker = house.worker("narrow")
    house.push(endpoints={"e": down(), "f": down()}, limits=house.limits(hold_max=3))
    with held(house, count=2), held(house, b"other", endpoint="f") as (other,):
        answer = house.invoke(Prefer="wait=600")
        assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
        assert "3 callers are held already" in answer.json["Message"]
        assert answer.headers["Retry-After"] == "1"
        # Those who do not want to be held are told as ever.
        assert house.invoke().json["reason"] == "starting"
        other.close()
        wait_for(lambda: house.usage[("f", "")]["in_flight"] == 0)
        with held(house, b"third", beside=2):
            assert house.invoke(Prefer="wait=600").status == 503
    # They have all hung up: of none there is a trace.
    wait_for(lambda: house.usage[("e", "")]["in_flight"] == 0)
    house.push(endpoints={"e": house.view("narrow")})
    assert house.invoke(body="new").body == b"new"
    assert [request.body for request in worker.requests] == [b"new"]
    house.push(endpoints={"e": down()})
    with held(house, count=3):
        pass


def test_bodies_that_are_held_have_a_bound_in_bytes(house: Stand) -> None:
    house.worker("roomy")
    house.push(endpoints={"e": down()}, limits=house.limits(hold_bytes=100))
    with held(house, b"x" * 60) as (first,), held(house, b"x" * 40, beside=1) as (second,):
        answer = house.invoke(body="y", Prefer="wait=600")
        assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
        assert "100 bytes" in answer.json["Message"]
        second.close()
        wait_for(lambda: house.usage[("e", "")]["in_flight"] == 1)
        with held(house, b"x" * 40, beside=1) as (third,):
            house.push(endpoints={"e": house.view("roomy")})
            assert len(read_answer(first).body) == 60
            assert len(read_answer(third).body) == 40
    # What was sent takes no room any more.
    house.push(endpoints={"e": down()})
    with held(house, b"x" * 100):
        pass


def test_room_is_taken_before_a_body_comes(house: Stand) -> None:
    house.push(endpoints={"e": down()}, limits=house.limits(hold_bytes=100, body_bytes=100))
    target = "/endpoints/e/invocations"
    for lines in (("Content-Length: 80",), ("Transfer-Encoding: chunked",)):
        with house.connect() as slow:
            slow.sendall(head("POST", target, LONG, *lines))
            wait_for(lambda: house.invoke(body="x" * 30, Prefer="wait=0.1").status == 503)
            wait_for(
                lambda: "bytes" in house.invoke(body="x" * 30, Prefer="wait=1").json["Message"],
                "the room to be taken",
            )
        wait_for(
            lambda: "bytes" not in house.invoke(body="x" * 30, Prefer="wait=1").json["Message"],
            "the room to be given back",
        )
    # One in chunks takes what it has once it is whole.
    with house.connect() as chunked:
        chunked.sendall(head("POST", target, LONG, "Transfer-Encoding: chunked"))
        chunked.sendall(b"4\r\nbody\r\n0\r\n\r\n")
        wait_for(lambda: house.usage[("e", "")]["in_flight"] == 1)
        with held(house, b"x" * 96, beside=1):
            pass


def test_room_that_is_not_needed_in_the_end_is_given_back(house: Stand) -> None:
    gate = Gate()
    house.worker("risen", gate)
    house.push(endpoints={"e": down(), "f": down()}, limits=house.limits(hold_bytes=100))
    request = invocation(b"x" * 80, LONG)
    with house.connect() as slow:
        slow.sendall(request[:-1])
        wait_for(
            lambda: "bytes" in house.invoke("f", "x" * 30, Prefer="wait=1").json["Message"],
            "the room to be taken",
        )
        # It serves before the body is whole.
        house.push(endpoints={"e": house.view("risen"), "f": down()})
        slow.sendall(request[-1:])
        wait_for(lambda: house.usage[("e", "main")]["in_flight"] == 1)
        with held(house, b"x" * 100, endpoint="f"):
            house.call(gate.opened.set)
            assert len(read_answer(slow).body) == 80


def test_large_bodies_do_not_fill_the_memory() -> None:
    size, bound = 6_000_000, 60_000_000
    with stand() as house:
        house.push(endpoints={"e": down()}, limits=house.limits(hold_bytes=bound))
        house.invoke()
        assert house.process is not None
        gateway = psutil.Process(house.process.pid)
        before = gateway.memory_info().rss
        refused = 0
        with ExitStack() as stack:
            for _ in range(60):
                caller = stack.enter_context(house.connect())
                caller.sendall(invocation(b"x" * size, LONG))
            wait_for(lambda: house.usage[("e", "")]["in_flight"] == bound // size)
            more = house.invoke(body=b"x" * size, Prefer="wait=600")
            refused += more.status == 503
            grown = gateway.memory_info().rss - before
        assert refused
        assert grown < 2 * bound


def test_one_that_was_held_has_no_longer_than_the_model_may_take(house: Stand) -> None:
    house.worker("stuck", Gate())
    house.push(endpoints={"e": down()}, limits=house.limits(model_seconds=0.5))
    with held(house) as (caller,):
        house.push(endpoints={"e": house.view("stuck")})
        assert read_answer(caller).kind == "ModelError"


def waiting(house: Stand) -> int:
    """Return how many wait for any worker at all, whether or not they had been given to one."""
    return house.usage["e", ""]["in_flight"]


def test_requests_that_wait_for_a_worker_outlast_that_it_falls_asleep(house: Stand) -> None:
    house.push(endpoints={"e": house.view("nowhere")})
    house.wanted.clear()
    with house.connect() as plain, house.connect() as patient:
        plain.sendall(invocation(b"plain"))
        patient.sendall(invocation(b"patient", LONG))
        wait_for(lambda: waiting(house) == 2)
        house.push(endpoints={"e": down(ASLEEP)})
        wait_for(lambda: house.wanted, "who waits to wake it")
        house.worker("nowhere")
        house.push(endpoints={"e": house.view("nowhere")})
        assert (read_answer(plain).body, read_answer(patient).body) == (b"plain", b"patient")


def test_a_worker_that_dies_with_a_held_request_costs_it_nothing(house: Stand) -> None:
    async def die(_: Request) -> None:
        # It is not there for the second try either, which is the last.
        dying._server.close()

    dying = house.worker("dying", die)
    house.push(endpoints={"e": down()})
    with held(house, b"twice") as (caller,):
        house.push(endpoints={"e": house.view("dying")})
        wait_for(lambda: dying.requests)
        house.push(endpoints={"e": down(ASLEEP)})
        house.worker("living")
        house.push(endpoints={"e": house.view("living")})
        assert read_answer(caller).body == b"twice"


def test_held_callers_are_told_what_ends_their_wait(house: Stand) -> None:
    house.push(endpoints={"e": down(), "f": down()})
    with held(house) as (one,), held(house, endpoint="f") as (two,):
        house.push(endpoints={"e": down(reason="failed: no such member")})
        assert read_answer(one).json["reason"] == "failed: no such member"
        assert read_answer(two).status == 400


def test_streams_are_held(house: Stand) -> None:
    async def words() -> AsyncIterator[bytes]:
        for word in (b"one ", b"two"):
            yield word

    house.worker("streaming", lambda _: Flow(words()))
    house.push(endpoints={"e": down()})
    path = "/endpoints/e/invocations-response-stream"
    with house.connect() as caller:
        caller.sendall(head("POST", path, "Content-Length: 2", LONG) + b"{}")
        wait_for(lambda: house.usage[("e", "")]["in_flight"] == 1)
        house.push(endpoints={"e": house.view("streaming")})
        answer = read_answer(caller)
    assert answer.status == 200
    assert answer.headers["Preference-Applied"] == "wait=600"
    assert b"one " in answer.body
    assert b"two" in answer.body


def test_routes_are_held(house: Stand) -> None:
    house.worker("routed")
    house.push(endpoints={"e": down(ASLEEP)}, routes={"/falcon": link.RouteView(endpoint="e")})
    house.wanted.clear()
    with house.connect() as caller:
        caller.sendall(head("POST", "/prod/falcon", "Content-Length: 2", LONG) + b"{}")
        wait_for(lambda: house.wanted)
        house.push(endpoints={"e": house.view("routed")})
        assert read_answer(caller).status == 200


def of_components(house: Stand, *workers: str) -> link.EndpointView:
    route = house.variant("parrot", *workers)
    return link.EndpointView(
        variants=(link.VariantRoute(name="main", weight=1),),
        components={"parrot": link.ComponentRoute(variant="main", route=route)},
    )


PARROT = "X-Amzn-SageMaker-Inference-Component: parrot"


def test_components_that_slept_with_their_endpoint(house: Stand) -> None:
    house.worker("copy")
    house.push(endpoints={"e": down(ASLEEP)})
    wrong = "X-Amzn-SageMaker-Inference-Component: magpie"
    before = house.usage[("e", "parrot")]["no_capacity"]
    with (
        held(house, b"a", PARROT, LONG) as (one,),
        held(house, b"b", wrong, LONG, beside=1) as (two,),
    ):
        # The endpoint serves a moment before the component's first copy does.
        house.push(endpoints={"e": of_components(house)})
        assert read_answer(two).kind == "ValidationError"
        # Or it has been scaled to zero, and is to be scaled up by this.
        wait_for(lambda: house.usage[("e", "parrot")]["no_capacity"] == before + 1)
        house.push(endpoints={"e": of_components(house)})
        house.push(endpoints={"e": of_components(house, "copy")})
        assert read_answer(one).body == b"a"
    wait_for(lambda: house.usage[("e", "parrot")]["invocations"] >= 1)
    assert house.usage[("e", "parrot")]["no_capacity"] == before + 1


def test_a_component_without_copies_holds_who_wants_it(house: Stand) -> None:
    house.worker("scaled")
    house.push(endpoints={"e": of_components(house)}, limits=house.limits(hold_max=1))
    before = house.usage[("e", "parrot")]["no_capacity"]
    assert house.invoke(X_Amzn_SageMaker_Inference_Component="parrot").status == 400
    with held(house, b"c", PARROT, LONG) as (caller,):
        # It is counted: that is what the component is scaled by.
        wait_for(lambda: house.usage[("e", "parrot")]["no_capacity"] == before + 2)
        headers = {"X_Amzn_SageMaker_Inference_Component": "parrot", "Prefer": "wait=9"}
        assert house.invoke(**headers).status == 503
        house.push(endpoints={"e": of_components(house, "scaled")})
        assert read_answer(caller).body == b"c"
    headers = {"X_Amzn_SageMaker_Inference_Component": "parrot", "Prefer": "wait=1"}
    for limits in (house.limits(), house.limits(hold_seconds=0)):
        house.push(endpoints={"e": of_components(house)}, limits=limits)
        assert "has no capacity" in house.invoke(**headers).json["Message"]


def test_a_target_model_is_loaded_once_the_endpoint_serves(house: Stand) -> None:
    house.worker("many")
    house.push(endpoints={"e": down(ASLEEP)})
    target = "X-Amzn-SageMaker-Target-Model: m.tar.gz"
    house.desk.messages.clear()
    with held(house, b"m", target, LONG) as (caller,):
        house.push(endpoints={"e": house.view("many", multi_model=True)})
        (load,) = wait_for(lambda: [m for m in house.desk.messages if m["kind"] == "load"])
        placed = {
            "endpoint": "e",
            "variant": "main",
            "instance_id": "many",
            "target": "m.tar.gz",
            "name": "opaque",
            "once": False,
        }
        assert house.server is not None
        house.call(house.server.send, house.desk.gateway, {"kind": "placed", "placed": placed})
        loaded = {"kind": "loaded", "number": load["number"]}
        house.call(house.server.send, house.desk.gateway, loaded)
        assert read_answer(caller).body == b"m"


def test_a_synchronous_call_wakes_no_asynchronous_endpoint(house: Stand) -> None:
    view = down(ASLEEP)
    house.push(endpoints={"e": link.EndpointView(down=view.down, asynchronous=True)})
    assert house.invoke(Prefer="wait=600").kind == "ValidationError"
    house.push(endpoints={})
    assert not house.wanted


def test_who_may_not_invoke_wakes_nothing(house: Stand) -> None:
    house.push(
        endpoints={"e": down(ASLEEP)},
        tokens=(house.token_view("other", TOKEN, endpoints=("f",)),),
    )
    assert house.invoke(Prefer="wait=600").status == 403
    assert house.invoke(token="no token", Prefer="wait=600").status == 401
    house.push(endpoints={})
    assert not house.wanted


def test_who_is_held_behind_another_answer_is_answered_in_turn(house: Stand) -> None:
    gate = Gate()
    house.worker("first", gate)
    house.worker("second")
    house.push(endpoints={"f": house.view("first"), "e": down()})
    with house.connect() as caller:
        caller.sendall(invocation(b"1", endpoint="f") + invocation(b"2", LONG))
        house.push(endpoints={"f": house.view("first"), "e": house.view("second")})
        house.call(gate.opened.set)
        assert [each.body for each in read_answers(caller, 2)] == [b"1", b"2"]


def test_a_gateway_that_ends_lets_go_of_all_who_are_held() -> None:
    with stand(patience={"drain": 10_000}) as house:
        house.push(endpoints={"e": down()})
        with held(house, count=3) as callers:
            assert house.stop() == 0
            answers: list[Caught] = [read_answer(each) for each in callers]
        assert {each.status for each in answers} == {503}
        assert {each.headers["Retry-After"] for each in answers} == {"1"}
