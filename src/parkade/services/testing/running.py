"""A run of a tester: clients side by side, each with a connection of its own.

The time of a call begins before its request is sent and ends when the last byte of its answer is
there; what the answer is worth is looked at after that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.domain.tester.course import turns
from parkade.domain.tester.shot import judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.cases import Case
    from parkade.domain.tester.course import Course
    from parkade.domain.tester.shot import Shot
    from parkade.ports.callers import Caller
    from parkade.ports.ticks import Ticks


class Running:
    """One run. What was found so far can be had at any time, and it can be called off."""

    def __init__(
        self,
        cases: Sequence[Case],
        course: Course,
        caller: Callable[[], Caller],
        ticks: Ticks,
        *,
        heard: Callable[[Shot], None] = lambda _: None,
    ) -> None:
        """`caller` gives a new one for each client; `heard` hears of each call when it is over."""
        self._cases = cases
        self._course = course
        self._caller = caller
        self._ticks = ticks
        self._heard = heard
        #: The calls that are over, in the order in which they ended.
        self.shots: list[Shot] = []
        self._began = 0.0
        self._ended: float | None = None
        self._clients: list[asyncio.Task[None]] = []
        self._called_off = False

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self._ticks.now() if self._ended is None else self._ended) - self._began

    async def run(self) -> None:
        """Return once all clients are done, or were called off."""
        callers = [self._caller() for _ in range(self._course.clients)]
        self._began = self._ticks.now()
        try:
            await asyncio.gather(*(each.open() for each in callers))
            if self._called_off:
                return
            self._began = self._ticks.now()
            self._clients = [
                asyncio.create_task(self._client(number, each))
                for number, each in enumerate(callers)
            ]
            # One that was called off is no failure; a bug of another one is told.
            results = await asyncio.gather(*self._clients, return_exceptions=True)
            for each in results:
                if isinstance(each, Exception):
                    raise each
        finally:
            self._ended = self._ticks.now()
            self.call_off()
            await asyncio.gather(*(each.close() for each in callers))

    def call_off(self) -> None:
        """End it now: what is under way is dropped and counts for nothing."""
        self._called_off = True
        for each in self._clients:
            each.cancel()

    async def _client(self, number: int, caller: Caller) -> None:
        course, cases = self._course, self._cases
        planned = course.offset(number)
        places = turns(course.first_case(number, len(cases)), len(cases))
        for calls, place in enumerate(places):
            if course.over(planned, calls, len(cases)):
                return
            await self._ticks.sleep_until(self._began + planned)
            await self._call(number, caller, cases[place])
            planned = course.following(planned, self._ticks.now() - self._began)

    async def _call(self, number: int, caller: Caller, case: Case) -> None:
        body = case.body
        began = self._ticks.now()
        reply = await caller.call(body, case.content_type)
        seconds = self._ticks.now() - began
        shot = judged(case, reply, client=number, at=began - self._began, seconds=seconds)
        self.shots.append(shot)
        self._heard(shot)
