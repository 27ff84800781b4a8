"""Workers that nobody owns: real processes with the marks that workers carry."""

import asyncio
import os
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import psutil

from parkade.adapters.embedded import strays
from parkade.runtime import leftovers
from tests.house import wait_for


@contextmanager
def marked(state_id, instance_id=None):
    """A process with these marks."""
    marks = {leftovers.STATE_ID: state_id}
    if instance_id is not None:
        marks[leftovers.INSTANCE_ID] = instance_id
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"],
        env={**os.environ, **marks},
        stdout=subprocess.PIPE,
    )
    try:
        process.stdout.readline()
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        process.stdout.close()


def test_workers_are_found_by_their_marks_and_ended_by_their_instance():
    state = f"test-{uuid.uuid4()}"
    with (
        marked(state, "i-1") as mine,
        marked(state, "i-2") as other,
        marked(state) as preparing,
        marked(f"{state}-other", "i-1") as elsewhere,
    ):
        found = {each.pid: each for each in strays.processes(state)}
        assert found.keys() == {mine.pid, other.pid}
        assert found[mine.pid].instance_id == "i-1"
        assert found[mine.pid].memory > 0
        assert abs((datetime.now(UTC) - found[mine.pid].started_at).total_seconds()) < 3600

        ending = threading.Thread(target=lambda: asyncio.run(strays.end(state, {"i-1"})))
        ending.start()
        # Whoever started it reaps it: until then it still counts as there.
        wait_for(lambda: mine.poll() is not None, why="the stray to end")
        ending.join(60)
        assert not ending.is_alive()
        assert {each.pid for each in strays.processes(state)} == {other.pid}
        assert psutil.pid_exists(preparing.pid)
        assert psutil.pid_exists(elsewhere.pid)


def test_nothing_is_found_of_a_state_that_runs_nothing():
    assert strays.processes(f"test-{uuid.uuid4()}") == []
