"""Bookings over HTTP."""

import pytest

FORM = {
    "endpoint_name": "falcon",
    "config_name": "falcon-config",
    "at": "2026-03-02T09:00[Europe/Berlin]",
    "minutes": 90,
}


def test_a_booking_is_made_listed_and_given_back(world):
    answer = world.call("POST", "/v1/bookings", json=FORM)
    assert answer.status_code == 201
    booking = answer.json()
    assert {**booking, "id": ""} == {
        "id": "",
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "owner": "operator",
        "starts_at": "2026-03-02T08:00:00Z",
        "ends_at": "2026-03-02T09:30:00Z",
        "minutes": 90,
        "made_at": "2026-03-01T12:00:00Z",
    }
    assert world.ok("GET", "/v1/bookings") == {
        "bookings": [booking],
        "next": None,
        "unreadable": {},
    }
    gone = world.call("DELETE", f"/v1/bookings/{booking['id']}")
    assert gone.status_code == 204
    assert world.call("DELETE", f"/v1/bookings/{booking['id']}").status_code == 404
    assert world.ok("GET", "/v1/bookings")["bookings"] == []


def test_pages_are_in_the_order_of_beginnings_and_of_one_endpoint_where_asked(world):
    for name, hour in (("falcon", 12), ("flan", 10), ("falcon", 11)):
        form = {**FORM, "endpoint_name": name, "at": f"2026-03-02T{hour}:00Z"}
        world.call("POST", "/v1/bookings", json=form).raise_for_status()
    first = world.ok("GET", "/v1/bookings?limit=2")
    assert [each["starts_at"][11:13] for each in first["bookings"]] == ["10", "11"]
    rest = world.ok("GET", "/v1/bookings", params={"after": first["next"]})
    assert [each["starts_at"][11:13] for each in rest["bookings"]] == ["12"]
    own = world.ok("GET", "/v1/bookings?endpoint=falcon")["bookings"]
    assert [each["starts_at"][11:13] for each in own] == ["11", "12"]


def test_an_invoker_sees_the_bookings_of_its_endpoints_alone(world):
    for name in ("falcon", "flan"):
        world.call("POST", "/v1/bookings", json={**FORM, "endpoint_name": name}).raise_for_status()
    seen = world.ok("GET", "/v1/bookings", by="limited")["bookings"]
    assert [each["endpoint_name"] for each in seen] == ["falcon"]


@pytest.mark.parametrize(
    ("changes", "status", "field", "said"),
    [
        ({"at": "2026-03-02T09:00"}, 400, "at", "names no time zone"),
        ({"at": "2026-02-02T09:00Z"}, 400, "at", "is past"),
        ({"at": 5}, 400, "at", "is not a text"),
        ({"minutes": -1}, 400, "minutes", "is not more than 0"),
        ({"config_name": None}, 400, "config_name", "has no lease"),
        ({"config_name": "nothing"}, 404, None, "nothing"),
        ({"endpoint_name": "-"}, 400, "endpoint_name", "is not a valid name"),
    ],
)
def test_what_cannot_be_booked_is_refused_by_name(world, changes, status, field, said):
    answer = world.call("POST", "/v1/bookings", json={**FORM, **changes})
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error.get("field") == field
    assert said in error["message"]


def test_what_overlaps_with_another_config_is_a_conflict(world):
    world.call("POST", "/v1/bookings", json=FORM).raise_for_status()
    answer = world.call("POST", "/v1/bookings", json={**FORM, "config_name": "other-config"})
    assert answer.status_code == 409
    assert "is booked to run 'falcon-config'" in answer.json()["error"]["message"]
