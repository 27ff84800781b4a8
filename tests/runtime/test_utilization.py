"""What instances use of the machine, seen on real processes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from parkade.runtime.utilization import Utilization, disk
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDLE = "import time\nprint('up', flush=True)\ntime.sleep(1000)\n"
#: Forks one that has the memory and does the work.
BUSY = """
import os, time
if not os.fork():
    held = bytearray(64 * 2**20)
    print("up", flush=True)
    while True:
        sum(range(1000))
os.wait()
"""


@contextmanager
def leader(program: str) -> Iterator[int]:
    """Run a program that leads a session, as workers do; give its number."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield process.pid
    finally:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_what_a_worker_has_forked_is_its_instances() -> None:
    with leader(IDLE) as idle, leader(BUSY) as busy:
        seen = Utilization()
        first = seen.look({"idle": [idle], "busy": [busy]})
        assert first["idle"].cpu is None
        assert first["busy"].cpu is None
        # Its memory is its child's.
        own = 100 * psutil.Process(busy).memory_info().rss / psutil.virtual_memory().total
        held = 100 * 64 * 2**20 / psutil.virtual_memory().total
        assert first["busy"].memory >= held
        assert first["busy"].memory > own

        def busier() -> bool:
            used = seen.look({"idle": [idle], "busy": [busy]})
            assert used["idle"].cpu is not None
            assert used["busy"].cpu is not None
            return used["busy"].cpu > used["idle"].cpu

        wait_for(busier)


def test_several_workers_are_one_instance() -> None:
    with leader(IDLE) as one, leader(IDLE) as other:
        seen = Utilization()
        together = seen.look({"both": [one, other]})["both"].memory
        alone = seen.look({"one": [one]})["one"].memory
        assert 0 < alone < together


def test_a_worker_that_is_gone_uses_nothing() -> None:
    with leader(IDLE) as gone:
        pass
    seen = Utilization()
    assert seen.look({"gone": [gone]})["gone"].memory == 0
    assert seen.look({"gone": [gone]})["gone"].cpu == 0


def test_the_disk_is_somewhat_full(tmp_path: Path) -> None:
    assert 0 <= disk(tmp_path) <= 100
