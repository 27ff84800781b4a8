"""Endpoints as they are."""

import pytest

from parkade.apps.control.traffic import Traffic
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unavailable
from parkade.domain.stages import Stage
from tests.builders import a_rollout, an_endpoint, minutes, seconds
from tests.money import an_instance


def test_an_endpoint_that_runs(world):
    world.add()
    world.run_endpoint()
    world.traffic = Traffic(requests_per_second=2.5, in_flight=3)
    answer = world.ok("GET", "/v1/endpoints/falcon")
    lease = answer.pop("lease")
    assert lease["endpoint_name"] == "falcon"
    assert answer.pop("cost")["cost"] == {"usd": "0.00", "unpriced": []}
    assert answer.pop("terms") is None
    assert answer.pop("scaling") == []
    assert answer.pop("fleets") == {"fleets": [], "hourly": {"usd": "0.00", "unpriced": []}}
    assert answer == {
        "name": "falcon",
        "status": "InService",
        "state": "running",
        "reason": "running",
        "hint": "",
        "expected_at": None,
        "expected_in_seconds": None,
        "config_name": "falcon-config",
        "created_at": "2026-03-01T12:00:00Z",
        "changed_at": "2026-03-01T12:00:00Z",
        "generation": 1,
        "target_config_name": "",
        "rollout": None,
        "failure_reason": "",
        "healthy": 1,
        "wanted": 1,
        "sleep": None,
        "requests_per_second": 2.5,
        "in_flight": 3,
        "backlog": {"waiting": 0, "running": 0, "oldest_seconds": None},
        "capacities": [],
        "instances": [
            {
                "id": "0123456789ab",
                "variant_name": "blue",
                "pid": 4711,
                "state": "running",
                "started_at": "2026-03-01T12:00:00Z",
                "restarts": 0,
            }
        ],
    }


def test_an_update_in_stages_tells_how_far_it_is(world):
    world.add()
    world.run_endpoint()
    rollout = a_rollout(stage=Stage.BAKING, taken=1)
    world.hosting.place(an_endpoint("Updating", rollout=rollout, target_config_name="next"))
    assert world.ok("GET", "/v1/endpoints/falcon")["rollout"] == {
        "strategy": "canary, 10 % first",
        "stage": "baking",
        "share": 0.1,
        "began_at": "2026-03-01T12:00:00Z",
        "since": "2026-03-01T12:00:00Z",
        "until": "2026-03-01T12:05:00Z",
        "alarms": [],
        "promoted": False,
        "reason": "",
    }


@pytest.mark.parametrize("path", ["endpoints/falcon", "leases/falcon", "endpoints/falcon/why"])
def test_what_starts_says_when_it_is_expected_wherever_it_is_told_of(world, path):
    world.started("falcon-config", took=seconds(40))
    world.add()
    world.sweep()
    world.host.running["falcon"] = ()
    world.clock.advance(seconds(15))
    answer = world.ok("GET", f"/v1/{path}")
    assert (answer["expected_at"], answer["expected_in_seconds"]) == ("2026-03-01T12:00:40Z", 25.0)
    assert answer["hint"].startswith("it is being started, and expected by 12:00:40 UTC")
    world.clock.advance(seconds(30))
    late = world.ok("GET", f"/v1/{path}")
    assert (late["state"], late["expected_at"], late["expected_in_seconds"]) == (
        "starting", None, None,
    )  # fmt: skip


def test_the_lists_say_it_too(world):
    world.started("falcon-config", took=seconds(40))
    paid = world.ok("PUT", "/v1/leases/falcon", json={"config_name": "falcon-config"})
    (endpoint,) = world.ok("GET", "/v1/endpoints")["endpoints"]
    (lease,) = world.ok("GET", "/v1/leases")["leases"]
    told = {each["expected_in_seconds"] for each in (paid, endpoint, lease, endpoint["lease"])}
    assert told == {40.0}


def test_what_runs_is_told_with_its_price_of_both_fleets_while_there_are_two(world):
    world.add()
    world.run_endpoint()
    world.money.machines.instances = [
        an_instance("o-1", config_name="falcon-config", generation=1),
        an_instance("n-1", config_name="next", generation=2, instance_type="ml.c5.xlarge"),
    ]
    world.started("next", took=seconds(40))
    world.hosting.place(an_endpoint("Updating", target_config_name="next"))
    assert world.ok("GET", "/v1/endpoints/falcon")["fleets"] == {
        "fleets": [
            {
                "config_name": "falcon-config",
                "generation": 1,
                "machines": ["1 x ml.g5.xlarge"],
                "hourly": {"usd": "0.60", "unpriced": []},
                "share": 1.0,
                "expected_at": None,
                "expected_in_seconds": None,
            },
            {
                "config_name": "next",
                "generation": 2,
                "machines": ["1 x ml.c5.xlarge"],
                "hourly": {"usd": "0.204", "unpriced": []},
                "share": 0.0,
                "expected_at": "2026-03-01T12:00:40Z",
                "expected_in_seconds": 40.0,
            },
        ],
        "hourly": {"usd": "0.804", "unpriced": []},
    }


def test_a_fleet_that_takes_requests_is_told_with_its_share_and_is_not_expected(world):
    world.add()
    world.run_endpoint()
    world.started("next", took=seconds(40))
    world.money.machines.instances = [
        an_instance("f-1", config_name="former", generation=1),
        an_instance("o-1", config_name="falcon-config", generation=2),
        an_instance("n-1", config_name="next", generation=3),
    ]
    baking = a_rollout(stage=Stage.BAKING, taken=1)
    world.hosting.place(
        an_endpoint("Updating", generation=2, target_config_name="next", rollout=baking)
    )
    fleets = world.ok("GET", "/v1/endpoints/falcon")["fleets"]["fleets"]
    assert [each["share"] for each in fleets] == [0.0, 0.9, 0.1]
    assert {each["expected_at"] for each in fleets} == {None}


def test_one_fleet_has_all_requests(world):
    world.add()
    world.run_endpoint()
    world.money.machines.instances = [an_instance("o-1", generation=1)]
    (fleet,) = world.ok("GET", "/v1/endpoints/falcon")["fleets"]["fleets"]
    assert fleet["share"] == 1.0


def test_instances_that_cannot_be_seen_hide_nothing_else(world, monkeypatch):
    world.add()
    world.run_endpoint()

    def unseen():
        raise Unavailable("the host does not answer")

    monkeypatch.setattr(world.money.machines, "present", unseen)
    answer = world.ok("GET", "/v1/endpoints/falcon")
    assert (answer["state"], answer["fleets"]) == ("running", None)


def test_a_leased_endpoint_that_is_absent_says_why(world):
    world.add(amount=minutes(1))
    world.clock.advance(minutes(2))
    answer = world.ok("GET", "/v1/endpoints/falcon")
    assert (answer["status"], answer["state"], answer["reason"]) == ("Absent", "expired", "expired")
    assert answer["config_name"] == "falcon-config"
    assert "parkade start falcon" in answer["hint"]
    assert answer["instances"] == []


def test_a_failed_endpoint_tells_its_failure(world):
    world.hosting.place(an_endpoint(EndpointStatus.FAILED, failure_reason="no model_fn"))
    world.host.running["falcon"] = ()
    answer = world.ok("GET", "/v1/endpoints/falcon")
    assert (answer["status"], answer["reason"]) == ("Failed", "failed: no model_fn")
    assert answer["lease"] is None


def test_the_list_has_what_is_leased_and_what_runs_and_what_cannot_be_read(world):
    world.add("leased")
    world.hosting.place(an_endpoint(name="unmetered"))
    world.host.running["unmetered"] = ()
    world.book.damage("broken", "the row is no JSON")
    answer = world.ok("GET", "/v1/endpoints")
    assert {each["name"]: each["state"] for each in answer["endpoints"]} == {
        "broken": "unreadable",
        "leased": "starting",
        "unmetered": "running",
    }
    assert answer["next"] is None
    assert world.ok("GET", "/v1/endpoints?limit=1")["next"] == "broken"


def test_an_unknown_endpoint_is_not_found(world):
    status, error = world.error("GET", "/v1/endpoints/nobody")
    assert (status, error["code"]) == (404, "endpoint_not_found")


def test_an_invoker_sees_the_endpoints_it_may_invoke(world):
    world.add("falcon")
    world.add("other")
    listed = world.ok("GET", "/v1/endpoints", by="limited")
    assert [each["name"] for each in listed["endpoints"]] == ["falcon"]
    assert world.error("GET", "/v1/endpoints/other", by="limited")[0] == 403
