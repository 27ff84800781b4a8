"""Sends captured requests at their rate: each when it is due, however the former ones go.

At most so many are under way. Where that holds one back it is counted as late: a candidate that is
too slow for the rate is to show, and not to be waited for in silence.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, TypeAlias

from parkade.apps.cli import aims
from parkade.domain import ownrequests
from parkade.domain.comparing.reading import Body
from parkade.domain.errors import ParkadeError
from parkade.domain.replaying.replies import Replayed, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parkade.apps.cli.aims import Aim
    from parkade.apps.cli.client import Client
    from parkade.domain.capturedcalls import CapturedCall

#: Seconds after its time from which a request counts as held back.
TOLERATED = 0.1
_NOTHING = Body(b"", "")

Ask: TypeAlias = "Callable[[int, str, CapturedCall], Replayed]"


@dataclass(slots=True)
class Timing:
    """How the rate was kept."""

    sent: int = 0
    seconds: float = 0.0
    held_back: int = 0
    most_late: float = 0.0


class Asker:
    """Asks the candidate, and the baseline if there is one; used by several threads."""

    def __init__(self, client: Client, candidate: Aim, baseline: Aim | None) -> None:
        self._client = client
        self._candidate = candidate
        self._baseline = baseline

    def __call__(self, number: int, place: str, call: CapturedCall) -> Replayed:
        """Send one request; the two sides take turns in being the first."""
        if self._baseline is None:
            candidate = self._reply(self._candidate, call)
            return Replayed(call=call, place=place, candidate=candidate)
        if number % 2:
            baseline = self._reply(self._baseline, call)
            candidate = self._reply(self._candidate, call)
        else:
            candidate = self._reply(self._candidate, call)
            baseline = self._reply(self._baseline, call)
        return Replayed(call=call, place=place, candidate=candidate, baseline=baseline)

    def _reply(self, aim: Aim, call: CapturedCall) -> Reply:
        sent = call.sent or _NOTHING
        headers = {
            "Content-Type": sent.content_type,
            "Accept": call.answered.content_type if call.answered else "",
            aims.ATTRIBUTES: call.custom_attributes,
        }
        headers = {name: value for name, value in headers.items() if value} | aim.headers
        unfit = next((name for name, value in headers.items() if not _is_sendable(value)), None)
        if unfit:
            return _no_answer(f"what was captured as its {unfit} cannot be sent")
        name = ownrequests.inference_id(ownrequests.REPLAY, call.event_id)
        start = perf_counter()
        try:
            answer = self._client.ask(aim.endpoint, sent.data, headers | {aims.INFERENCE_ID: name})
        except ParkadeError as error:
            return _no_answer(error.message)
        seconds = perf_counter() - start
        body = Body(answer.content, answer.headers.get("content-type", ""))
        return Reply(status=answer.status_code, body=body, seconds=seconds)


def send(
    calls: Iterable[tuple[str, CapturedCall]],
    ask: Ask,
    take: Callable[[Replayed], None],
    *,
    rate: float,
    concurrency: int,
    timing: Timing,
) -> None:
    """Ask about each call, `rate` a second (0: as fast as may be), and hand on what was answered.

    `take` is called in this thread. What ends it, ends it at once: answers under way are let go.
    """
    line = _Line(ask, concurrency)
    start = monotonic()
    try:
        for place, call in calls:
            due = start + timing.sent / rate if rate else monotonic()
            for replayed in line.until(due):
                take(replayed)
            late = monotonic() - due
            if rate and late > TOLERATED:
                timing.held_back += 1
                timing.most_late = max(timing.most_late, late)
            line.put(timing.sent, place, call)
            timing.sent += 1
        for replayed in line.rest():
            take(replayed)
    finally:
        timing.seconds = monotonic() - start
        line.close()


class _Line:
    """Threads that ask, and what they have to ask and were answered."""

    def __init__(self, ask: Ask, concurrency: int) -> None:
        self._ask = ask
        self._most = concurrency
        self._under_way = 0
        self._threads: list[threading.Thread] = []
        self._work: SimpleQueue[tuple[int, str, CapturedCall] | None] = SimpleQueue()
        self._done: SimpleQueue[Replayed | Exception] = SimpleQueue()

    def put(self, number: int, place: str, call: CapturedCall) -> None:
        if self._under_way >= len(self._threads):
            # Daemons: one that waits for an answer must not keep the command from ending.
            thread = threading.Thread(target=self._run, daemon=True, name="replay")
            self._threads.append(thread)
            thread.start()
        self._under_way += 1
        self._work.put((number, place, call))

    def until(self, due: float) -> Iterable[Replayed]:
        """Give answers until it is time and there is a place for one more."""
        while True:
            full = self._under_way >= self._most
            try:
                found = self._done.get(timeout=None if full else max(0.0, due - monotonic()))
            except Empty:
                return
            yield self._taken(found)
            if not full and monotonic() >= due and self._done.empty():
                return

    def rest(self) -> Iterable[Replayed]:
        """Give the answers that are still to come."""
        while self._under_way:
            yield self._taken(self._done.get())

    def close(self) -> None:
        for _ in self._threads:
            self._work.put(None)

    def _taken(self, found: Replayed | Exception) -> Replayed:
        self._under_way -= 1
        if isinstance(found, Exception):
            raise found
        return found

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            try:
                self._done.put(self._ask(*item))
            except Exception as error:  # noqa: BLE001  a fault of ours: it is raised where answers are taken
                self._done.put(error)


def _no_answer(why: str) -> Reply:
    return Reply(status=0, body=_NOTHING, seconds=0.0, trouble=why)


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()
