"""Writes captured calls down: a thread behind a bounded queue.

Whoever has a call hands it over and never waits: over the bounds it is dropped, counted and told.
The thread appends each to a spool at once, and delivers a spool as an object when it is old or large
enough, when the hour of its calls is over, and at the end. What a killed process left is delivered
first of all.

A disk without room, or an objects folder that cannot be written, turns capturing off altogether,
until there is room and all that waits was delivered: a capture must not take the room that the
endpoints need. Nothing tells of room on a disk, so it is looked for every few seconds.
"""

from __future__ import annotations

import logging
import math
import os
import queue
import threading
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.gateway import capture
from parkade.apps.gateway.spool import Spools
from parkade.domain.errors import ParkadeError, ResourceLimitExceeded, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from parkade.apps.gateway.capture import Captured
    from parkade.apps.gateway.spool import Spool
    from parkade.ports.objects import Objects

#: Calls, and bytes of their bodies, that may wait to be written.
WAITING_CALLS = 10_000
WAITING_BYTES = 64 * 1024**2
#: Bytes at which a spool is delivered, however young.
SPOOL_BYTES = 4 * 1024**2
#: Seconds between two looks at the disk.
LOOK_SECONDS = 5.0
#: Seconds in which calls gather before they are written. A thread that woke for each of them would
#: take the interpreter from the event loop each time.
GATHER_SECONDS = 0.02
#: Percent below the limit at which capturing goes on again; what is at the limit goes to and fro.
MARGIN = 1.0
#: Seconds that the end waits for the last deliveries; what is left is delivered at the next start.
LAST_SECONDS = 10.0

#: Seconds; threads cannot wait for an infinite time.
LONGEST_WAIT = 3600.0
NEVER = math.inf

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How old a spool may become in seconds, and how full the disk in percent."""

    seconds: float = 60
    disk_percent: float = 95


@dataclass(frozen=True, slots=True)
class _Open:
    """A spool that is appended to until `due`, in monotonic seconds."""

    spool: Spool
    endpoint: str
    due: float


class Scribe:
    """Takes calls from one thread and writes them in another one."""

    def __init__(
        self,
        spools: Path,
        *,
        room: Path,
        objects: Callable[[], Objects],
        tell: Callable[[link.Happening], None],
    ) -> None:
        """Watch the disk that has `room`; `objects` is asked for at each delivery.

        `tell` is called in the thread that writes.
        """
        #: May be changed at any time.
        self.rules = Rules()
        #: Why nothing is written down now; empty: it is.
        self.off = ""
        self._spools = Spools(spools)
        self._room = room
        self._objects = objects
        self._tell = tell
        self._queue: queue.SimpleQueue[Captured | None] = queue.SimpleQueue()
        # Each is changed by one thread alone, so that their difference, and sum, need no lock:
        # bytes that were taken and that are done with, calls that either thread left out.
        self._taken, self._done = 0, 0
        self._refused, self._missed = 0, 0
        #: How many had been left out when capturing was turned off.
        self._before = 0
        # The rest is the writing thread's.
        self._open: dict[tuple[str, str, str, int], _Open] = {}
        self._due = NEVER
        self._closed: list[_Open] = []
        #: When the disk is looked at next.
        self._look = 0.0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def write(self, call: Captured) -> bool:
        """Take a call; False: it is dropped, for too many wait."""
        if self.off:
            self._refused += 1
            return True
        size = call.size
        if self._taken - self._done + size > WAITING_BYTES or self._queue.qsize() >= WAITING_CALLS:
            return False
        self._taken += size
        self._queue.put(call)
        return True

    def close(self) -> None:
        """Write and deliver what there is, and end."""
        self._queue.put(None)
        self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        try:
            self._closed = [_Open(spool, "", NEVER) for spool in self._spools.left()]
            self._deliver()
            self._write_all()
            self._retire(tuple(self._open))
            self._deliver()
        except Exception as error:
            # A fault of ours. Requests go on; somebody has to hear of it.
            logger.exception("captured calls are not written any more")
            self._turn_off(f"writing failed: {error!r}; see the log of the process")

    def _write_all(self) -> None:
        while True:
            until = min(self._due, self._look if self.off else NEVER)
            for call in self._gather(min(max(0.0, until - monotonic()), LONGEST_WAIT)):
                if call is None:
                    return
                self._append(call)
                self._done += call.size
            self._deliver_due()

    def _gather(self, seconds: float) -> Iterator[Captured | None]:
        """Return the calls that are there, or come within this time; None: there are no more."""
        try:
            yield self._queue.get(timeout=seconds)
        except queue.Empty:
            return
        sleep(GATHER_SECONDS)
        for _ in range(self._queue.qsize()):
            yield self._queue.get()

    def _append(self, call: Captured) -> None:
        if self.off or not self._has_room():
            self._missed += 1
            return
        key = (call.view.destination, call.endpoint, call.variant, int(call.at // 3600))
        try:
            opened = self._open.get(key) or self._begin(key, call)
            opened.spool.append(capture.line(call))
        except OSError as error:
            self._missed += 1
            self._turn_off(f"lines cannot be written: {error.strerror}")
            return
        if opened.spool.size >= SPOOL_BYTES:
            self._retire([key])
            self._deliver()

    def _begin(self, key: tuple[str, str, str, int], call: Captured) -> _Open:
        spool = self._spools.begin(*capture.address(call))
        # The hour may be over already: calls are told when they have ended.
        seconds = min(self.rules.seconds, max(1.0, 3600 - call.at % 3600))
        opened = self._open[key] = _Open(spool, call.endpoint, monotonic() + seconds)
        self._due = min(self._due, opened.due)
        return opened

    def _retire(self, keys: Iterable[tuple[str, str, str, int]]) -> None:
        for key in keys:
            self._closed.append(self._open.pop(key))
        self._due = min((each.due for each in self._open.values()), default=NEVER)

    def _deliver_due(self) -> None:
        now = monotonic()
        if self._due <= now:
            self._retire([key for key, each in self._open.items() if each.due <= now])
            if not self.off:
                self._deliver()
        if self.off and self._look <= now:
            self._deliver()

    def _deliver(self) -> None:
        """Deliver what is closed, unless something stands in the way of all of it."""
        self._look = 0.0
        if not self._has_room():
            return
        while self._closed:
            first = self._closed[0]
            try:
                first.spool.deliver(self._objects())
            except (ResourceLimitExceeded, Unavailable) as error:
                self._turn_off(error.message)
                return
            except OSError as error:
                self._turn_off(f"lines cannot be read: {error.strerror}")
                return
            except (ParkadeError, ValueError) as error:
                self._set_aside(first, error)
            else:
                first.spool.remove()
            del self._closed[0]
        if self.off:
            self._turn_on()

    def _set_aside(self, opened: _Open, error: Exception) -> None:
        """Leave to the next start what cannot be delivered now, and never so may be."""
        opened.spool.close()
        text = error.message if isinstance(error, ParkadeError) else f"it is no spool: {error}"
        logger.warning("%s cannot be delivered: %s", opened.spool.path, text)
        self._tell(
            link.Happening(
                kind="capture.failed",
                endpoint=opened.endpoint,
                reason=f"captured calls stay in {opened.spool.path}: {text}",
            )
        )

    def _has_room(self) -> bool:
        """Look at the disk, not more often than every few seconds; turn off where it is full."""
        now = monotonic()
        if now < self._look:
            return True
        self._look = now + LOOK_SECONDS
        limit = self.rules.disk_percent
        try:
            used = _percent_used(self._room)
        except OSError as error:
            self._turn_off(f"{self._room} cannot be read: {error.strerror}")
            return False
        if used > (limit - MARGIN if self.off else limit):
            self._turn_off(
                f"the disk with the objects folder is {used:.0f} % full; above {limit:g} % "
                "(capture.disk_percent of server.yaml) nothing is captured"
            )
            return False
        return True

    def _turn_off(self, reason: str) -> None:
        self._look = monotonic() + LOOK_SECONDS
        if self.off:
            return
        self.off = reason
        self._before = self._refused + self._missed
        logger.warning("nothing is captured any more: %s", reason)
        self._tell(link.Happening(kind="capture.off", reason=reason))

    def _turn_on(self) -> None:
        self.off = ""
        count = self._refused + self._missed - self._before
        logger.info("calls are captured again; %d were not", count)
        self._tell(
            link.Happening(
                kind="capture.on",
                reason=f"there is room again; {count} calls were not captured meanwhile",
                data={"count": count},
            )
        )


def _percent_used(path: Path) -> float:
    """Return how full the disk is for those who are not root, as df tells it.

    Of a folder that somebody took away it is the disk that the folder would be made on.
    """
    for each in (path, *path.parents):
        try:
            disk = os.statvfs(each)
            break
        except FileNotFoundError:
            if each == each.parent:
                raise
    used = disk.f_blocks - disk.f_bfree
    return 100 * used / max(1, used + disk.f_bavail)
