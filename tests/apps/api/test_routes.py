"""Routes."""

import pytest


def test_a_route_is_set_changed_listed_and_removed(world):
    before = world.changes
    first = world.ok("PUT", "/v1/routes/falcon", json={"endpoint_name": "falcon"})
    assert first == {"path": "/falcon", "endpoint_name": "falcon", "public": False}
    form = {"endpoint_name": "other", "public": True}
    second = world.ok("PUT", "/v1/routes/falcon", json=form)
    assert world.ok("GET", "/v1/routes") == {"routes": [second], "next": None}
    assert world.call("DELETE", "/v1/routes/falcon").status_code == 204
    assert world.ok("GET", "/v1/routes")["routes"] == []
    assert world.changes == before + 3


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
    ],
)
def test_a_wrong_form_names_the_field(world, form, field):
    status, error = world.error("PUT", "/v1/routes/falcon", json=form)
    assert (status, error["field"]) == (400, field)
