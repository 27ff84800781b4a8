"""The tests' clock: real time, set forward as a test likes, and what is to happen at its times.

Functions read it through a file (see shim/), state machines through their timers, schedules by
being called. Setting it forward stops at each time on the way at which something is to happen, so
that things happen in their order.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.aws.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Timer:
    """Something that is to happen once."""

    def __init__(self, due: datetime, action: Callable[[], None]) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class SetClock:
    """Real time and `ahead`. Its timers are fired in a thread of its own; actions are to be short."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ahead = timedelta(0)
        self._timers: list[tuple[datetime, int, Timer]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._open = True
        self._write()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def at(self, due: datetime, action: Callable[[], None]) -> Timer:
        timer = Timer(due, action)
        with self._changed:
            heapq.heappush(self._timers, (due, next(self._numbers), timer))
            self._changed.notify_all()
        return timer

    def next_due(self) -> datetime | None:
        """Return when the next thing happens, if anything is to happen."""
        with self._changed:
            self._drop()
            return self._timers[0][0] if self._timers else None

    def set_to(self, instant: datetime) -> None:
        """Set it forward, by way of everything that happens until then; never back."""
        while (due := self.next_due()) is not None and due <= instant:
            self._jump(due)
            self._fired(due)
        self._jump(instant)

    def advance(self, **given: float) -> None:
        """Set it forward by a span: `advance(minutes=30)`."""
        self.set_to(self.now() + timedelta(**given))

    def until(
        self,
        what: Callable[[], object],
        *,
        held: Callable[[], object] = lambda: False,
        why: str = "",
    ) -> None:
        """Go from one thing that happens to the next until `what` is true.

        Nothing is skipped to while `held` is true: while a function runs or an endpoint is on its
        way, that is, which both take real time.
        """
        deadline = time.monotonic() + PATIENCE
        while not what():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE:g} s in vain for {why or what}")
            due = None if held() else self.next_due()
            if due is None:
                time.sleep(0.01)
            else:
                self._jump(due)
                self._fired(due)

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._thread.join()

    # -- inside ------------------------------------------------------------------------------

    def _jump(self, instant: datetime) -> None:
        with self._changed:
            self.ahead = max(self.ahead, instant - datetime.now(UTC))
            self._write()
            self._changed.notify_all()

    def _write(self) -> None:
        # Replaced as a whole, for functions read it at any time.
        fresh = self.file.with_name(f"{self.file.name}-fresh")
        fresh.write_text(repr(self.ahead.total_seconds()))
        fresh.replace(self.file)

    def _fired(self, due: datetime) -> None:
        """Return once everything that was due then has been fired."""
        while (following := self.next_due()) is not None and following <= due:
            time.sleep(0.001)

    def _drop(self) -> None:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._drop()
                if not self._open:
                    return
                left = (self._timers[0][0] - self.now()).total_seconds() if self._timers else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                action = self._timers[0][2].action
                # Out of the list only after it was fired: `_fired` waits for that.
                entry = self._timers[0]
            if action is not None:
                action()
            with self._changed:
                # One that was cancelled meanwhile is out already.
                if entry in self._timers:
                    self._timers.remove(entry)
                    heapq.heapify(self._timers)
