"""Single worker processes: started, adopted, watched, ended."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from parkade.runtime import workers
from tests.runtime.premises import alive, until

LONG = timedelta(seconds=60)
SLEEP = "import signal; signal.pause()"


@pytest.fixture(params=["handles", "no handles"])
def handles(request, monkeypatch):
    """With the kernel's process handles, and as on systems that have none."""
    if request.param == "no handles":
        monkeypatch.setattr(workers, "_open_handle", lambda _: None)


def spawn(tmp_path, program=SLEEP, **environment):
    command = [sys.executable, "-S", "-c", program]
    return workers.spawn(
        command, environment=environment, folder=tmp_path, log=tmp_path / "worker.log"
    )


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("", "exited with status 0"),
        ("raise SystemExit(7)", "exited with status 7"),
        ("import os; os.kill(os.getpid(), 11)", "was killed by signal 11 (Segmentation fault)"),
    ],
)
def test_its_end_is_told(tmp_path, handles, program, how):
    async def story():
        worker = spawn(tmp_path, program)
        assert await asyncio.wait_for(worker.exited, 60) == how
        assert not psutil.pid_exists(worker.pid)

    asyncio.run(story())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told")
def test_where_memory_runs_out_it_goes_before_others(tmp_path):
    def score(pid):
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    async def story():
        worker = spawn(tmp_path)
        assert score(worker.pid) > score("self")
        await worker.kill()

    asyncio.run(story())


def test_it_runs_in_a_session_of_its_own_with_its_log_folder_and_environment(tmp_path):
    program = "import os; print(os.getcwd(), dict(os.environ), os.getsid(0) == os.getpid())"

    async def story():
        worker = spawn(tmp_path, program, LC_CTYPE="C.UTF-8", COLOUR="blue")
        await worker.exited

    asyncio.run(story())
    expected = f"{tmp_path} {{'LC_CTYPE': 'C.UTF-8', 'COLOUR': 'blue'}} True\n"
    assert (tmp_path / "worker.log").read_text() == expected


def test_it_is_asked_to_end_before_it_is_killed(tmp_path, handles):
    async def story():
        worker = spawn(tmp_path)
        await worker.stop(LONG)
        assert worker.exited.result() == "was killed by signal 15 (Terminated)"
        await worker.stop(LONG)

    asyncio.run(story())


@pytest.mark.semantics("container.stop")
def test_one_that_does_not_end_when_asked_is_killed_after_the_grace(tmp_path):
    program = (
        "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=1); signal.pause()"
    )

    async def story():
        worker = spawn(tmp_path, program)
        await until(lambda: "up" in (tmp_path / "worker.log").read_text())
        await worker.stop(timedelta(seconds=0.1))
        assert worker.exited.result() == "was killed by signal 9 (Killed)"

    asyncio.run(story())


def test_what_it_has_forked_ends_with_it(tmp_path, handles):
    program = (
        "import os, signal\n"
        "pid = os.fork()\n"
        "if pid: print(pid, flush=True)\n"
        "signal.signal(15, signal.SIG_DFL if pid else signal.SIG_IGN)\n"
        "signal.pause()\n"
    )

    async def story():
        worker = spawn(tmp_path, program)
        child = int(await until((tmp_path / "worker.log").read_text))
        os.kill(worker.pid, signal.SIGTERM)
        await worker.exited
        await until(lambda: not alive(child))

    asyncio.run(story())


def test_a_command_that_cannot_be_run_is_an_error(tmp_path):
    async def story():
        with pytest.raises(FileNotFoundError):
            workers.spawn(
                ["/nonesuch"], environment={}, folder=tmp_path, log=tmp_path / "worker.log"
            )

    asyncio.run(story())


def test_an_adopted_process_is_watched_and_stopped_like_a_child(tmp_path, handles):
    # The shell's child outlives it, and becomes nobody's child that we know.
    shell = f"setsid {sys.executable} -S -c '{SLEEP}' >/dev/null 2>&1 & echo $!"
    pid = int(subprocess.run(["sh", "-c", shell], capture_output=True, check=True).stdout)

    async def story():
        worker = workers.adopt(psutil.Process(pid))
        assert worker.pid == pid
        assert not worker.exited.done()
        await worker.stop(LONG)
        assert worker.exited.result() == "is gone"
        assert not alive(pid)

    asyncio.run(story())


def test_a_process_that_is_gone_is_not_adopted(tmp_path):
    async def story():
        worker = spawn(tmp_path)
        process = psutil.Process(worker.pid)
        await worker.kill()
        assert workers.adopt(process) is None

    asyncio.run(story())


def test_a_successor_under_the_same_number_is_not_adopted(tmp_path):
    async def story():
        worker = spawn(tmp_path)
        # What psutil says of a process whose number was taken over.
        former = SimpleNamespace(pid=worker.pid, is_running=lambda: False)
        assert workers.adopt(former) is None
        assert not worker.exited.done()
        await worker.kill()

    asyncio.run(story())


def test_one_that_is_watched_no_longer_goes_on(tmp_path, handles):
    async def story():
        worker = spawn(tmp_path)
        worker.unwatch()
        assert alive(worker.pid)
        again = workers.adopt(psutil.Process(worker.pid))
        await again.kill()

    asyncio.run(story())
