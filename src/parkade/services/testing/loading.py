"""One step of load: requests at a rate, each sent when it is due, whatever became of the others.

Latency counts from when a request was due. Where the server falls behind, requests that wait for a
connection have that time in their latency too: nothing is left out for being late (no coordinated
omission). What is late because of this process is measured apart, as its lag.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from parkade.domain.load import Finding
from parkade.domain.tester.quantiles import quantile
from parkade.domain.tester.shot import Outcome, Shot, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.cases import Case
    from parkade.domain.tester.shot import Reply
    from parkade.ports.callers import Caller
    from parkade.ports.ticks import Ticks

#: Connections at most; what is due while all of them are taken waits for one.
CONNECTIONS = 256
#: Requests under way for each of them, from which on the step is over: more only piles up.
_PILE = 8
#: Good answers that are remembered.
_REMEMBERED = 1000


class Load:
    """Sends steps over connections that it keeps from one step to the next."""

    def __init__(
        self,
        cases: Sequence[Case],
        caller: Callable[[], Caller],
        ticks: Ticks,
        *,
        share: float,
        connections: int = CONNECTIONS,
    ) -> None:
        """`share`: of latencies, the quantile that is looked at."""
        self._cases = cases
        self._caller = caller
        self._ticks = ticks
        self._share = share
        self._room = asyncio.Semaphore(connections)
        self._most = connections * _PILE
        self._idle: list[Caller] = []
        #: Answers that were found to be good: comparing them again would slow the client down.
        self._good: set[tuple[str, int, str, bytes]] = set()

    async def step(self, rate: float, seconds: float, warm_up: float) -> Finding:
        """Send at this rate for the warm-up and then for `seconds`; tell about the latter."""
        sent = _Sent(warm_up=warm_up, end=warm_up + seconds)
        under_way: set[asyncio.Task[None]] = set()
        began = self._ticks.now()
        number = 0
        try:
            while (due := number / rate) < sent.end:
                await self._ticks.sleep_until(began + due)
                if len(under_way) >= self._most:
                    sent.ended = f"{len(under_way)} requests waited for their answers"
                    break
                if due >= warm_up:
                    sent.lags.append(self._ticks.now() - began - due)
                case = self._cases[number % len(self._cases)]
                task = asyncio.create_task(self._send(case, began, due, sent))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                number += 1
            if not sent.ended:
                await self._gather(under_way, began + sent.end + seconds)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        for fault in sent.faults:
            raise fault
        return sent.finding(rate, self._share)

    async def close(self) -> None:
        """Let go of all connections."""
        for each in self._idle:
            await each.close()
        self._idle = []

    async def _gather(self, under_way: set[asyncio.Task[None]], until: float) -> None:
        """Wait for the answers that are still to come, but no longer than the step took itself."""
        if not under_way:
            return
        alarm = asyncio.create_task(self._ticks.sleep_until(until))
        rest = asyncio.create_task(_all(under_way))
        try:
            await asyncio.wait({alarm, rest}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            rest.cancel()
            await asyncio.gather(alarm, rest, return_exceptions=True)

    async def _send(self, case: Case, began: float, due: float, sent: _Sent) -> None:
        async with self._room:
            caller = self._idle.pop() if self._idle else self._caller()
            try:
                reply = await caller.call(case.body, case.content_type)
                seconds = self._ticks.now() - began - due
                shot = self._judged(case, reply, due, seconds)
            except Exception as error:  # noqa: BLE001  a bug of ours, raised when the step is over
                sent.faults.append(error)
            else:
                sent.take(shot)
            finally:
                self._idle.append(caller)

    def _judged(self, case: Case, reply: Reply, due: float, seconds: float) -> Shot:
        """Judge the answer, unless the same one was found to be good before."""
        key = (case.id, reply.status, reply.content_type, reply.body)
        if key in self._good:
            return Shot(
                case=case.id,
                client=0,
                at=due,
                seconds=seconds,
                outcome=Outcome.OK,
                status=reply.status,
            )
        shot = judged(case, reply, client=0, at=due, seconds=seconds)
        if shot.ok and len(self._good) < _REMEMBERED:
            self._good.add(key)
        return shot


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class _Sent:
    """What is known of a step while it goes on."""

    def __init__(self, *, warm_up: float, end: float) -> None:
        self.end = end
        self.ended = ""
        self.lags: list[float] = []
        self.faults: list[Exception] = []
        self._warm_up = warm_up
        self._times: list[float] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._answered = 0
        self._trouble = ""

    def take(self, shot: Shot) -> None:
        """Count a call, unless it was sent to warm up."""
        if shot.at < self._warm_up:
            return
        self._outcomes[shot.outcome] += 1
        if shot.status:
            self._answered += 1
            self._times.append(shot.seconds)
        if not shot.ok and not self._trouble:
            self._trouble = _trouble(shot)

    def finding(self, rate: float, share: float) -> Finding:
        """Return what was found; what has no answer by now is an error."""
        times = sorted(round(each * 1000, 3) for each in self._times)
        sent = len(self.lags)
        missing = sent - self._outcomes.total()
        trouble = self._trouble
        if missing and not trouble:
            trouble = f"{missing} requests had no answer yet when the step was over"

        def told(wanted: float) -> float | None:
            return quantile(times, wanted) if times else None

        return Finding(
            rate=rate,
            sent=sent,
            answered=self._answered,
            errors=sent - self._outcomes[Outcome.OK],
            p50=told(0.5),
            p90=told(0.9),
            p95=told(0.95),
            p99=told(0.99),
            latency=told(share),
            lag=round(quantile(sorted(self.lags), 0.99) * 1000, 3) if self.lags else 0.0,
            ended=self.ended,
            trouble=trouble,
        )


def _trouble(shot: Shot) -> str:
    if shot.outcome is Outcome.WRONG:
        return f"case {shot.case}: expected {shot.expected}, got {shot.got}"
    return f"case {shot.case}: {shot.got}"
