"""`python -m parkade.apps.tester`: carries out the job on its standard input, and ends with it.

The job is one line of JSON. The input stays open for as long as somebody wants the result: when it
ends, whoever asked is gone, and so is the run.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvloop

from parkade.adapters.http.caller import Address, HttpCaller
from parkade.adapters.system.ticks import SystemTicks
from parkade.domain import cases
from parkade.domain.tester import measures
from parkade.domain.tester.course import Course
from parkade.domain.tester.report import report
from parkade.services.testing.running import Running

#: What the inside socket is called by; nobody looks it up.
_HOST = "gateway"


def main() -> None:
    """Carry the job out; print what came of it."""
    job = json.loads(sys.stdin.buffer.readline())
    told = uvloop.run(_run(job))
    sys.stdout.write(json.dumps(told))


async def _run(job: dict[str, Any]) -> dict[str, Any]:
    found = cases.read(job["cases"])
    course = Course(
        clients=job["clients"],
        interval=job["interval"],
        duration=job["duration"],
        timeout=job["timeout"],
    )
    address = Address(
        host=_HOST,
        port=0,
        target=job["path"],
        headers=job["headers"],
        socket=Path(job["socket"]),
    )
    running = Running(
        found, course, lambda: HttpCaller(address, timeout=course.timeout), SystemTicks()
    )
    lifeline = asyncio.create_task(_cut(running))
    try:
        await running.run()
    finally:
        lifeline.cancel()
    result = report(running.shots, [each.id for each in found], running.seconds)
    return {
        "passed": result.passed,
        "summary": result.words(),
        "report": result.written(),
        "measures": [
            measures.written(each) for each in measures.measured(running.shots, running.seconds)
        ],
    }


async def _cut(running: Running) -> None:
    """Call the run off when nobody wants it any more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    await reader.read()
    running.call_off()


if __name__ == "__main__":
    main()
