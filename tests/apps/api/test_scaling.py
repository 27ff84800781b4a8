"""`/v1/endpoints/{name}/scaling`: how many there are, by which rules, and what was decided."""

import pytest

from parkade.domain.errors import Unavailable
from parkade.domain.scaling.deciding import Decision
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness
from parkade.services.alarms import words
from tests.apps.api.world import World
from tests.builders import NOW, minutes
from tests.domain.scaling.cases import some_steps
from tests.scaled import ADAPTER, BLUE, GREEN, a_reading, furnish

RED = Resource("falcon", "red")
PATH = "/v1/endpoints/falcon/scaling"
POLICY = "SageMakerEndpointInvocationScalingPolicy"


@pytest.fixture
def world():
    return furnish(World())


def put(world, path=PATH, **form):
    answer = world.ok("PUT", path, json=form)
    return answer["capacities"][0]


def refused(world, method="PUT", path=PATH, **form):
    status, error = world.error(method, path, **({"json": form} if method == "PUT" else {}))
    assert error["message"]
    return status, error.get("field"), error


def test_what_is_not_scaled_is_told_with_its_numbers(world):
    answer = world.ok("GET", PATH, by="limited")
    assert answer == {
        "endpoint_name": "falcon",
        "capacities": [
            {
                "resource_id": "endpoint/falcon/variant/blue",
                "variant_name": "blue",
                "component_name": "",
                "current": 2,
                "desired": 2,
                "changing": False,
                "why": "",
                "scaled": False,
                "min": None,
                "max": None,
                "suspended": None,
                "policies": [],
                "scheduled": [],
                "decision": None,
            }
        ],
        "activities": [],
        "unreadable": {},
    }


def test_one_call_sets_bounds_and_the_policy(world):
    told = put(world, min=1, max=4, target=600, scale_out_cooldown_seconds=60)
    assert (told["scaled"], told["min"], told["max"]) == (True, 1, 4)
    assert told["suspended"] == {"scale_in": False, "scale_out": False, "scheduled": False}
    (policy,) = told["policies"]
    high, low = policy.pop("alarms")
    assert high["state"] == low["state"] == "INSUFFICIENT_DATA"
    assert "AlarmHigh" in high["name"]
    assert policy == {
        "name": POLICY,
        "kind": "target_tracking",
        "metric": "invocations",
        "target": 600.0,
        "scale_out_cooldown_seconds": 60,
        "scale_in_cooldown_seconds": 300,
        "scale_in": True,
        "adjustment": "",
        "steps": [],
    }


def test_what_is_left_out_stays(world):
    put(world, min=1, max=4, target=600, scale_in_cooldown_seconds=60)
    assert refused(world, min=5)[:2] == (400, "min")
    assert refused(world, max=0)[:2] == (400, "max")
    told = put(world, max=6, suspended={"scale_in": True})
    assert (told["min"], told["max"], told["suspended"]["scale_in"]) == (1, 6, True)
    assert told["policies"][0]["target"] == 600
    told = put(world, target=5, metric="concurrency", scale_in=False)
    (policy,) = told["policies"]
    assert (policy["metric"], policy["target"]) == ("concurrency", 5)
    assert (policy["scale_in"], policy["scale_in_cooldown_seconds"]) == (False, 60)
    assert (told["max"], told["suspended"]["scale_in"]) == (6, True)
    told = put(world, suspended={"scale_in": False, "scheduled": True})
    assert told["suspended"] == {"scale_in": False, "scale_out": False, "scheduled": True}


def test_the_policy_that_others_have_put_is_the_one_that_is_changed(world):
    put(world, min=1, max=4)
    book = world.services.scaling.book
    put(world, target=600)
    tracking = book.policy(BLUE, POLICY).tracking
    book.delete_policy(BLUE, POLICY, "test")
    book.put_policy(BLUE, "mine", "test", tracking=tracking)
    told = put(world, target=700)
    assert [(each["name"], each["target"]) for each in told["policies"]] == [("mine", 700)]
    book.put_policy(BLUE, "yours", "test", tracking=tracking)
    status, _, error = refused(world, target=800)
    assert status == 409
    assert "mine, yours" in error["message"]


def test_the_number_is_brought_within_the_bounds_and_told_why(world):
    put(world, min=3, max=4)
    assert world.capacity.done == [{BLUE: 3}]
    (activity,) = world.ok("GET", PATH)["activities"]
    assert (activity["before"], activity["wanted"]) == (2, 3)
    assert activity["cause"] == "minimum capacity was set to 3"
    assert activity["variant_name"] == "blue"


def test_no_room_is_told_as_what_was_tried(world):
    world.capacity.room = 2
    put(world, min=3, max=4)
    (activity,) = world.ok("GET", PATH)["activities"]
    assert (activity["status"], "there is room for 2" in activity["message"]) == ("Failed", True)


def test_the_last_decision_is_told_with_the_next_time(world):
    put(world, min=1, max=4, target=600)
    world.moves.decisions[BLUE.id] = Decision(
        before=2, wanted=2, reason="its metric was 250", at=NOW, next_at=NOW + minutes(3),
        policy_name=POLICY,
    )  # fmt: skip
    (told,) = world.ok("GET", PATH)["capacities"]
    assert told["decision"] == {
        "at": "2026-03-01T12:00:00Z",
        "before": 2,
        "wanted": 2,
        "reason": "its metric was 250",
        "policy_name": POLICY,
        "next_at": "2026-03-01T12:03:00Z",
    }


def test_an_endpoint_tells_its_numbers_in_lists_and_all_of_it_alone(world):
    world.add()
    world.run_endpoint()
    put(world, min=1, max=4, target=600)
    count = {
        "variant_name": "blue", "component_name": "", "current": 2, "desired": 2,
        "least": 1, "most": 4,
    }  # fmt: skip
    (listed,) = world.ok("GET", "/v1/endpoints")["endpoints"]
    assert (listed["capacities"], listed["scaling"]) == ([count], None)
    alone = world.ok("GET", "/v1/endpoints/falcon")
    assert alone["capacities"] == [count]
    assert [each["min"] for each in alone["scaling"]] == [1]


def test_capacities_that_cannot_be_seen_hide_nothing_else(world, monkeypatch):
    world.add()
    world.run_endpoint()
    put(world, min=1, max=4)

    def unseen():
        raise Unavailable("hosting cannot be reached")

    monkeypatch.setattr(world.capacity, "all", unseen)
    answer = world.ok("GET", "/v1/endpoints/falcon")
    assert (answer["capacities"], answer["state"]) == ([], "running")
    assert [each["scaled"] for each in answer["scaling"]] == [True]


def test_one_of_several_has_to_be_named(world):
    world.capacity.put(a_reading(RED, endpoint_name="falcon"))
    status, field, error = refused(world, min=1, max=4)
    assert (status, field) == (400, "variant")
    assert "variant 'blue', variant 'red'" in error["message"]
    told = world.ok("PUT", PATH, json={"variant": "red", "min": 1, "max": 4})["capacities"]
    assert [(each["variant_name"], each["scaled"]) for each in told] == [
        ("blue", False), ("red", True),
    ]  # fmt: skip


def test_a_component_is_scaled_at_its_endpoint(world):
    path = "/v1/endpoints/parts/scaling"
    told = put(world, path, min=0, max=3, target=10)
    assert (told["component_name"], told["variant_name"], told["min"]) == ("adapter", "", 0)
    assert told["policies"][0]["metric"] == "invocations"
    assert put(world, path, component="adapter", max=5)["max"] == 5
    status, field, _ = refused(world, component="adapter", min=0, max=1)
    assert (status, field) == (400, "component")
    assert refused(world, path=path, metric="backlog")[:2] == (400, "metric")


def test_a_variant_that_may_have_no_instance_has_what_brings_it_back(world):
    world.capacity.put(a_reading(BLUE, floor=0))
    told = put(world, min=0, max=4, target=5, metric="backlog")
    tracked, step = told["policies"]
    assert (told["min"], tracked["metric"]) == (0, "backlog")
    assert (step["name"], step["steps"]) == (
        "from-zero", [{"lower": 0.0, "upper": None, "adjustment": 1}],
    )  # fmt: skip
    (named,) = step["alarms"]
    alarm = world.services.alarms.book.get(named["name"])
    assert words(alarm).startswith("Maximum of AWS/SageMaker HasBacklogWithoutCapacity")
    assert words(alarm).endswith("greater than or equal to 1 for 1 of 1 periods of 60 s")
    put(world, max=5)
    assert len(world.ok("GET", PATH)["capacities"][0]["policies"]) == 2
    assert "alarm.no_policy" not in str(world.ok("GET", "/v1/audit"))
    world.ok("DELETE", PATH)
    assert world.services.alarms.book.all().records == ()


def test_steps_that_somebody_has_put_are_left_to_lead_back(world):
    world.capacity.put(a_reading(BLUE, floor=0))
    put(world, min=1, max=4)
    steps = some_steps((2, 0.0, None))
    world.services.scaling.book.put_policy(BLUE, "mine", "ann", steps=steps)
    told = put(world, min=0)
    assert [each["name"] for each in told["policies"]] == ["mine"]
    assert world.services.alarms.book.all().records == ()


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"max": 4}, 400, "min"),
        ({"min": 1}, 400, "max"),
        ({"target": 5}, 400, "min"),
        ({"min": 1, "max": 4, "metric": "concurrency"}, 400, "target"),
        ({"min": 1, "max": 4, "target": 0}, 400, "target"),
        ({"min": 1, "max": 4, "target": 5, "scale_in_cooldown_seconds": -1}, 400,
         "scale_in_cooldown_seconds"),
        ({"min": 4, "max": 1}, 400, "min"),
        ({"min": -1, "max": 1}, 400, "min"),
        ({"min": 0, "max": 1}, 400, "min"),
        ({"min": 1.5, "max": 4}, 400, "min"),
        ({"min": 1, "max": 4, "metric": "load"}, 400, "metric"),
        ({"minimum": 1, "max": 4}, 400, "minimum"),
        ({"variant": "blue", "component": "adapter", "min": 1, "max": 4}, 400, "variant"),
        ({"variant": "red", "min": 1, "max": 4}, 400, "ResourceId"),
        ({"variant": "a/b", "min": 1, "max": 4}, 400, "ResourceId"),
        ({"component": "none", "min": 1, "max": 4}, 404, None),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_set(world, form, status, field):
    assert refused(world, **form)[:2] == (status, field)
    assert world.services.scaling.book.targets().records == ()


def test_unknown_endpoints_are_not_found(world):
    assert refused(world, "GET", "/v1/endpoints/none/scaling")[0] == 404
    assert refused(world, "DELETE", "/v1/endpoints/none/scaling")[0] == 404
    assert refused(world, path="/v1/endpoints/none/scaling", min=1, max=2)[0] == 404
    assert refused(world, path="/v1/endpoints/none/scaling", variant="a", min=1, max=2)[0] == 404


def test_an_endpoint_that_is_leased_and_not_there_keeps_its_scaling(world):
    world.add()
    put(world, min=1, max=4)
    world.capacity.forget(BLUE)
    told = put(world, max=6)
    assert (told["current"], told["desired"], told["max"]) == (None, None, 6)
    assert "no endpoint 'falcon'" in told["why"]
    world.add("empty")
    assert world.ok("GET", "/v1/endpoints/empty/scaling")["capacities"] == []


def test_what_is_just_changing_is_told(world):
    why = "it is just being updated"
    world.capacity.put(a_reading(BLUE, readiness=Readiness.CHANGING, desired=3, why=why))
    (told,) = world.ok("GET", PATH)["capacities"]
    assert (told["changing"], told["current"], told["desired"]) == (True, 2, 3)
    assert told["why"] == why


def test_scaling_no_longer_takes_everything_along(world):
    world.capacity.put(a_reading(RED, endpoint_name="falcon"))
    for variant in ("blue", "red"):
        put(world, variant=variant, min=1, max=4, target=5)
    told = world.ok("DELETE", f"{PATH}?variant=red")["capacities"]
    assert [each["scaled"] for each in told] == [True, False]
    world.ok("PUT", PATH, json={"variant": "red", "min": 1, "max": 2})
    told = world.ok("DELETE", PATH)["capacities"]
    assert [each["scaled"] for each in told] == [False, False]
    assert world.services.alarms.book.all().records == ()
    assert refused(world, "DELETE")[0] == 404
    assert refused(world, "DELETE", f"{PATH}?variant=red")[0] == 404


def test_scheduled_actions(world):
    path = f"{PATH}/scheduled/every%20morning"
    assert refused(world, path=path, schedule="rate(1 day)", min=2)[0] == 404
    put(world, min=1, max=4)
    told = put(world, path, schedule="cron(0 8 ? * MON-FRI *)", timezone="Europe/Berlin", min=2)
    assert told["scheduled"] == [
        {
            "name": "every morning",
            "schedule": "cron(0 8 ? * MON-FRI *)",
            "timezone": "Europe/Berlin",
            "min": 2,
            "max": None,
            "starts_at": None,
            "ends_at": None,
            "next_at": "2026-03-02T07:00:00Z",
        }
    ]
    told = put(world, path, max=3, ends_at="2026-03-01T14:00:00+01:00")
    (action,) = told["scheduled"]
    assert (action["min"], action["max"], action["next_at"]) == (None, 3, None)
    assert refused(world, path=path, schedule="tomorrow", min=2)[:2] == (400, "schedule")
    assert refused(world, path=path, max=3, ends_at="2026-03-01T14:00:00")[:2] == (400, "ends_at")
    assert world.ok("DELETE", path)["capacities"][0]["scheduled"] == []
    assert refused(world, "DELETE", path)[0] == 404


def test_damage_is_told_and_hides_nothing(world):
    put(world, min=1, max=4, target=5)
    put(world, f"{PATH}/scheduled/a", schedule="rate(1 day)", min=2)
    world.scaling_store.policies.damage(f"{BLUE.id}:{POLICY}", "torn")
    world.scaling_store.scheduled.damage(f"{BLUE.id}:a", "torn")
    answer = world.ok("GET", PATH)
    assert answer["unreadable"].keys() == {f"{BLUE.id}:{POLICY}", f"{BLUE.id}:a"}
    assert answer["capacities"][0]["scaled"]
    world.scaling_store.targets.damage(BLUE.id, "torn")
    answer = world.ok("GET", PATH)
    assert BLUE.id in answer["unreadable"]
    assert answer["capacities"][0]["scaled"] is False
    assert world.ok("GET", f"/v1/endpoints/{GREEN.name}/scaling")["unreadable"] == {}
    assert ADAPTER.id not in answer["unreadable"]
    world.ok("PUT", "/v1/endpoints/parts/scaling", json={"min": 0, "max": 2})
    world.scaling_store.targets.damage(ADAPTER.id, "torn")
    answer = world.ok("GET", "/v1/endpoints/parts/scaling")
    assert answer["unreadable"].keys() == {ADAPTER.id}
