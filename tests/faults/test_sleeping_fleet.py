"""An endpoint that sleeps by itself, rehearsed in fast time: to zero, back, and to the end of its lease."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import Account, variant
from tests.clients.archives import NEIGHBOUR
from tests.faults.callers import calling
from tests.house import house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.house import House

#: A minute of leases is half a second here.
SCALE = "120"
LONG = {"Prefer": "wait=600"}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("fast")
    (folder / "model" / "code").mkdir(parents=True)
    (folder / "model" / "code" / "inference.py").write_text(NEIGHBOUR)
    with (
        house(folder / "state", "--time-scale", SCALE) as built,
        closing(Account(built)) as boto,
    ):
        boto.model("well", folder / "model")
        boto.config("one", variant(model="well"))
        boto.config("three", variant(model="well", InitialInstanceCount=3))
        yield built


def stands(fast: House, name: str) -> Any:
    return fast.ok("GET", f"/v1/endpoints/{name}").json()


def wait_asleep(fast: House, name: str) -> None:
    fast.wait_state(name, "asleep")
    wait_for(lambda: not stands(fast, name)["instances"], why="its workers to be gone")


def test_what_nobody_uses_goes_to_zero_and_loses_none_of_500_who_come_at_once(
    fast: House,
) -> None:
    fast.park("demo", minutes=6000, config="three")
    fast.ok("PUT", "/v1/endpoints/demo/sleep", json={"after_minutes": 1})
    wait_asleep(fast, "demo")
    # One request wakes it; when nobody comes any more, it sleeps again.
    assert fast.invoke("demo", json={"n": 3}, headers=LONG).json() == {"word": "well", "n": 3}
    wait_asleep(fast, "demo")
    with calling(fast, "demo", 500, **LONG) as callers:
        assert callers.wrong() == []


def test_a_request_buys_time_for_a_lease_that_ran_out_where_its_owner_allows_it(
    fast: House,
) -> None:
    fast.ok("PUT", "/v1/leases/spent", json={"config_name": "one", "minutes": 4})
    # The gateway hears a moment later of what the lease says: it may have an answer until then.
    wait_for(
        lambda: fast.invoke("spent", json={"n": 1}, headers=LONG).json().get("reason") == "expired",
        why="the gateway to refuse it",
    )
    wake = {"minutes": 600, "at_most_minutes": 600}
    fast.ok("PUT", "/v1/endpoints/spent/sleep", json={"wake": wake})
    # The gateway hears of that a moment later, too.
    wait_for(lambda: fast.invoke("spent", json={"n": 1}, headers=LONG).is_success)
    (event,) = fast.events(kind="lease.wanted", endpoint="spent")
    assert event["actor"] == "gateway"
