"""Projects of a whole Parkade: control killed in steps of each kind, and two applies at once.

Control is held up in the write that says that a part was asked for, or is done: what the step does is
done then, and not yet stored as done.
"""

import itertools
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.clients.account import IMAGE, Account, account
from tests.faults.holding import hold_up, is_writing, rows
from tests.house import NO_OP, PATIENCE, wait_for

#: Each kill is followed by a start of control, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(300)

#: In the write that sets a member of a step of one kind, which removes or does not.
_HELD_UP = """
    (SELECT count(*) FROM json_each(NEW.content, '$.steps') AS step
        WHERE step.value ->> 'kind' = '{kind}' AND (step.value ->> 'verb' = 'remove') = {removes}
        AND ifnull(step.value ->> '{member}', 0) <> 0)
    > (SELECT count(*) FROM json_each(OLD.content, '$.steps') AS step
        WHERE step.value ->> 'kind' = '{kind}' AND (step.value ->> 'verb' = 'remove') = {removes}
        AND ifnull(step.value ->> '{member}', 0) <> 0)
"""
MAKING = [
    ("model", 0, "asked"),
    ("endpoint", 0, "asked"),
    ("endpoint", 0, "outcome"),
    ("route", 0, "asked"),
]
CHANGING = [("model", 1, "asked")]
DESTROYING = [("endpoint", 1, "asked"), ("model", 1, "outcome")]
#: Counts kills; at each third everything is killed, since the supervisor pauses for longer each time.
_kills = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    with account(tmp_path_factory.mktemp("projects")) as built:
        built.push("no-op")
        yield built


def a_document(stage, **environment):
    model = {"data": "s3://models/no-op.tar.gz", "image": IMAGE, "environment": environment}
    return {
        "project": "Text",
        "stage": stage,
        "models": {"a": model},
        "endpoints": {
            "one": {
                "variants": [{"name": "A", "model": "a", "type": "ml.c5.large"}],
                "lease": {"minutes": 45},
            }
        },
        "routes": {f"/{stage.lower()}": {"endpoint": "one"}},
        "monitor": {
            "thresholds": {"calls": None, "errors_4xx": None},
            "alarms": {"slow": {"endpoint": "one", "metric": "ModelLatency", "above": 500_000}},
            "subscribers": [{"name": "ops", "kind": "email", "to": ["ann@example.com"]}],
        },
    }


def apply(own, document, **options):
    return own.house.ok("POST", "/v1/projects", json=document, **options).json()["id"]


def difference(own, document):
    return own.house.ok("POST", "/v1/projects?dry_run=true", json=document).json()


def stored(own, application_id):
    """The record as it is in the database, whoever is alive."""
    ((content,),) = rows(own.house, "SELECT content FROM applications WHERE id = ?", application_id)
    return json.loads(content)


def over(own, application_id):
    wait_for(
        lambda: stored(own, application_id)["status"] != "running",
        why=f"application to be over; {stored(own, application_id)['steps']}",
    )
    wait_for(own.house.is_ready)
    return stored(own, application_id)


def killed_in(own, prefix, points, ask):
    """Have it asked for, with control killed at each of these points; return it when it is over.

    The next control may be held up before it answers.
    """
    _move(own, None, points[0])
    with _unanswered(ask):
        application_id = wait_for(lambda: _running(own, prefix), why="it to have begun")
        for number, point in enumerate(points, 1):
            wait_for(
                lambda point=point: _is_held_up(own, application_id, point),
                why=f"control to be in {point}; {stored(own, application_id)['steps']}",
            )
            everything = next(_kills) % 3 == 0
            if everything:
                own.house.supervisor.kill()
                own.house.supervisor.wait(PATIENCE)
            pid = own.house.kill("control")
            _move(own, point, points[number] if number < len(points) else None)
            if everything:
                own.house.end()
                own.house.begin()
            else:
                own.house.wait_begun("control", pid)
    return over(own, application_id)


def _move(own, before, then):
    kind, removes, member = then or ("", 0, "")
    when = _HELD_UP.format(kind=kind, removes=removes, member=member) if then else None
    hold_up(own.house, "applications", before=before, then=when)


def _is_held_up(own, application_id, point):
    kind, removes, member = point
    open_ones = [
        step
        for step in stored(own, application_id)["steps"]
        if step["kind"] == kind
        and (step["verb"] == "remove") == bool(removes)
        and step["started_at"]
        and not step[member]
    ]
    return bool(open_ones) and is_writing(own.house)


@contextmanager
def _unanswered(ask):
    """Have somebody else ask: control may be held up before it answers."""

    def asking():
        with suppress(httpx.HTTPError):
            ask()

    thread = threading.Thread(target=asking)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _running(own, prefix):
    found = rows(
        own.house, "SELECT id FROM applications WHERE prefix = ? AND status = 'running'", prefix
    )
    return found and found[0][0]


def came_to(own, stage):
    """All that applying a project of this stage leaves, without what its names begin with."""
    prefix = f"Text{stage}"
    status = own.house.ok("GET", f"/v1/projects/{prefix}/status").json()
    events = own.house.events(endpoint=f"{prefix}-one")
    notices = own.house.events(kind="notice.project")
    models = own.sagemaker.list_models(NameContains=f"{prefix}-")["Models"]
    configs = own.sagemaker.list_endpoint_configs(NameContains=f"{prefix}-")["EndpointConfigs"]
    return {
        "parts": [(part["kind"], part["key"].lower().replace(stage.lower(), ""), part["state"] == "missing")
                  for part in status["parts"]],
        "made": status["project"]["parts"],
        "endpoint": own.status(f"{prefix}-one"),
        "models": len(models),
        "configs": len(configs),
        "alarms": len(_alarms(own, prefix)),
        "routes": len([each for each in _routes(own) if each["path"] == f"/{stage.lower()}"]),
        "paid": [each["data"]["minutes"] for each in events if "minutes" in each["data"]
                 and each["kind"] in {"lease.added", "lease.extended", "lease.started"}],
        "created": len([each for each in events if each["kind"] == "endpoint.creating"]),
        "told": len([each for each in notices if f"project {prefix} " in each["reason"]]),
    }  # fmt: skip


def _alarms(own, prefix):
    alarms = own.house.ok("GET", "/v1/alarms?limit=1000").json()["alarms"]
    return [each for each in alarms if each["name"].startswith(prefix)]


def _routes(own):
    return own.house.ok("GET", "/v1/routes").json()["routes"]


@pytest.fixture(scope="module")
def expected(own):
    """What an undisturbed application comes to."""
    plain = over(own, apply(own, a_document("Plain")))
    assert plain["status"] == "succeeded", plain
    return came_to(own, "Plain")


def test_undisturbed_it_comes_to_what_the_document_says(own, expected):
    assert expected == {
        "parts": expected["parts"],
        "made": 6,
        "endpoint": "InService",
        "models": 1,
        "configs": 1,
        "alarms": 2,
        "routes": 1,
        "paid": [45.0],
        "created": 1,
        "told": 1,
    }
    assert len(expected["parts"]) == 6
    again = own.house.ok("POST", "/v1/projects", json=a_document("Plain")).json()
    assert (again["status"], again["steps"]) == ("succeeded", [])
    assert difference(own, a_document("Plain"))["changes"] == []
    assert came_to(own, "Plain") == expected


def test_killed_in_steps_of_each_kind_it_comes_to_the_same(own: Account, expected):
    hard = killed_in(own, "TextHard", MAKING, lambda: apply(own, a_document("Hard")))
    assert hard["status"] == "succeeded", hard
    assert came_to(own, "Hard") == expected
    assert difference(own, a_document("Hard"))["changes"] == []


def test_killed_while_it_changes_and_while_it_goes_it_leaves_nothing(own: Account, expected):
    over(own, apply(own, a_document("Gone")))
    changed = a_document("Gone", LEVEL="debug")
    after = killed_in(own, "TextGone", CHANGING, lambda: apply(own, changed))
    assert after["status"] == "succeeded", after
    # The former model is gone, and the config with it that could start nothing any more.
    assert came_to(own, "Gone") == {**expected, "told": 2}
    destroyed = killed_in(
        own, "TextGone", DESTROYING, lambda: own.house.call("DELETE", "/v1/projects/TextGone")
    )
    assert destroyed["status"] == "succeeded", destroyed
    own.wait_gone("TextGone-one")
    assert own.sagemaker.list_models(NameContains="TextGone-")["Models"] == []
    assert own.sagemaker.list_endpoint_configs(NameContains="TextGone-")["EndpointConfigs"] == []
    assert _alarms(own, "TextGone") == []
    assert "/gone" not in {each["path"] for each in _routes(own)}
    assert own.house.call("GET", "/v1/projects/TextGone").status_code == 404
    assert own.house.call("GET", "/v1/leases/TextGone-one").status_code == 404
    # Others are left alone.
    assert came_to(own, "Plain") == expected


def _gated(own, document, folder):
    """Have the document's model be loaded no earlier than there is the file that is returned."""
    gate = folder / "gate"
    shutil.copytree(NO_OP, folder / "gated")
    with (folder / "gated" / "code" / "inference.py").open("a") as script:
        script.write(
            f"\nwhile not __import__('os').path.exists({str(gate)!r}):\n"
            "    __import__('time').sleep(0.02)\n"
        )
    document["models"]["a"]["data"] = own.push(f"gated-{document['stage']}", folder / "gated")
    return document, gate


def test_of_two_applies_at_once_one_is_refused(own: Account, tmp_path):
    # Neither is over before the other one has asked.
    document, gate = _gated(own, a_document("Twice"), tmp_path)
    barrier = threading.Barrier(2)

    def ask():
        barrier.wait()
        return own.house.call("POST", "/v1/projects", json=document)

    with ThreadPoolExecutor(2) as pool:
        answers = [each.result() for each in [pool.submit(ask), pool.submit(ask)]]
    gate.touch()
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    (begun,) = [answer for answer in answers if answer.status_code == 202]
    assert begun.json()["id"] in refused.json()["error"]["message"]
    assert over(own, begun.json()["id"])["status"] == "succeeded"
    assert came_to(own, "Twice")["created"] == 1


def test_called_off_it_stops_and_applied_again_it_goes_on(own: Account, tmp_path):
    document, gate = _gated(own, a_document("Off"), tmp_path)
    begun = apply(own, document)
    wait_for(
        lambda: [each for each in stored(own, begun)["steps"] if "Creating" in each["text"]],
        why="the endpoint to be on its way",
    )
    with pytest.raises(AssertionError, match=f"409.*{begun}"):
        own.house.ok("DELETE", "/v1/projects/TextOff")
    own.house.ok("POST", f"/v1/projects/TextOff/applications/{begun}/cancel")
    # What is Creating can be deleted when it is not that any more.
    gate.touch()
    cancelled = over(own, begun)
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "admin called it off")
    assert {each["kind"]: each["outcome"] for each in cancelled["steps"]}["route"] is None
    own.wait_gone("TextOff-one")
    good = over(own, apply(own, a_document("Off")))
    assert good["status"] == "succeeded", good
    assert difference(own, a_document("Off"))["changes"] == []
    assert own.house.invoke("TextOff-one").status_code == 200


def test_rolled_back_it_is_as_the_document_before_says(own: Account):
    over(own, apply(own, a_document("Back")))
    assert over(own, apply(own, a_document("Back", LEVEL="debug")))["status"] == "succeeded"
    back = own.house.ok("POST", "/v1/projects/TextBack/rollback").json()
    assert over(own, back["id"])["status"] == "succeeded"
    assert difference(own, a_document("Back"))["changes"] == []
    assert len(own.sagemaker.list_models(NameContains="TextBack-")["Models"]) == 1
    assert own.house.invoke("TextBack-one").status_code == 200
