"""Routes are data: set, replaced, removed."""

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.domain.errors import InvalidInput, RouteNotFound
from parkade.domain.route import Mark, Sticky, rate
from parkade.ports.events import EventQuery
from parkade.services.routes import Routes
from tests.builders import NOW, a_route


@pytest.fixture
def history():
    return MemoryHistory()


@pytest.fixture
def routes(history):
    return Routes(MemoryRouteStore(history), clock=ManualClock(NOW))


def test_a_route_is_set_replaced_and_removed(routes, history):
    routes.put("falcon", "falcon", public=False, actor="ann")
    assert routes.put("/falcon", "flan", public=True, actor="ann") == a_route(
        endpoint_name="flan", public=True
    )
    routes.put("/bee", "falcon", public=False, actor="ann")
    assert [route.path for route in routes.all()] == ["/bee", "/falcon"]
    routes.remove("falcon", actor="ann")
    assert [route.path for route in routes.all()] == ["/bee"]
    kinds = [(event.kind, event.data["path"]) for event in history.read(EventQuery())]
    assert kinds == [
        ("route.set", "/falcon"),
        ("route.set", "/falcon"),
        ("route.set", "/bee"),
        ("route.removed", "/falcon"),
    ]


def test_the_history_tells_who_may_come_without_a_token(routes, history):
    routes.put("/falcon", "falcon", public=True, actor="ann")
    (event,) = history.read(EventQuery(endpoint_name="falcon"))
    assert (event.actor, event.reason) == ("ann", "/falcon leads to falcon, without a token")


def test_the_history_tells_the_conditions(routes, history):
    routes.put(
        "/falcon",
        "falcon",
        public=False,
        actor="ann",
        rate=rate(10),
        timeout_seconds=2.5,
        sticky=Sticky(mark=Mark.COOKIE, name="visitor"),
    )
    (event,) = history.read(EventQuery(endpoint_name="falcon"))
    assert event.reason == (
        "/falcon leads to falcon, with a token, 10/s, 10 at once, 2.5 s for an answer, variants by "
        "cookie visitor"
    )


def test_a_route_stays_its_projects_until_it_is_given_to_another(routes):
    routes.put("/falcon", "falcon", public=False, actor="p", project="TextDemo")
    assert routes.put("/falcon", "flan", public=False, actor="ann").project == "TextDemo"
    assert (
        routes.put("/falcon", "flan", public=False, actor="p", project="Other").project == "Other"
    )
    assert routes.put("/falcon", "flan", public=False, actor="p", project="").project == ""
    with pytest.raises(InvalidInput, match="project"):
        routes.put("/falcon", "flan", public=False, actor="p", project="a b")


@pytest.mark.parametrize(
    ("per_second", "burst"),
    [
        (0, 1),
        (-1, 1),
        (float("nan"), 1),
        (float("inf"), 1),
        (1e7, 1),
        (True, 1),
        (1, 0),
        (1, 10**7),
    ],
)
def test_a_rate_that_is_none_is_refused(per_second, burst):
    with pytest.raises(InvalidInput):
        rate(per_second, burst)


def test_a_rate_without_a_burst_has_that_of_a_second(routes):
    assert [rate(each).burst for each in (0.1, 1, 2.5)] == [1, 1, 3]
    assert rate(5, 2).burst == 2
    with pytest.raises(InvalidInput):
        rate(float("inf"))


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/v1", "falcon"), ("/a/b", "falcon"), ("/a", "a_b")]
)
def test_what_is_no_route_is_refused(routes, path, endpoint):
    with pytest.raises(InvalidInput):
        routes.put(path, endpoint, public=False, actor="ann")


def test_only_what_exists_is_removed(routes):
    with pytest.raises(RouteNotFound):
        routes.remove("/falcon", actor="ann")
