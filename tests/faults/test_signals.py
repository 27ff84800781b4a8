"""Every process of a house, killed or stopped: what is lost is nothing, what is left is nothing."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from tests.house import PATIENCE, House, alive, free_port, house, wait_for


@pytest.fixture
def own(tmp_path):
    with house(tmp_path / "state") as built:
        built.furnish(instances=2)
        built.park("demo")
        yield built


def test_a_normal_stop_leaves_no_process_and_a_restart_brings_back_what_has_time(own):
    assert own.down() == 0
    assert own.processes() == []
    own.up()
    own.wait_state("demo", "running")
    assert own.invoke().is_success
    # The promise is 2 s on an idle machine; the limit here only catches a start that waits.
    assert own.started_in < 15


def test_a_killed_gateway_comes_back_on_the_same_port(own):
    former = own.kill("gateway")
    assert own.invoke().json() == {"ok": True, "n": 4}
    assert own.wait_reborn("gateway", former) != former


def test_a_killed_worker_fails_no_request_and_is_replaced(own):
    answers: list[int] = []
    stop = threading.Event()

    def caller():
        with httpx.Client(headers={"Authorization": own.token}, timeout=60) as client:
            while not stop.is_set():
                answer = client.post(f"{own.url}/endpoints/demo/invocations", json={"text": "x"})
                answers.append(answer.status_code)

    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answers) > 20, why="all callers to call")
    victim = own.workers()[0].pid
    own.workers()[0].kill()
    wait_for(
        lambda: len(own.workers()) == 2 and victim not in [p.pid for p in own.workers()],
        why="the replacement",
    )
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {200}
    assert own.events(kind="worker.died")


def test_a_killed_supervisor_is_taken_over_with_the_same_workers(own):
    before = sorted(p.pid for p in own.workers())
    (control,) = own.of("control")
    own.supervisor.kill()
    own.supervisor.wait(PATIENCE)
    wait_for(
        lambda: "the supervisor is gone" in (own.paths.logs / "control.log").read_text(),
        why="control to notice",
    )
    # Its patience with a successor is as long as it takes to start one here.
    control.suspend()
    own.up()
    own.wait_state("demo", "running")
    assert sorted(p.pid for p in own.workers()) == before
    assert own.invoke().is_success


def test_a_house_killed_whole_is_cleaned_up_by_the_next_start(own):
    before = own.workers()
    own.supervisor.kill()
    for process in [*own.of("control"), *own.of("gateway")]:
        process.kill()
    before[0].kill()
    own.supervisor.wait(PATIENCE)
    own.up()
    own.wait_state("demo", "running")
    wait_for(lambda: len(own.workers()) == 2)
    assert own.invoke().is_success
    own.down()
    assert own.processes() == []
    assert not any(alive(p.pid) for p in before)


def test_without_a_supervisor_and_a_successor_everything_ends(own):
    own.supervisor.kill()
    own.supervisor.wait(PATIENCE)
    wait_for(lambda: not own.processes(), why="control, gateway and workers to end")


def test_a_second_start_on_the_same_state_is_refused(own):
    command = [sys.executable, "-m", "parkade.apps.cli", "up", "--state", str(own.state)]
    answer = subprocess.run(
        [*command, "--port", str(free_port())], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "already runs" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert own.invoke().is_success


def test_a_taken_port_is_refused_by_name(own, tmp_path):
    other = House(tmp_path / "other")
    command = [sys.executable, "-m", "parkade.apps.cli", "up", "--state", str(other.state)]
    command += ["--port", str(own.port)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert str(own.port) in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells what waits")
def test_a_reload_while_control_begins_is_done_by_it_and_ends_nothing(own):
    begun = own.wait_begun("control", own.kill("control"))
    control = psutil.Process(begun)
    # As early as can be: it is not known yet what is to be done on the signal.
    control.suspend()
    (own.state / "server.yaml").write_text("initial_provision_minutes: 7\n")
    own.supervisor.send_signal(signal.SIGHUP)
    wait_for(lambda: _is_waiting(begun, signal.SIGHUP), why="the signal to be passed on")
    control.resume()
    wait_for(own.is_ready)
    assert [each.pid for each in own.of("control")] == [begun]
    wait_for(
        lambda: "settings taken up" in (own.paths.logs / "control.log").read_text(),
        why="the reload",
    )


def _is_waiting(pid, number):
    """Tell whether a process has yet to be given a signal."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return bool(int(status["ShdPnd"], 16) >> (number - 1) & 1)


def test_a_reload_takes_up_settings_without_a_lost_request(own):
    (own.state / "server.yaml").write_text("initial_provision_minutes: 7\n")
    own.supervisor.send_signal(signal.SIGHUP)
    own.ok("POST", "/v1/leases/demo/end")
    wait_for(
        lambda: "initial_provision_minutes" in (own.paths.logs / "control.log").read_text(),
        why="the reload",
    )
    lease = own.ok("POST", "/v1/leases/demo/start", json={}).json()
    assert 6 * 60 < lease["time_left_seconds"] <= 7 * 60
    (own.state / "server.yaml").write_text("initial_provision_minuts: 9\n")
    answer = own.call("POST", "/v1/reload")
    assert answer.status_code == 400
    assert "initial_provision_minutes" in answer.text
