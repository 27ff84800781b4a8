"""`parkade tester`: run, load, ls, show, in front of a real server with canned answers."""

import json
import threading
import xml.etree.ElementTree as ET

import pytest

from parkade.domain.errors import Unavailable
from parkade.domain.series import Series
from tests.apps.api.test_testers import FORM, play
from tests.builders import NOW, minutes

CASES = [
    {"id": "good", "input": {"text": "coin"}, "expected": {"label": 1}},
    {"id": "near", "input": {"text": "near"}, "expected": {"label": 1.05}, "tolerance": 0.1},
]
ONCE = ("--clients", "2", "--interval", "0", "--duration", "0")
#: Two short steps, at a rate that any machine has.
QUICK = ("--target-ms", "60000", "--from", "20", "--to", "40", "--step-seconds", "0.5",
         "--warm-up", "0.1")  # fmt: skip


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(CASES))
    return str(path)


def test_a_run_of_all_cases(desk, cases):
    shown = desk.ok("tester", "run", "--endpoint", "text", "--cases", cases, *ONCE)
    rows = {line.split()[0]: line.split()[1:5] for line in shown.splitlines() if line.strip()}
    assert rows["good"] == ["2", "2", "0", "0"]
    assert rows["all"] == ["4", "4", "0", "0"]
    assert "text: all 4 calls were answered as expected" in shown
    assert set(desk.front.bodies) == {b'{"text": "coin"}', b'{"text": "near"}'}


def test_it_sends_its_token_and_says_that_it_tests(desk, cases):
    desk.ok("tester", "run", "-e", "text", "--variant", "Model-A", "--cases", cases, *ONCE)
    for headers in desk.front.headers:
        assert headers["authorization"] == f"Bearer {desk.environment['PARKADE_TOKEN']}"
        assert headers["x-amzn-sagemaker-target-variant"] == "Model-A"
        assert headers["x-amzn-sagemaker-inference-id"].startswith("parkade-test-")


def test_its_results_are_in_the_monitor(desk, cases):
    desk.ok("tester", "run", "-e", "text", "--cases", cases, *ONCE)
    of = {"Project": "parkade", "Stage": "prod", "Type": "Endpoint"}
    series = [
        Series.of("Parkade/Tester", name, **of)
        for name in ("ResponseTime", "StatusSuccess", "TestSuccess", "TestFail")
    ]
    found = desk.world.metrics.points(series, NOW - minutes(60), NOW + minutes(60), 60)
    (times,), (answered,), (passed,), (failed,) = (found[each] for each in series)
    assert times.value.count == 4
    assert times.value.most > 0
    assert (answered.value.total, passed.value.total, failed.value.total) == (4, 4, 0)


def test_a_wrong_answer_is_told_and_fails(desk, cases):
    desk.front.canned = (200, {"content-type": "application/json"}, b'{"label": 3}')
    result = desk.run("tester", "run", "-e", "text", "--cases", cases, *ONCE)
    assert result.exit_code == 1
    assert 'expected {"label": 1}, got {"label": 3}' in result.stdout
    assert "of 4 calls 4 with a wrong answer" in result.stdout


def test_an_error_is_told_and_fails(desk, cases):
    desk.front.canned = (503, {"content-type": "application/json"}, b'{"Message": "asleep"}')
    result = desk.run("tester", "run", "-e", "text", "--cases", cases, *ONCE)
    assert result.exit_code == 1
    assert '503 {"Message": "asleep"}' in result.stdout
    assert "of 4 calls 4 with an error" in result.stdout


def test_json_and_the_files_of_a_report(desk, cases, tmp_path):
    folder = tmp_path / "new" / "report"
    told = desk.json(
        "tester", "run", "-e", "text", "--cases", cases, *ONCE, "--output", str(folder)
    )
    assert told["passed"]
    assert told["total"]["p99_ms"] > 0
    assert json.loads((folder / "report.json").read_text()) == told
    picture = ET.parse(folder / "latency.svg").getroot()  # noqa: S314  our own
    assert picture.tag.endswith("svg")
    page = (folder / "report.html").read_text()
    assert "All 4 calls" in page or "all 4 calls" in page
    assert "<svg" in page
    assert "src=" not in page
    assert "href=" not in page


def test_without_an_operators_token_the_monitor_does_without(desk, cases):
    desk.environment["PARKADE_TOKEN"] = "invoker-pass-code"
    result = desk.run("tester", "run", "-e", "text", "--cases", cases, *ONCE)
    assert result.exit_code == 0
    assert "The monitor does not have these results" in result.stderr


def test_nobody_there(desk, cases):
    desk.environment["PARKADE_URL"] = "http://127.0.0.1:9"
    result = desk.run("tester", "run", "-e", "text", "--cases", cases, *ONCE)
    assert result.exit_code == 1
    assert "no connection: Connection refused" in result.stdout


PROJECT = """
project: Text
stage: Demo
models: {m: {data: "s3://models/m.tar.gz", image: pytorch-inference}}
endpoints:
  text: {variants: [{name: A, model: m, type: ml.c5.xlarge}]}
tester: {endpoint: text, cases: cases.json, clients: 3, interval_seconds: 0.01, duration_seconds: 0.02}
"""


def test_the_tester_of_a_projects_file(desk, cases, tmp_path):
    file = tmp_path / "parkade.yaml"
    file.write_text(PROJECT)
    asked = []
    desk.front.looks_on = asked.append
    told = desk.json("tester", "run", "--file", str(file), "--duration", "0")
    assert "/endpoints/TextDemo-text/invocations" in asked
    assert told["clients"] == 3
    assert told["total"]["runs"] == 6
    assert told["dimensions"] == {"Project": "Text", "Stage": "Demo", "Type": "Endpoint"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "it is not said what to ask"),
        (("-e", "text"), "there are no cases"),
        (("-e", "text", "-r", "/text"), "more than one thing"),
        (("-r", "/text", "--variant", "a", "--cases", "CASES"), "--variant goes with --endpoint"),
        (("-e", "text", "--cases", "/gone.json"), "cannot be read"),
        (("-e", "text", "--cases", "CASES", "--clients", "0"), "clients 0"),
        (("-e", "text", "--cases", "CASES", "--interval", "nan"), "interval_seconds nan"),
        (("-e", "no name", "--cases", "CASES"), "not a valid name"),
        (("-r", "/v1", "--cases", "CASES"), "reserved"),
        (("-f", "gone.yaml"), "there is no such file"),
    ],
)
def test_what_cannot_be_asked_is_told_on_one_line(
    desk, cases, monkeypatch, tmp_path, arguments, said
):
    monkeypatch.chdir(tmp_path)
    given = [cases if each == "CASES" else each for each in arguments]
    result = desk.run("tester", "run", *given)
    assert result.exit_code == 1
    assert said in result.stderr
    assert desk.front.bodies == []


def test_load_finds_the_last_rate_that_was_asked_for(desk, cases, tmp_path):
    folder = tmp_path / "load"
    told = desk.json(
        "tester", "load", "-e", "text", "--cases", cases, *QUICK, "--output", str(folder)
    )
    assert [each["rate"] for each in told["steps"]] == [20, 40]
    assert told["greatest"]["rate"] == 40
    assert told["greatest"]["sent"] == 20
    assert told["greatest"]["latency_ms"] > 0
    assert json.loads((folder / "report.json").read_text()) == told
    ET.parse(folder / "latency.svg")  # noqa: S314  our own
    assert "40 requests a second" in (folder / "report.html").read_text()


def test_load_that_does_not_hold_is_told_with_its_reason(desk, cases):
    desk.front.canned = (429, {"content-type": "application/json"}, b'"too many"')
    result = desk.run("tester", "load", "-e", "text", "--cases", cases, *QUICK)
    assert result.exit_code == 1
    assert "not even 20 requests a second" in result.stdout
    assert "429" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target-ms", "0"), "target_ms 0"),
        (("--target-ms", "50", "--quantile", "max"), "quantile 'max'"),
        (("--target-ms", "50", "--from", "9", "--to", "3"), "do not rise"),
        (("--target-ms", "50", "--step-seconds", "0"), "--step-seconds 0"),
        (("--target-ms", "50", "--connections", "0"), "--connections 0"),
    ],
)
def test_a_load_that_makes_no_sense_is_refused(desk, cases, arguments, said):
    line = desk.error("tester", "load", "-e", "text", "--cases", cases, *arguments)
    assert said in line


def test_testers_of_the_server_are_listed_and_shown(desk):
    assert "No testers" in desk.run("tester", "ls").stderr
    desk.world.ok("PUT", "/v1/testers/demo", json=FORM)
    (line,) = (each for each in desk.ok("tester", "ls").splitlines() if each.startswith("demo"))
    assert line.split()[1:4] == ["falcon", "rate(5", "minutes)"]
    desk.world.ok("POST", "/v1/testers/demo/run")
    assert "runs" in desk.ok("tester", "ls")
    play(desk.world)
    assert "passed: all 1 calls" in desk.ok("tester", "ls")
    assert desk.json("tester", "show", "demo")["last"]["verdict"] == "passed"


def test_an_unknown_one_is_told(desk):
    assert "there is no tester 'demo'" in desk.error("tester", "show", "demo")


def test_one_that_cannot_be_run_on_the_server_is_told(desk):
    async def answer(_job):
        raise Unavailable("the run ended with status 1 and no result")

    desk.world.services.testing.rounds._means.runner.answer = answer
    desk.world.ok("PUT", "/v1/testers/demo", json=FORM)

    # The world's background is the test's to carry out: as soon as it is looked at again.
    def play_beside(path):
        if path == "/v1/testers/demo":
            thread = threading.Thread(target=play, args=(desk.world,))
            thread.start()
            thread.join()

    desk.front.looks_on = play_beside
    line = desk.error("tester", "run", "demo")
    assert "the run ended with status 1 and no result" in line
