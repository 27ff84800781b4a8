"""What instances use of the machine: the processor time and the memory of all their processes.

A worker leads its own session, so that what it has forked is found by it. Of processes that come and
go between two looks, those count that their parents have waited for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What an instance used, in percent."""

    #: Of one core: 0 to 100 for each core; None: it is seen for the first time.
    cpu: float | None
    #: Of the machine's memory.
    memory: float


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    #: Seconds of processor time by process: number and creation time.
    spent: Mapping[tuple[int, float], float]


class Utilization:
    """Looks at the processes of instances, again and again. Blocking: for a thread."""

    def __init__(self) -> None:
        self._memory = psutil.virtual_memory().total
        self._last: dict[str, _Look] = {}

    def look(self, leaders: Mapping[str, Collection[int]]) -> Mapping[str, Used]:
        """Return what each instance used since the last look; `leaders` are its workers."""
        sessions = _sessions({each for workers in leaders.values() for each in workers})
        found: dict[str, Used] = {}
        last, self._last = self._last, {}
        for instance_id, workers in leaders.items():
            processes = [each for worker in workers for each in sessions.get(worker, ())]
            memory, spent = 0, {}
            for process in processes:
                # One that ends meanwhile has used nothing that is still in use.
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    with process.oneshot():
                        times = process.cpu_times()
                        memory += process.memory_info().rss
                        key = (process.pid, process.create_time())
                    spent[key] = (
                        times.user + times.system + times.children_user + times.children_system
                    )
            look = self._last[instance_id] = _Look(monotonic(), spent)
            found[instance_id] = Used(
                cpu=_rate(last.get(instance_id), look), memory=min(100 * memory / self._memory, 100)
            )
        return found


def disk(folder: Path) -> float:
    """Return how full the disk is that a folder is on, in percent. Raises OSError."""
    return float(psutil.disk_usage(str(folder)).percent)


def _sessions(leaders: Collection[int]) -> Mapping[int, list[psutil.Process]]:
    """Return the processes of each leader's session."""
    sessions: dict[int, list[psutil.Process]] = {}
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            leader = os.getsid(pid)
            if leader in leaders:
                sessions.setdefault(leader, []).append(psutil.Process(pid))
    return sessions


def _rate(before: _Look | None, now: _Look) -> float | None:
    """Return the processor time of what is there, and was not yet counted, in percent."""
    if before is None or now.at <= before.at:
        return None
    spent = sum(
        max(0.0, seconds - before.spent.get(key, 0.0)) for key, seconds in now.spent.items()
    )
    return 100 * spent / (now.at - before.at)
