"""Requests for target models: where they go, how they wait, what control hears."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.gateway.stand import Gate, Reply, Request, wait_for

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tests.apps.gateway.stand import Stand


def tell(request: Request) -> Reply:
    return Reply(body=request.target.encode(), headers={"Content-Type": "text/plain"})


class Many:
    """A multi-model endpoint, named like its first worker, and control as the tests play it."""

    def __init__(self, house: Stand, *workers: str, **limits: float) -> None:
        self.house = house
        self.desk = house.desk
        house.desk.messages.clear()
        house.desk.uses.clear()
        #: What is asked for stays asked for until control has answered, whoever waits.
        self.endpoint = workers[0]
        endpoints = {self.endpoint: house.view(*workers, multi_model=True)}
        house.push(endpoints=endpoints, limits=house.limits(**limits))
        self.say({"kind": "placements", "placements": []})
        self._pool = ThreadPoolExecutor(32)

    def say(self, message: dict[str, Any]) -> None:
        assert self.house.server is not None
        self.house.call(self.house.server.send, self.desk.gateway, message)

    def row(self, worker: str, target: str, name: str = "n", **fields: Any) -> dict[str, Any]:
        return {
            "endpoint": self.endpoint,
            "variant": "main",
            "instance_id": worker,
            "target": target,
            "name": name,
            **fields,
        }

    def place(self, worker: str, target: str, name: str = "n", **fields: Any) -> None:
        self.say({"kind": "placed", "placed": self.row(worker, target, name, **fields)})
        # A request comes by another socket and could overtake it; the snapshot cannot.
        self.house.push()

    def ask(self, target: str | None, body: bytes = b"{}") -> Any:
        headers = {} if target is None else {"X_Amzn_SageMaker_Target_Model": target}
        return self.house.invoke(self.endpoint, body, **headers)

    def begin(self, target: str) -> Future[Any]:
        return self._pool.submit(self.ask, target)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        # A new link hears again what other tests' endpoints have asked for.
        own = (self.endpoint, None)
        return [
            each
            for each in self.desk.messages
            if each["kind"] == kind and each.get("endpoint") in own
        ]

    def wait_heard(self, kind: str, count: int = 1) -> dict[str, Any]:
        wait_for(lambda: len(self.heard(kind)) >= count, f"control to hear {kind}")
        return self.heard(kind)[count - 1]


@pytest.fixture
def house(shared: Stand) -> Stand:
    return shared


@pytest.mark.semantics("multi.invoke", "multi.placement")
def test_a_request_goes_to_the_instance_that_has_its_model(house: Stand) -> None:
    workers = {name: house.worker(name, tell) for name in ("a1", "a2")}
    many = Many(house, *workers)
    many.place("a2", "x/y.tar.gz", "opaque")
    for _ in range(3):
        answer = many.ask("x/y.tar.gz")
        assert (answer.status, answer.body) == (200, b"/models/opaque/invoke")
    assert [len(each.requests) for each in workers.values()] == [0, 3]
    assert workers["a2"].requests[0].headers["x-amzn-sagemaker-target-model"] == "x/y.tar.gz"
    assert not many.heard("load")


def test_cold_requests_wait_while_control_is_asked_once(house: Stand) -> None:
    house.worker("b1", tell)
    many = Many(house, "b1")
    waiting = [many.begin("x") for _ in range(5)]
    asked = many.wait_heard("load")
    assert (asked["endpoint"], asked["variant"], asked["target"]) == ("b1", "main", "x")
    many.place("b1", "x")
    many.say({"kind": "loaded", "number": asked["number"]})
    assert {each.result().status for each in waiting} == {200}
    assert len(many.heard("load")) == 1


def test_a_refusal_is_told_to_all_who_wait(house: Stand) -> None:
    house.worker("c1", tell)
    many = Many(house, "c1")
    waiting = [many.begin("x") for _ in range(3)]
    wait_for(lambda: house.usage["c1", "main"]["in_flight"] == 3, "all to wait")
    number = many.wait_heard("load")["number"]
    refusal = {"kind": "ValidationError", "status": 400, "message": "there is no key 'x'"}
    many.say({"kind": "refused", "number": number, "refusal": refusal})
    for each in waiting:
        answer = each.result()
        assert (answer.status, answer.kind) == (400, "ValidationError")
        assert answer.json["Message"] == "there is no key 'x'"
    # The next one is asked for again.
    many.begin("x")
    many.wait_heard("load", 2)


def test_what_a_script_failed_with_is_a_model_error(house: Stand) -> None:
    house.worker("d1", tell)
    many = Many(house, "d1")
    waiting = many.begin("x")
    number = many.wait_heard("load")["number"]
    refusal = {"kind": "ModelError", "status": 424, "message": "NameError: x"}
    many.say({"kind": "refused", "number": number, "refusal": refusal})
    assert waiting.result().kind == "ModelError"
    assert waiting.result().json["OriginalMessage"] == "NameError: x"


def test_requests_wait_for_control_to_come_back(house: Stand) -> None:
    house.worker("e1", tell)
    many = Many(house, "e1")
    many.place("e1", "warm")
    house.close_link()
    waiting = many.begin("cold")
    assert many.ask("warm").status == 200
    assert not waiting.done()
    house.desk.gateway = ""
    house.open_link()
    asked = many.wait_heard("load")
    rows = [many.row("e1", "warm"), many.row("e1", "cold", "m")]
    many.say({"kind": "placements", "placements": rows})
    many.say({"kind": "loaded", "number": asked["number"]})
    assert waiting.result().body == b"/models/m/invoke"


def test_what_is_withdrawn_gets_nothing_new_and_is_acknowledged_when_it_rests(
    house: Stand,
) -> None:
    gate = Gate(tell)
    worker = house.worker("f1", gate)
    many = Many(house, "f1")
    many.place("f1", "x")
    under_way = many.begin("x")
    wait_for(lambda: worker.requests)
    many.say({"kind": "withdraw", "number": 7, "placed": many.row("f1", "x")})
    house.push()  # as in `place`: a request could overtake it
    later = many.begin("x")
    asked = many.wait_heard("load")
    assert not many.heard("withdrawn")
    house.call(gate.opened.set)
    assert under_way.result().status == 200
    assert many.wait_heard("withdrawn")["number"] == 7
    many.place("f1", "x", "again")
    many.say({"kind": "loaded", "number": asked["number"]})
    assert later.result().body == b"/models/again/invoke"


def test_what_rests_is_acknowledged_at_once(house: Stand) -> None:
    house.worker("g1", tell)
    many = Many(house, "g1")
    many.place("g1", "x")
    for number in (1, 2):  # the second time there is nothing left of it
        many.say({"kind": "withdraw", "number": number, "placed": many.row("g1", "x")})
        assert many.wait_heard("withdrawn", number)["number"] == number


def test_another_content_takes_over_while_the_former_one_finishes(house: Stand) -> None:
    gate = Gate(tell)
    worker = house.worker("h1", gate)
    many = Many(house, "h1")
    many.place("h1", "x", "former")
    former = many.begin("x")
    wait_for(lambda: worker.requests)
    many.place("h1", "x", "present")
    many.say({"kind": "withdraw", "number": 1, "placed": many.row("h1", "x", "former")})
    present = many.begin("x")
    wait_for(lambda: len(worker.requests) == 2)
    assert not many.heard("withdrawn")
    house.call(gate.opened.set)
    assert former.result().body == b"/models/former/invoke"
    assert present.result().body == b"/models/present/invoke"
    many.wait_heard("withdrawn")


@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        ("ours", {"X-Parkade-Model-Not-Loaded": "true"}, b"{}"),
        ("theirs", {}, b'{"code": 404, "type": "ModelNotFoundException"}'),
    ],
)
def test_a_model_that_its_container_has_lost_is_asked_for_again(
    house: Stand, name: str, headers: dict[str, str], body: bytes
) -> None:
    lost = Reply(status=404, headers=headers, body=body)
    house.worker(name, lambda request: lost if "/n/" in request.target else tell(request))
    many = Many(house, name)
    many.place(name, "x")
    waiting = many.begin("x")
    assert many.wait_heard("lost")["name"] == "n"
    many.place(name, "x", "m")
    many.say({"kind": "loaded", "number": many.wait_heard("load")["number"]})
    assert waiting.result().body == b"/models/m/invoke"


def test_a_models_own_404_is_its_error(house: Stand) -> None:
    reply = Reply(status=404, body=b'{"type": "nothing of the kind"}')
    house.worker("i1", lambda _: reply)
    many = Many(house, "i1")
    many.place("i1", "x")
    answer = many.ask("x")
    assert (answer.kind, answer.json["OriginalStatusCode"]) == ("ModelError", 404)
    assert not many.heard("lost")


def test_a_model_that_does_not_come_in_time_is_not_ready(house: Stand) -> None:
    house.worker("j1", tell)
    many = Many(house, "j1", model_seconds=0.3)
    answer = many.ask("x")
    assert (answer.status, answer.kind) == (429, "ModelNotReadyException")
    used = house.usage[("j1", "main")]
    wait_for(lambda: used["not_ready"] == 1)
    assert (used["invocations"], used["model_errors"]) == (1, 0)


@pytest.mark.parametrize("target", [None, "../x", "a//b"])
def test_what_names_no_model_is_refused(house: Stand, target: str | None) -> None:
    name = f"k{[None, '../x', 'a//b'].index(target)}"
    house.worker(name, tell)
    many = Many(house, name)
    answer = many.ask(target)
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "TargetModel" in answer.json["Message"]


def test_a_busy_model_is_asked_for_in_one_more_instance(house: Stand) -> None:
    gate = Gate(tell)
    workers = [house.worker(name, gate) for name in ("l1", "l2")]
    many = Many(house, "l1", "l2", spread_at=2)
    many.place("l1", "x")
    waiting = [many.begin("x") for _ in range(4)]
    asked = many.wait_heard("load")
    assert asked["further"]
    many.place("l2", "x")
    many.say({"kind": "loaded", "number": asked["number"]})
    waiting += [many.begin("x") for _ in range(4)]
    wait_for(lambda: sum(len(each.requests) for each in workers) == 8)
    assert [len(each.requests) for each in workers] == [4, 4]
    house.call(gate.opened.set)
    assert {each.result().status for each in waiting} == {200}
    assert len(many.heard("load")) == 1


def test_a_busy_model_that_cannot_spread_is_not_asked_for_again_and_again(house: Stand) -> None:
    gate = Gate(tell)
    workers = [house.worker(name, gate) for name in ("o1", "o2")]
    many = Many(house, "o1", "o2", spread_at=1)
    many.place("o1", "x")
    waiting = [many.begin("x") for _ in range(2)]
    number = many.wait_heard("load")["number"]
    refusal = {"kind": "ServiceUnavailable", "status": 503, "message": "all are pinned"}
    many.say({"kind": "refused", "number": number, "refusal": refusal})
    waiting += [many.begin("x") for _ in range(4)]
    wait_for(lambda: len(workers[0].requests) == 6)
    house.call(gate.opened.set)
    assert {each.result().status for each in waiting} == {200}
    assert len(many.heard("load")) == 1


def test_a_model_that_is_not_to_stay_is_finished_after_its_calls(house: Stand) -> None:
    house.worker("m1", tell)
    many = Many(house, "m1")
    many.place("m1", "x", once=True)
    assert many.ask("x").status == 200
    assert many.wait_heard("finished")["name"] == "n"


def test_uses_are_told_by_copy(house: Stand) -> None:
    house.worker("n1", tell)
    many = Many(house, "n1")
    many.place("n1", "x")
    for _ in range(3):
        many.ask("x")
    cold = many.begin("y")
    asked = many.wait_heard("load")
    many.place("n1", "y", "m")
    many.say({"kind": "loaded", "number": asked["number"]})
    assert cold.result().status == 200

    def told() -> Counter[tuple[str, str]]:
        sums: Counter[tuple[str, str]] = Counter()
        for use in many.desk.uses:
            for field in ("invocations", "hits", "model_us", "waiting_us"):
                sums[use["target"], field] += use[field]
        return sums

    wait_for(lambda: told()["y", "invocations"] == 1 and told()["x", "invocations"] == 3)
    assert (told()["x", "hits"], told()["y", "hits"]) == (3, 0)
    assert told()["x", "model_us"] > 0
    assert told()["y", "waiting_us"] > 0
    assert told()["x", "waiting_us"] == 0
    assert json.dumps(many.desk.uses)
