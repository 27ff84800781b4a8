"""Processes of a state that nobody knows any more: asked to end, then killed."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from parkade.runtime import leftovers

STUBBORN = "signal.signal(15, signal.SIG_IGN)"


@contextmanager
def left_over(state_id, preparing="pass"):
    program = f"import signal; {preparing}; print('up', flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        stdout=subprocess.PIPE,
        env={leftovers.STATE_ID: state_id},
    ) as process:
        assert process.stdout.readline() == b"up\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("preparing", "grace", "how"),
    [
        ("pass", 60.0, signal.SIGTERM),
        (STUBBORN, 0.1, signal.SIGKILL),
        ("pass", 0.0, signal.SIGKILL),
    ],
)
def test_they_are_asked_first_where_they_have_a_grace(tmp_path, preparing, grace, how):
    state_id = f"test-{tmp_path}"

    async def story():
        ended = leftovers.clear(state_id, lambda _: True, grace=timedelta(seconds=grace))
        assert await ended == 1

    with left_over(state_id, preparing) as process:
        asyncio.run(story())
        assert process.wait(60) == -how


def test_their_grace_begins_when_they_are_asked_however_long_they_were_looked_for(
    tmp_path, monkeypatch
):
    state_id, grace = f"test-{tmp_path}", timedelta(seconds=0.1)
    find = leftovers.find

    def late(wanted):
        time.sleep(2 * grace.total_seconds())
        return find(wanted)

    monkeypatch.setattr(leftovers, "find", late)
    with left_over(state_id) as process:
        asyncio.run(leftovers.clear(state_id, lambda _: True, grace=grace))
        assert process.wait(60) == -signal.SIGTERM
