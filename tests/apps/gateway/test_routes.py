"""What routes promise and ask: their rates, their time limits, and that each call is counted."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps import link, linkcalls, snapshots
from tests.apps.gateway.stand import Flow, Gate, Reply, head, read_answer, stand, wait_for
from tests.apps.gateway.test_signed import signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.apps.gateway.stand import Request, Stand

numbers = itertools.count()


def says(request: Request) -> Reply:
    """A model that answers with the status that it is asked for."""
    return Reply(status=int(request.body or b"200"))


class Road:
    """An endpoint with a route of its own."""

    def __init__(self, house: Stand, behave: Any = says, **conditions: Any) -> None:
        self.house = house
        self.endpoint = f"r{next(numbers)}"
        self.path = f"/{self.endpoint}"
        self.worker = house.worker(self.endpoint, behave)
        self.push(**conditions)

    def push(self, **conditions: Any) -> None:
        self.house.push(
            endpoints={self.endpoint: self.house.view(self.endpoint)},
            routes={self.path: link.RouteView(endpoint=self.endpoint, **conditions)},
        )

    def call(self, status: int = 200, **options: Any) -> Any:
        return self.house.invoke(path=self.path, body=str(status), **options)

    def statuses(self, count: int, **options: Any) -> list[int]:
        return [self.call(**options).status for _ in range(count)]


# -- rates -----------------------------------------------------------------------------------


def test_a_public_route_has_a_rate_of_all_its_callers(house: Stand) -> None:
    road = Road(house, public=True, rate=0.001, burst=3)
    assert road.statuses(5, token=None) == [200, 200, 200, 429, 429]
    answer = road.call(token=None)
    assert answer.kind == "ThrottlingException"
    assert 1 <= int(answer.headers["Retry-After"]) <= 1000
    assert f"The rate limit of {road.path} is reached" in answer.json["Message"]
    # The endpoint's own address is another.
    assert house.invoke(road.endpoint, "200").status == 200


def test_all_tokens_share_a_routes_rate_and_strangers_use_none_of_it(house: Stand) -> None:
    road = Road(house)
    tokens = (house.token_view("a", "pk_a"), house.token_view("b", "pk_b"))
    house.push(tokens=tokens)
    road.push(rate=0.001, burst=4)
    assert road.statuses(6, token="pk_wrong") == [401] * 6
    assert [road.call(token=f"pk_{name}").status for name in "ababab"] == [200] * 4 + [429] * 2


def test_what_was_used_of_a_rate_stays_used_until_the_rate_is_gone(house: Stand) -> None:
    road = Road(house, rate=0.001, burst=3)
    assert road.statuses(2) == [200] * 2
    road.push(rate=0.001, burst=3)
    assert road.statuses(2) == [200, 429]
    # A larger burst fills up by the rate alone.
    road.push(rate=0.002, burst=9)
    assert road.statuses(1) == [429]
    road.push()
    assert road.statuses(5) == [200] * 5
    road.push(rate=0.001, burst=1)
    assert road.statuses(2) == [200, 429]


def test_a_route_under_its_prefix_has_the_same_rate(house: Stand) -> None:
    road = Road(house, rate=0.001, burst=2)
    paths = [road.path, f"/prod{road.path}", f"{road.path}?x=1"]
    assert [house.invoke(path=path, body="200").status for path in paths] == [200, 200, 429]


def test_a_signed_request_counts_once_its_signature_is_good(house: Stand) -> None:
    road = Road(house, rate=0.001, burst=1)

    def ask(body: bytes) -> int:
        """Send it with the signature of a request with another body, or its own."""
        headers = signed(house, b"200", path=road.path)
        return house.invoke(path=road.path, body=body, token=None, **headers).status

    assert ask(b"201") == 403
    assert [ask(b"200") for _ in range(2)] == [200, 429]


# -- time limits -----------------------------------------------------------------------------


def test_a_route_has_a_time_limit_of_its_own(house: Stand) -> None:
    gate = Gate(says)
    road = Road(house, gate, seconds=0.2)
    answer = road.call()
    assert answer.status == 424
    assert "timed out while waiting for a response from container primary" in answer.json["Message"]
    # Others wait on, be it by another route or by the endpoint's own address.
    with house.connect() as caller:
        caller.sendall(
            head("POST", f"/endpoints/{road.endpoint}/invocations", "Content-Length: 3") + b"200"
        )
        assert road.call().status == 424
        house.call(gate.opened.set)
        assert read_answer(caller).status == 200


def test_a_route_may_give_a_model_more_time_than_others(house: Stand) -> None:
    gate = Gate(says)
    road = Road(house, gate)
    house.push(limits=house.limits(model_seconds=0.1))
    road.push(seconds=60)
    with house.connect() as caller:
        caller.sendall(head("POST", road.path, "Content-Length: 3") + b"200")
        assert house.invoke(road.endpoint, "200").status == 424
        house.call(gate.opened.set)
        assert read_answer(caller).status == 200


def test_what_waits_for_a_worker_is_under_the_routes_limit(house: Stand) -> None:
    house.push(
        endpoints={"bare": house.view()},
        routes={"/bare": link.RouteView(endpoint="bare", seconds=0.2)},
    )
    answer = house.invoke(path="/bare")
    assert (answer.status, answer.kind) == (429, "ModelNotReadyException")
    assert "it had no instance within 0.2 s" in answer.json["Message"]


# -- counting --------------------------------------------------------------------------------


class Tally:
    """What control was told of one path."""

    def __init__(self, house: Stand, resource: str, api: str = "parkade") -> None:
        self.house, self.key = house, (api, resource)
        #: Whoever told before is not asked again.
        self.before = self.now()

    def now(self) -> Counter[str]:
        told: Counter[str] = Counter()
        for report in tuple(self.house.reports):
            for each in report.calls:
                if (each.api, each.resource) == self.key:
                    told += Counter(
                        calls=each.calls,
                        errors_4xx=each.errors_4xx,
                        errors_5xx=each.errors_5xx,
                        latency=sum(each.latency.buckets.values()),
                        integration=sum(each.integration.buckets.values()),
                    )
        return told

    def wait(self, calls: int, errors_4xx: int = 0, errors_5xx: int = 0, asked: int = 0) -> None:
        """Wait for all calls to be told; then all else must be told as well, and no more."""

        def told() -> Counter[str]:
            now = self.now()
            now.subtract(self.before)
            return now

        wait_for(lambda: told()["calls"] >= calls, f"{calls} calls of {self.key}")
        assert {name: told()[name] for name in ("calls", "errors_4xx", "errors_5xx")} == {
            "calls": calls,
            "errors_4xx": errors_4xx,
            "errors_5xx": errors_5xx,
        }
        assert (told()["latency"], told()["integration"]) == (calls, asked)


def test_calls_of_a_route_are_counted_by_the_status_of_their_answers(house: Stand) -> None:
    road = Road(house)
    tally = Tally(house, road.path)
    for status in (200, 201, 404, 500):
        road.call(status)
    house.invoke(path=f"/prod{road.path}", body="200")
    # What a model answers with an error is answered 424.
    tally.wait(5, errors_4xx=2, asked=5)


def test_refusals_by_the_gateway_are_counted(house: Stand) -> None:
    road = Road(house, rate=0.001, burst=4)
    tally = Tally(house, road.path)
    limits = house.limits(body_bytes=100)
    tokens = (*house.snapshot.tokens, house.token_view("few", "pk_few", endpoints=("other",)))
    house.push(limits=limits, tokens=tokens)
    statuses = [
        road.call().status,
        road.call(token=None).status,
        road.call(token="pk_few").status,
        house.invoke(path=road.path, body="x" * 101).status,
        road.call(X_Amzn_SageMaker_Target_Variant="nobody").status,
    ]
    assert statuses == [200, 401, 403, 413, 400]
    house.push(
        endpoints={
            road.endpoint: link.EndpointView(
                down=link.Down(reason="expired", hint="pay", retry_after=1)
            )
        }
    )
    assert road.statuses(2) == [503, 429]
    tally.wait(7, errors_4xx=5, errors_5xx=1, asked=1)
    # Another method is no call.
    assert house.invoke(path=road.path, method="PUT").status == 405
    road.push()
    road.call()
    tally.wait(8, errors_4xx=5, errors_5xx=1, asked=2)


def test_a_stream_is_counted_when_it_ends_be_it_broken(house: Stand) -> None:
    async def pieces() -> Any:
        yield b"one"

    road = Road(house, lambda request: Flow(pieces(), broken=request.body == b"500"))
    tally = Tally(house, road.path)
    assert road.call().body == b"one"
    with house.connect() as caller:
        caller.sendall(head("POST", road.path, "Content-Length: 3") + b"500")
        while caller.recv(4096):
            pass
    tally.wait(2, asked=2)


def test_endpoints_own_addresses_are_two_resources(house: Stand) -> None:
    road = Road(house)
    plain, streams = Tally(house, linkcalls.INVOCATIONS), Tally(house, linkcalls.STREAMS)
    house.invoke(road.endpoint, "200")
    house.invoke("nowhere")
    house.invoke(path=f"/endpoints/{road.endpoint}/invocations-response-stream", body="200")
    plain.wait(2, errors_4xx=1, asked=1)
    streams.wait(1, asked=1)


def test_a_projects_calls_are_its_own(house: Stand) -> None:
    road = Road(house, project="TextDemo")
    ours, nobodys = Tally(house, road.path, "TextDemo"), Tally(house, road.path)
    road.call()
    road.push()
    road.call()
    ours.wait(1, asked=1)
    nobodys.wait(1, asked=1)


def test_a_route_to_nowhere_is_counted(house: Stand) -> None:
    path = f"/r{next(numbers)}"
    tally = Tally(house, path)
    house.push(routes={path: link.RouteView(endpoint="nowhere")})
    assert house.invoke(path=path).status == 400
    tally.wait(1, errors_4xx=1)


@pytest.fixture
def alone() -> Iterator[Stand]:
    with stand() as made:
        made.worker("w", says)
        made.push(endpoints={"e": made.view("w")}, routes={"/r": link.RouteView(endpoint="e")})
        yield made


def test_calls_are_counted_while_control_is_away_and_told_once(alone: Stand) -> None:
    tally = Tally(alone, "/r")
    alone.invoke(path="/r", body="200")
    tally.wait(1, asked=1)
    alone.close_link()
    for _ in range(600):  # more than are counted at once
        alone.invoke(path="/r", body="404")
    alone.open_link()
    tally.wait(601, errors_4xx=600, asked=601)


def test_calls_that_control_took_to_its_grave_are_told_again() -> None:
    """Control dies after it was sent the counts and before it said that it has them."""
    with stand(link_open=False) as house:
        house.worker("w", says)
        house.tell(endpoints={"e": house.view("w")}, routes={"/r": link.RouteView(endpoint="e")})
        house.link.setblocking(True)
        dying, _ = house.link.accept()
        house.link.setblocking(False)
        values = snapshots.to_json(house.snapshot)
        dying.sendall(link.frame({"kind": "snapshot", "snapshot": values}))
        for status in (200, 500, 200):
            house.invoke(path="/r", body=str(status))
        heard = b""
        while b'"resource":"/r"' not in heard:
            heard += dying.recv(65536)
        dying.close()
        house.open_link()
        Tally(house, "/r").wait(3, errors_4xx=1, asked=3)


def test_the_last_calls_are_told_before_the_end() -> None:
    with stand(patience={"last": 10_000}) as house:
        house.worker("w", says)
        house.push(
            endpoints={"e": house.view("w")},
            routes={"/r": link.RouteView(endpoint="e")},
            limits=link.Limits(usage_seconds=1000),
        )
        house.invoke(path="/r", body="200")
        assert house.stop() == 0
        wait_for(lambda: Tally(house, "/r").before["calls"] == 1)
