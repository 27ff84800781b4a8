"""A place for one worker: there is always one in it, whatever happens.

The place keeps its id, its log and its working folder while workers come and go. It is recorded
before its first worker is forked and forgotten when the last one is gone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.domain.event import HOST
from parkade.domain.spans import duration
from parkade.runtime import addresses, furnishing, leftovers, logs, pings, workers
from parkade.runtime.lines import Line
from parkade.runtime.removal import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from parkade.domain.event import Json
    from parkade.ports.catalog import RecordedInstance
    from parkade.runtime.furnishing import Furnished
    from parkade.runtime.premises import Premises
    from parkade.runtime.preparation import Preparation
    from parkade.runtime.workers import Worker

_logger = logging.getLogger(__name__)


class InstanceState(StrEnum):
    """What a worker is doing, or the workers of an instance."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recorded worker that was found running."""

    record: RecordedInstance
    worker: Worker
    #: Empty where its environment does not tell.
    model_dir: str
    address: str
    health: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a worker's life, or the attempt to start one, ended."""

    reason: str
    #: Whether starting it again at once is unlikely to help.
    decisive: bool = False
    kind: str = "worker.died"


class Place:
    """Keeps one worker running; `well` and `failed` are told of each change of its luck."""

    def __init__(
        self,
        record: RecordedInstance,
        premises: Premises,
        preparation: Preparation,
        *,
        startup: timedelta | None = None,
        silence: timedelta | None = None,
        well: Callable[[], None],
        failed: Callable[[Place, Failure], None],
    ) -> None:
        """Take what it works with.

        `startup` limits how long a worker's first answer may take, `silence` any later one.
        """
        self.record = record
        self.state = InstanceState.STARTING
        self.restarts = 0
        #: Failures in a row, none of its workers having been well.
        self.failures = 0
        #: Whether any of its workers has been well.
        self.proven = False
        #: Where its present worker answers.
        self.address = str(furnishing.socket_of(record.id, premises))
        self._health = pings.PATH
        self._startup = startup
        self._silence = silence
        self._premises = premises
        self._preparation = preparation
        self._well = well
        self._failed = failed
        self._worker: Worker | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._hearing: asyncio.Task[None] | None = None
        #: Set once its present worker says that it listens, if it is one that does.
        self._listens: asyncio.Event | None = None
        #: Whether its present worker was a standby process.
        self._waited = False
        paths = premises.paths
        #: The variant's, or the component's whose copy it is.
        self.group_name = record.component_name or record.variant_name
        self.log = logs.path(paths.logs, record.endpoint_name, self.group_name, record.id)
        self._log_begins = 0
        #: On the loop's clock; None while its worker has not been well yet.
        self._well_at: float | None = None
        self._spawned_at = 0.0

    @property
    def pid(self) -> int | None:
        """The number of its process, while it has one."""
        worker = self._worker
        return worker.pid if worker and not worker.exited.done() else None

    def begin(self) -> None:
        """Start a worker."""
        self._keep_from(None, well=False)

    def adopt(self, found: Found, *, served: bool) -> None:
        """Go on with a worker that was found; `served` says that it was well when it was left."""
        self._take(found)
        # One that computes answers no ping; that it listens tells enough.
        well = served and addresses.listens(self.address)
        if well:
            self.state = InstanceState.RUNNING
        self._keep_from(found.worker, well=well)

    def hold(self, found: Found) -> None:
        """Take a worker that was found, only to stop it; requests may be sent to it still."""
        self.state = InstanceState.RUNNING
        self._take(found)

    def _take(self, found: Found) -> None:
        self._worker = found.worker
        self.address = found.address or self.address
        self._health = found.health or self._health
        self._premises.ports.note(self.record.id, self.address)

    def _keep_from(self, adopted: Worker | None, *, well: bool) -> None:
        self._keeper = asyncio.create_task(
            self._keep(adopted, well=well), name=f"keep {self.record.id}"
        )

    def retire(self) -> None:
        """Keep its worker running no longer; it goes on until `stop`."""
        self.state = InstanceState.STOPPING
        if self._keeper is not None:
            self._keeper.cancel()

    async def stop(self, grace: timedelta) -> None:
        """Retire it; return once its worker is gone. What that has forked may still be there."""
        self.retire()
        if self._keeper is not None:
            await asyncio.wait([self._keeper])
        if self._worker is not None:
            await self._worker.stop(grace)
        await self._hang_up()

    async def forget(self) -> None:
        """Remove what only it has used, and its record; its log stays."""
        furnishing.socket_of(self.record.id, self._premises).unlink(missing_ok=True)
        self._premises.ports.release(self.record.id)
        folder = furnishing.folder_of(self.record.id, self._premises)
        if folder.exists():
            await asyncio.to_thread(remove, folder)
        self._premises.store.remove_instance(self.record.id)

    async def abandon(self) -> None:
        """Look after it no longer and leave its worker running."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._hang_up()
        if self._worker is not None:
            self._worker.unwatch()

    async def _keep(self, adopted: Worker | None, *, well: bool) -> None:
        """Live one worker's life after the other, with pauses that grow while they are short."""
        pause = timedelta(0)
        while True:
            failure = await self._live(adopted, well=well)
            patience = self._premises.rules().patience
            if self._well_for() >= patience.steady:
                pause = timedelta(0)
            adopted, well, self._well_at = None, False, None
            self.failures += 1
            self.state = InstanceState.RESTARTING
            self._failed(self, failure)
            pause = min(max(pause * 2, patience.first_backoff), patience.longest_backoff)
            await asyncio.sleep(pause.total_seconds())
            self.restarts += 1

    async def _live(self, adopted: Worker | None, *, well: bool) -> Failure:
        """Go with one worker from its start to its end; return how it came to it."""
        try:
            worker = adopted or await self._spawn()
            failure = None if well else await self._start_up(worker)
            if failure is None:
                self._be_well(adopted=well)
                failure = await self._run(worker)
            self._tell(failure.kind, failure.reason, pid=worker.pid)
            await self._clear()
        except ParkadeError as error:
            reason = f"{error.message}; {error.hint}" if error.hint else error.message
            failure = Failure(reason=reason, decisive=True)
        except OSError as error:
            failure = Failure(reason=f"it cannot be started: {error}", decisive=True)
        except Exception as error:
            # A bug here must neither end the keeping of this worker nor go unheard.
            _logger.exception("worker %s", self.record.id)
            failure = Failure(reason=f"{type(error).__name__}: {error}", decisive=True)
        return failure

    async def _spawn(self) -> Worker:
        self._spawned_at = asyncio.get_running_loop().time()
        if self._worker is not None:
            await self._clear()
        launch = await self._preparation.launch(self.log)
        furnished = furnishing.furnish(self.record.id, launch, self._premises)
        self.address, self._health = furnished.address, launch.health
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        taken = await self._premises.standbys.take(furnished, self.log)
        self._waited = taken is not None
        self._worker, line = taken or self._fork(furnished)
        self._listens = asyncio.Event()
        if line is not None:
            self._hearing = asyncio.create_task(self._hear(line, furnished, self._listens))
        return self._worker

    def _fork(self, furnished: Furnished) -> tuple[Worker, Line | None]:
        line = Line() if furnished.talks else None
        said = ("--line", str(line.number)) if line else ()
        try:
            worker = workers.spawn(
                (*furnished.command, *furnished.arguments, *said),
                environment=furnished.environment,
                folder=furnished.folder,
                log=self.log,
                line=line,
            )
        except OSError:
            if line:
                line.close()
            raise
        return worker, line

    async def _hear(self, line: Line, furnished: Furnished, listens: asyncio.Event) -> None:
        """Hear from the worker that it listens, and what it imported."""
        try:
            if await line.hear() is not None:
                listens.set()
                self._premises.standbys.learn(furnished, await line.hear())
        finally:
            line.close()

    async def _hang_up(self) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait([self._hearing])
            self._hearing = None

    async def _start_up(self, worker: Worker) -> Failure | None:
        patience = self._premises.rules().patience
        limit = self._startup or patience.startup
        well = pings.until_well(
            self.address, self._health, limit=patience.ping, listens=self._listens
        )
        if await _first(worker, well, limit=limit):
            return None
        if worker.exited.done():
            reason = f"the worker {worker.exited.result()} before it answered {self._health}"
            return Failure(reason=self._with_last_lines(reason))
        await worker.kill()
        reason = f"the worker did not answer {self._health} within {duration(limit)}"
        return Failure(reason=self._with_last_lines(reason), decisive=True)

    async def _run(self, worker: Worker) -> Failure:
        patience = self._premises.rules().patience
        limit = self._silence or patience.silence
        silent = pings.until_silent(
            self.address,
            self._health,
            every=patience.between_pings,
            limit=limit,
            last=min(patience.ping, limit),
        )
        hangs = await _first(worker, silent)
        self.state = InstanceState.RESTARTING
        self._premises.changed()
        if not hangs:
            return Failure(reason=f"the worker {worker.exited.result()}")
        await worker.kill()
        reason = f"no answer to {self._health} for {duration(limit)}; killed"
        return Failure(reason=reason, kind="worker.hung")

    def _be_well(self, *, adopted: bool) -> None:
        self.failures = 0
        self.proven = True
        self._well_at = asyncio.get_running_loop().time()
        self.state = InstanceState.RUNNING
        kind, reason = "worker.started", f"it answers {self._health}"
        if adopted:
            kind, reason = "worker.adopted", "it was running when the host came back"
        elif self.restarts:
            kind, reason = "worker.restarted", f"it answers {self._health} again"
        if not adopted:
            self._premises.arrived(self.record, self._well_at - self._spawned_at)
        waited: dict[str, Json] = {"standby": True} if self._waited and not adopted else {}
        self._tell(kind, reason, pid=self.pid, **waited)
        self._well()

    def _well_for(self) -> timedelta:
        if self._well_at is None:
            return timedelta(0)
        return timedelta(seconds=asyncio.get_running_loop().time() - self._well_at)

    async def _clear(self) -> None:
        """Leave nothing of the last worker, so that the next one is alone."""
        if self._worker is not None:
            await self._worker.kill()
            self._worker = None
        await self._hang_up()
        await leftovers.clear(
            self._premises.state_id, lambda marked: marked.instance_id == self.record.id
        )

    def _with_last_lines(self, reason: str) -> str:
        lines = logs.tail(self.log, since=self._log_begins)
        return f"{reason}; last lines of its log:\n{lines}" if lines else reason

    def _tell(self, kind: str, reason: str, *, pid: int | None, **data: Json) -> None:
        record = self.record
        told = self._premises.event(
            kind,
            record.endpoint_name,
            reason,
            HOST,
            variant_name=record.variant_name,
            instance_id=record.id,
            pid=pid,
            **data,
        )
        try:
            self._premises.history.append(told)
        except ParkadeError:
            # A history that takes no more must not cost anybody a worker.
            _logger.exception("%s of worker %s: %s", kind, record.id, reason)


async def _first(
    worker: Worker, waiting: Coroutine[Any, Any, None], *, limit: timedelta | None = None
) -> bool:
    """Wait for the coroutine or the worker's end; tell whether the coroutine came first."""
    task = asyncio.create_task(waiting)
    try:
        await asyncio.wait(
            (task, worker.exited),
            timeout=limit.total_seconds() if limit else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if worker.exited.done() or not task.done():
            return False
        task.result()
        return True
    finally:
        task.cancel()
        await asyncio.wait([task])
