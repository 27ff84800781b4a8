"""The keeper of routes."""

from __future__ import annotations

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.domain.errors import InvalidInput
from parkade.domain.project.contents import fields
from parkade.domain.project.difference import Field
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import Project
from parkade.domain.route import Mark, Rate, Sticky
from parkade.services.projects.keeper import Errand, Stage
from parkade.services.projects.routes import RouteKeeper
from parkade.services.routes import Routes
from tests.builders import NOW

ERRAND = Errand(id="1-1", project="ShopDemo", actor="ann")
PROJECT = Project(name="Shop", stage="Demo")
WHOLE = {
    "endpoint_name": "ShopDemo-Text",
    "public": True,
    "rate": {"per_second": 10, "burst": 20},
    "timeout_seconds": 30,
    "sticky": {"header": "X-User"},
    "project": "ShopDemo",
}


def a_part(path="/text", **content):
    return Part(kind=Kind.ROUTE, name=path, key=path, content={"project": "ShopDemo", **content})


@pytest.fixture
def routes():
    return Routes(MemoryRouteStore(MemoryHistory()), clock=ManualClock(NOW))


@pytest.fixture
def keeper(routes):
    return RouteKeeper(routes)


def test_a_route_is_made_found_and_removed_again_and_again(keeper, routes):
    part = a_part(**WHOLE)
    assert keeper.found("/text") is None
    for _ in range(2):
        keeper.put(part, ERRAND)
        assert keeper.progress(part, ERRAND).stage is Stage.DONE
    assert keeper.found("/text") == keeper.settled(part, None) == keeper.settled(part, WHOLE)
    (route,) = routes.all()
    assert (route.endpoint_name, route.public, route.project) == ("ShopDemo-Text", True, "ShopDemo")
    assert (route.rate, route.timeout_seconds) == (Rate(per_second=10, burst=20), 30)
    assert route.sticky == Sticky(mark=Mark.HEADER, name="X-User")
    for _ in range(2):
        keeper.remove("/text", ERRAND)
        assert keeper.found("/text") is None


def test_what_is_left_out_is_settled(keeper):
    part = a_part(endpoint_name="e")
    settled = {
        "endpoint_name": "e",
        "public": False,
        "rate": None,
        "timeout_seconds": None,
        "sticky": None,
        "project": "ShopDemo",
    }
    assert keeper.settled(part, None) == settled
    keeper.put(part, ERRAND)
    assert keeper.found("/text") == settled
    rated = keeper.settled(a_part(endpoint_name="e", rate={"per_second": 2.5}), None)
    assert rated["rate"] == {"per_second": 2.5, "burst": 3}


def test_one_that_was_set_anew_by_hand_differs_until_it_is_the_projects_again(keeper, routes):
    part = a_part(**WHOLE)
    routes.put(
        "/text",
        "ShopDemo-Text",
        public=True,
        actor="bob",
        rate=Rate(per_second=10, burst=20),
        timeout_seconds=30,
        sticky=Sticky(mark=Mark.HEADER, name="X-User"),
    )
    assert fields(keeper.found("/text"), keeper.settled(part, None)) == (
        Field(path="project", before="", after="ShopDemo"),
    )
    assert keeper.condition(part).troubled
    keeper.put(part, ERRAND)
    assert keeper.found("/text") == keeper.settled(part, None)
    assert not keeper.condition(part).troubled
    routes.put = None  # it would fail
    keeper.put(part, ERRAND)


def test_what_a_person_changed_is_found(keeper, routes):
    part = a_part(**WHOLE)
    keeper.put(part, ERRAND)
    routes.put("/text", "other", public=False, actor="bob")
    assert keeper.found("/text") != keeper.settled(part, None)
    assert routes.get("/text").project == "ShopDemo"
    keeper.put(part, ERRAND)
    assert keeper.found("/text") == keeper.settled(part, None)


def test_conditions_are_told(keeper):
    part = a_part(endpoint_name="e")
    condition = keeper.condition(part)
    assert (condition.state, condition.troubled) == ("missing", True)
    keeper.put(part, ERRAND)
    condition = keeper.condition(part)
    assert (condition.state, condition.text) == ("there", "leads to e, open to tokens")
    assert not condition.troubled


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "endpoint_name"),
        ({"endpoint_name": "a b"}, "endpoint_name"),
        ({"endpoint_name": "e", "paths": 1}, "paths"),
        ({"endpoint_name": "e", "project": "Other"}, "project"),
        ({"endpoint_name": "e", "project": ""}, "project"),
        ({"endpoint_name": "e", "project": 7}, "project"),
        ({"endpoint_name": "e", "timeout_seconds": 3601}, "timeout_seconds"),
        ({"endpoint_name": "e", "public": "yes"}, "public"),
        ({"endpoint_name": "e", "rate": 3}, "rate"),
        ({"endpoint_name": "e", "rate": {"burst": 3}}, "rate.per_second"),
        ({"endpoint_name": "e", "rate": {"per_second": "3"}}, "rate.per_second"),
        ({"endpoint_name": "e", "rate": {"per_second": 1, "burst": 1.5}}, "rate.burst"),
        ({"endpoint_name": "e", "timeout_seconds": "30"}, "timeout_seconds"),
        ({"endpoint_name": "e", "timeout_seconds": True}, "timeout_seconds"),
        ({"endpoint_name": "e", "timeout_seconds": -1}, "timeout_seconds"),
        ({"endpoint_name": "e", "sticky": {}}, "sticky"),
        ({"endpoint_name": "e", "sticky": {"face": "x"}}, "sticky"),
        ({"endpoint_name": "e", "sticky": {"header": 1}}, "sticky"),
        ({"endpoint_name": "e", "sticky": {"cookie": "a b"}}, "sticky.cookie"),
    ],
)
def test_what_no_route_can_be_is_refused_before_anything_is_made(keeper, content, field):
    with pytest.raises(InvalidInput) as caught:
        keeper.check(a_part(**content), PROJECT)
    assert caught.value.field == field


def test_a_path_that_is_parkades_own_is_refused(keeper):
    with pytest.raises(InvalidInput, match="reserved"):
        keeper.check(a_part("/v1", endpoint_name="e"), PROJECT)
