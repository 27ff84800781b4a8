"""Testers of a whole Parkade: on its server and from outside, by name and by route."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.house import NO_OP, PATIENCE, house, wait_for

CASES = json.loads((NO_OP / "test" / "input_data.json").read_text())
WRONG = {"id": "wrong", "input": {"text": "coin"}, "expected": {"ok": True, "n": 5}}
ONCE = {"clients": 2, "interval_seconds": 0, "duration_seconds": 0}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A Parkade with one endpoint, and a route to it; a minute of its leases is a second."""
    state = tmp_path_factory.mktemp("testers") / "state"
    with house(state, "--time-scale", "60") as built:
        built.furnish()
        built.park(minutes=5000)
        built.ok("PUT", "/v1/routes/coins", json={"endpoint_name": "demo"})
        # The gateway hears of it a moment later.
        wait_for(lambda: built.call("POST", "/coins", json={"text": ""}).is_success)
        yield built


def put(built, name, **content):
    return built.ok("PUT", f"/v1/testers/{name}", json={"cases": CASES, **ONCE, **content}).json()


def over(built, name):
    """Return the tester once a run of it is over."""
    return wait_for(
        lambda: (
            (view := built.ok("GET", f"/v1/testers/{name}").json())["running_since"] is None
            and view["last"] is not None
            and view
        ),
        why=f"{name} to have run",
    )


def run(built, name):
    built.ok("POST", f"/v1/testers/{name}/run")
    return over(built, name)


@pytest.mark.parametrize("asked", [{"endpoint_name": "demo"}, {"route": "/coins"}])
def test_a_tester_of_the_server_asks_as_parkades_own(built, asked):
    put(built, "well", **asked)
    last = run(built, "well")["last"]
    assert (last["verdict"], last["by"]) == ("passed", "admin")
    assert last["report"]["total"]["runs"] == 2 * len(CASES)
    assert last["report"]["total"]["p99_ms"] > 0
    built.ok("DELETE", "/v1/testers/well")


def test_what_it_found_is_in_its_record_the_events_and_the_monitor(built):
    put(built, "bad", route="/coins", cases=[*CASES, WRONG], project="Coins", stage="Demo")
    view = run(built, "bad")
    report = view["last"]["report"]
    assert view["last"]["verdict"] == "failed"
    assert report["failures"][0]["case"] == "wrong"
    assert report["failures"][0]["got"] == '{"ok": true, "n": 4}'
    (event,) = (each for each in built.events(kind="tester.failed") if "bad" in each["reason"])
    assert event["endpoint_name"] == "demo"
    query = "namespace=Parkade/Tester&dimension=Project=Coins&span=604800&period=3600&statistic=Sum&statistic=SampleCount"
    measured = built.ok("GET", f"/v1/metrics?{query}").json()["measured"]
    told = {
        each["series"]["name"]: [
            sum(point["values"][name] for point in each["points"])
            for name in ("SampleCount", "Sum")
        ]
        for each in measured
    }
    assert measured[0]["series"]["dimensions"] == {
        "Project": "Coins", "Stage": "Demo", "Type": "Route",
    }  # fmt: skip
    assert told["ResponseTime"][0] == 2 * (len(CASES) + 1)
    assert told["TestFail"][1] == 2
    assert told["TestSuccess"][1] == told["StatusSuccess"][1] - 2 == 2 * len(CASES)


def test_one_that_is_gone_is_told_as_broken(built):
    put(built, "lost", endpoint_name="gone")
    last = run(built, "lost")["last"]
    assert last["verdict"] == "failed"
    assert last["report"]["total"]["status_errors"] == 2 * len(CASES)
    put(built, "astray", route="/nowhere")
    assert run(built, "astray")["last"]["reason"] == "there is no route /nowhere"


def runs():
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if "parkade.apps.tester" in (each.info["cmdline"] or [])
    ]


def test_a_run_dies_with_control_and_is_not_made_up_for(built):
    put(built, "long", endpoint_name="demo", interval_seconds=1, duration_seconds=3600)
    built.ok("POST", "/v1/testers/long/run")
    (control,) = built.of("control")
    wait_for(lambda: [each for each in control.children() if each in runs()], why="a run")
    (process,) = (each for each in control.children() if each in runs())
    former = built.kill("control")
    wait_for(lambda: not process.is_running(), why="the run to end")
    built.wait_reborn("control", former)
    view = built.ok("GET", "/v1/testers/long").json()
    assert view["running_since"] is view["last"] is None
    built.ok("DELETE", "/v1/testers/long")


def command(built, *arguments):
    words = [sys.executable, "-m", "parkade.apps.cli", "tester", *arguments]
    environment = {
        **os.environ,
        "PARKADE_URL": built.url,
        "PARKADE_TOKEN": built.token,
        "PARKADE_STATE": str(built.state),
    }
    return subprocess.Popen(
        words,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_ends_a_run_with_what_it_has(built):
    cases = str(NO_OP / "test" / "input_data.json")
    course = ("--clients", "2", "--interval", "0.01", "--duration", "3600", "--json")
    before = calls(built)
    with command(built, "run", "--route", "/coins", "--cases", cases, *course) as process:
        wait_for(lambda: calls(built) > before + 4, why="calls to be made")
        process.send_signal(signal.SIGINT)
        output, complaint = process.communicate(timeout=PATIENCE)
    told = json.loads(output)
    assert process.returncode == 0, complaint
    assert told["passed"]
    assert told["total"]["runs"] > 4
    assert told["seconds"] < 3600


def calls(built):
    query = "endpoint=demo&name=Invocations&statistic=Sum&span=604800&period=3600"
    measured = built.ok("GET", f"/v1/metrics?{query}").json()["measured"]
    return sum(point["values"]["Sum"] for each in measured for point in each["points"])


def test_load_says_what_the_rate_costs(built):
    cases = str(NO_OP / "test" / "input_data.json")
    aim = ("--target-ms", "30000", "--from", "20", "--to", "20")
    with command(built, "load", "-e", "demo", "--cases", cases, *aim, "--step-seconds", "1",
                "--warm-up", "0.2", "--json") as process:  # fmt: skip
        output, complaint = process.communicate(timeout=PATIENCE)
    told = json.loads(output)
    assert process.returncode == 0, complaint
    assert told["machines"] == ["1 x ml.c5.xlarge"]
    assert told["greatest"]["rate"] == 20
    assert told["greatest"]["sent"] == 20
    assert told["greatest"]["usd_per_hour"] == "0.204"
    assert told["greatest"]["usd_per_million"] == "2.83"


def test_where_use_extends_the_lease_it_rests_until_somebody_else_calls(built):
    keep = {"by_minutes": 5, "when_left_minutes": 1, "at_most_minutes": 60}
    built.ok("PUT", "/v1/leases/demo/terms", json={"keep": keep})
    put(built, "modest", endpoint_name="demo", schedule="rate(1 minute)")

    def rests():
        view = built.ok("GET", "/v1/testers/modest").json()
        return view["skipped"] is not None and view

    resting = wait_for(rests, why="the tester to rest")
    assert isinstance(resting, dict)
    assert "nobody else has used demo" in resting["skipped"]["reason"]
    assert "extended by use" in resting["skipped"]["reason"]
    before = resting["last"]

    def runs_again():
        assert built.invoke().is_success
        return built.ok("GET", "/v1/testers/modest").json()["last"] != before

    wait_for(runs_again, why="the tester to run again")
    built.ok("DELETE", "/v1/testers/modest")
    built.ok("DELETE", "/v1/leases/demo/terms")


def test_by_its_schedule_it_runs_and_wakes_nothing(built):
    put(built, "minutely", endpoint_name="demo", schedule="rate(1 minute)")
    last = over(built, "minutely")["last"]
    assert (last["verdict"], last["by"]) == ("passed", "schedule")
    built.ok("POST", "/v1/leases/demo/end")
    built.wait_state("demo", "stopped")
    skipped = wait_for(
        lambda: built.ok("GET", "/v1/testers/minutely").json()["skipped"], why="a run to be skipped"
    )
    assert isinstance(skipped, dict)
    assert "demo does not serve" in skipped["reason"]
    assert built.state_of("demo") == "stopped"
    assert [each for each in built.events(kind="tester.skipped") if "minutely" in each["reason"]]
