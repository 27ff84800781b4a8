"""Functions run in processes of their own, and fail as Lambda has them fail."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.aws.runtime_api import Function, Spec, TooManyRequests
from tests.house import wait_for

pytestmark = pytest.mark.aws

CODE = """
import os, sys, time
print("imported")
count = 0

class OddEndpoint(Exception):
    pass

def handler(event, context):
    global count
    count += 1
    if event.get("odd"):
        raise OddEndpoint(event["odd"])
    if event.get("exit"):
        sys.exit(3)
    if "asleep" in event:
        open(event["asleep"], "w").close()
        time.sleep(600)
    return {"count": count, "pid": os.getpid(), "told": os.environ.get("TOLD"),
            "name": context.function_name, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis(), "event": event}
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("import there_is_no_such_module")
    return tmp_path


def spec(code: Path, **given: object) -> Spec:
    return Spec(**{"name": "one", "handler": "app.handler", "code": code, "timeout": 30, **given})


def test_processes_are_used_again_and_know_who_they_are(code: Path) -> None:
    with Function(spec(code, environment={"TOLD": "yes"}, arn="arn:one")) as function:
        first = function.invoke({"a": 1}).document
        second = function.invoke({"a": 2}).document
        assert (first["count"], second["count"], function.started) == (1, 2, 1)
        assert first["pid"] == second["pid"]
        assert first["told"] == "yes"
        assert (first["name"], first["arn"]) == ("one", "arn:one")
        assert 0 < first["left"] <= 30_000
        assert first["event"] == {"a": 1}
        assert "imported" in function.log()
        function.cool()
        assert function.invoke({}).document["count"] == 1


def test_an_error_has_the_name_of_its_class_and_the_process_lives(code: Path) -> None:
    with Function(spec(code)) as function:
        failed = function.invoke({"odd": "demo"})
        assert failed.failed
        assert (failed.error_type, failed.error_message) == ("OddEndpoint", "demo")
        assert function.invoke({}).document["count"] == 2


def test_a_process_that_ends_is_told_and_replaced(code: Path) -> None:
    with Function(spec(code)) as function:
        failed = function.invoke({"exit": True})
        assert failed.failed
        assert failed.error_type in {"SystemExit", "Runtime.ExitError"}
        assert function.invoke({}).document["count"] == 1
        assert function.started == 2


def test_a_module_that_cannot_be_imported_is_told_by_its_error(code: Path) -> None:
    with Function(spec(code, handler="broken.handler")) as function:
        failed = function.invoke({})
        assert failed.error_type == "Runtime.ImportModuleError"
        assert "there_is_no_such_module" in failed.error_message


def test_time_runs_out(code: Path) -> None:
    asleep = code / "asleep"
    # Its half a second is over once it sleeps; a slow machine's does not count.
    ticks = lambda: 0.6 if asleep.exists() else 0.0  # noqa: E731
    with Function(spec(code, timeout=0.5), ticks=ticks) as function:
        failed = function.invoke({"asleep": str(asleep)})
        assert failed.error_type == "Sandbox.Timedout"
        assert "timed out after 0.50 seconds" in failed.error_message
        asleep.unlink()
        assert function.invoke({}).document["count"] == 1


def test_no_more_at_once_than_is_reserved(code: Path) -> None:
    (code / "held.py").write_text(
        "import pathlib, time\n"
        "def handler(event, context):\n"
        "    pathlib.Path(event['here']).touch()\n"
        "    while not pathlib.Path(event['go']).exists(): time.sleep(0.01)\n"
    )
    here, go = code / "here", code / "go"
    with Function(spec(code, handler="held.handler", reserved=1)) as function:
        event = {"here": str(here), "go": str(go)}
        held = threading.Thread(target=function.invoke, args=(event,))
        held.start()
        wait_for(here.exists, why="the first event to be under way")
        with pytest.raises(TooManyRequests):
            function.invoke(event)
        function.send(event)  # nobody waits for it: it waits itself
        go.touch()
        held.join()
        function.settle()
        assert len(function.calls) == 2
        assert function.started == 1


def test_what_fails_to_the_end_is_buried_once(code: Path) -> None:
    buried: list[tuple[str, bytes, str]] = []

    def bury(spec: Spec, body: bytes, answer: object) -> None:
        buried.append((spec.name, body, answer.error_type))

    with Function(spec(code), bury=bury) as function:
        function.send({"odd": "lost"})
        function.settle()
        assert [answer.failed for _, answer in function.calls] == [True] * 3
        assert [(name, json.loads(body), kind) for name, body, kind in buried] == [
            ("one", {"odd": "lost"}, "OddEndpoint")
        ]


def test_a_function_reads_the_tests_clock_and_its_calls_are_recorded(code: Path) -> None:
    (code / "timed.py").write_text(
        "import botocore.session\n"
        "from botocore.exceptions import EndpointConnectionError\n"
        "from parkade.adapters.system.clock import SystemClock\n"
        "def handler(event, context):\n"
        "    client = botocore.session.Session().create_client(\n"
        "        'sns', region_name='us-east-1', endpoint_url='http://127.0.0.1:9')\n"
        "    try:\n"
        "        client.publish(TopicArn='arn:topic', Message='coin')\n"
        "    except EndpointConnectionError:\n"
        "        return SystemClock().now().isoformat()\n"
    )
    clock, calls = code / "clock", code / "calls"
    clock.write_text("3600")
    surroundings = {
        "PARKADE_TEST_CLOCK": str(clock),
        "PARKADE_TEST_CALLS": str(calls),
        "AWS_ACCESS_KEY_ID": "one",
        "AWS_SECRET_ACCESS_KEY": "one",
        "AWS_MAX_ATTEMPTS": "1",
    }
    with Function(spec(code, handler="timed.handler"), lambda _: surroundings) as function:
        told = datetime.fromisoformat(function.invoke({}).document)
        assert timedelta(minutes=59) < told - datetime.now(UTC) < timedelta(minutes=61)
        clock.write_text("0")
        told = datetime.fromisoformat(function.invoke({}).document)
        assert told < datetime.now(UTC) + timedelta(minutes=1)
    first, _ = [json.loads(line) for line in calls.read_text().splitlines()]
    assert (first["function"], first["signing"], first["operation"]) == ("one", "sns", "Publish")
    assert first["parameters"] == {"TopicArn": "arn:topic", "Message": "coin"}
