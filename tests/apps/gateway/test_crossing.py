"""Requests while one generation of an endpoint takes over from another."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from parkade.apps import link
from parkade.apps.gateway import counters
from parkade.apps.gateway.crossing import Crossing
from parkade.apps.gateway.instances import CONNECTIONS
from parkade.apps.gateway.variants import Variant
from tests.apps.gateway.stand import Gate, Reply, invocation, read_answer, wait_for
from tests.apps.gateway.test_sessions import SESSION, model

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand

numbers = itertools.count()
TARGET = "X_Amzn_SageMaker_Target_Variant"


def a_side(generation: int) -> Variant:
    made = Variant("main", counters.Counter())
    made.generation = generation
    return made


OLD, NEW = a_side(1), a_side(2)


def drawn(crossing: Crossing, count: int) -> list[int]:
    """Return which generations so many requests go to."""
    return [crossing.side([OLD, NEW])[0].generation for _ in range(count)]


@given(some.integers(1, 100), some.integers(1, 100), some.integers(1, 300))
def test_shares_are_exact_and_spread_evenly(weight: int, more: int, count: int) -> None:
    """In whatever run of requests there are never more, nor less, than their share by one."""
    parts = weight + more - 1
    seen = drawn(Crossing(2, weight, parts), count)
    assert seen.count(2) == count * weight // parts
    for length in (1, 3, 10):
        for begin in range(0, count - length, 7):
            share = seen[begin : begin + length].count(2)
            assert abs(share - length * weight / parts) < 1


@given(some.lists(some.integers(1, 10), min_size=1, max_size=5))
def test_a_share_that_rises_owes_nothing_and_takes_nothing(shares: list[int]) -> None:
    crossing, due, seen = Crossing(2, 1, 10), 0, 0
    for share in shares:
        crossing.update(share, 10)
        seen += drawn(crossing, 7).count(2)
        due += 7 * share
        assert seen == due // 10


def test_what_one_generation_alone_can_take_goes_there() -> None:
    crossing = Crossing(2, 1, 2)
    assert crossing.side([OLD]) == [OLD]
    assert crossing.side([NEW]) == [NEW]
    assert drawn(crossing, 4) == [1, 2, 1, 2]


# With a gateway.


class Pair:
    """An endpoint with an old and a new generation of variant `main`, a worker each."""

    def __init__(self, house: Stand, behave: Any = None) -> None:
        self.house = house
        self.endpoint = f"e{next(numbers)}"
        self.old, self.new = (f"c{next(numbers)}" for _ in range(2))
        for name in (self.old, self.new):
            house.worker(name, (behave or _says)(name))

    def push(self, weight: int = 0, parts: int = 10, **options: Any) -> None:
        """Have the new generation get its share; 0: it gets nothing and is not shown."""
        rising = link.Rising(
            generation=2,
            weight=weight,
            parts=parts,
            variants=(self.house.variant("main", self.new, **options),),
        )
        view = link.EndpointView(
            variants=(self.house.variant("main", self.old, **options),),
            generation=1,
            rising=rising if weight else None,
        )
        self.house.push(endpoints={self.endpoint: view})

    def finish(self) -> None:
        """Have the new generation be the only one."""
        variants = (self.house.variant("main", self.new),)
        view = link.EndpointView(variants=variants, generation=2)
        self.house.push(endpoints={self.endpoint: view})

    def invoke(self, body: str = "x", **headers: str) -> Any:
        return self.house.invoke(self.endpoint, body, **headers)

    def ask(self, count: int, **headers: str) -> Counter[str]:
        """Return how many of so many requests each generation answered."""
        answers = Counter(self.invoke(**headers).body.decode() for _ in range(count))
        return Counter(old=answers[self.old], new=answers[self.new])


def _says(name: str) -> Any:
    return lambda _: Reply(body=name.encode())


@pytest.mark.semantics("guardrails.staged")
def test_of_each_ten_requests_the_canary_gets_one(house: Stand) -> None:
    pair = Pair(house)
    pair.push()
    assert pair.ask(5) == {"old": 5, "new": 0}
    pair.push(1)
    assert pair.ask(40) == {"old": 36, "new": 4}
    pair.push(5)
    assert pair.ask(20) == {"old": 10, "new": 10}
    pair.push(10)
    assert pair.ask(10) == {"old": 0, "new": 10}
    pair.finish()
    assert pair.ask(10) == {"old": 0, "new": 10}


@pytest.mark.semantics("guardrails.staged")
def test_all_requests_come_back_when_it_is_rolled_back(house: Stand) -> None:
    pair = Pair(house)
    pair.push(5)
    assert pair.ask(10) == {"old": 5, "new": 5}
    pair.push()
    assert pair.ask(10) == {"old": 10, "new": 0}


def test_a_request_for_the_variant_by_its_name_has_the_same_shares(house: Stand) -> None:
    pair = Pair(house)
    pair.push(2)
    assert pair.ask(10, **{TARGET: "main"}) == {"old": 8, "new": 2}
    assert pair.invoke(**{TARGET: "other"}).status == 400


def test_sessions_stay_where_they_were_opened_through_the_take_over(house: Stand) -> None:
    pair = Pair(house, model)
    pair.push(5)
    opened = {}
    for number in range(6):
        answer = pair.invoke(body=f"s-{number}", **{SESSION: "NEW_SESSION"})
        opened[f"s-{number}"] = answer.body.decode()
    assert set(opened.values()) == {pair.old, pair.new}
    pair.push(10)
    for session, holder in opened.items():
        assert pair.invoke(**{SESSION: session}).body.decode() == holder
    pair.finish()
    for session, holder in opened.items():
        answer = pair.invoke(**{SESSION: session})
        if holder == pair.new:
            assert answer.body.decode() == holder
        else:
            assert "is closed" in answer.json["Message"]


def test_an_unknown_session_goes_over_once_at_most(house: Stand) -> None:
    pair = Pair(house)
    seen: dict[str, list[bool]] = {f"u-{number}": [] for number in range(20)}
    for weight in (2, 5, 8, 10):
        pair.push(weight)
        for session, holders in seen.items():
            holders.append(pair.invoke(**{SESSION: session}).body.decode() == pair.new)
    assert all(holders == sorted(holders) for holders in seen.values())
    assert all(holders[-1] for holders in seen.values())
    assert any(not holders[0] for holders in seen.values())


def test_where_the_new_generation_is_away_the_old_one_answers(house: Stand) -> None:
    pair = Pair(house)
    pair.push(5)
    rising = link.Rising(generation=2, weight=5, parts=10, variants=(house.variant("main"),))
    variants = (house.variant("main", pair.old),)
    view = link.EndpointView(variants=variants, generation=1, rising=rising)
    house.push(endpoints={pair.endpoint: view})
    assert pair.ask(6) == {"old": 6, "new": 0}


def test_what_the_new_generation_has_under_way_is_answered_through_the_take_over(
    house: Stand,
) -> None:
    """Its connections and its queue go along, whatever its variants are told apart by."""
    gate = Gate()
    pair = Pair(house, lambda _: gate)
    pair.push(10, concurrency=None)
    used = house.usage[(pair.endpoint, "main")]
    callers = [house.connect() for _ in range(CONNECTIONS + 3)]
    for caller in callers:
        caller.sendall(invocation(b"", endpoint=pair.endpoint))
    wait_for(lambda: used["in_flight"] == len(callers))
    pair.finish()
    house.call(gate.opened.set)
    for caller in callers:
        assert read_answer(caller).status == 200
        caller.close()
    wait_for(lambda: used["invocations"] == len(callers))
    assert (used["in_flight"], used["retried"]) == (0, 0)


@pytest.mark.semantics("guardrails.staged")
def test_errors_of_both_generations_count_for_the_variant(house: Stand) -> None:
    pair = Pair(house, lambda _: lambda _: Reply(status=500, body=b"no"))
    pair.push(5)
    for _ in range(4):
        pair.invoke()
    used = house.usage[(pair.endpoint, "main")]
    wait_for(lambda: used["invocations"] == 4)
    assert used["errors_5xx"] == 4


def test_a_target_model_is_loaded_in_the_generation_whose_turn_it_is(house: Stand) -> None:
    pair = Pair(house)
    pair.push(5, multi_model=True)
    asked = [load_of(pair, target) for target in ("one", "two")]
    assert [each["generation"] for each in asked] == [1, 2]


def load_of(pair: Pair, target: str) -> Any:
    """Ask for a target model that is loaded nowhere; return what control hears."""
    heard = pair.house.desk.messages
    with pair.house.connect() as caller:
        header = f"X-Amzn-SageMaker-Target-Model: {target}"
        caller.sendall(invocation(b"", header, endpoint=pair.endpoint))

        def asked() -> list[dict[str, Any]]:
            return [each for each in heard if each.get("target") == target]

        return wait_for(asked)[0]
