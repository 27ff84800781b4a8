"""Plan, reload, nudge, health."""

from parkade.domain.errors import InvalidInput
from tests.builders import minutes


def test_the_plan_says_what_a_sweep_would_do_and_does_nothing(world):
    world.add(amount=minutes(30))
    assert world.ok("GET", "/v1/plan") == {
        "now": "2026-03-01T12:00:00Z",
        "next_at": "2026-03-01T12:20:00Z",
        "actions": [{"kind": "start", "endpoint_name": "falcon", "reason": "paid for 30 min more"}],
    }
    assert world.hosting.calls == []


def test_a_reload_tells_what_changed(world):
    assert world.ok("POST", "/v1/reload", by="admin") == {"changed": ["limits.workers"]}


def test_a_settings_file_that_cannot_be_used_is_told(world):
    def refuse():
        raise InvalidInput("server.yaml: unknown setting limit", field="config")

    world.services.reload = refuse
    status, error = world.error("POST", "/v1/reload", by="admin")
    assert (status, error["field"]) == (400, "config")


def test_a_nudge_is_passed_on(world):
    assert world.call("POST", "/v1/nudge", by="admin").status_code == 204
    assert world.changes == 1


def test_health(world):
    assert world.ok("GET", "/v1/health/live", by=None) == {"status": "live"}
    assert world.ok("GET", "/v1/health/ready", by=None) == {"status": "ready"}
    world.not_ready = "the host is starting"
    assert world.ok("GET", "/v1/health/live", by=None) == {"status": "live"}
    status, error = world.error("GET", "/v1/health/ready", by=None)
    assert (status, error["code"]) == (503, "unavailable")
    assert "the host is starting" in error["message"]
