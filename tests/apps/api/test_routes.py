"""Routes."""

import pytest

#: What a route is where nothing is said of it.
PLAIN = {"rate": None, "timeout_seconds": None, "sticky": None, "project": ""}


def test_a_route_is_set_changed_listed_and_removed(world):
    before = world.changes
    first = world.ok("PUT", "/v1/routes/falcon", json={"endpoint_name": "falcon"})
    assert first == {"path": "/falcon", "endpoint_name": "falcon", "public": False, **PLAIN}
    form = {"endpoint_name": "other", "public": True}
    second = world.ok("PUT", "/v1/routes/falcon", json=form)
    assert world.ok("GET", "/v1/routes") == {"routes": [second], "next": None}
    assert world.call("DELETE", "/v1/routes/falcon").status_code == 204
    assert world.ok("GET", "/v1/routes")["routes"] == []
    assert world.changes == before + 3


def test_a_route_has_conditions_until_it_is_set_without(world):
    form = {
        "endpoint_name": "falcon",
        "rate": {"per_second": 2.5},
        "timeout_seconds": 30,
        "sticky": {"header": "X-User"},
    }
    told = world.ok("PUT", "/v1/routes/falcon", json=form)
    assert told["rate"] == {"per_second": 2.5, "burst": 3}
    assert told["timeout_seconds"] == 30
    assert told["sticky"] == {"header": "X-User", "cookie": None}
    # What was told can be sent again.
    again = {name: told[name] for name in form}
    assert world.ok("PUT", "/v1/routes/falcon", json=again) == told
    plain = world.ok("PUT", "/v1/routes/falcon", json={"endpoint_name": "falcon"})
    assert plain == {"path": "/falcon", "endpoint_name": "falcon", "public": False, **PLAIN}


def test_who_changes_a_route_by_hand_leaves_it_to_its_project(world):
    world.services.routes.put("/falcon", "falcon", public=False, actor="x", project="TextDemo")
    told = world.ok("PUT", "/v1/routes/falcon", json={"endpoint_name": "other"})
    assert (told["endpoint_name"], told["project"]) == ("other", "TextDemo")


def test_an_unknown_route_is_not_found(world):
    assert world.error("DELETE", "/v1/routes/falcon")[1]["code"] == "route_not_found"


@pytest.mark.parametrize("path", ["v1", "docs", "endpoints", "prod", "a/b", "-", "a%20b", "x" * 64])
def test_a_path_that_cannot_be_a_route_is_refused(world, path):
    form = {"endpoint_name": "falcon"}
    status, error = world.error("PUT", f"/v1/routes/{path}", json=form)
    assert (status, error["field"]) == (400, "path")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "endpoint_name"),
        ({"endpoint_name": "-"}, "endpoint_name"),
        ({"endpoint_name": "falcon", "public": "yes"}, "public"),
        ({"endpoint_name": "falcon", "publik": True}, "publik"),
        ({"endpoint_name": "falcon", "rate": {"burst": 1}}, "rate.per_second"),
        ({"endpoint_name": "falcon", "rate": {"per_second": 0}}, "rate.per_second"),
        ({"endpoint_name": "falcon", "rate": {"per_second": "1"}}, "rate.per_second"),
        ({"endpoint_name": "falcon", "rate": {"per_second": 1, "burst": 0}}, "rate.burst"),
        ({"endpoint_name": "falcon", "timeout_seconds": 0}, "timeout_seconds"),
        ({"endpoint_name": "falcon", "timeout_seconds": 3601}, "timeout_seconds"),
        ({"endpoint_name": "falcon", "sticky": {}}, "sticky"),
        ({"endpoint_name": "falcon", "sticky": {"header": "a", "cookie": "b"}}, "sticky"),
        ({"endpoint_name": "falcon", "sticky": {"header": "a b"}}, "sticky.header"),
        ({"endpoint_name": "falcon", "sticky": {"header": "Authorization"}}, "sticky.header"),
        ({"endpoint_name": "falcon", "sticky": {"cookie": "__Host-a"}}, "sticky.cookie"),
        ({"endpoint_name": "falcon", "sticky": {"cookie": "a=b"}}, "sticky.cookie"),
    ],
)
def test_a_wrong_form_names_the_field(world, form, field):
    status, error = world.error("PUT", "/v1/routes/falcon", json=form)
    assert (status, error["field"]) == (400, field)
