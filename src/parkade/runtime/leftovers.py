"""Finding the processes of this state, whoever their parent is by now.

A worker and all that it forks carry markers in their environment: the state they belong to and
their worker's record, with where it answers. Process ids are reused; markers are not, so nothing else is trusted. Each
process found is a psutil one, which knows its creation time and signals no successor.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE_ID = "PARKADE_STATE_ID"
INSTANCE_ID = "PARKADE_INSTANCE_ID"
MODEL_DIR = "SM_MODEL_DIR"
#: Where the worker was told to answer, and the path that it is asked for its health.
ADDRESS = "PARKADE_ADDRESS"
HEALTH = "PARKADE_HEALTH"

_LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A process that carries this state's marker."""

    process: psutil.Process
    instance_id: str
    model_dir: str
    address: str
    health: str
    #: Tells the older of two processes.
    created: float
    #: Whether it leads its session, as each worker does; what a worker forks does not.
    leads: bool


def find(state_id: str) -> list[Marked]:
    """Return every running process of the state. Blocking; some milliseconds."""
    return list(_marked(state_id))


def _marked(state_id: str) -> Iterator[Marked]:
    own = os.getpid()
    for pid in psutil.pids():
        # One that ends meanwhile, or belongs to somebody else, is none of ours.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            process = psutil.Process(pid)
            environment = process.environ()
            if environment.get(STATE_ID) == state_id and pid != own:
                yield Marked(
                    process=process,
                    instance_id=environment.get(INSTANCE_ID, ""),
                    model_dir=environment.get(MODEL_DIR, ""),
                    address=environment.get(ADDRESS, ""),
                    health=environment.get(HEALTH, ""),
                    created=process.create_time(),
                    leads=os.getsid(pid) == pid,
                )


async def clear(
    state_id: str, unwanted: Callable[[Marked], bool], *, grace: timedelta = timedelta(0)
) -> int:
    """End the unwanted processes of the state; return how many there were, once none is left.

    They get SIGTERM and after the `grace` SIGKILL; without a grace SIGKILL at once.
    """
    loop = asyncio.get_running_loop()
    deadline: float | None = None
    asked: set[psutil.Process] = set()
    while left := [m.process for m in await asyncio.to_thread(find, state_id) if unwanted(m)]:
        if deadline is None:
            # Not before: on a busy machine they may be looked for longer than their grace is.
            deadline = loop.time() + grace.total_seconds()
        patient = loop.time() < deadline
        for process in left if not patient else set(left) - asked:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM if patient else signal.SIGKILL)
        asked |= set(left)
        await asyncio.sleep(_LOOK_AGAIN)
    return len(asked)
