"""Snapshots change what is served, at once and without a lost request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from parkade.apps import link
from tests.apps.gateway.stand import (
    Gate,
    Reply,
    invocation,
    read_answer,
    stand,
    wait_for,
)
from tests.apps.gateway.test_workers import Crowd

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand


def test_changing_instances_and_variants_under_load_loses_nothing(house: Stand) -> None:
    names = [f"rolling{number}" for number in range(4)]
    for name in names:
        house.worker(name)
    house.push(endpoints={"e": house.view(*names)})
    with Crowd(house) as crowd:
        for turn in range(60):
            one, two, three, four = (names[(turn + step) % 4] for step in range(4))
            variants = (house.variant(f"v{turn % 3}", one, two), house.variant("w", three, four))
            house.push(endpoints={"e": link.EndpointView(variants=variants[: 1 + turn % 2])})
        crowd.more(100)
    assert not crowd.wrong
    assert set(crowd.answers) == {200}


def test_an_instance_taken_away_finishes_and_gets_nothing_new(house: Stand) -> None:
    gate = Gate()
    old, new = house.worker("old", gate), house.worker("new")
    house.push(endpoints={"e": house.view("old")})
    with house.connect() as caller:
        caller.sendall(invocation(b"under way"))
        wait_for(lambda: old.requests)
        house.push(endpoints={"e": house.view("new")})
        assert house.invoke(body="later").body == b"later"
        house.call(gate.opened.set)
        assert read_answer(caller).body == b"under way"
    assert (len(old.requests), len(new.requests)) == (1, 1)
    wait_for(lambda: old.open == 0, "its connections to be closed")


def test_idle_connections_to_an_instance_taken_away_are_closed(house: Stand) -> None:
    worker = house.worker("left")
    house.push(endpoints={"e": house.view("left")})
    house.invoke()
    assert worker.open == 1
    house.push(endpoints={})
    wait_for(lambda: worker.open == 0)


def test_waiting_requests_go_to_the_instance_that_comes(house: Stand) -> None:
    house.push(endpoints={"moves": house.view("never")})
    with house.connect() as caller:
        caller.sendall(invocation(b"patient", endpoint="moves"))
        wait_for(lambda: house.usage[("moves", "main")]["in_flight"] == 1)
        house.worker("comes")
        house.push(endpoints={"moves": link.EndpointView(variants=(house.variant("b", "comes"),))})
        answer = read_answer(caller)
        assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "b"
    wait_for(lambda: house.usage[("moves", "main")]["in_flight"] == 0)


def test_waiting_requests_outlast_a_restart_and_not_an_end(house: Stand) -> None:
    starting = link.EndpointView(down=link.Down(reason="starting", hint="", retry_after=5))
    expired = link.EndpointView(down=link.Down(reason="expired", hint="", retry_after=60))
    house.push(endpoints={"e": house.view("restarts"), "f": house.view("ends")})
    with house.connect() as one, house.connect() as two:
        one.sendall(invocation(b"one"))
        two.sendall(invocation(b"two", endpoint="f"))
        wait_for(lambda: house.usage[("f", "main")]["in_flight"] == 1)
        wait_for(lambda: house.usage[("e", "main")]["in_flight"] == 1)
        house.push(endpoints={"e": starting, "f": expired})
        assert read_answer(two).json["reason"] == "expired"
        # Who asks now is told; who was admitted before waits on.
        assert house.invoke().json["reason"] == "starting"
        house.worker("restarts")
        house.push(endpoints={"e": house.view("restarts")})
        assert read_answer(one).body == b"one"


def test_requests_waiting_for_an_endpoint_that_is_deleted_are_told(house: Stand) -> None:
    house.push(endpoints={"deleted": house.view("nowhere")})
    with house.connect() as caller:
        caller.sendall(invocation(b"", endpoint="deleted"))
        wait_for(lambda: house.usage[("deleted", "main")]["in_flight"] == 1)
        house.push(endpoints={})
        assert read_answer(caller).status == 400


def test_an_endpoint_created_again_while_a_body_comes_is_there(house: Stand) -> None:
    house.worker("again")
    house.push(endpoints={"e": house.view("again")})
    request = invocation(b"slowly sent")
    with house.connect() as caller:
        caller.sendall(request[:-4])
        house.push(endpoints={})
        house.push(endpoints={"e": house.view("again")})
        caller.sendall(request[-4:])
        assert read_answer(caller).body == b"slowly sent"


def test_what_an_endpoint_did_after_it_was_deleted_is_counted(house: Stand) -> None:
    gate = Gate()
    worker = house.worker("outlives", gate)
    house.push(endpoints={"outlived": house.view("outlives")})
    with house.connect() as caller:
        caller.sendall(invocation(b"x", endpoint="outlived"))
        wait_for(lambda: worker.requests)
        wait_for(lambda: house.usage[("outlived", "main")]["in_flight"] == 1)
        house.push(endpoints={})
        house.push(endpoints={})
        house.call(gate.opened.set)
        assert read_answer(caller).body == b"x"
    wait_for(lambda: house.usage[("outlived", "main")]["invocations"] == 1)


def test_a_target_variant_that_is_taken_away_is_told(house: Stand) -> None:
    house.push(endpoints={"e": link.EndpointView(variants=(house.variant("t", "nobody"),))})
    with house.connect() as caller:
        caller.sendall(invocation(b"", "X-Amzn-SageMaker-Target-Variant: t"))
        wait_for(lambda: house.usage[("e", "t")]["in_flight"] == 1)
        house.push(endpoints={"e": house.view("nobody")})
        assert read_answer(caller).kind == "ValidationError"


def test_routes_come_and_go(house: Stand) -> None:
    house.worker("routed")
    control = house.play_control(lambda _: Reply(status=404))
    try:
        house.push(endpoints={"e": house.view("routed")})
        assert house.invoke(path="/flan").status == 404
        house.push(routes={"/flan": link.RouteView(endpoint="e")})
        assert house.invoke(path="/flan").status == 200
        house.push(routes={})
        assert house.invoke(path="/flan").status == 404
    finally:
        house.run(control.stop())


def test_limits_are_taken_up(house: Stand) -> None:
    house.worker("limits")
    house.push(endpoints={"e": house.view("limits")}, limits=house.limits(body_bytes=10))
    assert house.invoke(body="x" * 11).status == 413
    house.push(limits=house.limits(body_bytes=11))
    assert house.invoke(body="x" * 11).status == 200


def test_callers_wait_for_the_first_snapshot() -> None:
    with stand(link_open=False, patience={"snapshot": 10_000}) as house:
        house.worker("w")
        with house.connect() as caller:
            caller.sendall(invocation(b"early"))
            caller.settimeout(0.5)
            try:
                caller.recv(1)
            except TimeoutError:
                caller.settimeout(60)
            house.tell(endpoints={"e": house.view("w")})
            house.open_link()
            assert read_answer(caller).body == b"early"


def test_without_any_snapshot_callers_are_told_in_the_end() -> None:
    begun = time.monotonic()
    with stand(link_open=False, patience={"snapshot": 0.3}) as house:
        answer = house.invoke()
        assert time.monotonic() - begun >= 0.2
        assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
        assert answer.headers["Retry-After"] == "1"
