"""The commands on deployments, against a real server with services in memory."""

import json
import os
import signal
import subprocess
import sys

import pytest

from parkade.apps.cli import deploywait
from parkade.domain.errors import Unavailable
from tests.apps.cli.desk import desk as open_desk
from tests.apps.cli.test_watch import Terminal
from tests.builders import seconds
from tests.deployments import MODEL, a_payload
from tests.house import wait_for


@pytest.fixture
def desk(tmp_path):
    with open_desk(tmp_path) as opened:
        opened.world.ok("POST", "/v1/models", json=MODEL, by="admin")
        opened.file = tmp_path / "text.json"
        opened.file.write_text(json.dumps(a_payload("text")))
        yield opened
        while opened.world.pending:
            opened.world.pending.pop().close()


def running(desk):
    """Return the deployment that runs."""
    (found,) = desk.world.services.deploying.desk.deployments.running().records
    return found.id


def at_a_look(desk, do):
    """Do something whenever a deployment is looked at, until it is over."""

    def looks_on(path):
        if path.startswith("/v1/deployments/") and path.count("/") == 3:
            do()

    desk.front.looks_on = looks_on


def up(desk):
    """Let the deployment under way go on, and its fleet answer."""
    deployment_id = running(desk)
    desk.world.carry_out(deployment_id)
    desk.world.arrive("text")
    desk.world.carry_out(deployment_id)
    desk.front.looks_on = None


def deployed(desk):
    at_a_look(desk, lambda: up(desk))
    desk.ok("deploy", str(desk.file), "--wait")
    desk.world.clock.advance(seconds(1))


def refuse(desk, call, why):
    desk.world.services.deploying.provisioner.refuse(call, Unavailable(why))


def change(desk, **changes):
    desk.file.write_text(json.dumps(a_payload("text", patience=1200, **changes)))


def test_a_deployment_is_begun_with_its_price_and_notes_beside(desk):
    result = desk.run("deploy", str(desk.file))
    assert result.exit_code == 0
    begun = running(desk)
    assert result.stdout == (
        f"text: deployment {begun} has begun; look on: parkade deployments show {begun} --wait\n"
    )
    assert "note: variant AllTraffic: AcceleratorType ml.eia1.medium is left out" in result.stderr
    assert "lease: 30 min of" in result.stderr
    assert "price: 0.20 USD an hour" in result.stderr


def test_waiting_ends_when_it_succeeded_and_each_step_is_a_line(desk):
    at_a_look(desk, lambda: up(desk))
    result = desk.run("deploy", str(desk.file), "--wait")
    assert result.exit_code == 0, result.output
    (deployment,) = desk.json("deployments", "ls")
    assert result.stdout == (
        f"text: {deployment['config_name']} serves, after 0.0 s (deployment {deployment['id']})\n"
    )
    said = result.stderr.splitlines()
    assert "look done: there is no endpoint of this name: it is created" in said
    assert "scaling on done: AllTraffic 1 to 4 at 5000" in said


def test_waiting_ends_with_the_reason_when_it_fails(desk):
    refuse(desk, "make_config", "it is full")

    def fail():
        begun = running(desk)
        for _ in range(10):
            desk.world.carry_out(begun)
            desk.world.clock.advance(seconds(100))
        desk.front.looks_on = None

    at_a_look(desk, fail)
    result = desk.run("deploy", str(desk.file), "--wait")
    assert result.exit_code == 1
    assert not result.stdout
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: deployment ")
    assert "of text failed: config: it is full (tried" in last
    assert "see: parkade deployments show " in last
    assert "config: it is full; it is tried again" in result.stderr


def test_waiting_ends_when_somebody_calls_it_off(desk):
    def call_off():
        desk.world.carry_out(running(desk))
        desk.world.services.deploying.deployer.cancel(running(desk), "bob")
        desk.world.carry_out(running(desk))
        desk.front.looks_on = None

    at_a_look(desk, call_off)
    result = desk.run("deploy", str(desk.file), "--wait")
    assert result.exit_code == 1
    assert "of text was cancelled: wait: bob called it off" in result.stderr.splitlines()[-1]


def test_waiting_outlasts_a_server_that_is_away_for_a_moment(desk):
    behind = desk.front.behind
    away = []

    async def gateway_without_control(scope, receive, send):
        away.append(scope["path"])
        desk.front.behind = behind
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def look():
        if away:
            up(desk)
        else:
            desk.front.behind = gateway_without_control

    at_a_look(desk, look)
    result = desk.run("deploy", str(desk.file), "--wait")
    assert result.exit_code == 0, result.output
    assert len(away) == 1
    assert result.stderr.count("the server is away; asking again") == 1


def test_waiting_prints_the_apis_json_where_asked(desk):
    at_a_look(desk, lambda: up(desk))
    told = json.loads(desk.ok("deploy", str(desk.file), "--wait", "--json"))
    assert (told["status"], told["endpoint_name"]) == ("succeeded", "text")


def test_a_payload_comes_from_standard_input(desk):
    begun = json.loads(desk.ok("deploy", "-", "--json", stdin=desk.file.read_text()))
    assert begun["id"] == running(desk)


def test_a_dry_run_shows_the_plan_and_the_price_and_changes_nothing(desk):
    said = desk.ok("deploy", str(desk.file), "--dry-run")
    assert said.startswith("It would create text, to serve text-")
    assert "30 min of AllTraffic 1 x ml.c5.xlarge: 0.10 USD" in said
    assert json.loads(desk.ok("deploy", str(desk.file), "--dry-run", "--json"))["creates"]
    assert "Nothing was deployed" in desk.run("deployments", "ls").stderr


def test_a_dry_run_of_an_update_shows_the_price_of_both_fleets(desk):
    deployed(desk)
    change(desk)
    said = desk.ok("deploy", str(desk.file), "--dry-run")
    assert said.startswith("It would update text")
    assert "both fleets  0.41 USD an hour" in said


def test_a_dry_run_of_what_would_fail_says_so_by_its_status(desk):
    payload = a_payload("text")
    payload["productionVariants"][0]["ModelName"] = "nobody"
    desk.file.write_text(json.dumps(payload))
    result = desk.run("deploy", str(desk.file), "--dry-run")
    assert result.exit_code == 1
    assert "problem" in result.stdout


def test_what_is_known_to_fail_is_refused_before_anything_is_begun(desk):
    refuse(desk, "create", "there is no room for it")
    line = desk.error("deploy", str(desk.file), "--wait")
    assert line == "error: text: there is no room for it"
    payload = a_payload("text")
    payload["productionVariants"][0]["ModelName"] = "nobody"
    desk.file.write_text(json.dumps(payload))
    assert "no model has the name 'nobody'" in desk.error("deploy", str(desk.file))
    assert desk.json("deployments", "ls") == []


def test_who_wants_to_be_asked_is_and_may_say_no(desk):
    result = desk.run("deploy", str(desk.file), "--confirm", stdin="n\n")
    assert result.exit_code == 1
    assert "0.10 USD" in result.stderr
    assert desk.json("deployments", "ls") == []
    assert desk.run("deploy", str(desk.file), "--confirm", stdin="y\n").exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "text.json is not JSON: Expecting property name"),
        ("[]", "text.json holds no JSON object"),
        (b"\xff", "text.json is not JSON"),
    ],
)
def test_a_file_that_is_no_payload_is_told_without_asking_the_server(desk, text, told):
    desk.file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert told in desk.error("deploy", str(desk.file))


def test_a_file_that_is_not_there_is_told(desk):
    assert "cannot be read: No such file" in desk.error("deploy", str(desk.file) + "x")


def test_what_the_server_refuses_is_told_with_its_key(desk):
    desk.file.write_text(json.dumps(a_payload("text") | {"maxWaitMinuts": 5}))
    line = desk.error("deploy", str(desk.file))
    assert "maxWaitMinuts is not a key of a deployment" in line
    assert "maxWaitMinutes" in line.partition(";")[2]


def test_ls_begins_with_the_newest_and_shows_those_of_one_endpoint(desk):
    deployed(desk)
    desk.file.write_text(json.dumps(a_payload("other")))
    desk.ok("deploy", str(desk.file))
    rows = desk.ok("deployments", "ls").splitlines()[2:]
    assert [row.split()[1] for row in rows] == ["other", "text"]
    assert "✓ succeeded" in rows[1]
    (row,) = desk.ok("deployments", "ls", "--endpoint", "text").splitlines()[2:]
    assert "text" in row
    result = desk.run("deployments", "ls", "--limit", "1")
    assert len(result.stdout.splitlines()) == 3
    assert "There are older ones" in result.stderr


def test_show_tells_the_steps_and_looks_on_where_asked(desk):
    desk.ok("deploy", str(desk.file))
    begun = running(desk)
    desk.world.carry_out(begun)
    said = desk.ok("deployments", "show", begun)
    assert "◌  wait" in said
    assert "·  notify" in said
    at_a_look(desk, lambda: up(desk))
    assert f"serves, after 0.0 s (deployment {begun})" in desk.ok(
        "deployments", "show", begun, "--wait"
    )
    assert json.loads(desk.ok("deployments", "show", begun, "--json"))["status"] == "succeeded"


def test_what_goes_wrong_is_called_off(desk):
    desk.ok("deploy", str(desk.file))
    begun = running(desk)
    desk.world.carry_out(begun)
    assert desk.ok("deployments", "cancel", begun) == f"text: deployment {begun} is called off\n"
    desk.world.carry_out(begun)
    assert "called off  by admin" in desk.ok("deployments", "show", begun)
    assert "there is nothing to resume" in desk.error("deployments", "resume", begun)


def test_one_that_cannot_be_read_is_told_and_forgotten(desk):
    desk.ok("deploy", str(desk.file))
    begun = running(desk)
    desk.world.services.deploying.desk.deployments.damage(begun, "the row is no JSON")
    assert f"{begun}: " in desk.run("deployments", "ls").stderr
    assert "forgotten" in desk.ok("deployments", "cancel", begun)


def test_an_update_is_steered(desk):
    deployed(desk)
    change(desk)
    desk.ok("deploy", str(desk.file))
    begun = running(desk)
    desk.world.carry_out(begun)
    assert "goes on" in desk.ok("deployments", "resume", begun)
    assert "takes all requests to the new fleet" in desk.ok("deployments", "promote", begun)
    at_a_look(desk, lambda: desk.world.carry_out(begun))
    result = desk.run("deployments", "rollback", begun, "--wait")
    assert result.exit_code == 1
    assert "of text failed" in result.stderr.splitlines()[-1]


def test_an_update_is_steered_by_the_name_of_its_endpoint(desk):
    deployed(desk)
    assert "no update of endpoint 'text' is under way" in desk.error("promote", "text")
    change(desk)
    desk.ok("deploy", str(desk.file))
    begun = running(desk)
    desk.world.carry_out(begun)
    desk.world.host.running["text"] = ()
    assert desk.ok("promote", "text") == (
        "text: the new fleet takes all requests; look on: parkade show text\n"
    )
    assert json.loads(desk.ok("rollback", "text", "--json"))["name"] == "text"
    desk.world.carry_out(begun)
    assert "rolled it back" in desk.ok("deployments", "show", begun)


def test_an_unknown_deployment_is_told(desk):
    assert "nobody" in desk.error("deployments", "show", "nobody")


def test_ctrl_c_ends_the_looking_on_alone_and_says_how_to_go_on(desk):
    line = [sys.executable, "-m", "parkade.apps.cli", "deploy", str(desk.file), "--wait"]
    looked = []
    at_a_look(desk, lambda: looked.append(1))
    process = subprocess.Popen(
        line,
        env={**os.environ, **desk.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: looked, why="the command to look on")
    process.send_signal(signal.SIGINT)
    said, beside = process.communicate(timeout=60)
    assert (process.returncode, said) == (deploywait.INTERRUPTED, "")
    begun = running(desk)
    assert f"deployment {begun} goes on; look on: parkade deployments show {begun} --wait" in beside
    assert "Traceback" not in beside


def test_on_a_terminal_the_steps_are_drawn_in_place(desk):
    at_a_look(desk, lambda: up(desk))
    with Terminal(desk.environment, "deploy", str(desk.file), "--wait") as terminal:
        terminal.read_until(r"(?s)scaling on.*serves, after")
        assert terminal.end()[0] == 0
    assert "\x1b[32m✓" in terminal.text
    assert "look done:" not in terminal.text
