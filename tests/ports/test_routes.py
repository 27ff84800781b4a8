"""The contract of the route store."""

import pytest

from parkade.domain.errors import RouteNotFound
from parkade.domain.route import Mark, Rate, Sticky
from tests.builders import a_route, an_event
from tests.ports.stores import kinds_of


def test_all_returns_every_route_in_the_order_of_paths(store):
    routes = [a_route("/text"), a_route("/falcon", public=True), a_route("/FLAN")]
    for route in routes:
        store.routes.put(route, an_event("route.set"))
    assert store.routes.all() == [routes[2], routes[1], routes[0]]


def test_put_stores_over_the_route_of_the_path_with_its_event(store):
    store.routes.put(a_route(), an_event("route.set"))
    changed = a_route(endpoint_name="flan", public=True)
    store.routes.put(changed, an_event("route.set"))
    assert store.routes.all() == [changed]
    assert kinds_of(store.history) == ["route.set"] * 2


def test_remove_takes_the_route_with_its_event(store):
    store.routes.put(a_route("/a"), an_event("route.set"))
    store.routes.put(a_route("/b"), an_event("route.set"))
    store.routes.remove("/a", an_event("route.removed"))
    assert store.routes.all() == [a_route("/b")]
    assert kinds_of(store.history)[-1] == "route.removed"


def test_remove_of_an_unknown_path_writes_nothing(store):
    with pytest.raises(RouteNotFound, match="/falcon"):
        store.routes.remove("/falcon", an_event("route.removed"))
    assert kinds_of(store.history) == []


@pytest.mark.parametrize(
    "conditions",
    [
        {"rate": Rate(per_second=0.5, burst=20)},
        {"timeout_seconds": 2.5},
        {"sticky": Sticky(mark=Mark.HEADER, name="X-User")},
        {"sticky": Sticky(mark=Mark.COOKIE, name="visitor")},
        {"project": "TextDemo"},
        {
            "rate": Rate(per_second=10, burst=1),
            "timeout_seconds": 30,
            "sticky": Sticky(mark=Mark.HEADER, name="X-User"),
            "project": "TextDemo",
            "public": True,
        },
    ],
)
def test_a_route_comes_back_with_all_its_conditions_and_loses_them_when_put_anew(store, conditions):
    store.routes.put(a_route(**conditions), an_event("route.set"))
    assert store.routes.all() == [a_route(**conditions)]
    store.routes.put(a_route(), an_event("route.set"))
    assert store.routes.all() == [a_route()]
