"""One standby process: it has imported what a model needs, and waits to be given one."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from parkade.runtime import leftovers, logs, modeldata, workers
from parkade.runtime.container.reserve import RESERVED, WAIT, WAITING
from parkade.runtime.lines import Line
from parkade.runtime.profiles import Profile, profile
from parkade.runtime.removal import remove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from parkade.runtime.furnishing import Furnished
    from parkade.runtime.workers import Worker

#: What is known of a worker when its model is, and not before.
LATE = (
    leftovers.INSTANCE_ID,
    leftovers.MODEL_DIR,
    leftovers.ADDRESS,
    modeldata.SUBMITTED,
)
#: Bytes, for the late variables: a path has 4,096 at most.
_ROOM = 16_384
#: Bytes, for the arguments: two paths.
_WORDS = 5_000
#: Seconds. A process that waits takes up a model within a millisecond.
_HAND_OVER = 2.0
#: Of 1000: where memory runs out, it goes before any worker does.
_OOM_SCORE = 800


class Unusable(Exception):
    """The process is of no use; the message says why."""


class Died(Unusable):
    """It has ended by itself, or somebody has ended it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a worker is started with, but for what only its model decides."""

    command: tuple[str, ...]
    environment: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, command: tuple[str, ...], environment: Mapping[str, str]) -> Recipe:
        """Return that of workers with this command and environment."""
        return cls(command, frozenset(e for e in environment.items() if e[0] not in LATE))


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes one standby as good as another."""

    recipe: Recipe
    profile: Profile


class Standby:
    """A process that waits. Its end is told by `worker.exited`, like any worker's."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Start it with a folder of its own in `folder`. Raises OSError."""
        self.kind = kind
        #: What it has imported; None until it has.
        self.there: Profile | None = None
        self._stamps: Mapping[str, int] = {}
        self._folder = folder / f"standby-{uuid.uuid4().hex[:12]}"
        #: Libraries may look for their settings where they are imported: it is empty as a worker's.
        inside = self._folder / "empty"
        inside.mkdir(parents=True)
        self._output = self._folder / "output.log"
        self._line = Line()
        self.worker: Worker = workers.spawn(
            # Blanks take up the room for the arguments that are shown later.
            (*kind.recipe.command, WAIT, str(self._line.number), " " * _WORDS),
            # The last one, so that what it leaves free of its room is the end of them all.
            environment={**dict(kind.recipe.environment), RESERVED: "." * _ROOM},
            folder=inside,
            log=self._output,
            line=self._line,
            oom_score=_OOM_SCORE,
        )

    async def warm_up(self, *, limit: timedelta) -> None:
        """Let it import what its kind does. Raises Unusable."""
        wanted = self.kind.profile
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self._line.say({"modules": wanted.order, "late": LATE})
                told = await self._line.hear()
        except TimeoutError as error:
            raise Unusable("its imports took too long") from error
        except ConnectionError as error:
            raise Died("it ended at once") from error
        self.there = profile(told)
        if self.there is None:
            raise Died(f"it ended while it imported: {self._last_lines()}")
        if told["looked_at"]:
            raise Unusable(f"what it imports looks for {', '.join(told['looked_at'])}")
        if not wanted.admits(self.there):
            raise Unusable("the model's own code changes what is imported, or its environment")
        if not _shows(self.worker.pid, self.kind.recipe):
            if not self.worker.runs:
                raise Died("it ended once it had imported")
            raise Unusable("this system does not show what a process writes into its environment")
        self._stamps = told["stamps"]

    def is_current(self) -> bool:
        """Tell whether no package has been installed or removed since it was started."""
        return all(_stamp(folder) == stamp for folder, stamp in self._stamps.items())

    def fits(self, kind: Kind) -> bool:
        """Tell whether it can become the worker of a model of this kind."""
        return (
            self.kind.recipe == kind.recipe
            and self.there is not None
            and kind.profile.admits(self.there)
            and not self.worker.exited.done()
        )

    async def give(self, furnished: Furnished, log: Path) -> tuple[Worker, Line]:
        """Make it the worker; return when it shows itself as that. Raises Unusable.

        It is no standby any more, whatever comes of it.
        """
        order = {
            "arguments": [*furnished.arguments, "--line", str(self._line.number)],
            "environment": {
                n: furnished.environment[n] for n in LATE if n in furnished.environment
            },
            "folder": str(furnished.folder),
            "log": str(log),
            "said": str(self._output),
        }
        workers.yield_memory(self.worker.pid)
        try:
            async with asyncio.timeout(_HAND_OVER):
                await self._line.say(order)
                answer = await self._line.hear()
        except (TimeoutError, ConnectionError) as error:
            raise Unusable("it does not take a model") from error
        if answer != {"taken": True}:
            raise Died(f"it ended when it was given a model: {self._last_lines()}")
        return self.worker, self._line

    def _last_lines(self) -> str:
        return logs.tail(self._output, since=0) or "it said nothing"

    async def end(self) -> None:
        """End it; return once it is gone."""
        self._line.close()
        await self.worker.kill()
        await self.clear()

    async def clear(self) -> None:
        """Remove what it had of its own while it waited."""
        await asyncio.to_thread(remove, self._folder)


def _stamp(folder: str) -> int | None:
    """Return when the folder was changed last; None where there is none."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None


def _shows(pid: int, recipe: Recipe) -> bool:
    """Tell whether what the process has written can be read, with all else that it has."""
    try:
        shown = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return False
    return shown.pop(WAITING, "") != "" and recipe.environment == frozenset(shown.items())
