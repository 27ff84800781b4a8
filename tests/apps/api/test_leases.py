"""Leases, clean."""

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unavailable
from tests.builders import minutes, seconds

FIELDS = [
    "endpoint_name", "config_name", "owner", "created_at", "expires_at", "paid_until",
    "time_left_seconds", "ended", "ended_at", "state", "reason", "wakes", "asleep_since",
    "clock_paused", "hint",
    "expected_at", "expected_in_seconds", "retries", "failure", "version", "price",
]  # fmt: skip


def test_a_lease_is_added_with_what_is_asked(world):
    form = {"config_name": "falcon-config", "minutes": 12.5, "owner": "team-a"}
    answer = world.call("PUT", "/v1/leases/falcon", json=form)
    assert answer.status_code == 201
    assert list(answer.json()) == FIELDS
    price = answer.json()["price"]
    assert price["text"] == "12.5 more minutes of 1 x ml.g5.xlarge: 0.13 USD"
    assert answer.json() | {"hint": "", "price": None} == {
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "owner": "team-a",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T12:12:30Z",
        "paid_until": "2026-03-01T12:12:30Z",
        "time_left_seconds": 750.0,
        "ended": None,
        "ended_at": None,
        "state": "starting",
        "reason": "starting",
        "wakes": False,
        "asleep_since": None,
        "clock_paused": False,
        "hint": "",
        "expected_at": None,
        "expected_in_seconds": None,
        "retries": 0,
        "failure": "",
        "version": 1,
        "price": None,
    }


def test_owner_and_minutes_have_defaults(world):
    lease = world.ok("PUT", "/v1/leases/falcon", json={"config_name": "falcon-config"})
    assert lease["owner"] == "operator"
    assert lease["time_left_seconds"] == 1800


def test_adding_counts_once_with_a_key(world):
    form = {"config_name": "falcon-config", "minutes": 10}
    for _ in range(2):
        options = {"json": form, "headers": {"Idempotency-Key": "k"}}
        assert world.ok("PUT", "/v1/leases/falcon", **options)["version"] == 1


def test_adding_twice_is_a_conflict(world):
    world.add()
    form = {"config_name": "falcon-config"}
    status, error = world.error("PUT", "/v1/leases/falcon", json=form)
    assert (status, error["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "config_name"),
        ({"config_name": "-"}, "config_name"),
        ({"config_name": "falcon-config", "owner": "a b"}, "owner"),
        ({"config_name": "falcon-config", "minutes": "10"}, "minutes"),
        ({"config_name": "falcon-config", "minutes": 1e9}, "minutes"),
        ({"config_nam": "falcon-config"}, "config_nam"),
    ],
)
def test_a_wrong_form_names_the_field(world, form, field):
    status, error = world.error("PUT", "/v1/leases/falcon", json=form)
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)


def test_a_wrong_name_in_the_path_is_named(world):
    form = {"config_name": "falcon-config"}
    status, error = world.error("PUT", "/v1/leases/-falcon", json=form)
    assert (status, error["field"]) == (400, "endpoint_name")
    assert error["message"].startswith("endpoint_name '-falcon'")


def test_extending_adds_minutes_once_for_a_key(world):
    world.add()
    for _ in range(2):
        options = {"json": {"minutes": 10}, "headers": {"Idempotency-Key": "k"}}
        lease = world.ok("POST", "/v1/leases/falcon/extend", **options)
        assert lease["time_left_seconds"] == 2400


def test_extending_needs_minutes(world):
    world.add()
    status, error = world.error("POST", "/v1/leases/falcon/extend", json={})
    assert (status, error["field"]) == (400, "minutes")


def test_ending_and_starting_again(world):
    world.add()
    world.clock.advance(minutes(5))
    ended = world.ok("POST", "/v1/leases/falcon/end")
    assert (ended["ended"], ended["state"], ended["time_left_seconds"]) == ("stopped", "stopped", 0)
    assert ended["ended_at"] == "2026-03-01T12:05:00Z"
    assert "parkade start falcon" in ended["hint"]
    again = world.ok("POST", "/v1/leases/falcon/end")
    assert again["version"] == ended["version"]
    started = world.ok("POST", "/v1/leases/falcon/start")
    assert (started["ended"], started["time_left_seconds"]) == (None, 1800)


def test_starting_for_some_minutes(world):
    world.add(amount=minutes(1))
    world.clock.advance(minutes(2))
    started = world.ok("POST", "/v1/leases/falcon/start", json={"minutes": 5})
    assert started["time_left_seconds"] == 300


def test_starting_what_runs_is_a_conflict_that_says_how_to_extend(world):
    world.add()
    status, error = world.error("POST", "/v1/leases/falcon/start")
    assert (status, error["code"]) == (409, "conflict")
    assert "extend" in error["hint"]


def test_removing_ends_the_endpoint_and_the_lease(world):
    world.add()
    world.run_endpoint()
    assert world.call("DELETE", "/v1/leases/falcon").status_code == 204
    assert world.hosting.endpoints()["falcon"].status is EndpointStatus.DELETING
    status, error = world.error("GET", "/v1/leases/falcon")
    assert (status, error["code"]) == (404, "lease_not_found")


def test_removing_while_it_is_being_created_has_to_be_repeated(world):
    world.add()
    world.sweep()
    status, error = world.error("DELETE", "/v1/leases/falcon")
    assert (status, error["code"]) == (409, "endpoint_busy")
    assert world.ok("GET", "/v1/leases/falcon")["ended"] == "stopped"


def test_a_page_goes_on_where_the_last_one_ended(world):
    for number in range(5):
        world.add(f"falcon-{number}")
    first = world.ok("GET", "/v1/leases?limit=2")
    assert [each["endpoint_name"] for each in first["leases"]] == ["falcon-0", "falcon-1"]
    assert first["next"] == "falcon-1"
    rest = world.ok("GET", f"/v1/leases?limit=3&after={first['next']}")
    assert [each["endpoint_name"] for each in rest["leases"]] == [
        "falcon-2",
        "falcon-3",
        "falcon-4",
    ]
    assert rest["next"] is None


@pytest.mark.parametrize("limit", ["0", "1001", "ten", "-1", ""])
def test_a_limit_out_of_bounds_is_refused(world, limit):
    status, error = world.error("GET", f"/v1/leases?limit={limit}")
    assert (status, error["field"]) == (400, "limit")


def test_filters(world):
    world.add("by-ann", owner="ann")
    world.add("by-ben", owner="ben")
    world.add("short", owner="ben", amount=seconds(1))
    world.clock.advance(seconds(2))

    def listed(query):
        leases = world.ok("GET", f"/v1/leases?{query}")["leases"]
        return [each["endpoint_name"] for each in leases]

    assert listed("owner=ben") == ["by-ben", "short"]
    assert listed("state=expired") == ["short"]
    assert listed("owner=ann&state=expired") == []
    assert listed("owner=nobody") == []
    assert world.error("GET", "/v1/leases?state=gone")[1]["field"] == "state"


def test_an_invoker_sees_the_leases_it_may_invoke(world):
    world.add("falcon")
    world.add("other")
    listed = world.ok("GET", "/v1/leases", by="limited")
    assert [each["endpoint_name"] for each in listed["leases"]] == ["falcon"]
    assert world.ok("GET", "/v1/leases/falcon", by="limited")["endpoint_name"] == "falcon"
    assert world.error("GET", "/v1/leases/other", by="limited")[0] == 403
    assert len(world.ok("GET", "/v1/leases", by="invoker")["leases"]) == 2


def test_a_damaged_lease_hides_no_other(world):
    world.add()
    world.book.damage("broken", "the row is no JSON")
    listed = world.ok("GET", "/v1/leases")
    assert [each["endpoint_name"] for each in listed["leases"]] == ["falcon"]
    assert listed["unreadable"] == {"broken": "the row is no JSON"}
    status, error = world.error("GET", "/v1/leases/broken")
    assert (status, error["code"]) == (500, "unreadable")
    assert world.ok("GET", "/v1/leases", by="limited")["unreadable"] == {}


def test_hosting_that_cannot_be_seen_is_told_with_when_to_ask_again(world):
    world.add()
    world.hosting.hide(Unavailable("the host has not started yet", hint="try again"))
    answer = world.call("GET", "/v1/leases")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["code"] == "unavailable"


def test_a_lease_that_was_bought_elsewhere_runs_until_then(world):
    form = {"config_name": "falcon-config", "expires_at": "2026-03-01T12:12:07.5Z"}
    lease = world.ok("PUT", "/v1/leases/falcon", json=form)
    assert lease["expires_at"] == "2026-03-01T12:12:07.500000Z"
    assert lease["price"]["text"].startswith("12.12 more minutes")
    assert lease["ended"] is None


def test_one_that_was_over_is_kept_as_over_and_starts_nothing(world):
    form = {"config_name": "falcon-config", "expires_at": "2026-03-01T13:00+01:00"}
    lease = world.ok("PUT", "/v1/leases/falcon", json=form)
    assert (lease["ended"], lease["expires_at"]) == ("expired", "2026-03-01T12:00:00Z")
    assert (lease["price"], lease["time_left_seconds"]) == (None, 0)
    world.sweep()
    assert world.hosting.endpoints() == {}
    started = world.ok("POST", "/v1/leases/falcon/start", json={"minutes": 5})
    assert started["ended"] is None


def test_a_rehearsal_of_taking_over_stores_nothing(world):
    for expires_at, field in (("2026-03-01T13:00Z", "cost"), ("2026-02-01T12:00Z", "ended")):
        form = {"config_name": "falcon-config", "expires_at": expires_at}
        answer = world.call("PUT", "/v1/leases/falcon?dry_run=true", json=form)
        assert answer.status_code == 200
        assert field in answer.json()
    assert world.ok("GET", "/v1/leases")["leases"] == []


@pytest.mark.parametrize(
    "form",
    [
        {"expires_at": "2026-03-01T13:00Z", "minutes": 5},
        {"expires_at": "2026-03-01T13:00"},
        {"expires_at": 12},
        {"expires_at": "2036-03-01T13:00Z"},
    ],
)
def test_an_expiry_that_cannot_be_is_refused(world, form):
    form = {"config_name": "falcon-config", **form}
    status, error = world.error("PUT", "/v1/leases/falcon", json=form)
    assert status == 400
    assert error["field"] in {"expires_at", "minutes"}
    assert world.ok("GET", "/v1/leases")["leases"] == []
