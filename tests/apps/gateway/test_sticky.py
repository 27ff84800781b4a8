"""The same caller gets the same variant: by a header, by a cookie, through changes of all kinds."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps import link
from tests.apps.gateway.stand import Flow, Reply, head, read_answer, stand
from tests.apps.gateway.test_process import make_certificate, secured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.apps.gateway.stand import Caught, Request, Stand

numbers = itertools.count()
TARGET = "X_Amzn_SageMaker_Target_Variant"
VARIANT = "x-Amzn-Invoked-Production-Variant"
SESSION = "X_Amzn_SageMaker_Session_Id"
PEOPLE = [f"person-{number}" for number in range(40)]


class Shop:
    """An endpoint with variants a and b, and a route for each way to tell callers apart."""

    def __init__(self, house: Stand, behave: Any = None) -> None:
        self.house = house
        self.endpoint = f"s{next(numbers)}"
        self.header = f"/h{self.endpoint}"
        self.cookie = f"/c{self.endpoint}"
        self.workers = {name: f"{self.endpoint}{name}" for name in "abc"}
        for name in self.workers.values():
            house.worker(name, behave or (lambda _, name=name: Reply(body=name.encode())))
        self.push(a=1, b=1)

    def push(
        self, rising: link.Rising | None = None, generation: int = 0, **weights: float | None
    ) -> None:
        """Set the variants' weights; a weight of None: one that has no instance."""
        variants = self.variants(**weights)
        view = link.EndpointView(variants=variants, generation=generation, rising=rising)
        self.house.push(
            endpoints={self.endpoint: view},
            routes={
                self.header: link.RouteView(endpoint=self.endpoint, header="X-User"),
                self.cookie: link.RouteView(endpoint=self.endpoint, cookie="visitor"),
            },
        )

    def variants(self, **weights: float | None) -> tuple[link.VariantRoute, ...]:
        return tuple(
            self.house.variant(name)
            if weight is None
            else self.house.variant(name, self.workers[name], weight=weight)
            for name, weight in weights.items()
        )

    def ask(self, person: str = "", **headers: str) -> str:
        given = {"X_User": person} if person else {}
        answer = self.house.invoke(path=self.header, **given, **headers)
        assert answer.status == 200
        return str(answer.headers[VARIANT])

    def everybody(self) -> dict[str, str]:
        return {person: self.ask(person) for person in PEOPLE}


@pytest.fixture
def shop(house: Stand) -> Shop:
    return Shop(house)


def test_the_same_header_gets_the_same_variant_and_others_are_spread(shop: Shop) -> None:
    first = shop.everybody()
    assert shop.everybody() == first
    assert set(first.values()) == {"a", "b"}
    # On another address of the route, too.
    for person in PEOPLE[:5]:
        answer = shop.house.invoke(path=f"/prod{shop.header}?x=1", X_User=person)
        assert answer.headers[VARIANT] == first[person]


def test_who_does_not_say_who_it_is_is_drawn_exactly(shop: Shop) -> None:
    assert Counter(shop.ask() for _ in range(10)) == {"a": 5, "b": 5}
    assert Counter(shop.ask(X_User="  ") for _ in range(10)) == {"a": 5, "b": 5}
    # The endpoint's own address tells nobody apart, whatever the header says.
    told = [shop.house.invoke(shop.endpoint, X_User="ann").headers[VARIANT] for _ in range(10)]
    assert Counter(told) == {"a": 5, "b": 5}


def test_where_a_weight_grows_nobody_moves_but_to_it(shop: Shop) -> None:
    before = shop.everybody()
    shop.push(a=0.2, b=0.8)
    after = shop.everybody()
    moved = {(before[each], after[each]) for each in PEOPLE if before[each] != after[each]}
    assert moved == {("a", "b")}
    shop.push(a=1, b=1, c=1)
    joined = shop.everybody()
    assert {joined[each] for each in PEOPLE if before[each] != joined[each]} == {"c"}
    shop.push(a=1, b=0)
    assert set(shop.everybody().values()) == {"a"}


def test_who_lost_a_variant_goes_to_the_next_best_and_comes_back(shop: Shop) -> None:
    before = shop.everybody()
    shop.push(a=1, b=None)
    assert set(shop.everybody().values()) == {"a"}
    shop.push(a=1, b=1)
    assert shop.everybody() == before


def test_where_no_variant_has_a_weight_each_gets_its_callers(shop: Shop) -> None:
    before = shop.everybody()
    shop.push(a=0, b=0)
    assert shop.everybody() == before


def test_a_target_variant_comes_first(shop: Shop) -> None:
    before = shop.everybody()
    for person in PEOPLE[:6]:
        assert [shop.ask(person, **{TARGET: name}) for name in "ab"] == ["a", "b"]
    assert shop.everybody() == before


def test_endpoints_assign_the_same_callers_differently(shop: Shop) -> None:
    """Or who tries the new model here would try the new one everywhere."""
    other = Shop(shop.house)
    one = other.everybody()
    shop.push(a=1, b=1)
    assert shop.everybody() != one


# -- cookies ---------------------------------------------------------------------------------


def cookie_of(answer: Caught) -> str:
    (line,) = answer.headers.get_all("Set-Cookie") or [""]
    return line


def visit(shop: Shop, cookie: str = "", **options: Any) -> Caught:
    given = {"Cookie": cookie} if cookie else {}
    return shop.house.invoke(path=shop.cookie, **given, **options)


def test_who_has_no_cookie_is_given_one_and_stays(shop: Shop) -> None:
    seen = Counter()
    for _ in range(20):
        first = visit(shop)
        morsel = SimpleCookie(cookie_of(first))["visitor"]
        assert (morsel["path"], morsel["max-age"]) == (shop.cookie, "31536000")
        assert (morsel["httponly"], morsel["samesite"]) == (True, "Lax")
        assert not morsel["secure"]
        assert len(morsel.value) > 20
        seen[morsel.value] += 1
        again = visit(shop, f"other=1; visitor={morsel.value} ;more=2")
        assert again.headers[VARIANT] == first.headers[VARIANT]
        assert again.headers["Set-Cookie"] is None
    assert len(seen) == 20


def test_a_cookie_is_given_for_the_address_that_was_called(shop: Shop) -> None:
    for prefix in ("", "/prod"):
        for query in ("", "?x=1"):
            answer = shop.house.invoke(path=f"{prefix}{shop.cookie}{query}")
            assert f"; Path={prefix}{shop.cookie};" in cookie_of(answer)


@pytest.mark.parametrize("sent", ["visitor=", "visitors=1", "visitor", ""])
def test_a_cookie_that_tells_nobody_is_none(shop: Shop, sent: str) -> None:
    assert cookie_of(visit(shop, sent))


def test_who_may_not_come_is_given_no_cookie(shop: Shop) -> None:
    answer = visit(shop, token=None)
    assert (answer.status, answer.headers["Set-Cookie"]) == (401, None)


def test_an_answer_with_an_error_of_the_model_brings_the_cookie(house: Stand) -> None:
    shop = Shop(house, lambda _: Reply(status=500, body=b"no"))
    answer = visit(shop)
    assert answer.status == 424
    assert cookie_of(answer)


def test_a_stream_brings_the_cookie(house: Stand) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two" * 100_000

    def behave(_: Request) -> Flow:
        return Flow(pieces())

    shop = Shop(house, behave)
    answer = visit(shop)
    assert answer.body.startswith(b"onetwo")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    value = re.match(r"visitor=([^;]+);", cookie_of(answer))
    assert value is not None
    again = visit(shop, f"visitor={value[1]}")
    assert again.headers[VARIANT] == answer.headers[VARIANT]
    assert again.headers["Set-Cookie"] is None


# -- while one generation takes over from another --------------------------------------------


@pytest.fixture
def over(house: Stand) -> Any:
    """Have the new generation take over by and by; tell who is answered by which."""
    shop = Shop(house)
    news = {name: f"{shop.endpoint}{name}2" for name in "ab"}
    for name in news.values():
        house.worker(name, lambda _, name=name: Reply(body=name.encode()))

    def push(weight: int, *, finished: bool = False) -> None:
        new = tuple(house.variant(name, worker) for name, worker in news.items())
        if finished:
            view = link.EndpointView(variants=new, generation=2)
        else:
            rising = link.Rising(generation=2, weight=weight, parts=10, variants=new)
            view = link.EndpointView(
                variants=shop.variants(a=1, b=1), generation=1, rising=rising if weight else None
            )
        house.push(endpoints={shop.endpoint: view})

    def ask() -> dict[str, tuple[str, bool]]:
        told = {}
        for person in PEOPLE:
            answer = house.invoke(path=shop.header, X_User=person)
            told[person] = (answer.headers[VARIANT], answer.body.decode() in news.values())
        return told

    return shop, push, ask


def test_callers_go_over_once_and_keep_their_variant_through_an_update(over: Any) -> None:
    _, push, ask = over
    push(0)
    first = ask()
    assert not any(new for _, new in first.values())
    former = first
    shares = []
    for weight in (2, 5, 8, 10):
        push(weight)
        now = ask()
        assert ask() == now
        assert all(now[each][0] == first[each][0] for each in PEOPLE)
        assert all(now[each][1] >= former[each][1] for each in PEOPLE)
        shares.append(sum(new for _, new in now.values()))
        former = now
    # Of forty callers: two, five and eight tenths by chance, and all at the end.
    assert shares[0] < 20 <= shares[2] <= shares[3] == len(PEOPLE)
    push(10, finished=True)
    assert ask() == former


def test_who_is_not_told_apart_has_exact_shares_beside(over: Any) -> None:
    shop, push, ask = over
    push(2)
    ask()
    old = {shop.workers[name] for name in "ab"}
    told = [shop.house.invoke(shop.endpoint).body.decode() in old for _ in range(20)]
    assert told.count(True) == 16


# -- TLS -------------------------------------------------------------------------------------


def test_over_tls_a_cookie_is_secure(tmp_path: Path) -> None:
    make_certificate(tmp_path, "first")
    options = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with stand(*options) as house:
        house.worker("w")
        house.push(
            endpoints={"e": house.view("w")},
            routes={"/r": link.RouteView(endpoint="e", cookie="visitor")},
        )
        with secured(house, tmp_path) as browser:
            browser.sendall(head("POST", "/r", "Content-Length: 0"))
            assert cookie_of(read_answer(browser)).endswith("; SameSite=Lax; Secure")


def test_two_gateways_agree() -> None:
    """Nothing is stored: another process assigns the same callers alike."""
    told = []
    for _ in range(2):
        with stand() as house:
            names = {name: f"w{name}" for name in "ab"}
            for name in names.values():
                house.worker(name)
            variants = tuple(house.variant(name, worker) for name, worker in names.items())
            house.push(
                endpoints={"e": link.EndpointView(variants=variants)},
                routes={"/r": link.RouteView(endpoint="e", header="X-User")},
            )
            told.append(
                [house.invoke(path="/r", X_User=each).headers[VARIANT] for each in PEOPLE[:10]]
            )
    assert told[0] == told[1]
