"""A rehearsal in fast time: office hours, a booking, and a lease that use keeps.

Five minutes are a second. Nothing here is timed by the test: the history tells what was when.
"""

import threading
from datetime import datetime, timedelta

import pytest

from tests.builders import minutes
from tests.house import house, wait_for

#: Sixteen seconds of real time to start an endpoint in, on however slow a machine.
LEAD = 80
SETTINGS = f"keep:\n  first_lead_seconds: {LEAD * 60}\n  lead_seconds: {LEAD * 60}\n"


def instant(text):
    return datetime.fromisoformat(str(text))


def now_of(own):
    return instant(own.ok("GET", "/v1/plan").json()["now"])


def told(own, name, kind):
    """The events of one kind about one endpoint, once there is one."""
    found = wait_for(lambda: own.events(endpoint=name, kind=kind), why=f"{kind} of {name}")
    return [{**event, "at": instant(event["at"])} for event in found]


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Let one day's worth happen at once; give the house and what was settled in it."""
    folder = tmp_path_factory.mktemp("day")
    config = folder / "server.yaml"
    config.write_text(SETTINGS)
    with house(folder / "state", "--time-scale", "300", "--config", str(config)) as own:
        own.furnish()
        # As long as the rest takes: it has to be called before it is over, and started before that.
        for name, length in (("office", 30), ("busy", 65)):
            form = {"config_name": "demo-config", "minutes": length}
            own.ok("PUT", f"/v1/leases/{name}", json=form)
        own.ok("POST", "/v1/leases/office/end")
        wait_for(
            lambda: own.ok("GET", "/v1/endpoints/office").json()["status"] == "Absent",
            why="office to be gone, before it is started again",
        )
        keep = {"by_minutes": 15, "when_left_minutes": 25, "at_most_minutes": 30}
        own.ok("PUT", "/v1/leases/busy/terms", json={"keep": keep})
        opens = (now_of(own) + minutes(LEAD + 5)).replace(second=0, microsecond=0)
        closes = opens + minutes(15)
        hours = f"mon-sun {opens:%H:%M}-{closes:%H:%M} UTC"
        own.ok("PUT", "/v1/leases/office/terms", json={"schedule": hours})
        booking = {
            "endpoint_name": "booked",
            "config_name": "demo-config",
            "at": f"{opens:%Y-%m-%dT%H:%M}Z",
            "minutes": 20,
        }
        own.ok("POST", "/v1/bookings", json=booking)
        over = threading.Event()

        def calling():
            while not over.wait(0.1):
                own.invoke("busy")

        caller = threading.Thread(target=calling)
        caller.start()
        try:
            told(own, "busy", "lease.ended")
        finally:
            over.set()
            caller.join()
        for name in ("office", "booked"):
            own.wait_state(name, "expired")
        yield own, opens, closes


def test_office_hours_open_in_service_and_close_when_they_say(day):
    own, opens, closes = day
    [paid] = told(own, "office", "lease.paid")
    [ready] = [
        event for event in told(own, "office", "endpoint.in_service") if event["at"] > paid["at"]
    ]
    assert opens - minutes(LEAD) * 2 <= paid["at"] <= ready["at"] <= opens
    assert instant(paid["data"]["expires_at"]) == closes
    ended = told(own, "office", "lease.ended")[-1]
    assert ended["data"]["ended"] == "expired"
    assert closes <= ended["at"] < closes + timedelta(hours=12)
    wait_for(lambda: not own.ok("GET", "/v1/endpoints/office").json()["healthy"], why="it to stop")


def test_a_booking_makes_the_lease_and_is_warm_when_it_begins(day):
    own, opens, _ = day
    [paid] = told(own, "booked", "lease.paid")
    [ready] = told(own, "booked", "endpoint.in_service")
    assert ready["at"] <= opens
    lease = own.ok("GET", "/v1/leases/booked").json()
    assert paid["data"]["by"] == "booking"
    assert instant(lease["expires_at"]) == opens + minutes(20)
    assert own.ok("GET", "/v1/bookings").json()["bookings"] == []


def test_use_keeps_a_lease_up_to_its_hard_limit_and_no_further(day):
    own, _, _ = day
    paid = told(own, "busy", "lease.paid")
    assert {event["data"]["by"] for event in paid} == {"use"}
    lease = own.ok("GET", "/v1/leases/busy").json()
    assert instant(lease["expires_at"]) - instant(lease["paid_until"]) == minutes(30)
    assert lease["ended"] == "expired"
    [limit] = told(own, "busy", "lease.limit_reached")
    assert "use extends it no further than 30 min beyond what people paid for" in limit["reason"]
