"""`/v1/alarms`: what each alarm is on, the state it is in, and why."""

from parkade.domain.alarm import OWN
from parkade.domain.metricquery import Query
from tests.builders import NOW, a_query, an_alarm, minutes, seconds


def put(world, *args, by="ann", **changes):
    return world.services.alarms.book.put(an_alarm(*args, **changes), by)


def test_an_alarm(world):
    put(world, description="calls", alarm_actions=("arn:aws:sns:us-east-1:000000000000:a",))
    assert world.ok("GET", "/v1/alarms") == {
        "alarms": [
            {
                "name": "busy",
                "description": "calls",
                "state": "INSUFFICIENT_DATA",
                "since": "2026-03-01T12:00:00Z",
                "reason": "Unchecked: Initial alarm creation",
                "watches": (
                    "Sum of AWS/SageMaker Invocations EndpointName=falcon VariantName=blue greater "
                    "than 1 for 3 of 3 periods of 60 s"
                ),
                "endpoint_name": "falcon",
                "series": ["AWS/SageMaker Invocations EndpointName=falcon VariantName=blue"],
                "subjects": [
                    {"endpoint_name": "falcon", "variant_name": "blue", "component_name": ""}
                ],
                "actions": [],
                "actions_enabled": True,
                "own": False,
                "trouble": "",
            }
        ],
        "unreadable": {},
        "next": None,
    }


def names(world, query=""):
    return [each["name"] for each in world.ok("GET", f"/v1/alarms{query}")["alarms"]]


def test_alarms_are_filtered_by_endpoint_and_state_and_come_in_pages(world):
    put(world, "a")
    put(world, "b", queries=(a_query(endpoint="flan"),))
    several = (a_query("x", returned=False), a_query("y", endpoint="flan", returned=False))
    put(world, "c", queries=(*several, Query(id="e", expression="x + y")), plain=False)
    put(world, "d", owner=OWN, endpoint_name="falcon", by=OWN)
    assert names(world) == ["a", "b", "c", "d"]
    assert names(world, "?endpoint=flan") == ["b", "c"]
    assert names(world, "?state=OK") == []
    page = world.ok("GET", "/v1/alarms?limit=3")
    assert names(world, f"?limit=3&after={page['next']}") == ["d"]
    assert [each["own"] for each in world.ok("GET", "/v1/alarms")["alarms"]][-1] is True


def test_what_cannot_be_read_or_evaluated_is_told(world):
    put(world, "bad")
    put(world, "good", periods=1)
    world.alarm_store.damage("bad", "it is torn")
    world.metrics.damage(a_query().measured.series, NOW)
    world.clock.advance(minutes(1))
    world.services.alarms.watch.look(world.clock.now() + seconds(5))
    found = world.ok("GET", "/v1/alarms")
    assert list(found["unreadable"]) == ["bad"]
    (alarm,) = found["alarms"]
    assert "Invocations" in alarm["trouble"]
    assert alarm["state"] == "INSUFFICIENT_DATA"
