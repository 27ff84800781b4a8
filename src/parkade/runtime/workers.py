"""One worker process: spawned by us or adopted, watched for its end, stopped.

Both kinds are handled alike: a process is known by its pid together with a watch that was set
while its identity was certain, and a child is reaped by the same watch that would tell the end of
an adopted one. A worker leads its own session, so that its group is what it has forked.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from parkade.runtime import logs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from parkade.runtime.lines import Line

#: Where the kernel gives no handle on a process, it is looked at so often.
_LOOK_EVERY = 0.05
#: Of 1000: where memory runs out, Linux is to end the largest worker before anything else.
_OOM_SCORE = 500


class Worker:
    """A running process; `exited` tells how it ended, as words that follow "the worker"."""

    def __init__(self, pid: int, *, child: bool) -> None:
        self.pid = pid
        self._child = child
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[str] = self._loop.create_future()
        self._process = psutil.Process(pid)
        self._handle = _open_handle(pid)
        self._timer: asyncio.TimerHandle | None = None
        if self._handle is None:
            self._look()
        else:
            self._loop.add_reader(self._handle, self._ended)

    @property
    def runs(self) -> bool:
        """Whether it runs now: that it has ended may not have been told yet."""
        return _runs(self._process)

    def _look(self) -> None:
        if self.runs:
            self._timer = self._loop.call_later(_LOOK_EVERY, self._look)
        else:
            self._ended()

    def _ended(self) -> None:
        """Kill what it leaves behind, while its zombie still keeps its number, and reap it."""
        self.unwatch()
        if self._child:
            self._kill_group()
        self.exited.set_result(_reap(self.pid))

    async def stop(self, grace: timedelta) -> None:
        """Ask it to end, kill it with its group after the `grace`; return once it is gone."""
        with suppress(psutil.NoSuchProcess):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await asyncio.shield(self.exited)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill it with its group; return once it is gone."""
        if not self.exited.done():
            self._kill_group()
        await asyncio.shield(self.exited)

    def unwatch(self) -> None:
        """Look after it no longer, without touching it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._handle is not None:
            self._loop.remove_reader(self._handle)
            os.close(self._handle)
            self._handle = None

    def _kill_group(self) -> None:
        # Refused where only a zombie is left of the group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    line: Line | None = None,
    oom_score: int = _OOM_SCORE,
) -> Worker:
    """Start a worker in a session of its own; it inherits the other end of the `line`.

    Raises OSError where the command cannot be run.
    """
    output = logs.open_to_append(log)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
            start_new_session=True,
            pass_fds=(line.number,) if line else (),
        )
    finally:
        os.close(output)
        if line:
            line.given()
    # Popen is to forget the child: it is watched and reaped like an adopted one.
    process.returncode = 0
    yield_memory(process.pid, oom_score)
    return Worker(process.pid, child=True)


def yield_memory(pid: int, score: int = _OOM_SCORE) -> None:
    """Make it, and what it forks, go before control and gateways when memory runs out."""
    # Other systems have no such file, some sandboxes refuse, and the worker may be gone already.
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(score), encoding="ascii")


def adopt(process: psutil.Process) -> Worker | None:
    """Watch a worker that somebody else has started; None where it is gone."""
    try:
        worker = Worker(process.pid, child=False)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None
    if process.is_running():
        return worker
    # Its number belongs to another process by now.
    worker.unwatch()
    return None


def _open_handle(pid: int) -> int | None:
    """Return a descriptor that becomes readable at the end of the process, where there are any."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno == errno.ENOSYS:  # some sandboxes
            return None
        raise


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _reap(pid: int) -> str:
    """Say how the process ended; of one that is no child of ours only its parent knows."""
    try:
        _, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return "is gone"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exited with status {code}"
    return f"was killed by signal {-code} ({signal.strsignal(-code)})"
