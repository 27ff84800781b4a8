"""For how long whom is waited for, on a loop whose time is moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from parkade.apps import link
from parkade.apps.gateway.instances import CONNECTIONS
from tests.apps.gateway.moved import Caller, Moved, moved
from tests.apps.gateway.stand import Flow, Gate, Reply, echo, invocation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.apps.gateway.stand import Request

LONG = "Prefer: wait=600"
STARTING = link.Down(reason="starting", hint="it is being started", retry_after=7)
ASLEEP = link.Down(reason="asleep", hint="a request wakes it", retry_after=3, wakes=True)


@pytest.fixture
def hasty() -> Iterator[Moved]:
    """A gateway of little patience with its callers."""
    with moved(head=0.04, body=0.05, idle=0.06, stall=0.05) as made:
        made.push(e=link.EndpointView(down=STARTING))
        yield made


@pytest.fixture
def house() -> Iterator[Moved]:
    with moved() as made:
        yield made


def limits(model_seconds: float) -> link.Limits:
    return link.Limits(model_seconds=model_seconds)


# Callers.


def test_a_body_that_comes_slowly_but_comes(hasty: Moved) -> None:
    request = invocation(b"1234567890")
    caller = hasty.caller(request[:-10])
    for byte in request[-10:]:
        hasty.move(0.045)
        assert not caller.sent
        caller.send(bytes([byte]))
    assert caller.status == 503
    assert not caller.over


def test_a_body_that_comes_no_further(hasty: Moved) -> None:
    caller = hasty.caller(invocation(b"12345")[:-3])
    hasty.move(0.045)
    caller.send(b"3")
    hasty.move(0.045)
    assert not caller.over
    hasty.move(0.01)
    assert (caller.over, caller.sent) == (True, b"")


def test_a_head_has_its_time_from_the_beginning(hasty: Moved) -> None:
    caller = hasty.caller(b"POST / HTTP/1.1\r\nX: ")
    for _ in range(3):
        assert not caller.over
        hasty.move(0.015)
        caller.send(b"x")
    assert caller.over


def test_a_connection_is_idle_from_its_last_answer_on(hasty: Moved) -> None:
    caller = hasty.caller()
    for _ in range(3):
        hasty.move(0.035)
        caller.send(invocation(b"x"))
        assert caller.status == 503
        hasty.move(0.02)
    hasty.move(0.035)
    assert not caller.over
    hasty.move(0.01)
    assert caller.over


def test_a_connection_that_waits_for_its_model_is_not_idle(hasty: Moved) -> None:
    gate = Gate()
    worker = hasty.worker("patient", gate)
    hasty.push(e=hasty.view("patient"))
    caller = hasty.caller(invocation(b"x"))
    hasty.until(lambda: worker.requests)
    hasty.move(0.5)
    assert not caller.over
    gate.opened.set()
    hasty.until(lambda: caller.sent.endswith(b"x"))


def test_a_caller_that_reads_slowly_but_reads(hasty: Moved) -> None:
    gate = Gate()
    worker = hasty.worker("slow", gate)
    hasty.push(e=hasty.view("slow"))
    caller = hasty.caller(invocation(b"x"))
    hasty.until(lambda: worker.requests)
    caller.unread = 100
    caller.client.pause_writing()
    for _ in range(5):
        hasty.move(0.045)
        caller.unread -= 1
    assert not caller.over
    # From now on it does not.
    hasty.move(0.11)
    assert caller.over


def test_who_was_accepted_as_the_gateway_began_to_end_is_answered(house: Moved) -> None:
    house.push(e=link.EndpointView(down=STARTING))
    ending = house.loop.create_task(house.gateway._drain())
    late: list[Caller] = []
    house.loop.call_soon(lambda: late.append(Caller(house)))
    house.breathe()
    assert not ending.done()
    late[0].send(invocation(b"x"))
    assert late[0].status == 503
    house.until(ending.done)


# Models.


def test_the_models_time_begins_when_it_is_asked(house: Moved) -> None:
    gate = Gate()
    worker = house.worker("slow", gate)
    house.push(e=link.EndpointView(down=STARTING), limits=limits(0.5))
    caller = house.caller(invocation(b"late", LONG))
    house.move(0.8)
    house.push(e=house.view("slow"), limits=limits(0.5))
    house.until(lambda: worker.requests)
    house.move(0.4)
    assert not caller.sent
    gate.opened.set()
    house.until(lambda: caller.status == 200)


def test_one_that_waited_until_another_was_answered_has_the_models_time(house: Moved) -> None:
    all_there = asyncio.Event()

    async def only_the_first(request: Request) -> Reply:
        if request.number >= CONNECTIONS:
            await asyncio.Event().wait()
        if request.number == CONNECTIONS - 1:
            all_there.set()
        await all_there.wait()
        return echo(request)

    house.worker("tired", only_the_first)
    house.push(e=link.EndpointView(down=STARTING), limits=limits(0.3))
    callers = [house.caller(invocation(b"held", LONG)) for _ in range(CONNECTIONS + 1)]
    house.push(e=house.view("tired"), limits=limits(0.3))
    house.until(lambda: [each.status for each in callers].count(200) == CONNECTIONS)
    (last,) = (each for each in callers if not each.sent)
    house.move(0.28)
    assert not last.sent
    house.move(0.04)
    assert last.status == 424


def test_one_whose_wait_runs_out_when_the_endpoint_serves_waits_as_all_others_do(
    house: Moved,
) -> None:
    house.push(e=link.EndpointView(down=STARTING))
    caller = house.caller(invocation(b"held", "Prefer: wait=1"))
    house.move(0.5)
    # It has no instance yet, and then one that does not accept connections yet.
    house.push(e=house.view())
    house.move(0.7)
    house.push(e=house.view("soon"))
    house.move(0.1)
    assert not caller.sent
    house.worker("soon")
    house.move(1.1)
    house.until(lambda: caller.status == 200)


def test_one_that_waited_for_a_worker_is_held_if_it_wants_to_be(house: Moved) -> None:
    house.push(e=house.view("absent"), limits=limits(0.5))
    patient = house.caller(invocation(b"patient", LONG))
    house.move(0.3)
    house.push(e=link.EndpointView(down=ASLEEP))
    assert house.caller(invocation(b"plain")).status == 503
    house.move(0.8)
    assert not patient.sent
    house.worker("absent")
    house.push(e=house.view("absent"))
    house.until(lambda: patient.status == 200)


def test_the_container_that_takes_too_long_is_named(house: Moved) -> None:
    house.worker("first")
    second = house.worker("second", Gate())
    house.push(e=house.view("first,second", hostnames=("", "")), limits=limits(0.3))
    caller = house.caller(invocation(b"x"))
    house.until(lambda: second.requests)
    house.move(0.32)
    assert caller.status == 424
    assert b"waiting for a response from container container-2." in caller.sent


def test_after_a_model_took_too_long_the_next_request_has_a_connection_of_its_own(
    house: Moved,
) -> None:
    worker = house.worker("slow", Gate())
    house.push(e=house.view("slow"), limits=limits(0.3))
    for number in (1, 2):
        caller = house.caller(invocation(b"x"))
        house.until(lambda n=number: len(worker.requests) == n)
        house.move(0.32)
        assert caller.status == 424
    assert worker.connections == 2


def test_a_stream_may_take_longer_than_a_first_byte_may(house: Moved) -> None:
    late = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        await late.wait()
        yield b"late"

    house.worker("streaming", lambda _: Flow(pieces()))
    house.push(e=house.view("streaming"), limits=limits(0.3))
    caller = house.caller(invocation(b"x"))
    house.until(lambda: caller.status == 200)
    house.move(0.5)
    late.set()
    house.until(lambda: caller.sent.endswith(b"4\r\nlate\r\n0\r\n\r\n"))


def test_time_outs_and_callers_who_hang_up_are_counted_once(house: Moved) -> None:
    worker = house.worker("road", Gate())

    def opened(seconds: float) -> None:
        route = link.RouteView(endpoint="e", seconds=seconds)
        house.push(routes={"/road": route}, e=house.view("road"))

    request = invocation(b"x").replace(b"/endpoints/e/invocations", b"/road")
    opened(0.3)
    late = house.caller(request)
    house.until(lambda: worker.requests)
    house.move(0.32)
    assert late.status == 424
    opened(60)
    gone = house.caller(request)
    house.until(lambda: len(worker.requests) == 2)
    gone.hang_up()
    (told,) = house.gateway.calls.take()
    assert (told.resource, told.calls, told.errors_4xx) == ("/road", 2, 1)
    assert sum(told.integration.buckets.values()) == 2


def test_a_shadow_that_never_answers_is_given_up(house: Moved) -> None:
    house.worker("e")
    shade = house.worker("shade", Gate())
    view = link.EndpointView(
        variants=(house.variant("main", "e"),), shadows=(house.variant("shade", "shade"),)
    )
    house.push(e=view, limits=limits(0.3))
    caller = house.caller(invocation(b"x"))
    house.until(lambda: caller.status == 200 and shade.requests)
    house.move(0.32)
    counter = house.gateway.ledger.of("e", "shade")
    assert (counter.model_errors, counter.in_flight) == (1, 0)

    def hung_up() -> int:
        house.move(0.01)
        return shade.hung_up

    house.until(hung_up)
