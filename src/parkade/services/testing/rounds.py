"""The runs of testers that the server keeps: by their schedules, and when somebody asks.

    due  ->  seen to is stored  ->  does the endpoint run, and is it used?  ->  its turn  ->  the run
                                     no: recorded as skipped, with the reason     ->  record, series, event

What is due is marked as seen to before it is begun, so that nothing is done twice, and what a
crash cut short, or nobody was there to begin, is not made up for. A tester has one run at a time.

A tester is no user. One that runs by a schedule never wakes an endpoint that is asleep or over; and
where something follows from idleness (sleep, the maintainer, extension by use), it rests until
somebody else has used the endpoint since the last test: it shall not keep it from being idle.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from parkade.domain import cases, names, ownrequests
from parkade.domain.errors import InUse, InvalidInput, ParkadeError, RouteNotFound, TesterNotFound
from parkade.domain.event import TESTER, Event
from parkade.domain.tester import order as orders
from parkade.domain.tester.tester import LATE, Run, Verdict
from parkade.ports.runners import Job
from parkade.services.contention import contended
from parkade.services.testing.measuring import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from datetime import datetime

    from parkade.domain.tester.order import Order
    from parkade.domain.tester.tester import Tester
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
    from parkade.ports.objects import Objects
    from parkade.ports.runners import Done, Runner
    from parkade.ports.testers import TesterStore

logger = logging.getLogger(__name__)

#: The longest that the loop waits before it looks again, on the clock of leases.
_LONGEST_PAUSE = timedelta(hours=1)
#: Seconds of real time between two looks, whatever has changed.
_SHORTEST_PAUSE = 0.2
#: Use is told of some seconds after it was: what is seen within them after a test was that test's.
_TOLD_WITHIN = timedelta(seconds=5)
#: Bytes of a file of cases.
_CASES_LIMIT = 16 * 1024**2
#: Who asks where nobody does.
BY_SCHEDULE = "schedule"
_VARIANT = "X-Amzn-SageMaker-Target-Variant"
_INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
_KINDS = {
    Verdict.PASSED: "tester.ran",
    Verdict.FAILED: "tester.failed",
    Verdict.BROKEN: "tester.failed",
    Verdict.SKIPPED: "tester.skipped",
}


class Sight(Protocol):
    """What is known of endpoints."""

    def leads_to(self, route: str) -> str:
        """Return the endpoint that a route invokes; empty: there is no such route."""
        ...

    def absent(self, endpoint_name: str) -> str:
        """Return why the endpoint does not serve, for people; empty: it does."""
        ...

    def heeded(self, endpoint_name: str) -> str:
        """Return what follows where nobody uses the endpoint; empty: nothing does."""
        ...

    def used_at(self, endpoint_name: str) -> datetime | None:
        """Return when it was last used, by whomever; None: that is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What runs need."""

    store: TesterStore
    runner: Runner
    sight: Sight
    objects: Objects
    metrics: MetricStore
    history: History
    clock: Clock
    #: Seconds of `clock` in one of real time.
    scale: float
    #: How many runs there may be at a time.
    room: Callable[[], int]
    spawn: Callable[[Coroutine[object, object, object]], None]
    changed: Callable[[], None]


class Rounds:
    """Owns all runs of testers. It lives on one loop."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._due = asyncio.Event()
        self._turns = asyncio.Condition()
        self._running = 0
        #: When the runs under way, or those that wait for their turn, were begun.
        self.under_way: dict[str, datetime] = {}

    def nudge(self) -> None:
        """Look again: a tester has changed."""
        self._due.set()

    async def run(self) -> None:
        """Begin what is due, for ever."""
        while True:
            self._due.clear()
            try:
                self.look()
            except ParkadeError as error:
                # The next look reads it again.
                logger.warning("no tester could be begun: %s", error.message)
            await asyncio.sleep(_SHORTEST_PAUSE)
            await self._pause()

    def look(self) -> None:
        """Begin what is due now, and see to what is too late."""
        now = self._means.clock.now()
        for tester, order in self._readable():
            due = tester.due(order, now)
            if due is None:
                continue
            try:
                self._means.store.put(tester.seen(now))
            except ParkadeError as error:
                logger.warning("tester %s is not begun: %s", tester.name, error.message)
                continue
            if now - due <= LATE * max(1.0, self._means.scale):
                self._begin_due(tester, order)

    def start(self, name: str, *, by: str) -> None:
        """Begin a run because somebody asks for it.

        It asks whatever the endpoint does; one that is asleep is woken by the first call. Raises
        TesterNotFound, Unreadable, InvalidInput, and InUse while it runs already.
        """
        tester = self._means.store.get(name)
        order = orders.read(tester.content)
        if name in self.under_way:
            raise InUse(
                f"tester {name!r} runs already", hint="wait until it is over: parkade tester show"
            )
        self._begin(tester, order, by)

    def _begin_due(self, tester: Tester, order: Order) -> None:
        reason = self._why_not(tester, order)
        if reason:
            now = self._means.clock.now()
            run = Run(
                began_at=now,
                ended_at=now,
                verdict=Verdict.SKIPPED,
                reason=reason,
                by=BY_SCHEDULE,
            )
            self._record(tester.name, run, self._endpoint(order))
        else:
            self._begin(tester, order, BY_SCHEDULE)

    def _begin(self, tester: Tester, order: Order, by: str) -> None:
        self.under_way[tester.name] = self._means.clock.now()
        self._means.spawn(self._carry_out(tester.name, order, by))
        self._means.changed()

    def _why_not(self, tester: Tester, order: Order) -> str:
        """Return why a run that is due is not begun; empty: it is."""
        if tester.name in self.under_way:
            return "its last run is still under way"
        endpoint = self._endpoint(order)
        if not endpoint:
            return ""  # it is to be told as a failure that there is no such route
        try:
            absent = self._means.sight.absent(endpoint)
            return f"{endpoint} does not serve: {absent}" if absent else self._why_rest(endpoint)
        except ParkadeError as error:
            return f"it is not known whether {endpoint} serves, or is used: {error.message}"

    def _why_rest(self, endpoint: str) -> str:
        heeded = self._means.sight.heeded(endpoint)
        if not heeded:
            return ""
        last = max(
            (
                each.last.ended_at
                for each, order in self._readable()
                if each.last is not None and self._endpoint(order) == endpoint
            ),
            default=None,
        )
        if last is None:
            return ""
        used_at = self._means.sight.used_at(endpoint)
        if used_at is not None and used_at > last + _TOLD_WITHIN * self._means.scale:
            return ""
        return f"nobody else has used {endpoint} since it was last tested, and {heeded}"

    async def _carry_out(self, name: str, order: Order, by: str) -> None:
        means = self._means
        try:
            async with self._turns:
                await self._turns.wait_for(lambda: self._running < means.room())
                self._running += 1
            try:
                began = means.clock.now()
                run, done = await self._ask(name, order, began, by)
            finally:
                async with self._turns:
                    self._running -= 1
                    self._turns.notify_all()
            if done is not None:
                await self._measure(name, order, done)
            # Whoever sees that it is over is to see what came of it.
            self._record(name, run, self._endpoint(order))
        finally:
            self.under_way.pop(name, None)
        means.changed()

    async def _ask(
        self, name: str, order: Order, began: datetime, by: str
    ) -> tuple[Run, Done | None]:
        """Carry the run out; what came of it, or why nothing did, is the run's."""
        clock = self._means.clock
        try:
            if not self._endpoint(order):
                raise RouteNotFound(f"there is no route {order.route}")
            done = await self._means.runner.run(await self._job(name, order, by))
        except ParkadeError as error:
            verdict, reason, report, found = Verdict.BROKEN, error.message, {}, None
        else:
            verdict = Verdict.PASSED if done.passed else Verdict.FAILED
            reason, report, found = done.summary, dict(done.report), done
        run = Run(
            began_at=began,
            ended_at=clock.now(),
            verdict=verdict,
            reason=reason,
            by=by,
            report=report,
        )
        return run, found

    async def _job(self, name: str, order: Order, by: str) -> Job:
        # Who asks by hand has time; a schedule neither wakes nor waits.
        wait = 0 if by == BY_SCHEDULE else int(order.course.timeout)
        headers = {
            "Prefer": f"wait={wait}",
            _INFERENCE_ID: ownrequests.inference_id(ownrequests.TEST, name),
        }
        if order.variant:
            headers[_VARIANT] = order.variant
        text = order.cases or await asyncio.to_thread(self._fetched, order.cases_url)
        return Job(path=order.path, headers=headers, cases=text, course=order.course)

    def _fetched(self, address: str) -> str:
        """Read the file of cases. Raises ObjectNotFound, InvalidInput."""
        bucket, key = names.s3_address(address, field="cases")
        with self._means.objects.open(bucket, key) as file:
            text = file.read(_CASES_LIMIT + 1)
        if len(text) > _CASES_LIMIT:
            raise InvalidInput(f"{address} has more than {_CASES_LIMIT} bytes", field="cases")
        told = text.decode(errors="replace")
        cases.read(told, name=address)
        return told

    async def _measure(self, name: str, order: Order, done: Done) -> None:
        found = samples(done.measures, order.labels, self._means.clock.now(), self._means.scale)
        try:
            await asyncio.to_thread(self._means.metrics.add, found)
        except ParkadeError as error:
            # The record has the result all the same.
            logger.warning("what tester %s measured is not stored: %s", name, error.message)

    def _record(self, name: str, run: Run, endpoint: str) -> None:
        try:
            self._put(name, run, endpoint)
        except TesterNotFound:
            logger.info("tester %s was removed while it ran", name)
        except ParkadeError as error:
            logger.warning("what tester %s found is not recorded: %s", name, error.message)

    @contended
    def _put(self, name: str, run: Run, endpoint: str) -> None:
        tester = self._means.store.get(name)
        # A lasting reason to skip is told once.
        again = (
            run.verdict is Verdict.SKIPPED
            and tester.skipped is not None
            and tester.skipped.reason == run.reason
        )
        event = None if again else self._event(name, run, endpoint)
        self._means.store.put(tester.ran(run), event)

    def _event(self, name: str, run: Run, endpoint: str) -> Event:
        return Event(
            at=run.ended_at,
            kind=_KINDS[run.verdict],
            actor=TESTER if run.by == BY_SCHEDULE else run.by,
            reason=f"tester {name}: {run.reason}",
            endpoint_name=endpoint,
            data={"tester": name, "verdict": str(run.verdict), "total": run.report.get("total")},
        )

    def _endpoint(self, order: Order) -> str:
        return order.endpoint_name or self._means.sight.leads_to(order.route)

    def _readable(self) -> Iterator[tuple[Tester, Order]]:
        for each in self._means.store.all().records:
            try:
                yield each, orders.read(each.content)
            except ParkadeError as error:
                logger.warning("tester %s cannot be read: %s", each.name, error.message)

    async def _pause(self) -> None:
        """Wait until something is due, or has changed."""
        clock = self._means.clock
        now = clock.now()
        try:
            times = [tester.next_after(order, now) for tester, order in self._readable()]
        except ParkadeError as error:
            logger.warning("testers cannot be read: %s", error.message)
            times = []
        latest = min([now + _LONGEST_PAUSE, *(each for each in times if each is not None)])
        waits = [
            asyncio.create_task(clock.sleep_until(latest)),
            asyncio.create_task(self._due.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
