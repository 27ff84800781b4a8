"""The maintainer over HTTP: why, snooze, maintain, tags, undo."""

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.lease import EndReason
from tests.apps.api.world import World
from tests.builders import (
    NOW,
    a_blueprint,
    a_reading,
    a_recorded_endpoint,
    an_event,
    minutes,
    some_use,
)

FALCON = "/v1/endpoints/falcon"


@pytest.fixture
def world():
    """A world with `falcon` in service, tagged and on its meter for ten hours."""
    made = World()
    made.ok("PUT", "/v1/leases/falcon", json=LEASE)
    made.run_endpoint()
    made.sweep()
    return made


LEASE = {"config_name": "falcon-config", "minutes": 600, "tags": {"auto-maintain": "true"}}


def leave(world):
    """Let the catalog have what the embedded host leaves of an endpoint that goes."""
    blueprint = a_blueprint()
    world.catalog.add_model(blueprint.models[0], an_event())
    world.catalog.add_config(blueprint.config, an_event())
    going = a_recorded_endpoint(status=EndpointStatus.DELETING, changed_at=world.clock.now())
    world.catalog.put_endpoint(going, an_event())
    world.catalog.remove_endpoint("falcon", an_event())


def test_why_tells_the_ladder_with_its_evidence(world):
    world.clock.advance(minutes(16))
    world.sweep()
    view = world.ok("GET", f"{FALCON}/why", by="invoker")
    assert (view["state"], view["reason"]) == ("running", "running")
    assert view["watch"]["by"] == "tag auto-maintain=true"
    assert view["watch"]["noticed_at"] == "2026-03-01T12:16:00Z"
    assert view["watch"]["rules"]["stop_after"] == 3
    assert view["ladder"]["reason"].endswith("it is stopped in 4 min")
    assert view["next_at"] == view["ladder"]["next_at"] == "2026-03-01T12:20:00Z"
    assert view["use"]["series"][0]["series"].endswith("VariantName=blue")
    assert (view["use"]["in_flight"], view["use"]["backlog"]) == (0, 0)
    assert view["decision"]["kind"] == "endpoint.idle"
    assert view["decision"]["data"]["evidence"]["windows"] == 2


def test_why_tells_what_it_would_do_about_what_is_used_or_not_watched(world):
    world.usage.told["falcon"] = some_use(in_flight=2)
    assert world.ok("GET", f"{FALCON}/why")["use"]["why_not_idle"] == "2 requests under way"
    world.ok("DELETE", f"{FALCON}/tags", params={"key": "auto-maintain"})
    view = world.ok("GET", f"{FALCON}/why")
    assert (view["watch"], view["ladder"], view["unusable"]) == (None, None, "")
    assert view["use"]["in_flight"] == 2
    assert [each["kind"] for each in view["actions"]] == ["nothing"]


def test_why_tells_why_what_is_stopped_or_gone_was_stopped(world):
    world.clock.advance(minutes(20))
    world.sweep()
    world.hosting.settle("falcon")
    view = world.ok("GET", f"{FALCON}/why")
    assert (view["state"], view["use"]) == ("idle", None)
    assert view["decision"]["kind"] == "lease.ended"
    assert view["decision"]["data"]["evidence"]["opted_in_by"] == "tag auto-maintain=true"
    world.ok("DELETE", "/v1/leases/falcon")
    view = world.ok("GET", f"{FALCON}/why")
    assert (view["state"], view["decision"]["kind"]) == ("absent", "lease.removed")


def test_why_of_what_never_was_is_404(world):
    status, error = world.error("GET", "/v1/endpoints/nobody/why")
    assert (status, error["code"]) == (404, "endpoint_not_found")


def test_what_cannot_be_used_is_told(world):
    world.ok("PUT", f"{FALCON}/tags", json={"tags": {"auto-maintain.window": "soon"}})
    view = world.ok("GET", f"{FALCON}/why")
    assert "auto-maintain.window=soon" in view["unusable"]
    assert [each["kind"] for each in view["actions"]] == ["nothing", "nothing", "notify"]


def test_a_snooze_postpones_once_until_there_is_use(world):
    view = world.ok("POST", f"{FALCON}/snooze", json={"minutes": 30})
    assert view["snoozed_until"] == "2026-03-01T12:30:00Z"
    status, error = world.error("POST", f"{FALCON}/snooze")
    assert (status, error["code"]) == (409, "conflict")
    world.clock.advance(minutes(10))
    world.usage.told["falcon"] = some_use(used_at=NOW + minutes(5))
    assert world.ok("POST", f"{FALCON}/snooze")["snoozed_until"] == "2026-03-01T13:10:00Z"
    [first, second] = [e for e in world.ok("GET", "/v1/events")["events"] if "snoozed" in e["kind"]]
    assert (first["actor"], first["data"]["minutes"]) == ("operator", 30)
    assert second["data"]["minutes"] == 60


def test_a_snooze_needs_something_to_postpone(world):
    assert world.error("POST", "/v1/endpoints/nobody/snooze")[0] == 404
    status, error = world.error("POST", f"{FALCON}/snooze", json={"minutes": 20_000})
    assert (status, error["field"]) == (400, "minutes")
    world.ok("DELETE", f"{FALCON}/tags", params={"key": "auto-maintain"})
    world.sweep()
    status, error = world.error("POST", f"{FALCON}/snooze")
    assert status == 409
    assert "did not opt in" in error["message"]
    world.ok("POST", "/v1/leases/falcon/end")
    world.sweep()
    world.hosting.settle("falcon")
    status, error = world.error("POST", f"{FALCON}/snooze")
    assert status == 409
    assert "does not run" in error["message"]


def test_tags_are_set_listed_and_taken_away(world):
    assert world.ok("GET", f"{FALCON}/tags", by="invoker") == {"tags": {"auto-maintain": "true"}}
    changes = world.changes
    world.ok("PUT", f"{FALCON}/tags", json={"tags": {"team": "birds"}})
    assert world.changes > changes
    tags = world.ok("GET", f"{FALCON}/tags")["tags"]
    assert tags == {"auto-maintain": "true", "team": "birds"}
    left = world.ok("DELETE", f"{FALCON}/tags?key=auto-maintain&key=nothing")
    assert left == {"tags": {"team": "birds"}}
    kinds = [e["kind"] for e in world.ok("GET", "/v1/events")["events"]]
    assert kinds.count("tags.changed") == 3


@pytest.mark.parametrize(
    "tags", [{"": "x"}, {"aws:x": "1"}, {"k" * 129: ""}, {"k": "v" * 257}, {"k": "a;b"}, {"k,": ""}]
)
def test_tags_that_aws_would_not_take_are_refused(world, tags):
    for method, path, body in (
        ("PUT", f"{FALCON}/tags", {"tags": tags}),
        ("PUT", "/v1/leases/new", {**LEASE, "tags": tags}),
    ):
        status, error = world.error(method, path, json=body)
        assert (status, error["field"]) == (400, "tags")
    assert world.error("GET", "/v1/leases/new")[0] == 404


def test_no_more_than_fifty_tags(world):
    many = {f"k{number}": "" for number in range(50)}
    assert world.error("PUT", f"{FALCON}/tags", json={"tags": many})[0] == 400


def test_the_tags_of_what_is_not_there_are_404(world):
    for method, options in (
        ("GET", {}),
        ("PUT", {"json": {"tags": {"a": "b"}}}),
        ("DELETE", {"params": {"key": "a"}}),
    ):
        assert world.error(method, "/v1/endpoints/nobody/tags", **options)[0] == 404


def test_maintain_settles_who_watches_and_by_which_timers(world):
    view = world.ok("GET", f"{FALCON}/maintain")
    assert (view["watched"], view["by"]) == (True, "tag auto-maintain=true")
    timers = {"window_minutes": 2, "stop_after": 5, "notice_after": None}
    view = world.ok("PUT", f"{FALCON}/maintain", json=timers)
    assert view["by"] == "lease settings"
    assert view["rules"] == {
        "grace_minutes": 5,
        "window_minutes": 2,
        "notice_after": None,
        "stop_after": 5,
        "delete_after_minutes": None,
    }
    again = world.ok("PUT", f"{FALCON}/maintain", json={"delete_after_minutes": 60})
    assert again["rules"] == {**view["rules"], "delete_after_minutes": 60}
    assert world.ok("PUT", f"{FALCON}/maintain", json={"watch": "off"})["watched"] is False
    view = world.ok("PUT", f"{FALCON}/maintain", json={"watch": "by_tag"})
    assert (view["by"], view["rules"]["window_minutes"]) == ("tag auto-maintain=true", 5)


def test_maintain_begins_from_the_timers_of_the_tags(world):
    world.ok("PUT", f"{FALCON}/tags", json={"tags": {"auto-maintain.grace": "90s"}})
    view = world.ok("PUT", f"{FALCON}/maintain", json={"stop_after": 4})
    assert (view["rules"]["grace_minutes"], view["rules"]["stop_after"]) == (1.5, 4)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"window_minutes": 0.5}, "window"),
        ({"stop_after": 0}, "stop_after"),
        ({"stop_after": 10_001}, "stop_after"),
        ({"delete_after_minutes": 1e300}, "delete_after_minutes"),
        ({"grace_minutes": True}, "grace_minutes"),
        ({"watch": "maybe"}, "watch"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"grace": 5}, "grace"),
    ],
)
def test_unusable_timers_are_refused_by_name(world, body, field):
    status, error = world.error("PUT", f"{FALCON}/maintain", json=body)
    assert (status, error["field"]) == (400, field)


def test_nobody_settles_what_the_server_has_settled(world):
    maintain = world.file.maintain
    world.file = world.file.model_copy(
        update={"maintain": maintain.model_copy(update={"watch": "all"})}
    )
    assert world.error("PUT", f"{FALCON}/maintain", json={"watch": "off"})[0] == 409
    world.file = world.file.model_copy(
        update={"maintain": maintain.model_copy(update={"watch": "none"})}
    )
    assert world.error("PUT", f"{FALCON}/maintain", json={})[0] == 409
    assert world.ok("GET", f"{FALCON}/maintain")["watched"] is False


def test_undo_brings_back_what_was_stopped_and_lists_what_can_be(world):
    assert world.ok("GET", "/v1/undo") == {"endpoints": []}
    leave(world)
    world.clock.advance(minutes(60))
    world.ok("POST", "/v1/leases/falcon/end")
    world.sweep()
    world.hosting.settle("falcon")
    [listed] = world.ok("GET", "/v1/undo")["endpoints"]
    undone = world.ok("POST", f"{FALCON}/undo")
    assert listed == undone
    assert (undone["endpoint_name"], undone["config_name"]) == ("falcon", "falcon-config")
    assert (undone["leased"], undone["minutes"]) == (True, 540)
    assert world.book.get("falcon").ended is None
    status, error = world.error("POST", f"{FALCON}/undo")
    assert status == 409
    assert "nothing to undo" in error["message"]
    assert world.error("POST", "/v1/endpoints/nobody/undo")[0] == 404


def test_an_endpoint_that_is_not_known_to_be_idle_is_never_stopped(world):
    world.usage.told["falcon"] = some_use(a_reading(quiet_since=None, why="gone"))
    world.clock.advance(minutes(500))
    world.sweep()
    assert world.book.get("falcon").ended is not EndReason.IDLE
