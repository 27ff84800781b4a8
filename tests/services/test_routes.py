"""Routes are data: set, replaced, removed."""

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.domain.errors import InvalidInput, RouteNotFound
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


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/v1", "falcon"), ("/a/b", "falcon"), ("/a", "a_b")]
)
def test_what_is_no_route_is_refused(routes, path, endpoint):
    with pytest.raises(InvalidInput):
        routes.put(path, endpoint, public=False, actor="ann")


def test_only_what_exists_is_removed(routes):
    with pytest.raises(RouteNotFound):
        routes.remove("/falcon", actor="ann")
