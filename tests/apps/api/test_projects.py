"""Projects over HTTP: compared, applied, looked at, destroyed."""

import copy
import json

import pytest

from parkade.domain.project.part import Kind
from tests.apps.api.world import World
from tests.builders import seconds
from tests.shelf import DOCUMENT

ENDPOINT = "TextDemo-words"
STATUS = "/v1/projects/TextDemo/status"


@pytest.fixture
def world():
    made = World()
    yield made
    # What carries applications out in the background; here it is done by `apply_on`.
    while made.pending:
        made.pending.pop().close()


def a_document(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


def with_weight(weight):
    document = a_document()
    document["endpoints"]["words"]["variants"][0]["weight"] = weight
    return document


def planned(world, document=None, **options):
    return world.ok("POST", "/v1/projects?dry_run=true", json=document or DOCUMENT, **options)


def begun(world, document=None, query="", **options):
    return world.ok(
        "POST", f"/v1/projects{query}", json=document or DOCUMENT, by="admin", **options
    )


def applied(world, document=None, **options):
    application = begun(world, document, **options)
    world.apply_on(application["id"])
    return world.ok("GET", f"/v1/projects/TextDemo/applications/{application['id']}")


def shelf(world, kind):
    return world.services.projecting.shelves[kind]


def everything(world):
    """Return all that an application could have changed."""
    return {
        "parts": {kind: dict(it.parts) for kind, it in world.services.projecting.shelves.items()},
        "projects": world.ok("GET", "/v1/projects"),
        "events": world.ok("GET", "/v1/events?limit=1000")["events"],
        "changes": world.changes,
    }


# -- the difference -----------------------------------------------------------------------


def test_a_dry_run_tells_each_change_with_its_price_and_changes_nothing(world):
    before = everything(world)
    told = planned(world)
    assert [(each["verb"], each["kind"], each["key"]) for each in told["changes"]] == [
        ("create", "model", "model-a"),
        ("create", "endpoint", "words"),
        ("create", "route", "/text"),
    ]
    endpoint = told["changes"][1]
    assert endpoint["name"] == ENDPOINT
    assert endpoint["monthly_before"] is None
    assert endpoint["monthly_after"] == {"usd": "173.74", "unpriced": []}
    assert (told["monthly_before"]["usd"], told["monthly_after"]["usd"]) == ("0.00", "173.74")
    assert (told["problems"], told["unchanged"], told["project"]) == ([], 0, "TextDemo")
    assert everything(world) == before


def test_what_differs_is_told_member_by_member(world):
    applied(world)
    told = planned(world, with_weight(3))
    (change,) = told["changes"]
    assert (change["verb"], change["name"]) == ("change", ENDPOINT)
    (field,) = [each for each in change["fields"] if each["path"].endswith("InitialVariantWeight")]
    assert field["after"] == 3
    assert field["before"] != 3
    assert told["unchanged"] == 2


def test_where_nothing_differs_there_are_no_changes(world):
    applied(world)
    assert planned(world)["changes"] == []


def test_what_is_wrong_with_the_project_is_a_problem_of_the_dry_run_and_refused(world):
    document = a_document()
    document["models"]["model-a"]["image"] = "nonsense"
    (problem,) = planned(world, document)["problems"]
    assert (problem["kind"], problem["field"], problem["hint"]) == (
        "model",
        "image",
        "name another",
    )
    before = everything(world)
    status, error = world.error("POST", "/v1/projects", json=document, by="admin")
    assert (status, error["message"]) == (400, "there is no image nonsense")
    assert everything(world) == before


def test_what_others_made_is_taken_over_when_that_is_asked_for_alone(world):
    shelf(world, Kind.ENDPOINT).parts[ENDPOINT] = {"by": "hand"}
    (problem,) = planned(world)["problems"]
    assert problem["name"] == ENDPOINT
    status, _ = world.error("POST", "/v1/projects", json=DOCUMENT, by="admin")
    assert status == 409
    told = world.ok("POST", "/v1/projects?dry_run=true&adopt=true", json=DOCUMENT)
    assert told["problems"] == []
    begun(world, query="?adopt=true")


# -- what is no document ------------------------------------------------------------------


def test_a_folder_of_the_client_is_refused_with_what_to_do(world):
    document = a_document(models={"model-a": {"source": "models/a", "image": "pytorch-inference"}})
    status, error = world.error("POST", "/v1/projects?dry_run=true", json=document)
    assert (status, error["code"]) == (400, "invalid_input")
    assert "models.model-a.source is on the client" in error["message"]
    assert "give data; parkade apply does so" in error["message"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"projct": "Text"}, "projct"),
        ([DOCUMENT], ""),
        (a_document(endpoints={"words": {"variants": []}}), "endpoints.words"),
        ({**DOCUMENT, "routes": {"/text": {"endpoint": "wrds"}}}, "'wrds'"),
    ],
)
def test_what_is_no_document_is_refused_by_name(world, document, told):
    before = everything(world)
    status, error = world.error("POST", "/v1/projects", json=document, by="admin")
    assert (status, error["code"]) == (400, "invalid_input")
    assert told in error["message"]
    assert everything(world) == before


def test_a_document_that_is_too_large_is_refused(world):
    document = a_document(tags={f"tag-{number}": "x" * 256 for number in range(20_000)})
    status, error = world.error("POST", "/v1/projects?dry_run=true", json=document)
    assert (status, error["code"]) == (413, "too_large")
    assert "4194304 are taken" in error["message"]


def test_ten_megabytes_of_nonsense_are_refused_quickly(world):
    before = everything(world)
    body = b'{"project": "' + b"x" * 10 * 1024**2
    status, _ = world.error("POST", "/v1/projects", content=body, by="admin")
    assert status == 400
    assert everything(world) == before


# -- applying -----------------------------------------------------------------------------


def test_an_application_is_begun_and_followed_step_by_step(world):
    shelf(world, Kind.ENDPOINT).slow.add(ENDPOINT)
    answer = world.call("POST", "/v1/projects", json=DOCUMENT, by="admin")
    assert answer.status_code == 202
    application = answer.json()
    assert (application["status"], application["actor"]) == ("running", "admin")
    assert [each["outcome"] for each in application["steps"]] == [None, None, None]
    world.apply_on(application["id"])
    path = f"/v1/projects/TextDemo/applications/{application['id']}"
    steps = world.ok("GET", path)["steps"]
    assert [each["outcome"] for each in steps] == ["done", None, None]
    assert steps[1]["text"] == "it is starting"
    shelf(world, Kind.ENDPOINT).slow.clear()
    world.clock.advance(seconds(5))
    world.apply_on(application["id"])
    told = world.ok("GET", path)
    assert (told["status"], told["took_seconds"]) == ("succeeded", 5.0)
    assert shelf(world, Kind.ROUTE).parts["/text"]["endpoint_name"] == ENDPOINT


def test_one_application_of_a_project_runs_at_a_time(world):
    first = begun(world)
    for method, path, body in (
        ("POST", "/v1/projects", with_weight(2)),
        ("DELETE", "/v1/projects/TextDemo", None),
    ):
        status, error = world.error(method, path, json=body, by="admin")
        assert (status, error["code"]) == (409, "in_use")
        assert first["id"] in error["message"]
        assert "wait until it is over" in error["hint"]


def test_a_plan_that_was_shown_is_applied_as_long_as_it_holds(world):
    plan = planned(world)["plan_id"]
    shelf(world, Kind.ENDPOINT).parts[ENDPOINT] = {"by": "hand"}
    status, error = world.error("POST", f"/v1/projects?plan={plan}", json=DOCUMENT, by="admin")
    assert (status, error["code"]) == (409, "conflict")
    assert "has changed since plan" in error["message"]
    shelf(world, Kind.ENDPOINT).parts.clear()
    assert begun(world, query=f"?plan={plan}")["plan_id"] == plan


def test_a_plan_does_not_go_with_a_dry_run(world):
    status, error = world.error("POST", "/v1/projects?dry_run=true&plan=x", json=DOCUMENT)
    assert (status, error["field"]) == (400, "plan")


def test_a_request_that_is_repeated_with_its_key_counts_once(world):
    headers = {"Idempotency-Key": "one"}
    first = begun(world, headers=headers)
    assert begun(world, headers=headers)["id"] == first["id"]
    world.apply_on(first["id"])
    assert begun(world, headers=headers)["status"] == "succeeded"
    status, _ = world.error(
        "POST", "/v1/projects", json=with_weight(2), by="admin", headers=headers
    )
    assert status == 409


def test_an_operator_may_look_and_only_an_admin_may_apply_and_destroy(world):
    before = everything(world)
    planned(world, by="operator")
    status, error = world.error("POST", "/v1/projects", json=DOCUMENT, by="operator")
    assert (status, error["code"]) == (403, "forbidden")
    assert everything(world) == before
    applied(world)
    world.ok("DELETE", "/v1/projects/TextDemo?dry_run=true", by="operator")
    status, _ = world.error("DELETE", "/v1/projects/TextDemo", by="operator")
    assert status == 403


def test_what_failed_is_told_with_its_reason(world):
    shelf(world, Kind.ENDPOINT).failing[ENDPOINT] = "no worker answers"
    told = applied(world)
    assert told["status"] == "failed"
    assert "no worker answers" in told["reason"]
    assert [each["outcome"] for each in told["steps"]] == ["done", "failed", None]


def test_an_application_is_called_off(world):
    shelf(world, Kind.ENDPOINT).slow.add(ENDPOINT)
    application = begun(world)
    world.apply_on(application["id"])
    path = f"/v1/projects/TextDemo/applications/{application['id']}"
    told = world.ok("POST", f"{path}/cancel", by="admin")
    assert told["cancelled_by"] == "admin"
    world.apply_on(application["id"])
    assert world.ok("GET", path)["status"] == "cancelled"
    assert [each["outcome"] for each in world.ok("GET", path)["steps"]] == ["done", "failed", None]


def test_an_application_that_is_over_is_not_called_off(world):
    application = applied(world)
    path = f"/v1/projects/TextDemo/applications/{application['id']}/cancel"
    status, error = world.error("POST", path, by="admin")
    assert (status, error["code"]) == (409, "conflict")


def test_an_application_that_cannot_be_read_is_forgotten_when_it_is_called_off(world):
    application = begun(world)
    world.services.projecting.desk.store.damage(application["id"], "it is garbled")
    path = f"/v1/projects/TextDemo/applications/{application['id']}"
    status, _ = world.error("GET", path)
    assert status == 500
    assert world.ok("POST", f"{path}/cancel", by="admin") is None
    status, _ = world.error("GET", path)
    assert status == 404


def test_rolling_back_applies_the_document_before(world):
    status, error = world.error("POST", "/v1/projects/TextDemo/rollback", by="admin")
    assert (status, error["code"]) == (404, "project_not_found")
    applied(world)
    applied(world, with_weight(3))
    assert world.ok("GET", "/v1/projects/TextDemo")["can_roll_back"] is True
    back = world.ok("POST", "/v1/projects/TextDemo/rollback", by="admin")
    assert back["purpose"] == "roll_back"
    world.apply_on(back["id"])
    assert planned(world)["changes"] == []


# -- looking ------------------------------------------------------------------------------


def test_what_is_not_there_is_not_found(world):
    application = begun(world)
    for path in (
        "/v1/projects/Other",
        "/v1/projects/Other/status",
        "/v1/projects/Other/applications",
        f"/v1/projects/Other/applications/{application['id']}",
        "/v1/projects/TextDemo/applications/none",
    ):
        status, error = world.error("GET", path)
        assert (status, error["code"]) in {
            (404, "project_not_found"),
            (404, "application_not_found"),
        }
    for method, path in (
        ("DELETE", "/v1/projects/Other"),
        ("DELETE", "/v1/projects/Other?dry_run=true"),
        ("POST", "/v1/projects/Other/rollback"),
        ("POST", f"/v1/projects/Other/applications/{application['id']}/cancel"),
    ):
        assert world.error(method, path, by="admin")[0] == 404, path


def test_projects_and_applications_are_listed_in_pages(world):
    for stage in ("A", "B", "C"):
        application = begun(world, a_document(stage=stage, endpoints={}, routes={}))
        world.apply_on(application["id"])
    page = world.ok("GET", "/v1/projects?limit=2")
    assert [each["prefix"] for each in page["projects"]] == ["TextA", "TextB"]
    rest = world.ok("GET", f"/v1/projects?after={page['next']}")
    assert [each["prefix"] for each in rest["projects"]] == ["TextC"]
    assert rest["next"] is None
    assert rest["projects"][0]["application"]["status"] == "succeeded"
    for _ in range(2):
        world.clock.advance(seconds(1))
        latest = begun(world, a_document(stage="A", endpoints={}, routes={}, tags={"a": "b"}))
        world.apply_on(latest["id"])
    first = world.ok("GET", "/v1/projects/TextA/applications?limit=1")
    assert [each["id"] for each in first["applications"]] == [latest["id"]]
    others = world.ok("GET", f"/v1/projects/TextA/applications?after={first['next']}")
    assert len(others["applications"]) == 2


def test_a_damaged_project_hides_no_other(world):
    applied(world)
    world.services.projecting.desk.store.damage("TextDemo", "it is garbled")
    page = world.ok("GET", "/v1/projects")
    assert page["projects"] == []
    assert page["unreadable"] == {"TextDemo": "it is garbled"}


def test_a_document_can_be_sent_again(world):
    applied(world)
    document = world.ok("GET", "/v1/projects/TextDemo")["document"]
    assert planned(world, document)["changes"] == []


def test_the_status_has_every_part_with_its_state(world):
    applied(world)
    world.add(ENDPOINT)
    world.run_endpoint(ENDPOINT)
    told = world.ok("GET", STATUS)
    parts = {each["kind"]: each for each in told["parts"]}
    assert list(parts) == ["model", "endpoint", "route"]
    assert parts["model"]["used_by"] == ["words"]
    assert parts["model"]["state"] == "there"
    assert parts["endpoint"]["endpoint"]["state"] == "running"
    assert parts["endpoint"]["endpoint"]["fleets"] is not None
    assert parts["endpoint"]["used_by"] == []
    assert parts["route"]["endpoint"] is None
    assert told["project"]["application"]["status"] == "succeeded"
    assert set(told["hourly"]) == {"usd", "unpriced"}


def test_an_endpoint_that_is_not_there_is_told_as_missing(world):
    applied(world)
    shelf(world, Kind.ENDPOINT).parts.clear()
    parts = {each["kind"]: each for each in world.ok("GET", STATUS)["parts"]}
    endpoint = parts["endpoint"]
    assert (endpoint["state"], endpoint["troubled"], endpoint["endpoint"]) == (
        "missing",
        True,
        None,
    )


# -- secrets ------------------------------------------------------------------------------


def test_no_answer_has_a_secret(world):
    secret = "very-secret-token"
    document = a_document(secrets={"env:HF_TOKEN": secret})
    document["models"]["model-a"]["environment"] = {"HF_TOKEN": {"env": "HF_TOKEN"}}
    other = copy.deepcopy(document)
    other["secrets"]["env:HF_TOKEN"] = "another-secret-token"
    told = [planned(world, document), applied(world, document), planned(world, other)]
    assert told[-1]["changes"]
    told += [
        world.ok("GET", path)
        for path in (
            "/v1/projects",
            "/v1/projects/TextDemo",
            "/v1/projects/TextDemo/applications",
            STATUS,
            "/v1/events?limit=1000",
        )
    ]
    told.append(world.ok("DELETE", "/v1/projects/TextDemo?dry_run=true"))
    (model,) = shelf(world, Kind.MODEL).parts.values()
    assert model["environment"] == {"HF_TOKEN": secret}
    assert "secret-token" not in json.dumps(told)


def test_a_secret_that_was_not_sent_is_refused(world):
    document = a_document()
    document["models"]["model-a"]["environment"] = {"HF_TOKEN": {"env": "HF_TOKEN"}}
    status, error = world.error("POST", "/v1/projects", json=document, by="admin")
    assert (status, error["field"]) == (400, "secrets")
    assert "env:HF_TOKEN" in error["message"]


def test_a_document_that_is_wrong_tells_no_secret_back(world):
    document = a_document(secrets={"env:HF_TOKEN": ["very-secret-token"]})
    status, error = world.error("POST", "/v1/projects", json=document, by="admin")
    assert status == 400
    assert "very-secret-token" not in json.dumps(error)


# -- destroying ---------------------------------------------------------------------------


def test_destroying_shows_what_goes_and_what_stays_then_removes_it_all(world):
    applied(world)
    shelf(world, Kind.ENDPOINT).left = ("captured data below s3://captured/",)
    shelf(world, Kind.ROUTE).parts["/other"] = {"by": "hand"}
    before = everything(world)
    told = world.ok("DELETE", "/v1/projects/TextDemo?dry_run=true")
    assert [(each["verb"], each["kind"]) for each in told["changes"]] == [
        ("remove", "route"),
        ("remove", "endpoint"),
        ("remove", "model"),
    ]
    assert told["stays"] == ["captured data below s3://captured/"]
    assert everything(world) == before
    status, _ = world.error("DELETE", "/v1/projects/TextDemo?plan=other", by="admin")
    assert status == 409
    answer = world.call("DELETE", f"/v1/projects/TextDemo?plan={told['plan_id']}", by="admin")
    assert answer.status_code == 202
    application = answer.json()
    assert (application["purpose"], application["stays"]) == ("destroy", told["stays"])
    world.apply_on(application["id"])
    # It is told how it ended, although the project is forgotten.
    path = f"/v1/projects/TextDemo/applications/{application['id']}"
    assert world.ok("GET", path)["status"] == "succeeded"
    assert world.error("GET", "/v1/projects/TextDemo")[0] == 404
    assert len(world.ok("GET", "/v1/projects/TextDemo/applications")["applications"]) == 2
    assert shelf(world, Kind.ENDPOINT).parts == {}
    assert shelf(world, Kind.ROUTE).parts == {"/other": {"by": "hand"}}


def test_a_world_without_projects_lists_none():
    assert World().ok("GET", "/v1/projects") == {"projects": [], "next": None, "unreadable": {}}
