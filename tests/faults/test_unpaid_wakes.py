"""Wakes that a budget refuses, on a whole server: nobody is held for what is not going to happen."""

import json
from contextlib import closing
from decimal import Decimal

from parkade.adapters.sqlite.budgets import SqliteBudgetStore
from parkade.adapters.sqlite.database import Database
from parkade.domain.budget import Budget, Per
from tests.builders import an_event
from tests.faults.callers import calling
from tests.house import house, wait_for

#: A minute in a second: a sweep that nothing asks for comes each second.
SCALE = "60"
NOBODY_WAITS_THAT_LONG = {"Prefer": "wait=600"}


def test_a_caller_who_is_held_is_answered_when_the_budget_refuses(tmp_path):
    """What is spent meanwhile tells nobody; it is noticed when the wake is to be paid for."""
    with house(tmp_path / "state", "--time-scale", SCALE) as own:
        own.furnish()
        form = {"config_name": "demo-config", "minutes": 1, "owner": "ann"}
        own.ok("PUT", "/v1/leases/demo", json=form)
        wake = {"minutes": 600, "at_most_minutes": 1200}
        own.ok("PUT", "/v1/endpoints/demo/sleep", json={"wake": wake})
        own.wait_state("demo", "expired")
        wait_for(lambda: not own.workers(), why="its workers to be gone")
        assert own.ok("GET", "/v1/leases/demo").json()["wakes"] is True

        with closing(Database(own.paths.database)) as database:
            budgets = SqliteBudgetStore(database)
            budgets.put(Budget(owner="ann", usd=Decimal(0), per=Per.DAY), an_event("budget.set"))
            with calling(own, "demo", 3, **NOBODY_WAITS_THAT_LONG) as callers:
                answers = callers.answers()
            assert [each.status for each in answers] == [503] * 3
            assert {json.loads(each.body)["reason"] for each in answers} == {"over budget"}
            assert len(own.events(kind="lease.wanted")) == 1
            assert own.ok("GET", "/v1/leases/demo").json()["wakes"] is False

            # There is room again, and nobody tells: a period has begun, or something was given back.
            budgets.remove("ann", an_event("budget.removed"))
            wait_for(
                lambda: own.invoke(headers={"Prefer": "respond-async"}).status_code in {200, 202},
                why="gateways to hear that a request wakes it",
            )
        wait_for(lambda: own.invoke().is_success, why="it to be awake")
