"""Tokens."""

import pytest

from tests.builders import minutes


def test_a_token_is_shown_once_and_works(world):
    form = {"name": "ann", "role": "operator", "endpoints": ["falcon"], "expires_days": 30}
    answer = world.call("POST", "/v1/tokens", json=form, by="admin")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    created = answer.json()
    secret = created.pop("token")
    assert created == {
        "name": "ann",
        "role": "operator",
        "endpoints": ["falcon"],
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-31T12:00:00Z",
        "revoked_at": None,
        "live": True,
    }
    assert world.call("GET", "/v1/plan", by=secret).status_code == 200
    listed = world.call("GET", "/v1/tokens", by="admin")
    assert secret not in listed.text
    assert "digest" not in listed.text
    assert created in listed.json()["tokens"]


def test_a_pass_code_of_ones_own(world):
    form = {"name": "ann", "secret": "sixteen-letters-x"}
    assert world.ok("POST", "/v1/tokens", json=form, by="admin")["token"] == "sixteen-letters-x"
    assert world.call("GET", "/v1/leases", by="sixteen-letters-x").status_code == 200


def test_a_revoked_token_is_refused_at_once_and_its_name_stays_taken(world):
    before = world.changes
    assert world.call("DELETE", "/v1/tokens/operator", by="admin").status_code == 204
    assert world.changes == before + 1
    status, error = world.error("GET", "/v1/leases")
    assert (status, error["code"]) == (401, "unauthenticated")
    assert world.error("POST", "/v1/tokens", json={"name": "operator"}, by="admin")[0] == 409
    (told,) = [
        each
        for each in world.ok("GET", "/v1/tokens", by="admin")["tokens"]
        if each["name"] == "operator"
    ]
    assert (told["live"], told["revoked_at"]) == (False, "2026-03-01T12:00:00Z")


def test_an_expired_token_is_refused(world):
    form = {"name": "ann", "role": "admin", "expires_days": 1}
    secret = world.ok("POST", "/v1/tokens", json=form, by="admin")["token"]
    world.wall.advance(minutes(24 * 60))
    assert world.error("GET", "/v1/leases", by=secret)[0] == 401


def test_revoking_an_unknown_token_is_told(world):
    assert world.error("DELETE", "/v1/tokens/nobody", by="admin")[1]["code"] == "token_not_found"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"role": "king"}, "role"),
        ({"endpoints": ["-"]}, "endpoints"),
        ({"endpoints": "falcon"}, "endpoints"),
        ({"expires_days": 0}, "expires_days"),
        ({"expires_days": "30"}, "expires_days"),
        ({"expires_days": True}, "expires_days"),
        ({"expires_days": 1e-12}, "expires_days"),
        ({"secret": "short"}, "secret"),
        ({"roles": "admin"}, "roles"),
    ],
)
def test_a_wrong_form_names_the_field(world, change, field):
    status, error = world.error("POST", "/v1/tokens", json={"name": "ann", **change}, by="admin")
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)


def test_a_refused_secret_is_not_told_back(world):
    form = {"name": "ann", "secret": ["a-secret-in-a-list"]}
    assert "a-secret" not in world.call("POST", "/v1/tokens", json=form, by="admin").text


def test_an_access_key_is_the_same_whoever_asks(world):
    own = world.call("POST", "/v1/aws-key", by="operator")
    assert own.headers["cache-control"] == "no-store"
    assert own.json() == world.ok("POST", "/v1/tokens/operator/aws-key", by="admin")
    assert own.json()["token"] == "operator"
    assert own.json()["region"] == "us-east-1"
    assert own.json() != world.ok("POST", "/v1/aws-key", by="admin")


def test_a_token_that_is_over_has_no_access_key(world):
    world.ok("DELETE", "/v1/tokens/operator", by="admin")
    status, error = world.error("POST", "/v1/tokens/operator/aws-key", by="admin")
    assert (status, error["code"]) == (409, "conflict")
    status, error = world.error("POST", "/v1/tokens/nobody/aws-key", by="admin")
    assert (status, error["code"]) == (404, "token_not_found")


def taken_over(world, **changes):
    form = {"secret": "sesame-open-sesame", "name": "auth", "role": "operator", **changes}
    return world.ok("POST", "/v1/tokens/import", json=form, by="admin")


def test_a_pass_code_of_another_system_is_accepted_and_never_answered(world):
    before = world.changes
    told = taken_over(world, endpoints=["falcon"])
    assert (told["name"], told["made"], told["endpoints"]) == ("auth-1", True, ["falcon"])
    assert "token" not in told
    assert "sesame-open-sesame" not in str(told)
    assert world.changes == before + 1
    assert world.call("GET", "/v1/plan", by="sesame-open-sesame").status_code == 200


def test_one_that_is_known_is_left_as_it_is(world):
    taken_over(world)
    assert world.call("DELETE", "/v1/tokens/auth-1", by="admin").status_code == 204
    again = taken_over(world, role="admin")
    assert (again["name"], again["made"], again["role"]) == ("auth-1", False, "operator")
    assert again["revoked_at"] is not None
    assert taken_over(world, secret="aladdin-and-his-lamp")["name"] == "auth-2"


def test_a_name_of_its_own_must_be_free(world):
    named = {"name": "bob", "numbered": False}
    assert taken_over(world, **named)["name"] == "bob"
    assert not taken_over(world, **named)["made"]
    form = {"secret": "aladdin-and-his-lamp", **named}
    status, error = world.error("POST", "/v1/tokens/import", json=form, by="admin")
    assert (status, error["code"]) == (409, "already_exists")
    form = {"secret": "short", "name": "bob"}
    status, error = world.error("POST", "/v1/tokens/import", json=form, by="admin")
    assert (status, error["field"]) == (400, "secret")
