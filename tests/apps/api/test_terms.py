"""What is settled about leased endpoints, over HTTP."""

from datetime import UTC, datetime

import pytest

from parkade.domain.idle import IdleRules
from parkade.domain.terms import Terms
from parkade.ports.events import EventQuery
from tests.builders import minutes

URL = "/v1/leases/falcon/terms"
KEEP = {"by_minutes": 15, "when_left_minutes": 5, "at_most_minutes": 120}
HOURS = "mon-fri 09:00-17:00 Europe/Berlin"


@pytest.fixture
def leased(world):
    world.add()
    return world


def test_a_lease_about_which_nothing_is_settled(leased):
    assert leased.ok("GET", URL) == {
        "endpoint_name": "falcon",
        "maintain": None,
        "idle": None,
        "keep": None,
        "schedule": None,
        "sleep": None,
        "wake": None,
        "version": 0,
    }


def test_each_part_is_settled_by_itself(leased):
    assert leased.ok("PUT", URL, json={"keep": KEEP})["keep"] == KEEP
    both = leased.ok("PUT", URL, json={"schedule": "Mon-Fri 9:00-17:00 europe/berlin"})
    assert (both["keep"], both["version"]) == (KEEP, 2)
    assert both["schedule"] == {
        "hours": HOURS,
        "open_until": None,
        "opens_at": "2026-03-02T08:00:00Z",
        "problem": "",
    }
    assert leased.ok("GET", URL) == both
    assert leased.ok("GET", "/v1/endpoints/falcon")["terms"] == both
    assert leased.ok("PUT", URL, json={"keep": None})["keep"] is None
    assert leased.ok("GET", URL)["schedule"]["hours"] == HOURS
    *_, event = leased.history.read(EventQuery(kinds=("terms.set",)))
    assert event.actor == "operator"
    assert event.reason == f"runs {HOURS}"


def test_while_it_is_open_it_says_until_when(leased):
    leased.ok("PUT", URL, json={"schedule": HOURS})
    leased.clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    answer = leased.ok("GET", URL)["schedule"]
    assert answer["open_until"] == "2026-03-02T16:00:00Z"
    assert answer["opens_at"] == "2026-03-03T08:00:00Z"


def test_what_the_maintainer_was_told_is_shown_and_stays(leased):
    leased.terms.put(
        Terms(endpoint_name="falcon", maintain=True, idle=IdleRules(window=minutes(7))), "ann"
    )
    leased.ok("PUT", URL, json={"schedule": HOURS})
    answer = leased.ok("GET", URL)
    assert answer["maintain"] is True
    assert answer["idle"]["window_minutes"] == 7


def test_delete_settles_nothing_any_more(leased):
    leased.ok("PUT", URL, json={"keep": KEEP, "schedule": HOURS})
    assert leased.call("DELETE", URL).status_code == 204
    assert leased.call("DELETE", URL).status_code == 204
    assert leased.ok("GET", URL)["keep"] is None
    assert leased.ok("GET", "/v1/endpoints/falcon")["terms"] is None


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"schedule": "mno 09:00-17:00 UTC"}, "schedule", "word 1, 'mno': is no day"),
        ({"schedule": ""}, "schedule", "it is empty"),
        ({"keep": {**KEEP, "by_minutes": 0}}, "minutes", "is not more than 0"),
        ({"keep": {"by_minutes": 5}}, "keep.when_left_minutes", "is missing"),
        ({"hours": HOURS}, "hours", "known are keep, schedule"),
    ],
)
def test_what_cannot_be_settled_is_refused_by_name(leased, form, field, said):
    answer = leased.call("PUT", URL, json=form)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["field"] == field
    assert said in f"{error['message']} {error['hint']}"
    assert leased.ok("GET", URL)["version"] == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_without_a_lease_there_is_nothing_to_settle(world, method):
    answer = world.call(method, URL, json={"schedule": HOURS} if method == "PUT" else None)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "lease_not_found"
