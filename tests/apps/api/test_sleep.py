"""Sleep and wake over HTTP."""

import pytest

from parkade.ports.events import EventQuery
from tests.builders import NOW, minutes, seconds, some_use

URL = "/v1/endpoints/falcon/sleep"
WAKE = "/v1/endpoints/falcon/wake"


@pytest.fixture
def running(world):
    """A world in which the endpoint of a lease of 30 minutes is in service."""
    world.add()
    world.run_endpoint()
    return world


def slept(world):
    """Let it fall asleep, and stay so for ten minutes."""
    world.sweep()
    world.hosting.settle("falcon")
    world.clock.advance(minutes(10))


def test_an_endpoint_about_which_nothing_is_settled(running):
    assert running.ok("GET", URL) == {
        "endpoint_name": "falcon",
        "sleep": None,
        "wake": None,
        "woken_minutes": 0,
        "asleep_since": None,
        "asleep_seconds": None,
        "clock_paused": False,
        "time_left_seconds": 1800,
        "wanted_at": None,
        "saved": None,
    }


def test_each_part_is_settled_by_itself(running):
    settled = running.ok("PUT", URL, json={"after_minutes": 10})["sleep"]
    assert settled == {"after_minutes": 10, "pause_clock": False, "hold_seconds": 0}
    running.ok("PUT", URL, json={"pause_clock": True, "hold_seconds": 20})
    wake = {"minutes": 15, "at_most_minutes": 60}
    answer = running.ok("PUT", URL, json={"wake": wake})
    assert answer["sleep"] == {"after_minutes": 10, "pause_clock": True, "hold_seconds": 20}
    assert answer["wake"] == wake
    terms = running.ok("GET", "/v1/endpoints/falcon")["terms"]
    assert (terms["sleep"], terms["wake"]) == (answer["sleep"], wake)
    *_, event = running.history.read(EventQuery(kinds=("terms.set",)))
    assert "sleeps after 10 min without use" in event.reason
    assert running.ok("PUT", URL, json={"wake": None})["wake"] is None
    assert running.call("DELETE", URL).status_code == 204
    assert running.ok("GET", URL)["sleep"] is None


@pytest.mark.parametrize(
    ("form", "field", "text"),
    [
        ({"after_minutes": 0.5}, "sleep.after", "30 s is not within 1 min to 365 d"),
        ({"after_minutes": -1}, "minutes", "-1 is not more than 0"),
        ({"hold_seconds": -1}, "hold_seconds", "not within 0 to 3600"),
        ({"hold_seconds": "long"}, "hold_seconds", "is not a number"),
        ({"wake": {"minutes": 15, "at_most_minutes": 10}}, "wake.at_most", "is less than"),
        ({"afterwards": 3}, "afterwards", "not known"),
    ],
)
def test_what_cannot_be_settled_says_what_is_wrong(running, form, field, text):
    status, error = running.error("PUT", URL, json=form)
    assert (status, error["field"]) == (400, field)
    assert text in error["message"]


def test_what_is_put_to_sleep_says_since_when_and_what_that_saves(running):
    running.ok("PUT", URL, json={"pause_clock": True})
    lease = running.ok("POST", URL)
    assert (lease["state"], lease["wakes"], lease["clock_paused"]) == ("asleep", True, True)
    slept(running)
    view = running.ok("GET", "/v1/endpoints/falcon")
    assert (view["state"], view["reason"], view["status"]) == ("asleep", "asleep", "InService")
    assert (view["healthy"], view["wanted"]) == (0, 0)
    told = view["sleep"]
    assert told["asleep_seconds"] == 600
    assert told["time_left_seconds"] == view["lease"]["time_left_seconds"] == 1800
    assert told["saved"]["usd"] != "0.00" or told["saved"]["unpriced"]
    # As if its clock went on now.
    assert view["lease"]["expires_at"] == _text(NOW + minutes(40))
    assert running.ok("POST", URL)["asleep_since"] == _text(NOW)


def test_what_is_woken_goes_on_where_its_clock_stood(running):
    running.ok("PUT", URL, json={"pause_clock": True})
    running.ok("POST", URL)
    slept(running)
    lease = running.ok("POST", WAKE)
    assert lease["state"] == "asleep"
    assert running.ok("GET", URL)["wanted_at"] == _text(NOW + minutes(10))
    running.sweep()
    lease = running.ok("GET", "/v1/leases/falcon")
    assert (lease["state"], lease["asleep_since"]) == ("starting", None)
    assert lease["expires_at"] == _text(NOW + minutes(40))
    assert running.ok("POST", WAKE)["state"] == "starting"


def test_what_is_used_or_gone_is_not_put_to_sleep(running):
    running.usage.told["falcon"] = some_use(in_flight=2)
    status, error = running.error("POST", URL)
    assert (status, "2 requests under way" in error["message"]) == (409, True)
    running.usage.told["falcon"] = some_use(in_flight=None)
    assert "not known" in running.error("POST", URL)[1]["message"]
    running.ok("POST", "/v1/leases/falcon/end")
    for url in (URL, WAKE):
        status, error = running.error("POST", url)
        assert (status, "is over (stopped)" in error["message"]) == (409, True)


def test_a_lease_that_has_run_out_is_woken_as_its_owner_lets_requests_do(running):
    running.ok("PUT", URL, json={"wake": {"minutes": 15, "at_most_minutes": 20}})
    running.clock.advance(minutes(30) + seconds(1))
    running.sweep()
    running.hosting.settle("falcon")
    lease = running.ok("GET", "/v1/leases/falcon")
    assert (lease["state"], lease["wakes"]) == ("expired", True)
    running.ok("POST", WAKE)
    running.sweep()
    lease = running.ok("GET", "/v1/leases/falcon")
    assert (lease["state"], lease["time_left_seconds"]) == ("starting", 900)
    assert running.ok("GET", URL)["woken_minutes"] == 15


def test_a_wake_that_its_owners_budget_refuses_is_none(running):
    running.ok("PUT", URL, json={"wake": {"minutes": 15, "at_most_minutes": 20}})
    running.clock.advance(minutes(30) + seconds(1))
    running.sweep()
    running.hosting.settle("falcon")
    owner = running.ok("GET", "/v1/leases/falcon")["owner"]
    budget = f"/v1/budgets/{owner}"
    running.ok("PUT", budget, by="admin", json={"usd": 0, "per": "day", "then": "refuse"})
    for url in ("/v1/leases/falcon", "/v1/endpoints/falcon"):
        told = running.ok("GET", url)
        assert (told["state"], told["reason"]) == ("expired", "over budget")
        assert owner not in told["hint"]
    assert running.ok("GET", "/v1/leases/falcon")["wakes"] is False
    assert running.ok("GET", "/v1/leases")["leases"][0]["wakes"] is False
    status, error = running.error("POST", WAKE)
    assert (status, "15 min more would cost" in error["message"]) == (402, True)
    running.ok("PUT", budget, by="admin", json={"usd": 9, "per": "day", "then": "refuse"})
    assert running.ok("POST", WAKE)["wakes"] is True


def test_who_may(running):
    assert running.call("GET", URL, by="limited").status_code == 200
    for method, url in (("PUT", URL), ("POST", URL), ("DELETE", URL), ("POST", WAKE)):
        assert running.call(method, url, by="invoker", json={}).status_code == 403
    for method, url in (("GET", URL), ("PUT", URL), ("POST", URL), ("DELETE", URL), ("POST", WAKE)):
        other = url.replace("falcon", "nonesuch")
        assert running.call(method, other, json={"after_minutes": 5}).status_code == 404


def _text(instant):
    return instant.isoformat().replace("+00:00", "Z")
