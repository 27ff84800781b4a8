"""The contract of runners: in processes of their own, and in memory."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from parkade.adapters.embedded.testruns import ProcessRunner
from parkade.adapters.memory.runners import MemoryRunner
from parkade.apps.parts.testing import COMMAND
from parkade.domain.errors import Unavailable
from parkade.domain.tester.course import Course
from parkade.ports.runners import Job
from tests.answering import answering, http
from tests.house import PATIENCE, wait_for

CASES = [
    {"id": "1", "input": {"n": 1}, "expected": {"n": 1}},
    {"id": "2", "input": 2, "expected": 2},
]


def a_job(**changes):
    usual = {
        "path": "/text",
        "headers": {"Prefer": "wait=0"},
        "cases": json.dumps(CASES),
        "course": Course(clients=2, interval=0, duration=0),
    }
    return Job(**{**usual, **changes})


@asynccontextmanager
async def by_process(answer, folder):
    socket = folder / "gateway.sock"
    async with answering(answer, socket=socket) as server:
        runner = ProcessRunner(COMMAND, socket, lambda: "the secret")
        yield runner, server


@asynccontextmanager
async def in_memory(_answer, _folder):
    yield MemoryRunner(), None


@pytest.fixture(params=[by_process, in_memory], ids=["process", "memory"])
def running(request, tmp_path):
    return lambda answer: request.param(answer, tmp_path)


def echo(body):
    return [http(body)]


def test_a_run_that_went_well(running):
    async def run():
        async with running(echo) as (runner, _):
            return await runner.run(a_job())

    done = asyncio.run(run())
    assert done.passed
    assert done.summary.endswith("calls were answered as expected")
    assert done.report["passed"]
    assert done.report["total"]["runs"] >= 2


def by_process_alone(answer, folder, job):
    async def run():
        async with by_process(answer, folder) as (runner, server):
            return await runner.run(job), server

    return asyncio.run(run())


def test_it_asks_as_parkades_own(tmp_path):
    done, server = by_process_alone(echo, tmp_path, a_job())
    assert done.report["total"]["runs"] == 4
    line, headers, body = server.requests[0]
    assert line == "POST /text HTTP/1.1"
    assert headers["authorization"] == "bearer the secret"
    assert headers["prefer"] == "wait=0"
    assert json.loads(body) in ({"n": 1}, 2)
    assert server.connections == 2


def test_failures_are_in_the_report_and_in_the_measures(tmp_path):
    done, _ = by_process_alone(lambda _: [http(b"2")], tmp_path, a_job())
    assert not done.passed
    assert done.summary == "of 4 calls 2 with a wrong answer"
    assert {each["case"] for each in done.report["failures"]} == {"1"}
    counts = {each.name: dict(each.counts) for each in done.measures}
    assert counts["TestFail"] == {2.0: 1}
    assert counts["StatusSuccess"] == {4.0: 1}
    assert sum(counts["ResponseTime"].values()) == 4


def test_a_program_that_cannot_run_is_told(tmp_path):
    command = (sys.executable, "-c", "raise SystemExit('no such luck')")
    runner = ProcessRunner(command, tmp_path / "gateway.sock", lambda: "")
    with pytest.raises(Unavailable, match="status 1 and no result: no such luck"):
        asyncio.run(runner.run(a_job()))


def children():
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # one of an earlier test, on its way out
            if "parkade.apps.tester" in each.cmdline():
                found.append(each)
    return found


def test_called_off_it_leaves_nothing_running(tmp_path):
    async def run():
        async with by_process(lambda _: [], tmp_path) as (runner, server):
            task = asyncio.create_task(runner.run(a_job()))
            async with asyncio.timeout(PATIENCE):
                while not server.requests:
                    await asyncio.sleep(0.01)
            (child,) = children()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return child

    child = asyncio.run(run())
    assert not child.is_running()


def test_it_ends_with_whoever_asked_for_it(tmp_path):
    """A run whose asker is killed hears the end of its input, and ends in the midst of it."""
    job = {
        "socket": str(tmp_path / "nobody.sock"),
        "path": "/text",
        "headers": {},
        "cases": json.dumps(CASES),
        "clients": 1,
        "interval": 1,
        "duration": 86_400,
        "timeout": 10,
    }
    script = (
        "import subprocess, sys, time\n"
        "run = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n"
        "run.stdin.write(sys.argv[1].encode() + b'\\n'); run.stdin.flush()\n"
        "print(run.pid, flush=True); time.sleep(3600)\n"
    )
    asker = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(job), *COMMAND], stdout=subprocess.PIPE, text=True
    )
    with asker:
        pid = int(asker.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(asker.pid, signal.SIGKILL)
    wait_for(lambda: gone(pid), why="the run to end")


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
