"""The runner port over processes: each run in one of its own, which asks through the gateway.

    this process  --- the job, on its standard input, which then stays open --->  the run
                  <--- what came of it, on its standard output ----------------

The open pipe is the run's lifeline: when this process dies, however it does, the run hears the end
of its input and ends, too. It asks over the gateway's inside socket, as Parkade's own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from parkade.domain.errors import Unavailable
from parkade.domain.series import Unit
from parkade.domain.tester.measures import Measure
from parkade.ports.runners import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from parkade.ports.runners import Job

#: Seconds beyond a run's own time after which it is given up.
_GRACE = 60.0
#: Characters of what a run that failed wrote last.
_TAIL = 500


class ProcessRunner:
    """The runner port. `command` starts a run; `secret` tells that of the present gateway."""

    def __init__(self, command: Sequence[str], socket: Path, secret: Callable[[], str]) -> None:
        self._command = tuple(command)
        self._socket = socket
        self._secret = secret

    async def run(self, job: Job) -> Done:
        """Return what came of the run once it is over."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(job.course.duration + 2 * job.course.timeout + _GRACE):
                answer, complaint = await self._talk(process, job)
                await process.wait()
        except TimeoutError as error:
            raise Unavailable("the run did not come to its end, and was given up") from error
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return _read(answer, complaint, process.returncode)

    async def _talk(self, process: asyncio.subprocess.Process, job: Job) -> tuple[bytes, bytes]:
        assert process.stdin is not None  # noqa: S101  they were asked for
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        with suppress(ConnectionError):  # it has ended already, and says why
            process.stdin.write(json.dumps(self._told(job)).encode() + b"\n")
            await process.stdin.drain()
        answer, complaint = await asyncio.gather(process.stdout.read(), process.stderr.read())
        return answer, complaint

    def _told(self, job: Job) -> Mapping[str, Any]:
        course = job.course
        return {
            "socket": str(self._socket),
            "path": job.path,
            "headers": {**job.headers, "Authorization": f"Bearer {self._secret()}"},
            "cases": job.cases,
            "clients": course.clients,
            "interval": course.interval,
            "duration": course.duration,
            "timeout": course.timeout,
        }


def _read(answer: bytes, complaint: bytes, status: int | None) -> Done:
    try:
        told = json.loads(answer)
    except ValueError as error:
        last = complaint.decode(errors="replace").strip()[-_TAIL:]
        raise Unavailable(
            f"the run ended with status {status} and no result{': ' + last if last else ''}"
        ) from error
    return Done(
        passed=told["passed"],
        summary=told["summary"],
        report=told["report"],
        measures=tuple(
            Measure(
                name=each["name"],
                unit=Unit(each["unit"]),
                counts=dict(zip(each["values"], each["counts"], strict=True)),
                ago=each["ago_seconds"],
            )
            for each in told["measures"]
        ),
    )
