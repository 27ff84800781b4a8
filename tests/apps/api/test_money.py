"""Prices, costs and budgets over HTTP."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from parkade.apps.sections.money import EachOwner, Money
from parkade.domain.errors import Unavailable
from tests.apps.api.world import SECRETS, World, served
from tests.builders import NOW, minutes
from tests.money import UNPRICED, an_instance


def pass_time(world, amount, *instances, used=()):
    world.clock.advance(minutes(amount))
    now = world.clock.now()
    world.money.bookkeeper.meter(now, minutes(amount), instances, set(used))


def metered(world):
    """An hour of falcon, of which half was used, and of an unpriced one."""
    world.add("falcon", amount=minutes(600), owner="ann")
    world.add("kite", amount=minutes(600), owner="bob")
    running = an_instance(), an_instance("i-2", endpoint_name="kite", instance_type=UNPRICED)
    pass_time(world, 30, *running, used={("falcon", "blue")})
    pass_time(world, 30, *running)


def set_budget(world, usd, owner="ann", **form):
    return world.ok("PUT", f"/v1/budgets/{owner}", by="admin", json={"usd": usd, **form})


# Cost.


def test_cost_tells_used_and_idle_apart_and_what_is_unpriced(world):
    metered(world)
    pass_time(world, 60)
    bill = world.ok("GET", "/v1/cost")
    falcon, kite = bill["lines"]
    assert falcon == {
        "endpoint_name": "falcon",
        "owner": "ann",
        "day": None,
        "instance_types": ["ml.g5.xlarge"],
        "instance_hours": 1.0,
        "cost": {"usd": "0.60", "unpriced": []},
        "used": {"usd": "0.30", "unpriced": []},
        "idle": {"usd": "0.30", "unpriced": []},
        "always_on": {"usd": "1.20", "unpriced": []},
        "saved": "0.60",
    }
    assert kite["cost"] == {"usd": "0.00", "unpriced": [UNPRICED]}
    assert bill["total"]["cost"] == {"usd": "0.60", "unpriced": [UNPRICED]}
    assert (bill["since"], bill["problem"]) == ("2026-02-22T14:00:00Z", "")


def test_cost_is_added_up_as_asked(world):
    metered(world)
    by_owner = world.ok("GET", "/v1/cost?by=owner")["lines"]
    assert [(each["owner"], each["endpoint_name"]) for each in by_owner] == [
        ("ann", None), ("bob", None),
    ]  # fmt: skip
    (day,) = world.ok("GET", "/v1/cost?by=day&owner=ann")["lines"]
    assert (day["day"], day["owner"], day["cost"]["usd"]) == ("2026-03-01", None, "0.60")
    (line,) = world.ok("GET", "/v1/cost?endpoint=kite")["lines"]
    assert line["endpoint_name"] == "kite"
    assert world.ok("GET", "/v1/cost?since=2026-03-01T12:30:00Z")["since"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/v1/cost?format=csv", {}), ("/v1/cost", {"Accept": "text/csv"})],
)
def test_cost_as_csv(world, path, headers):
    metered(world)
    answer = world.call("GET", path, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    falcon, kite = csv.DictReader(io.StringIO(answer.text))
    assert (falcon["cost_usd"], falcon["idle_usd"], falcon["unpriced"]) == ("0.60", "0.30", "")
    assert (kite["cost_usd"], kite["unpriced"]) == ("", UNPRICED)


def test_json_goes_before_what_accept_says_where_it_is_asked_for(world):
    answer = world.call("GET", "/v1/cost?format=json", headers={"Accept": "text/csv"})
    assert answer.json()["lines"] == []


def test_an_invoker_sees_the_cost_of_what_it_may_invoke(world):
    metered(world)
    bill = world.ok("GET", "/v1/cost", by="limited")
    assert [each["endpoint_name"] for each in bill["lines"]] == ["falcon"]
    assert bill["total"]["cost"] == {"usd": "0.60", "unpriced": []}
    assert world.call("GET", "/v1/cost?endpoint=kite", by="limited").status_code == 403


@pytest.mark.parametrize("since", ["yesterday", "7", "7w", "", "9999999d"])
def test_since_is_an_instant_or_a_span(world, since):
    answer = world.call("GET", f"/v1/cost?since={since}")
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "since"


def test_what_cannot_be_stored_is_said_with_the_cost(world):
    metered(world)
    world.money.spend.broken = Unavailable("the disk is away")
    pass_time(world, 1, an_instance())
    world.money.spend.broken = None
    assert world.ok("GET", "/v1/cost")["problem"] == "the disk is away"


def test_an_endpoint_tells_its_cost_under_its_lease_and_hides_nothing_where_it_cannot(world):
    metered(world)
    assert world.ok("GET", "/v1/endpoints/falcon")["cost"]["cost"]["usd"] == "0.60"
    world.money.spend.broken = Unavailable("the disk is away")
    endpoint = world.ok("GET", "/v1/endpoints/falcon")
    assert (endpoint["name"], endpoint["cost"]) == ("falcon", None)


# Prices.


def test_prices_tell_where_they_are_from_and_unpriced_is_not_nothing(world):
    listing = world.ok("GET", "/v1/prices", params={"type": ["ml.g5.xlarge", UNPRICED]})
    assert (listing["region"], listing["problem"]) == ("us-east-1", "")
    known, unknown = listing["prices"]
    assert known == {
        "instance_type": "ml.g5.xlarge",
        "usd_per_hour": "0.60",
        "source": "packaged",
        "dated": "2026-03-01",
        "confirmed": True,
        "reason": "",
    }
    assert unknown["usd_per_hour"] is None
    assert "no price of ml.x9.large in us-east-1" in unknown["reason"]


def test_a_list_that_was_fetched_goes_before_the_packaged_one(world):
    form = {"dated": "2026-04-01", "origin": "AWS", "prices": {"ml.g5.xlarge": "1.41"}}
    world.ok("PUT", "/v1/prices/us-east-1", by="admin", json=form)
    listing = world.ok("GET", "/v1/prices", params={"type": "ml.g5.xlarge"})
    assert listing["origin"] == "AWS"
    assert listing["prices"][0]["usd_per_hour"] == "1.41"
    assert listing["prices"][0]["source"] == "aws"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prices": {}}, "prices"),
        ({"prices": {"ml.a.b": "-1"}}, "prices.ml.a.b"),
        ({"prices": {"ml.a.b": "NaN"}}, "prices.ml.a.b"),
        ({"prices": {"free lunch": "1"}}, "prices.free lunch.[key]"),
        ({"dated": "soon"}, "dated"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_list_that_is_none_is_refused_and_the_old_one_stays(world, change, field):
    form = {"dated": "2026-04-01", "origin": "AWS", "prices": {"ml.g5.xlarge": "9"}, **change}
    answer = world.call("PUT", "/v1/prices/us-east-1", by="admin", json=form)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert world.money.prices.tariff().hourly("ml.g5.xlarge") != 9


def test_a_price_before_the_act(world):
    set_budget(world, 1.1)
    told = world.ok("GET", "/v1/price?endpoint=falcon&config=falcon-config&minutes=90&owner=ann")
    assert told["text"] == "90 more minutes of 1 x ml.g5.xlarge: 0.90 USD, 0.20 left this week"
    assert told["cost"] == {"usd": "0.90", "unpriced": []}
    assert (told["minutes"], told["owner"], told["budget"]["left"]) == (90.0, "ann", "0.20")
    assert world.book.all().leases == ()


def test_a_price_of_nothing_leased_needs_a_config(world):
    answer = world.call("GET", "/v1/price?endpoint=falcon")
    assert answer.status_code == 404
    assert world.call("GET", "/v1/price?endpoint=falcon&minutes=-1").status_code == 400


# What leases answer.


def test_a_dry_run_answers_with_the_price_and_changes_nothing(world):
    form = {"config_name": "falcon-config", "minutes": 60, "owner": "ann"}
    answer = world.call("PUT", "/v1/leases/falcon?dry_run=true", json=form)
    assert (answer.status_code, answer.json()["cost"]["usd"]) == (200, "0.60")
    assert world.book.all().leases == ()
    world.ok("PUT", "/v1/leases/falcon", json=form)
    before = world.book.get("falcon")
    quote = world.ok("POST", "/v1/leases/falcon/extend?dry_run=true", json={"minutes": 10})
    assert quote["text"] == "10 more minutes of 1 x ml.g5.xlarge: 0.10 USD"
    answer = world.call("POST", "/v1/leases/falcon/start?dry_run=true")
    assert answer.status_code == 409
    assert world.book.get("falcon") == before


def test_what_was_paid_is_in_the_answer(world):
    set_budget(world, 1)
    world.add("falcon", owner="ann")
    lease = world.ok("POST", "/v1/leases/falcon/extend", json={"minutes": 20})
    assert lease["price"]["text"] == (
        "20 more minutes of 1 x ml.g5.xlarge: 0.20 USD, 0.50 left this week"
    )
    assert world.ok("GET", "/v1/leases/falcon")["price"] is None
    world.ok("POST", "/v1/leases/falcon/end")
    started = world.ok("POST", "/v1/leases/falcon/start")
    assert started["price"]["minutes"] == 30.0


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_more_than_is_left_is_402_with_what_is_left(world, query):
    set_budget(world, 0.5)
    form = {"config_name": "falcon-config", "minutes": 51, "owner": "ann"}
    answer = world.call("PUT", f"/v1/leases/falcon{query}", json=form)
    assert answer.status_code == 402
    error = answer.json()["error"]
    assert error["code"] == "budget_exceeded"
    assert "0.50 USD is left of the budget of ann" in error["message"]
    assert "at most 50 minutes" in error["hint"]


def test_the_first_api_is_held_to_budgets_too_and_keeps_its_form(world):
    set_budget(world, 0.5, owner="operator")
    form = {"EndpointName": "falcon", "EndpointConfigName": "falcon-config", "minutes": 40}
    paid = world.ok("POST", "/endpoint-expiry", json=form)
    assert "price" not in paid
    refused = world.call("POST", "/endpoint-expiry", json={"EndpointName": "falcon", "minutes": 11})
    assert refused.status_code == 402


# Budgets.


def test_a_budget_is_set_shown_and_removed(world):
    standing = set_budget(world, 12.5, per="day", then="stop", zone="Europe/Berlin")
    assert standing == {
        "owner": "ann",
        "usd": "12.50",
        "per": "day",
        "then": "stop",
        "zone": "Europe/Berlin",
        "start": "2026-02-28T23:00:00Z",
        "end": "2026-03-01T23:00:00Z",
        "spent": "0.00",
        "reserved": "0.00",
        "left": "12.50",
        "unpriced": [],
    }
    world.add("falcon", owner="ann")
    (listed,) = world.ok("GET", "/v1/budgets")["budgets"]
    assert (listed["reserved"], listed["left"]) == ("0.30", "12.20")
    assert world.ok("GET", "/v1/budgets/ann") == listed
    world.ok("DELETE", "/v1/budgets/ann", by="admin")
    assert world.call("GET", "/v1/budgets/ann").status_code == 404
    assert world.call("DELETE", "/v1/budgets/ann", by="admin").status_code == 404


def test_everybodys_budget_is_told_of_who_has_none_of_their_own(world):
    world.file = world.file.model_copy(update={"money": Money(budget=EachOwner(usd=2, per="day"))})
    assert world.ok("GET", "/v1/budgets/ann")["usd"] == "2.00"
    assert world.ok("GET", "/v1/budgets")["budgets"] == []


def test_a_damaged_budget_is_listed_apart(world):
    set_budget(world, 1)
    world.money.budget_store.damage("ann", "it is torn")
    listing = world.ok("GET", "/v1/budgets")
    assert listing["budgets"] == []
    assert "torn" in listing["unreadable"]["ann"]
    form = {"config_name": "falcon-config", "owner": "ann"}
    assert world.call("PUT", "/v1/leases/falcon", json=form).status_code == 500


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "usd"),
        ({"usd": -1}, "usd"),
        ({"usd": "much"}, "usd"),
        ({"usd": 1e12}, "usd"),
        ({"usd": 1, "per": "year"}, "per"),
        ({"usd": 1, "then": "shout"}, "then"),
        ({"usd": 1, "zone": "Mars"}, "zone"),
        ({"usd": 1, "until": "friday"}, "until"),
    ],
)
def test_a_budget_that_is_none_is_refused_by_name(world, form, field):
    answer = world.call("PUT", "/v1/budgets/ann", by="admin", json=form)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_parallel_calls_never_pass_a_budget():
    world = World()
    set_budget(world, 0.4, owner="operator", per="month")
    headers = {"Authorization": SECRETS["operator"]}
    with served(world.app) as url, httpx.Client(base_url=url, headers=headers) as client:

        def buy(number):
            name = f"e{number % 5}"
            form = {"EndpointName": name, "EndpointConfigName": "falcon-config", "minutes": 2}
            return client.post("/endpoint-expiry", json=form, timeout=60).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(buy, range(40)))
    assert sorted(set(statuses)) == [200, 402]
    assert statuses.count(200) == 20
    paid = sum((each.expires_at - NOW for each in world.book.all().leases), timedelta(0))
    assert paid == minutes(40)
