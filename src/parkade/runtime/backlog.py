"""The backlog of asynchronous endpoints: what was accepted is answered once, or reported failed.

A request is stored before it is accepted, and stays stored until its topic was told how it ended.
What a crash left running begins again, unless its answer is already there: an answer appears
whole, under a name of its own, before the request counts as completed. So a model may see a
request twice, and its caller one outcome.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from parkade.domain import names
from parkade.domain.errors import ObjectNotFound, ParkadeError
from parkade.domain.event import HOST, Event
from parkade.ports.backlog import RequestStatus
from parkade.runtime.courier import Declined, WorkerGone
from parkade.runtime.results import INCLUDED_LIMIT, notification
from parkade.runtime.trips import Ended, Nobody, Trip
from parkade.runtime.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from datetime import timedelta

    from parkade.ports.backlog import AsyncRequest, BacklogStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.objects import Objects
    from parkade.ports.topics import Topics
    from parkade.runtime.courier import Courier
    from parkade.runtime.trips import Observer
    from parkade.runtime.views import FleetView, InstanceView

_logger = logging.getLogger(__name__)

#: Requests at a time for one instance where the config names no number; AWS chooses one, too.
CONCURRENCY = 4
#: How often a request is begun before it counts as failed: it may be what ends its workers.
ATTEMPTS = 3
#: Seconds before it is begun again.
PAUSE = 0.2
#: Seconds between two attempts to store what must be stored.
_AGAIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogView:
    """How much of an endpoint's backlog waits and runs; the age is of the oldest that waits."""

    waiting: int
    running: int
    oldest: timedelta | None


class Backlog:
    """Accepts requests, carries them out, tells how they ended."""

    def __init__(
        self,
        store: BacklogStore,
        objects: Objects,
        topics: Topics,
        history: History,
        clock: Clock,
        courier: Courier,
        *,
        fleets: Callable[[], Mapping[str, FleetView]],
        region: Callable[[], str],
        observer: Callable[[], Observer] = Nobody,
        wanted: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Take what it works with; `fleets` are where invocations can be sent now.

        The `observer` hears how requests end. An endpoint that requests wait for and that has no
        instance is `wanted`, time and again.
        """
        self._store = store
        self._objects = objects
        self._topics = topics
        self._history = history
        self._clock = clock
        self._courier = courier
        self._fleets = fleets
        self._region = region
        self._observer = observer
        self._wanted = wanted
        #: The present or last attempt of each request that is carried out.
        self._trips: dict[str, Trip] = {}
        self._waiting: dict[str, deque[AsyncRequest]] = defaultdict(deque)
        self._busy: dict[str, int] = defaultdict(int)
        self._turns = Turns()
        self._running: dict[str, AsyncRequest] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        #: Whether what is stored is known.
        self._taken_up = False

    def add(self, request: AsyncRequest, body: bytes) -> None:
        """Accept a request: from now on it ends in one way or another."""
        self._store.add(request, body)
        self._waiting[request.endpoint_name].append(request)
        self.nudge()

    def nudge(self) -> None:
        """Look again soon: workers came or went."""
        self._wake.set()

    def view(self, endpoint_name: str) -> BacklogView:
        """Return how much there is for the endpoint."""
        waiting = self._waiting.get(endpoint_name, ())
        running = [r for r in self._running.values() if r.endpoint_name == endpoint_name]
        oldest = min((each.received_at for each in waiting), default=None)
        return BacklogView(
            waiting=len(waiting),
            running=len(running),
            oldest=None if oldest is None else self._clock.now() - oldest,
        )

    def size(self, endpoint_name: str) -> int | None:
        """Return how many wait or run; None: that is not known yet."""
        view = self.view(endpoint_name)
        return view.waiting + view.running if self._taken_up else None

    async def run(self) -> None:
        """Carry out what there is, and what comes, until cancelled; what runs then goes back."""
        await self._take_up()
        try:
            while True:
                self._wake.clear()
                self._expire()
                self._dispatch()
                await self._pause()
        finally:
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    def forget(self, older_than: timedelta) -> None:
        """Delete what ended, and was told, longer ago than that."""
        self._store.forget(self._clock.now() - older_than)

    async def _take_up(self) -> None:
        """Go on from what is stored."""
        accepted = {each.id for queue in self._waiting.values() for each in queue}
        for request in self._store.open():
            if request.id in accepted:
                continue
            if request.status in {RequestStatus.COMPLETED, RequestStatus.FAILED}:
                self._spawn(self._tell(request))
            elif request.status is RequestStatus.RUNNING and self._there(request.output_location):
                await self._end(request, RequestStatus.COMPLETED)
            elif request.status is RequestStatus.RUNNING and request.attempts >= ATTEMPTS:
                await self._fail(request, f"It was begun {ATTEMPTS} times and never ended.")
            else:
                self._waiting[request.endpoint_name].append(request)
        self._taken_up = True

    def _there(self, location: str) -> bool:
        try:
            self._objects.stat(*names.s3_address(location))
        except ObjectNotFound:
            return False
        return True

    def _expire(self) -> None:
        now = self._clock.now()
        for queue in self._waiting.values():
            for request in [each for each in queue if each.expires_at <= now]:
                queue.remove(request)
                why = "The request waited longer than its RequestTTLSeconds."
                self._spawn(self._fail(request, why, expired=True))

    async def _pause(self) -> None:
        """Return when something came or went, or has waited too long."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        ends = [each.expires_at for queue in self._waiting.values() for each in queue]
        if ends:
            waits.append(asyncio.create_task(self._clock.sleep_until(min(ends))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _dispatch(self) -> None:
        fleets = self._fleets()
        for endpoint_name in [name for name, queue in self._waiting.items() if queue]:
            queue, fleet = self._waiting[endpoint_name], fleets.get(endpoint_name)
            if fleet is None or not any(variant.instances for variant in fleet.variants):
                self._want(endpoint_name)
            while queue and fleet is not None and (place := self._free(endpoint_name, fleet)):
                request = queue[0]
                begun = replace(
                    request, status=RequestStatus.RUNNING, attempts=request.attempts + 1
                )
                try:
                    self._store.put(begun)
                except ParkadeError:
                    # Without a record it could be begun for ever; the next look tries again.
                    _logger.exception("asynchronous request %s cannot be begun", request.id)
                    self._nudge_later()
                    return
                queue.popleft()
                self._begin(begun, place)

    def _want(self, endpoint_name: str) -> None:
        """Ask for instances: the endpoint may be asleep."""
        try:
            self._wanted(endpoint_name)
        except ParkadeError:
            _logger.exception("%s cannot be asked for", endpoint_name)
            self._nudge_later()

    def _nudge_later(self) -> None:
        """Look again in a while, should nothing come or go until then."""
        asyncio.get_running_loop().call_later(_AGAIN, self.nudge)

    def _free(self, endpoint_name: str, fleet: FleetView) -> InstanceView | None:
        """Return the least busy instance with room, of the variant whose turn it is."""
        rules = fleet.asynchronous
        limit = (rules.concurrency if rules is not None else None) or CONCURRENCY
        instances = self._turns.take(endpoint_name, fleet, lambda each: self._busy[each.id] < limit)
        return min(instances, key=lambda each: self._busy[each.id], default=None)

    def _begin(self, request: AsyncRequest, place: InstanceView) -> None:
        self._running[request.id] = request
        waited = self._clock.now() - request.received_at
        self._trips[request.id] = Trip(variant_name=place.variant_name, waited=waited)
        self._busy[place.id] += 1
        self._spawn(self._carry_out(request, place))

    async def _carry_out(self, request: AsyncRequest, place: InstanceView) -> None:
        try:
            await self._try(request, place)
        except asyncio.CancelledError:
            # An orderly end is no attempt.
            self._store.put(
                replace(request, status=RequestStatus.PENDING, attempts=request.attempts - 1)
            )
            raise
        finally:
            self._running.pop(request.id, None)
            self._busy[place.id] -= 1
            if not self._busy[place.id]:
                del self._busy[place.id]
            self.nudge()

    async def _try(self, request: AsyncRequest, place: InstanceView) -> None:
        try:
            body = b"" if request.input_location else self._store.body(request.id)
            async with asyncio.timeout(request.timeout):
                trip = self._trips[request.id]
                kind = await self._courier.deliver(request, body, place.addresses, trip)
        except TimeoutError:
            why = f"The model did not answer within {request.timeout} seconds."
            await self._fail(request, why)
        except WorkerGone as error:
            await self._again(request, str(error))
        except Declined as error:
            await self._fail(request, str(error))
        except ParkadeError as error:
            await self._fail(request, f"{error.message}. {error.hint}".rstrip(" ."))
        except Exception as error:
            _logger.exception("asynchronous request %s", request.id)
            await self._fail(request, f"{type(error).__name__}: {error}")
        else:
            await self._end(replace(request, answer_type=kind), RequestStatus.COMPLETED)

    async def _again(self, request: AsyncRequest, why: str) -> None:
        if request.attempts >= ATTEMPTS:
            times = f"{ATTEMPTS} times in a row"
            await self._fail(request, f"The container went away with it {times}: {why}")
            return
        _logger.warning("asynchronous request %s is begun again: %s", request.id, why)
        await asyncio.sleep(PAUSE)
        waiting = replace(request, status=RequestStatus.PENDING)
        await self._put(waiting)
        self._waiting[request.endpoint_name].appendleft(waiting)

    async def _fail(self, request: AsyncRequest, why: str, *, expired: bool = False) -> None:
        if request.failure_location:
            try:
                await asyncio.to_thread(self._put_failure, request, why)
            except ParkadeError as error:
                # The failure itself still has to be recorded and told.
                _logger.exception("failure of asynchronous request %s", request.id)
                why = f"{why} (and its failure object could not be written: {error.message})"
        await self._end(replace(request, failure=why), RequestStatus.FAILED, expired=expired)

    def _put_failure(self, request: AsyncRequest, why: str) -> None:
        bucket, key = names.s3_address(request.failure_location)
        headers = {"content-type": "text/plain; charset=utf-8"}
        with self._objects.writer(bucket, key, headers) as output:
            output.write(why.encode())
            output.commit()

    async def _end(
        self, request: AsyncRequest, status: RequestStatus, *, expired: bool = False
    ) -> None:
        ended = replace(request, status=status, finished_at=self._clock.now())
        await self._put(ended)
        trip = self._trips.pop(request.id, None)
        self._observer().ended(
            Ended(
                endpoint_name=request.endpoint_name,
                completed=status is RequestStatus.COMPLETED,
                expired=expired,
                took=self._clock.now() - request.received_at,
                trip=trip,
            )
        )
        self._spawn(self._tell(ended, trip.variant_name if trip is not None else ""))

    async def _tell(self, request: AsyncRequest, variant_name: str = "") -> None:
        """Tell the topic, if there is one; a topic that cannot be told is told of as an event."""
        failed = request.status is RequestStatus.FAILED
        topic = request.error_topic if failed else request.success_topic
        if topic:
            await self._publish(request, topic, variant_name)
        await self._put(replace(request, told=True))

    async def _put(self, request: AsyncRequest) -> None:
        """Store it, whatever it takes: what is not stored did not happen."""
        while True:
            try:
                self._store.put(request)
            except ParkadeError:
                _logger.exception("asynchronous request %s is %s", request.id, request.status)
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def _publish(self, request: AsyncRequest, topic: str, variant_name: str) -> None:
        try:
            answer = await asyncio.to_thread(self._included, request)
            message = notification(request, self._region(), answer)
            await asyncio.to_thread(self._topics.publish, topic, message)
        except ParkadeError as error:
            _logger.warning("asynchronous request %s: %s", request.id, error.message)
            self._observer().untold(request.endpoint_name, variant_name)
            self._history.append(
                Event(
                    at=self._clock.now(),
                    kind="async.untold",
                    actor=HOST,
                    reason=error.message,
                    endpoint_name=request.endpoint_name,
                    data={"inference_id": request.inference_id, "topic": topic},
                )
            )

    def _included(self, request: AsyncRequest) -> bytes | None:
        """Return what is to come along with the notification."""
        failed = request.status is RequestStatus.FAILED
        wanted = "ERROR_NOTIFICATION_TOPIC" if failed else "SUCCESS_NOTIFICATION_TOPIC"
        if wanted not in request.include_response_in:
            return None
        if failed:
            return request.failure.encode()[:INCLUDED_LIMIT]
        info, file = self._objects.fetch(*names.s3_address(request.output_location))
        with file:
            return file.read() if info.size <= INCLUDED_LIMIT else None

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _logger.error("a task of the backlog failed", exc_info=error)
