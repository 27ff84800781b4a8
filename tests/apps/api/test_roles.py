"""Who may do what: every route against every role."""

import pytest

from tests.apps.api.test_catalog import CONFIG, MODEL
from tests.apps.api.test_openapi import OPENAPI
from tests.apps.api.world import World
from tests.builders import minutes
from tests.deployments import a_payload
from tests.shelf import DOCUMENT

PRICES = {"dated": "2026-03-01", "origin": "a test", "prices": {"ml.g5.xlarge": "1.41"}}
#: Each call with the least role that may make it, written down a second time on purpose.
TABLE = [
    ("GET", "/endpoint-expiry", None, "invoker"),
    ("POST", "/endpoint-expiry", {"EndpointName": "falcon", "minutes": 1}, "operator"),
    ("POST", "/startexecution", {"endpointname": "falcon", "body": "x"}, "invoker"),
    ("POST", "/describeexecution", {"executionArn": "unknown"}, "invoker"),
    ("GET", "/v1/plan", None, "operator"),
    ("GET", "/v1/leases", None, "invoker"),
    ("GET", "/v1/leases/falcon", None, "invoker"),
    ("PUT", "/v1/leases/new", {"config_name": "falcon-config"}, "operator"),
    ("POST", "/v1/leases/falcon/extend", {"minutes": 1}, "operator"),
    ("POST", "/v1/leases/falcon/start", None, "operator"),
    ("POST", "/v1/leases/falcon/end", None, "operator"),
    ("DELETE", "/v1/leases/falcon", None, "operator"),
    ("GET", "/v1/leases/falcon/terms", None, "invoker"),
    ("PUT", "/v1/leases/falcon/terms", {"schedule": "mon 09:00-10:00 UTC"}, "operator"),
    ("DELETE", "/v1/leases/falcon/terms", None, "operator"),
    ("GET", "/v1/bookings", None, "invoker"),
    (
        "POST",
        "/v1/bookings",
        {
            "endpoint_name": "falcon",
            "at": "2026-03-02T09:00Z",
            "minutes": 5,
        },
        "operator",
    ),
    ("DELETE", "/v1/bookings/5f0c1a9d2b7e", None, "operator"),
    ("GET", "/v1/deployments", None, "invoker"),
    ("POST", "/v1/deployments", a_payload("new"), "operator"),
    ("GET", "/v1/deployments/unknown", None, "invoker"),
    ("POST", "/v1/deployments/unknown/cancel", None, "operator"),
    ("POST", "/v1/deployments/unknown/resume", None, "operator"),
    ("POST", "/v1/deployments/unknown/promote", None, "operator"),
    ("POST", "/v1/deployments/unknown/rollback", None, "operator"),
    ("GET", "/v1/projects", None, "operator"),
    ("POST", "/v1/projects?dry_run=true", DOCUMENT, "operator"),
    ("GET", "/v1/projects/TextDemo", None, "operator"),
    ("DELETE", "/v1/projects/TextDemo?dry_run=true", None, "operator"),
    ("GET", "/v1/projects/TextDemo/status", None, "operator"),
    ("GET", "/v1/projects/TextDemo/dashboard", None, "operator"),
    ("GET", "/v1/projects/TextDemo/dashboard/grafana", None, "operator"),
    ("POST", "/v1/projects/TextDemo/rollback", None, "admin"),
    ("GET", "/v1/projects/TextDemo/applications", None, "operator"),
    ("GET", "/v1/projects/TextDemo/applications/unknown", None, "operator"),
    ("POST", "/v1/projects/TextDemo/applications/unknown/cancel", None, "admin"),
    ("GET", "/v1/endpoints", None, "invoker"),
    ("GET", "/v1/endpoints/falcon", None, "invoker"),
    ("GET", "/v1/endpoints/falcon/ab", None, "invoker"),
    ("GET", "/v1/endpoints/falcon/sleep", None, "invoker"),
    ("PUT", "/v1/endpoints/falcon/sleep", {"after_minutes": 5}, "operator"),
    ("DELETE", "/v1/endpoints/falcon/sleep", None, "operator"),
    ("POST", "/v1/endpoints/falcon/sleep", None, "operator"),
    ("POST", "/v1/endpoints/falcon/wake", None, "operator"),
    ("POST", "/v1/endpoints/falcon/rollout/promote", None, "operator"),
    ("POST", "/v1/endpoints/falcon/rollout/rollback", None, "operator"),
    ("GET", "/v1/endpoints/falcon/logs", None, "operator"),
    ("GET", "/v1/endpoints/falcon/scaling", None, "invoker"),
    ("PUT", "/v1/endpoints/falcon/scaling", {"min": 1, "max": 2}, "operator"),
    ("DELETE", "/v1/endpoints/falcon/scaling", None, "operator"),
    (
        "PUT",
        "/v1/endpoints/falcon/scaling/scheduled/morning",
        {"schedule": "rate(1 day)", "min": 2},
        "operator",
    ),
    ("DELETE", "/v1/endpoints/falcon/scaling/scheduled/morning", None, "operator"),
    ("GET", "/v1/endpoints/falcon/models", None, "operator"),
    ("PUT", "/v1/endpoints/falcon/models/a.tar.gz", {"pinned": True}, "operator"),
    ("POST", "/v1/endpoints/falcon/models/a.tar.gz/preload", None, "operator"),
    ("GET", "/v1/endpoints/falcon/why", None, "invoker"),
    ("POST", "/v1/endpoints/falcon/snooze", None, "operator"),
    ("GET", "/v1/endpoints/falcon/maintain", None, "invoker"),
    ("PUT", "/v1/endpoints/falcon/maintain", {"stop_after": 4}, "operator"),
    ("GET", "/v1/endpoints/falcon/tags", None, "invoker"),
    ("PUT", "/v1/endpoints/falcon/tags", {"tags": {"team": "birds"}}, "operator"),
    ("DELETE", "/v1/endpoints/falcon/tags", None, "operator"),
    ("GET", "/v1/undo", None, "operator"),
    ("POST", "/v1/endpoints/falcon/undo", None, "operator"),
    ("GET", "/v1/audit", None, "operator"),
    ("POST", "/v1/audit/fix", {"ids": ["tags.orphaned:falcon"]}, "admin"),
    ("GET", "/v1/models", None, "operator"),
    ("POST", "/v1/models", MODEL, "admin"),
    ("GET", "/v1/models/falcon-model", None, "operator"),
    ("DELETE", "/v1/models/falcon-model", None, "admin"),
    ("GET", "/v1/configs", None, "operator"),
    ("POST", "/v1/configs", CONFIG, "admin"),
    ("GET", "/v1/configs/falcon-config", None, "operator"),
    ("DELETE", "/v1/configs/falcon-config", None, "admin"),
    ("GET", "/v1/routes", None, "operator"),
    ("PUT", "/v1/routes/falcon", {"endpoint_name": "falcon"}, "operator"),
    ("DELETE", "/v1/routes/falcon", None, "operator"),
    ("GET", "/v1/tokens", None, "admin"),
    ("POST", "/v1/tokens", {"name": "new"}, "admin"),
    ("POST", "/v1/tokens/import", {"secret": "sesame-open-sesame", "name": "auth"}, "admin"),
    ("DELETE", "/v1/tokens/invoker", None, "admin"),
    ("POST", "/v1/tokens/invoker/aws-key", None, "admin"),
    ("POST", "/v1/aws-key", None, "invoker"),
    ("GET", "/v1/objects", None, "operator"),
    ("GET", "/v1/objects/models", None, "operator"),
    ("DELETE", "/v1/objects/models", None, "admin"),
    ("PUT", "/v1/objects/models/a", None, "admin"),
    ("GET", "/v1/objects/models/a", None, "operator"),
    ("HEAD", "/v1/objects/models/a", None, "operator"),
    ("DELETE", "/v1/objects/models/a", None, "admin"),
    ("GET", "/v1/events", None, "operator"),
    ("GET", "/v1/events/stream", None, "operator"),
    (
        "POST",
        "/v1/metrics",
        {"namespace": "A", "samples": [{"name": "x", "values": [1]}]},
        "operator",
    ),
    ("GET", "/v1/testers", None, "operator"),
    ("GET", "/v1/testers/unknown", None, "operator"),
    (
        "PUT",
        "/v1/testers/new",
        {"endpoint_name": "falcon", "cases": [{"id": "1", "input": 1, "expected": 1}]},
        "operator",
    ),
    ("DELETE", "/v1/testers/unknown", None, "operator"),
    ("POST", "/v1/testers/unknown/run", None, "operator"),
    ("GET", "/v1/metrics", None, "operator"),
    ("GET", "/v1/metrics/series", None, "operator"),
    ("GET", "/v1/alarms", None, "operator"),
    ("GET", "/metrics", None, "invoker"),
    ("GET", "/v1/subscribers", None, "admin"),
    (
        "POST",
        "/v1/subscribers",
        {"name": "new", "kind": "slack", "url": "http://127.0.0.1:9/"},
        "admin",
    ),
    ("GET", "/v1/subscribers/ops", None, "admin"),
    ("DELETE", "/v1/subscribers/ops", None, "admin"),
    ("POST", "/v1/subscribers/ops/enable", None, "admin"),
    ("POST", "/v1/subscribers/ops/disable", None, "admin"),
    ("POST", "/v1/subscribers/ops/test", None, "admin"),
    ("GET", "/v1/letters", None, "admin"),
    ("GET", "/v1/letters/1", None, "admin"),
    ("POST", "/v1/letters/1/resend", None, "admin"),
    ("DELETE", "/v1/letters/1", None, "admin"),
    ("GET", "/v1/cost", None, "invoker"),
    ("GET", "/v1/prices", None, "invoker"),
    ("PUT", "/v1/prices/eu-central-1", PRICES, "admin"),
    ("GET", "/v1/price?endpoint=falcon", None, "operator"),
    ("GET", "/v1/budgets", None, "operator"),
    ("GET", "/v1/budgets/ann", None, "operator"),
    ("PUT", "/v1/budgets/ann", {"usd": 5}, "admin"),
    ("DELETE", "/v1/budgets/ann", None, "admin"),
    ("POST", "/v1/reload", None, "admin"),
    ("POST", "/v1/nudge", None, "admin"),
    ("GET", "/v1/health/live", None, None),
    ("GET", "/v1/health/ready", None, None),
]
ROLES = ["invoker", "operator", "admin"]
#: Its answer has no end, so that an in-process call would wait for ever.
ENDLESS = "/v1/events/stream"


def test_the_table_is_whole():
    paths = OPENAPI["paths"]
    documented = {
        (method.upper(), path): operation["x-role"]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    written = {(method, template(path, paths)): role or "none" for method, path, _, role in TABLE}
    assert written == documented


def template(path, paths):
    """Return the documented path that `path` is an instance of."""
    parts = path.partition("?")[0].split("/")
    return next(
        known
        for known in paths
        if len(known.split("/")) == len(parts)
        and all(a == b or b.startswith("{") for a, b in zip(parts, known.split("/"), strict=True))
    )


@pytest.mark.parametrize(("method", "path", "form", "role"), TABLE)
def test_a_call_without_a_token_is_refused_unless_none_is_needed(method, path, form, role):
    world = World()
    answer = world.call(method, path, json=form, by=None)
    if role is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert_nothing_happened(world)


@pytest.mark.parametrize("by", ROLES)
@pytest.mark.parametrize(("method", "path", "form", "role"), TABLE)
def test_a_call_is_made_by_the_role_it_needs_and_those_above(method, path, form, role, by):
    world = World()
    enough = role is None or ROLES.index(by) >= ROLES.index(role)
    if enough and path == ENDLESS:
        return
    answer = world.call(method, path, json=form, by=by)
    if enough:
        assert answer.status_code not in {401, 403, 500}
    else:
        assert answer.status_code == 403
        assert_nothing_happened(world)
    for pending in world.pending:
        pending.close()


def assert_nothing_happened(world):
    assert world.changes == 0
    assert world.pending == []
    assert all(event.kind == "token.created" for event in world.history.read(query()))


def query():
    from parkade.ports.events import EventQuery

    return EventQuery(limit=1000)


@pytest.mark.parametrize(
    "header",
    [
        "operator-pass-code",
        "Bearer operator-pass-code",
        "bearer operator-pass-code",
        "BEARER   operator-pass-code ",
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_token_comes_raw_or_as_bearer_in_any_case(world, name, header):
    assert world.call("GET", "/v1/plan", by=None, headers={name: header}).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "nobody", "\xff\xfe", "x" * 9000]
)
def test_anything_else_is_no_token(world, header):
    headers = {"Authorization": header.encode("latin-1")}
    status, error = world.error("GET", "/v1/plan", by=None, headers=headers)
    assert (status, error["code"]) == (401, "unauthenticated")


def test_a_token_is_checked_before_anything_is_read(world):
    status, _ = world.error("POST", "/v1/models?x=1", by=None, content=b"{")
    assert status == 401
    status, _ = world.error("POST", "/v1/models?x=1", by="operator", content=b"{")
    assert status == 403


def test_the_callers_name_is_in_the_history(world):
    world.add()
    world.ok("POST", "/v1/leases/falcon/extend", json={"minutes": 1})
    (event,) = world.ok("GET", "/v1/events?kind=lease.extended")["events"]
    assert event["actor"] == "operator"


# -- without tokens -----------------------------------------------------------------------


def test_without_auth_everybody_is_an_admin_called_anonymous():
    world = World(auth=False)
    world.ok("PUT", "/v1/leases/falcon", json={"config_name": "falcon-config"}, by=None)
    assert world.book.get("falcon").owner == "anonymous"
    world.ok("POST", "/v1/models", json=MODEL, by="whatever this is")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Host": "localhost:8700"},
        {"Origin": "null", "Host": "localhost:8700"},
        {"Origin": "http://localhost:9999", "Host": "localhost:8700"},
        {"Origin": "http://evil.example:8700", "Host": "evil.example:8700"},
        {"Sec-Fetch-Site": "cross-site", "Host": "localhost:8700"},
        {"Sec-Fetch-Site": "same-origin", "Host": "evil.example:8700"},
    ],
)
def test_without_auth_a_page_from_elsewhere_is_kept_out(headers):
    world = World(auth=False)
    world.add(amount=minutes(5))
    form = {"EndpointName": "falcon", "minutes": 1}
    status, error = world.error("POST", "/endpoint-expiry", json=form, by=None, headers=headers)
    assert (status, error["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8700", "Host": "localhost:8700"},
        {"Origin": "http://127.0.0.1:8700", "Host": "127.0.0.1:8700"},
        {"Origin": "http://[::1]:8700", "Host": "[::1]:8700"},
        {"Sec-Fetch-Site": "same-origin", "Host": "localhost:8700"},
        {"Sec-Fetch-Site": "none", "Host": "localhost:8700"},
        {"Host": "whatever"},
    ],
)
def test_without_auth_the_servers_own_pages_and_programs_are_let_in(headers):
    assert World(auth=False).call("GET", "/v1/leases", by=None, headers=headers).status_code == 200


def test_with_auth_a_token_is_enough_wherever_the_page_is_from(world):
    headers = {"Origin": "https://console.example", "Host": "parkade.example"}
    assert world.call("GET", "/v1/leases", headers=headers).status_code == 200
