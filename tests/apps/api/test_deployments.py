"""Deployments over HTTP."""

import pytest

from parkade.domain.errors import Unavailable
from parkade.ports.events import EventQuery
from tests.apps.api.world import World
from tests.builders import seconds
from tests.deployments import MODEL, a_payload
from tests.money import an_instance

FIELDS = [
    "id", "endpoint_name", "status", "reason", "actor", "owner", "cancelled_by", "begun_at",
    "ended_at", "took_seconds", "config_name", "former_config_name", "steps", "coming",
    "expected_at", "expected_in_seconds", "warnings", "order", "version", "fleets",
]  # fmt: skip
FORWARD = [
    "look", "config", "scaling_off", "bring_up", "wait", "check", "scaling_on", "settle", "tidy",
    "notify",
]  # fmt: skip


@pytest.fixture
def world():
    built = World()
    built.ok("POST", "/v1/models", json=MODEL, by="admin")
    yield built
    while built.pending:
        built.pending.pop().close()


def begin(world, payload=None, **options):
    return world.ok("POST", "/v1/deployments", json=payload or a_payload(), **options)


def at(world, deployment_id, **options):
    world.carry_out(deployment_id)
    return world.ok("GET", f"/v1/deployments/{deployment_id}", **options)


def succeed(world, payload=None):
    """Deploy, and let the fleet come up."""
    told = begin(world, payload)
    world.carry_out(told["id"])
    world.arrive(told["endpoint_name"])
    told = at(world, told["id"])
    assert told["status"] == "succeeded", told["steps"][-1]
    return told


def told_of(world):
    """Return all events there are."""
    return world.ok("GET", "/v1/events?limit=1000")["events"]


def kinds(view):
    return [each["kind"] for each in view["steps"]]


def test_the_first_deployers_payload_is_taken_and_told_step_by_step(world):
    answer = world.call("POST", "/v1/deployments", json=a_payload())
    assert answer.status_code == 202
    begun = answer.json()
    assert list(begun) == FIELDS
    assert (begun["status"], begun["actor"], begun["owner"]) == ("running", "operator", "operator")
    assert (begun["steps"], begun["coming"]) == ([], FORWARD)
    assert "AcceleratorType ml.eia1.medium is left out" in begun["warnings"][0]
    waiting = at(world, begun["id"])
    assert kinds(waiting) == FORWARD[:5]
    assert waiting["coming"] == FORWARD[5:]
    assert waiting["steps"][4]["outcome"] is waiting["steps"][4]["ended_at"] is None
    assert waiting["config_name"].startswith("test-endpoint-")


def test_how_it_ended_is_told_with_times_and_outcomes(world):
    told = succeed(world)
    assert kinds(told) == FORWARD
    assert {each["outcome"] for each in told["steps"]} == {"done", "skipped"}
    assert all(each["ended_at"] for each in told["steps"])
    assert (told["coming"], told["fleets"], told["ended_at"]) == ([], None, "2026-03-01T12:00:00Z")


def test_an_order_is_told_whole_and_can_be_sent_again(world):
    first = succeed(world)
    assert first["order"]["scaling"]["AllTraffic"]["autoscalingMaxCapacity"] == 4
    again = succeed(world, first["order"])
    assert again["order"] == first["order"]
    assert again["former_config_name"] == again["config_name"] == first["config_name"]


def test_a_dry_run_tells_the_plan_and_the_price_and_changes_nothing(world):
    before = told_of(world)
    told = world.ok("POST", "/v1/deployments?dry_run=true", json=a_payload())
    assert told["creates"]
    assert [each["kind"] for each in told["steps"]] == [
        kind for kind in FORWARD if kind != "scaling_off"
    ]
    assert told["hourly"]["after"] == {"usd": "0.204", "unpriced": []}
    assert told["quote"] == "30 min of AllTraffic 1 x ml.c5.xlarge: 0.10 USD"
    assert told["problems"] == []
    assert world.ok("GET", "/v1/deployments")["deployments"] == []
    assert told_of(world) == before


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"waitSeconds": 1e9}, "strategy.waitSeconds"),
        ({"terminationWaitSeconds": -1}, "strategy.terminationWaitSeconds"),
        ({"waitSeconds": 1200, "limitSeconds": 600}, "strategy.limitSeconds"),
    ],
)
def test_what_is_wrong_with_a_strategy_is_told_by_the_payloads_own_keys(world, keys, field):
    payload = {**a_payload(), "strategy": {"kind": "canary", "percent": 10, **keys}}
    error = world.call("POST", "/v1/deployments", json=payload).json()["error"]
    assert error["field"] == field
    assert error["message"].startswith(field)


def test_a_dry_run_tells_what_is_wrong_with_what_to_do(world):
    payload = a_payload()
    payload["productionVariants"] = [{**payload["productionVariants"][0], "ModelName": "nobody"}]
    (problem,) = world.ok("POST", "/v1/deployments?dry_run=true", json=payload)["problems"]
    assert "nobody" in problem["message"]


def test_a_dry_run_of_an_update_tells_the_price_of_both_fleets(world):
    succeed(world)
    told = world.ok("POST", "/v1/deployments?dry_run=true", json=a_payload(patience=1200))
    assert not told["creates"]
    assert [told["hourly"][when]["usd"] for when in ("before", "meanwhile", "after")] == [
        "0.204", "0.408", "0.204",
    ]  # fmt: skip


def test_while_it_runs_both_fleets_are_told_with_their_price(world):
    succeed(world)
    begun = begin(world, a_payload(patience=1200))
    world.money.machines.instances = [
        an_instance("o-1", endpoint_name="test-endpoint", config_name="old", generation=1),
        an_instance("n-1", endpoint_name="test-endpoint", config_name="new", generation=2),
    ]
    fleets = at(world, begun["id"])["fleets"]
    assert [each["config_name"] for each in fleets["fleets"]] == ["old", "new"]
    assert fleets["hourly"]["usd"] == "1.20"


def test_fleets_that_cannot_be_seen_hide_nothing_else(world, monkeypatch):
    begun = begin(world)

    def unseen():
        raise Unavailable("the host does not answer")

    monkeypatch.setattr(world.money.machines, "present", unseen)
    told = at(world, begun["id"])
    assert (told["status"], told["fleets"]) == ("running", None)


def test_a_request_that_is_repeated_with_its_key_counts_once(world):
    key = {"Idempotency-Key": "once"}
    first = begin(world, headers=key)
    assert begin(world, headers=key)["id"] == first["id"]
    status, error = world.error(
        "POST", "/v1/deployments", json=a_payload(patience=1200), headers=key
    )
    assert (status, error["code"]) == (409, "conflict")
    assert "Idempotency-Key" in error["message"]
    other = world.error("POST", "/v1/deployments", json=a_payload(), headers=key, by="admin")
    assert other[1]["code"] == "in_use"


def test_there_is_one_deployment_of_an_endpoint_at_a_time(world):
    first = begin(world)
    status, error = world.error("POST", "/v1/deployments", json=a_payload(patience=1200))
    assert (status, error["code"]) == (409, "in_use")
    assert first["id"] in error["message"]
    begin(world, a_payload("another"))


def test_a_list_begins_with_the_newest_and_has_pages(world):
    begun = []
    for number in range(3):
        begun.append(begin(world, a_payload(f"e-{number}"))["id"])
        world.clock.advance(seconds(0.5))
    newest_first = begun[::-1]
    page = world.ok("GET", "/v1/deployments?limit=2")
    assert [each["id"] for each in page["deployments"]] == newest_first[:2]
    rest = world.ok("GET", "/v1/deployments", params={"after": page["next"]})
    assert [each["id"] for each in rest["deployments"]] == newest_first[2:]
    assert rest["next"] is None
    own = world.ok("GET", "/v1/deployments?endpoint=e-1")["deployments"]
    assert [each["id"] for each in own] == [begun[1]]
    world.ok("POST", f"/v1/deployments/{begun[0]}/cancel")
    world.carry_out(begun[0])
    cancelled = world.ok("GET", "/v1/deployments?status=cancelled")["deployments"]
    assert [each["id"] for each in cancelled] == [begun[0]]


def test_an_invoker_sees_those_of_its_endpoints_alone(world):
    seen, hidden = begin(world, a_payload("falcon"))["id"], begin(world)["id"]
    listed = world.ok("GET", "/v1/deployments", by="limited")["deployments"]
    assert [each["id"] for each in listed] == [seen]
    assert at(world, seen, by="limited")["endpoint_name"] == "falcon"
    assert world.error("GET", f"/v1/deployments/{hidden}", by="limited")[0] == 403


def test_one_that_cannot_be_read_is_told_apart_and_can_be_forgotten(world):
    begun = begin(world)
    world.services.deploying.desk.deployments.damage(begun["id"], "the row is no JSON")
    assert list(world.ok("GET", "/v1/deployments")["unreadable"]) == [begun["id"]]
    assert world.ok("GET", "/v1/deployments", by="invoker")["unreadable"] == {}
    assert world.ok("POST", f"/v1/deployments/{begun['id']}/cancel") is None
    assert world.error("GET", f"/v1/deployments/{begun['id']}")[1]["code"] == "deployment_not_found"


def test_one_is_called_off_and_undone(world):
    begun = begin(world)
    at(world, begun["id"])
    called_off = world.ok("POST", f"/v1/deployments/{begun['id']}/cancel")
    assert called_off["cancelled_by"] == "operator"
    told = at(world, begun["id"])
    assert (told["status"], told["reason"]) == ("cancelled", "wait: operator called it off")
    status, error = world.error("POST", f"/v1/deployments/{begun['id']}/resume")
    assert (status, error["code"]) == (409, "conflict")


def test_a_temporary_error_stands_with_its_step_and_is_not_waited_for_when_resumed(world):
    provisioner = world.services.deploying.provisioner
    provisioner.refuse("make_config", Unavailable("the store is busy", retry_after=seconds(1)))
    begun = begin(world)
    (retry,) = at(world, begun["id"])["steps"][-1]["retries"]
    assert retry == {
        "at": "2026-03-01T12:00:00Z",
        "error": "the store is busy",
        "pause_seconds": 2.0,
    }
    provisioner.refuse("make_config", None)
    assert at(world, begun["id"])["steps"][-1]["kind"] == "config"
    resumed = world.ok("POST", f"/v1/deployments/{begun['id']}/resume")
    assert resumed["steps"][-1]["retries"][0]["pause_seconds"] == 0
    assert at(world, begun["id"])["steps"][-1]["kind"] == "wait"


@pytest.mark.parametrize(("verb", "call"), [("promote", "promote"), ("rollback", "roll_back")])
def test_an_update_under_way_is_steered(world, verb, call):
    succeed(world)
    begun = begin(world, a_payload(patience=1200))
    at(world, begun["id"])
    world.ok("POST", f"/v1/deployments/{begun['id']}/{verb}")
    assert world.services.deploying.provisioner.calls[-1] == call


@pytest.mark.parametrize(("verb", "call"), [("promote", "promote"), ("rollback", "roll_back")])
def test_an_update_under_way_is_steered_by_the_name_of_its_endpoint(world, verb, call):
    url = f"/v1/endpoints/test-endpoint/rollout/{verb}"
    status, error = world.error("POST", url)
    assert (status, error["code"]) == (404, "endpoint_not_found")
    succeed(world)
    status, error = world.error("POST", url)
    assert (status, "no update" in error["message"]) == (409, True)
    begun = begin(world, a_payload(patience=1200))
    at(world, begun["id"])
    world.host.running["test-endpoint"] = ()
    assert world.ok("POST", url)["name"] == "test-endpoint"
    assert world.services.deploying.provisioner.calls[-1] == call
    kind = "promoted" if verb == "promote" else "rolled_back"
    [told] = world.history.read(EventQuery(kinds=(f"deployment.{kind}",)))
    assert (told.actor, told.data["deployment"]) == ("operator", begun["id"])


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_what_creates_has_no_two_fleets_to_steer(world, verb):
    begun = begin(world)
    at(world, begun["id"])
    status, error = world.error("POST", f"/v1/deployments/{begun['id']}/{verb}")
    assert (status, error["code"]) == (409, "conflict")
    assert "no update is under way" in error["message"]


@pytest.mark.parametrize("verb", ["cancel", "resume", "promote", "rollback"])
def test_one_that_is_not_there_cannot_be_steered(world, verb):
    status, error = world.error("POST", f"/v1/deployments/nobody/{verb}")
    assert (status, error["code"]) == (404, "deployment_not_found")


def test_what_is_waited_for_is_expected_as_its_config_or_the_former_one_took(world):
    former = succeed(world)["config_name"]
    world.started(former, took=seconds(40))
    world.clock.advance(seconds(1))
    begun = begin(world, a_payload(patience=1200))
    waiting = at(world, begun["id"])
    assert (waiting["expected_at"], waiting["expected_in_seconds"]) == ("2026-03-01T12:00:41Z", 40)
    world.started(waiting["config_name"], took=seconds(25))
    world.clock.advance(seconds(10))
    assert at(world, begun["id"])["expected_in_seconds"] == 15
    (listed, *_) = world.ok("GET", "/v1/deployments")["deployments"]
    assert (listed["expected_in_seconds"], listed["fleets"]) == (15, None)
    world.clock.advance(seconds(16))
    assert at(world, begun["id"])["expected_at"] is None


def test_the_waits_of_a_strategy_are_expected_too(world):
    world.started(succeed(world)["config_name"], took=seconds(40))
    strategy = {
        "kind": "canary", "percent": 10, "waitSeconds": 30, "terminationWaitSeconds": 5,
    }  # fmt: skip
    begun = begin(world, a_payload(patience=1200, strategy=strategy))
    assert at(world, begun["id"])["expected_in_seconds"] == 40 + 2 * 30 + 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpointName": "no_name"}, "endpointName"),
        ({"productionVariants": []}, "productionVariants"),
        ({"autoscalingMinCapacity": 5}, "autoscalingMinCapacity"),
        ({"autoscalingMinCapacity": "1"}, "autoscalingMinCapacity"),
        ({"minutes": 0}, "minutes"),
        ({"autoscalingMinCapasity": 1}, "autoscalingMinCapasity"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_key(world, changes, field):
    status, error = world.error("POST", "/v1/deployments", json=a_payload() | changes)
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", ""])
def test_a_body_has_to_be_an_object(world, body):
    status, error = world.error("POST", "/v1/deployments", content=body)
    assert (status, error["code"]) == (400, "invalid_input")
