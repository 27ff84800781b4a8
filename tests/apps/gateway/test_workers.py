"""Workers that die, refuse, are busy, or come back."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import pytest

from parkade.apps import link
from parkade.apps.gateway.instances import CONNECTIONS
from tests.apps.gateway.stand import Gate, Reply, Request, echo, invocation, read_answer, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Caught, Stand


class Crowd:
    """Callers that invoke without pause, each on its own thread, until they are stopped."""

    def __init__(self, house: Stand, size: int = 8, endpoint: str = "e") -> None:
        self.answers: Counter[int] = Counter()
        self.wrong: list[Caught] = []
        self._house = house
        self._endpoint = endpoint
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._invoke, args=(n,)) for n in range(size)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Return when so many more have been answered."""
        before = self.answers.total()
        wait_for(lambda: self.answers.total() >= before + count)

    def _invoke(self, number: int) -> None:
        with self._house.connect() as caller:
            while not self._over.is_set():
                body = b"%d" % (number % 5)
                caller.sendall(invocation(body, endpoint=self._endpoint))
                answer = read_answer(caller)
                self.answers[answer.status] += 1
                if answer.body != body:
                    self.wrong.append(answer)


def test_killing_one_of_two_workers_under_load_loses_nothing(house: Stand) -> None:
    """The death of one worker is nobody's business but the host's."""
    processes = {name: house.worker_process(name) for name in ("live", "dies")}
    house.push(endpoints={"killed": house.view(*processes)})
    with Crowd(house, endpoint="killed") as crowd:
        crowd.more(100)
        processes["dies"].send_signal(signal.SIGKILL)
        crowd.more(300)
    assert not crowd.wrong
    assert set(crowd.answers) == {200}
    wait_for(lambda: house.usage[("killed", "main")]["invocations"] == crowd.answers.total())
    assert house.usage[("killed", "main")]["model_errors"] == 0


def test_killing_the_only_worker_loses_nothing_if_it_comes_back(house: Stand) -> None:
    process = house.worker_process("only")
    house.push(endpoints={"e": house.view("only")})
    with Crowd(house) as crowd:
        crowd.more(100)
        process.send_signal(signal.SIGKILL)
        process.wait()
        house.worker_process("only")
        crowd.more(100)
    assert not crowd.wrong
    assert set(crowd.answers) == {200}


def test_a_request_is_given_to_a_second_worker_and_counted(house: Stand) -> None:
    first = house.worker("first", lambda _: None)
    second = house.worker("second")
    house.push(endpoints={"retried": house.view("first", "second")})
    answers = [house.invoke("retried") for _ in range(4)]
    assert {answer.status for answer in answers} == {200}
    assert len(second.requests) == 4
    wait_for(lambda: house.usage[("retried", "main")]["invocations"] == 4)
    assert house.usage[("retried", "main")]["retried"] == len(first.requests) > 0


def test_a_request_that_ends_two_workers_is_not_tried_again(house: Stand) -> None:
    worker = house.worker("poisoned", lambda _: None)
    house.push(endpoints={"poison": house.view("poisoned")})
    answer = house.invoke("poison")
    assert (answer.status, answer.kind) == (500, "InternalFailure")
    assert "container went away" in answer.json["Message"]
    assert len(worker.requests) == 2
    wait_for(lambda: house.usage[("poison", "main")]["model_errors"] == 1)


def test_idle_connections_that_the_worker_closed_are_no_hindrance(house: Stand) -> None:
    worker = house.worker("closes-idle")
    house.push(endpoints={"e": house.view("closes-idle")})
    for _ in range(5):
        assert house.invoke().status == 200
        house.run(_hang_up_on_all(worker))
    assert len(worker.requests) == 5


async def _hang_up_on_all(worker: object) -> None:
    for writer in tuple(worker._writers):  # type: ignore[attr-defined]
        writer.transport.abort()


def test_requests_wait_for_a_worker_that_does_not_listen_yet(house: Stand) -> None:
    house.push(endpoints={"e": house.view("late")})
    with house.connect() as one, house.connect() as two:
        one.sendall(invocation(b"one"))
        two.sendall(invocation(b"two"))
        wait_for(lambda: house.usage[("e", "main")]["in_flight"])
        house.worker("late")
        assert read_answer(one).body == b"one"
        assert read_answer(two).body == b"two"


def test_an_instance_that_refuses_is_left_out_while_another_serves(house: Stand) -> None:
    house.worker("serves")
    house.push(endpoints={"e": house.view("refuses", "serves")})
    assert {house.invoke().status for _ in range(20)} == {200}


def test_a_variant_whose_workers_are_all_gone_gets_no_share(house: Stand) -> None:
    house.worker("share")
    variants = (house.variant("gone", "gone", weight=9), house.variant("there", "share", weight=1))
    house.push(endpoints={"e": link.EndpointView(variants=variants)})
    seen = [house.invoke().headers["x-Amzn-Invoked-Production-Variant"] for _ in range(5)]
    assert seen == ["there"] * 5


def test_no_more_than_the_connections_allowed_and_then_first_come_first_served(
    house: Stand,
) -> None:
    order: list[bytes] = []

    gate = Gate()

    async def behave(request: Request) -> Reply:
        await gate.opened.wait()
        order.append(request.body)
        return echo(request)

    worker = house.worker("busy", behave)
    house.push(endpoints={"busy": house.view("busy")}, limits=house.limits(waiting=10))
    callers = []
    for number in range(CONNECTIONS + 10):
        caller = house.connect()
        caller.sendall(invocation(b"%03d" % number, endpoint="busy"))
        callers.append(caller)
        wait_for(lambda n=number + 1: house.usage[("busy", "main")]["in_flight"] == n)
    assert worker.connections == CONNECTIONS
    answer = house.invoke("busy")
    assert (answer.status, answer.kind) == (503, "ServiceUnavailable")
    assert answer.headers["Retry-After"] == "1"
    # Of those that wait, one gives up: it is dropped, and the others do not notice.
    callers.pop(CONNECTIONS + 3).close()
    wait_for(lambda: house.usage[("busy", "main")]["in_flight"] == CONNECTIONS + 9)
    house.call(gate.opened.set)
    for caller in callers:
        assert read_answer(caller).status == 200
        caller.close()
    assert worker.connections == CONNECTIONS
    waited = [int(body) for body in order[CONNECTIONS:]]
    assert waited == [CONNECTIONS + n for n in range(10) if n != 3]


def test_too_many_waiting_requests_are_sent_away(house: Stand) -> None:
    house.push(endpoints={"full": house.view("not-there")}, limits=house.limits(waiting=1))
    with house.connect() as caller:
        caller.sendall(invocation(b"", endpoint="full"))
        wait_for(lambda: house.usage[("full", "main")]["in_flight"] == 1)
        assert house.invoke("full").status == 503


def test_waiting_counts_against_the_models_time(house: Stand) -> None:
    house.push(endpoints={"e": house.view("never")}, limits=house.limits(model_seconds=0.3))
    begun = time.monotonic()
    answer = house.invoke()
    assert (answer.status, answer.kind) == (424, "ModelError")
    assert time.monotonic() - begun > 0.25


@pytest.mark.semantics("invoke.connect")
def test_a_worker_with_a_full_backlog_gets_its_requests_later(house: Stand) -> None:
    """A worker that computes does not accept; connections beyond its backlog are refused."""

    async def small() -> asyncio.Server:
        return await asyncio.start_unix_server(
            serve, str(house.folder / "backlog.sock"), backlog=1, start_serving=True
        )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = await reader.read(10)
        writer.write(Reply(body=body).wire())
        await writer.drain()
        writer.close()

    server = house.run(small())
    house.push(endpoints={"e": house.view("backlog")})
    stuck = threading.Event()
    house._loop.call_soon_threadsafe(stuck.wait)
    callers = []
    for number in range(20):
        caller = house.connect()
        caller.sendall(invocation(b"%d" % number))
        callers.append(caller)
    wait_for(lambda: "instance backlog refuses connections" in house.log)
    stuck.set()
    for number, caller in enumerate(callers):
        assert read_answer(caller).body == b"%d" % number
        caller.close()
    house.call(server.close)


def test_a_waiting_request_of_a_caller_who_left_is_never_sent(house: Stand) -> None:
    house.push(endpoints={"left": house.view("comes-later")})
    with house.connect() as caller:
        caller.sendall(invocation(b"gone", endpoint="left"))
        wait_for(lambda: house.usage[("left", "main")]["in_flight"] == 1)
    wait_for(lambda: house.usage[("left", "main")]["in_flight"] == 0)
    worker = house.worker("comes-later")
    assert house.invoke("left", body="here").body == b"here"
    assert [request.body for request in worker.requests] == [b"here"]


def test_a_killed_worker_with_many_waiting_is_no_dead_end(house: Stand) -> None:
    """All its requests come back at once, behind those that waited; none must be forgotten."""
    process = house.worker_process("crowded")
    house.push(endpoints={"crowded": house.view("crowded")})
    callers = []
    for _ in range(CONNECTIONS + 20):
        caller = house.connect()
        caller.sendall(invocation(b"300", endpoint="crowded"))
        callers.append(caller)
    wait_for(lambda: house.usage[("crowded", "main")]["in_flight"] == CONNECTIONS + 20)
    process.send_signal(signal.SIGKILL)
    process.wait()
    house.worker_process("crowded")
    for caller in callers:
        assert read_answer(caller).body == b"300"
        caller.close()
