"""The control process: management API, sweep loop, worker keeper, snapshots.

It holds nothing that the state folder does not hold. Killed, it comes back, adopts the workers
that run and goes on; meanwhile gateways serve by their last snapshot. It ends in order on
SIGTERM, and when its supervisor is gone and no other takes over within a grace time: then
nobody would bring it back, and a meter that nobody watches must not leave endpoints running.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import uvicorn

from parkade.apps import hangups, wiring
from parkade.apps.api.app import create_app
from parkade.apps.api.broadcast import Broadcast
from parkade.apps.assembly import Services, Signals
from parkade.apps.control.alarms import AlarmLoop
from parkade.apps.control.link import LinkServer
from parkade.apps.control.publisher import Publisher
from parkade.apps.control.sweeper import Sweeper
from parkade.apps.control.traffic import TrafficView
from parkade.apps.leaseclock import usage_seconds
from parkade.apps.storage import uploads
from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.event import GATEWAY, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from parkade.apps import link
    from parkade.apps.control.monitor.collector import Report
    from parkade.apps.settings import Settings
    from parkade.services.sweep import SweepReport

logger = logging.getLogger(__name__)

#: Seconds in which a new supervisor may take over the workers of one that was killed.
TAKEOVER_SECONDS = 10.0
#: Seconds of real time between the tidying of finished executions and asynchronous requests.
TIDY_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inheritance:
    """What the supervisor hands to the control process: file descriptors."""

    control: int
    link: int
    lifeline: int


class ControlProcess:
    """Starts the parts in their order, runs until told to stop, stops them in reverse."""

    def __init__(self, settings: Settings, inheritance: Inheritance) -> None:
        self._settings = settings
        self._inheritance = inheritance
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._failure: BaseException | None = None
        self._traffic = TrafficView(time.monotonic)
        self._broadcast = Broadcast()
        self._services = wiring.build(
            settings,
            traffic=self._traffic,
            broadcast=self._broadcast,
            signals=Signals(
                changed=self._changed,
                released=self._released,
                ready=self._ready,
                spawn=self._spawn,
                inside=lambda: self._publisher.inside,
                say=self._say,
            ),
        )
        self._link = LinkServer(
            socket.socket(fileno=inheritance.link),
            on_usage=self._used,
            on_gone=self._gone,
            on_report=self._reported,
            on_joined=self._services.monitor.collector.joined,
            on_event=self._happened,
            on_wanted=self._wanted,
            targets=self._services.many.desk,
        )
        self._publisher = Publisher(self._services, self._link, usage_seconds(settings.time_scale))
        self._sweeper = Sweeper(
            self._services.sweep,
            self._services.clock,
            acted=self._show,
            measured=self._swept,
        )

    async def run(self) -> None:
        """Serve until SIGTERM, or until the supervisor is gone."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        hangups.heed(loop, self._reload)
        loop.add_reader(self._inheritance.lifeline, self._orphaned)
        monitor = self._services.monitor.collector
        await monitor.begin()
        await self._link.start()
        host = self._services.host
        await host.start()
        try:
            await self._services.many.begin()
            # Not before the host knows what runs; callers wait in the backlog until then.
            api = _serve_api(self._services, self._inheritance.control, self._spawn)
            self._publisher.changed()
            monitor.serving()
            self._spawn(self._sweeper.run())
            self._spawn(self._tidy())
            self._spawn(self._services.backlog.run())
            self._spawn(self._services.many.run())
            self._spawn(monitor.run())
            self._spawn(self._services.monitor.tidier.run())
            alarms = AlarmLoop(self._services.alarms, host, self._services.clock)
            monitor.on_stored(alarms.stored)
            self._spawn(alarms.run())
            self._spawn(self._services.scaling.loop.run())
            self._spawn(self._services.testing.rounds.run())
            self._spawn(self._services.money.spending.run())
            self._services.outbox.outbox.start()
            self._services.deploying.deployer.start()
            self._services.projecting.projects.start()
            self._resume_executions()
            await self._until_stopped()
        except BaseException:
            # Whatever went wrong here, the workers are to be adopted by a successor.
            await host.abandon()
            raise
        await self._end(api)

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        if self._failure is not None:
            raise self._failure

    async def _end(self, api: uvicorn.Server) -> None:
        api.should_exit = True
        # At once: what is not delivered yet is after the next start.
        await asyncio.to_thread(self._services.outbox.outbox.close)
        for task in self._tasks:
            task.cancel()
        await self._services.money.spending.close()
        await self._services.many.close()
        await self._services.host.close()
        await self._link.close()
        await self._services.monitor.collector.close()
        await asyncio.to_thread(self._services.close)

    def _changed(self) -> None:
        self._sweeper.nudge()
        self._services.backlog.nudge()
        self._services.deploying.deployer.nudge()
        self._services.projecting.projects.nudge()
        self._show()

    def _show(self) -> None:
        self._services.many.settle()
        self._services.monitor.collector.changed()
        self._services.scaling.loop.changed()
        self._publisher.changed()
        self._broadcast.notify()

    def _swept(self, seconds: float, report: SweepReport | None) -> None:
        self._services.monitor.totals.swept(seconds, report)
        self._publisher.time_passed()

    def _used(self, gateway: str, usage: link.UsageReport) -> None:
        self._traffic.report(gateway, usage)
        self._services.monitor.totals.report(usage)
        self._services.scaling.used(usage)

    def _reported(self, report: Report) -> None:
        self._services.monitor.collector.report(report)
        self._services.monitor.totals.called(report.calls)

    def _gone(self, gateway: str) -> None:
        self._traffic.forget(gateway)
        self._services.monitor.collector.gone(gateway)

    def _happened(self, happening: link.Happening) -> None:
        """Write down what a gateway tells."""
        event = Event(
            at=self._services.clock.now(),
            kind=happening.kind,
            actor=GATEWAY,
            reason=happening.reason,
            endpoint_name=happening.endpoint,
            data=happening.data,
        )
        self._services.history.append(event)
        self._broadcast.notify()

    def _wanted(self, endpoint_name: str) -> None:
        """Ask for what is asleep, for a caller of it; gateways ask again until it is on its way."""
        try:
            self._services.waking.asks.ask(endpoint_name, "a request came")
        except ParkadeError as error:
            logger.warning("%s cannot be asked for: %s", endpoint_name, error.message)

    def _say(self, gateway: str, message: dict[str, Any]) -> None:
        self._link.send(gateway, message)

    async def _released(self) -> None:
        await self._publisher.settled()

    def _ready(self) -> str:
        return "" if self._link.connected else "no gateway is connected"

    def _spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a background task failed", exc_info=error)
            # The process ends, and the supervisor brings back a whole one.
            self._failure = error
            self._stop.set()

    async def _tidy(self) -> None:
        while True:
            kept = timedelta(hours=self._services.file().limits.execution_hours)
            try:
                self._services.executions.forget(kept)
                self._services.backlog.forget(kept)
                self._services.undo.forget()
                self._services.scaling.autoscaler.forget()
            except ParkadeError as error:
                # It costs room, no data, and is due again the next time.
                logger.warning("what is too old is not forgotten: %s", error.message)
            now = self._services.wall.now()
            await asyncio.to_thread(uploads.tidy, self._services.parts, now)
            await asyncio.sleep(TIDY_SECONDS)

    def _resume_executions(self) -> None:
        for execution in self._services.executions.unfinished():
            self._spawn(self._services.executions.run(execution.arn))

    def _reload(self) -> None:
        try:
            changed = self._services.reload()
        except InvalidInput as error:
            logger.error("settings not taken up: %s", error.message)  # noqa: TRY400  no bug of ours
        else:
            logger.info("settings taken up", extra={"changed": changed})

    def _orphaned(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._inheritance.lifeline)
        logger.warning("the supervisor is gone; stopping in %s s", TAKEOVER_SECONDS)
        loop.call_later(TAKEOVER_SECONDS, self._stop.set)


class _Server(uvicorn.Server):
    """Leaves signals to the process it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _serve_api(
    services: Services,
    descriptor: int,
    spawn: Callable[[Coroutine[object, object, object]], None],
) -> uvicorn.Server:
    """Serve the management API on the inherited socket."""
    config = uvicorn.Config(
        create_app(services),
        log_config=None,
        access_log=False,
        lifespan="off",
        # Event streams end with the process, not the other way round.
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    spawn(server.serve([socket.socket(fileno=descriptor)]))
    return server


def hold(settings: Settings) -> int:
    """Lock the state folder for this control process, waiting for a predecessor to go."""
    descriptor = os.open(settings.paths.state / "control.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
