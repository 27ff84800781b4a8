"""The audit of a whole Parkade: a worker that nobody owns is ended, and those of endpoints are not."""

import os
import subprocess
import sys
import threading

from parkade.apps.identity import state_id
from parkade.runtime import leftovers
from tests.house import alive, house, wait_for

_DROWSY = "import time; print(1, flush=True); time.sleep(600)"


def found(server):
    return [each["id"] for each in server.ok("GET", "/v1/audit").json()["findings"]]


def test_a_stray_worker_is_ended_and_the_endpoint_goes_on(tmp_path):
    with house(tmp_path / "state") as server:
        server.furnish()
        server.park()
        server.wait_state("demo", "running")
        assert found(server) == []
        (own,) = server.workers()
        marks = {leftovers.STATE_ID: state_id(server.paths), leftovers.INSTANCE_ID: "lost"}
        stray = subprocess.Popen(
            [sys.executable, "-c", _DROWSY], env={**os.environ, **marks}, stdout=subprocess.PIPE
        )
        try:
            stray.stdout.readline()
            assert found(server) == ["worker.stray:lost"]
            answers = []
            body = {"ids": ["worker.stray:lost"]}
            fix = threading.Thread(
                target=lambda: answers.append(server.ok("POST", "/v1/audit/fix", json=body))
            )
            fix.start()
            # It is this test's child: until it is waited for it still counts as there.
            wait_for(lambda: stray.poll() is not None, why="the stray to end")
            fix.join(60)
        finally:
            stray.kill()
            stray.wait()
            stray.stdout.close()
        assert [each["done"] for each in answers[0].json()["mended"]] == [True]
        assert found(server) == []
        assert alive(own.pid)
        assert server.state_of() == "running"
        (event,) = server.events(kind="audit.fixed")
        assert event["data"] == {"id": "worker.stray:lost"}
