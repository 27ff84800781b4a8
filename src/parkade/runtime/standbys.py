"""The standby processes of a host: kept in reserve for the models that were started last.

The first worker of a model is started as ever, and tells what it imported. Then a process is kept
that has imported the same; the model's next worker, which may be the one that a sleeping endpoint
is woken with, is that process. It is used for every model that would have brought the same, or
more, by itself, in the same environment; see `profiles` and `standby`.

They belong to this host alone: each ends with it, by the line to it that is cut, and a successor
ends those that it finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from parkade.runtime import leftovers
from parkade.runtime.profilebook import ProfileBook
from parkade.runtime.profiles import Profile, profile
from parkade.runtime.standby import Died, Kind, Recipe, Standby, Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from parkade.runtime.furnishing import Furnished
    from parkade.runtime.lines import Line
    from parkade.runtime.preparation import Launch
    from parkade.runtime.rules import HostPaths, HostRules
    from parkade.runtime.workers import Worker

_logger = logging.getLogger(__name__)

#: A model says so with its Environment, where its code has to run before any library is imported.
CHOICE, NEVER = "PARKADE_STANDBY", "off"
#: So many of one kind that end by themselves, and there are no more until a worker is started.
_DEATHS = 3
#: Models whose profiles are remembered.
_MODELS = 256


@dataclass(slots=True)
class _Wish:
    """Why a kind is wanted, and how that went so far."""

    #: The data of the models that were started.
    folders: set[str]
    #: Of its processes, since a worker of it was started.
    deaths: int = 0
    #: Why no process of it is of use.
    hopeless: str = ""


class Standbys:
    """Keeps standby processes and hands them over."""

    def __init__(self, paths: HostPaths, rules: Callable[[], HostRules]) -> None:
        """Take what it works with; nothing is started before `begin`."""
        self._folder = paths.work
        self._book = ProfileBook(paths.cache / "imports")
        self._rules = rules
        #: What models were seen to import, the last one seen last.
        self._profiles: OrderedDict[tuple[Recipe, str], Profile] = OrderedDict()
        #: The last one asked for last.
        self._wishes: OrderedDict[Kind, _Wish] = OrderedDict()
        self._kept: list[Standby] = []
        self._stirred = asyncio.Event()
        self._started_at = 0.0
        self._keeper: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[Any]] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that can be handed over."""
        return tuple(each.worker.pid for each in self._kept if each.there is not None)

    def begin(self, expected: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Keep processes in reserve from now on; `expected` tells what for, by `expect`."""
        self._keeper = asyncio.create_task(self._keep(expected), name="standbys")

    async def close(self) -> None:
        """End them all, and keep none any more."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        kept, self._kept = self._kept, []
        await asyncio.gather(*(each.end() for each in kept), *self._chores)

    def stir(self) -> None:
        """Look whether the right ones are kept: something has changed."""
        self._stirred.set()

    def learn(self, furnished: Furnished, told: Any) -> None:
        """Take note of what a worker that was started as ever has told."""
        found = profile(told)
        if found is None or not _may(furnished.environment, talks=furnished.talks):
            return
        recipe = Recipe.of(furnished.command, furnished.environment)
        folder = furnished.environment[leftovers.MODEL_DIR]
        self._remember(recipe, folder, found)
        self._do(self._write(recipe, folder, found))

    async def expect(self, launch: Launch) -> None:
        """Take note that workers of it may be started, whose profile may be known from before."""
        environment = {
            **launch.inherited,
            **launch.environment,
            leftovers.HEALTH: launch.health,
        }
        if launch.model_dir is None or not _may(environment, talks=launch.talks):
            return
        recipe, folder = Recipe.of(launch.command, environment), str(launch.model_dir)
        if (recipe, folder) in self._profiles:
            return
        found = await asyncio.to_thread(self._book.read, recipe, folder)
        if found is not None:
            self._remember(recipe, folder, found)

    def _remember(self, recipe: Recipe, folder: str, found: Profile) -> None:
        # Models of one kind share what is remembered of them.
        found = next((each for each in self._profiles.values() if each == found), found)
        self._profiles[recipe, folder] = found
        while len(self._profiles) > _MODELS:
            self._profiles.popitem(last=False)
        self._want(Kind(recipe, found), folder)

    async def _write(self, recipe: Recipe, folder: str, found: Profile) -> None:
        try:
            await asyncio.to_thread(self._book.write, recipe, folder, found)
        except OSError:
            _logger.exception("what models import cannot be kept for later")

    async def take(self, furnished: Furnished, log: Path) -> tuple[Worker, Line] | None:
        """Make a standby process the worker that is described; None where there is none for it.

        The line to it is the caller's from then on.
        """
        self._started_at = asyncio.get_running_loop().time()
        if not _may(furnished.environment, talks=furnished.talks):
            return None
        recipe = Recipe.of(furnished.command, furnished.environment)
        folder = furnished.environment[leftovers.MODEL_DIR]
        wanted = self._profiles.get((recipe, folder))
        if wanted is None:
            return None
        kind = Kind(recipe, wanted)
        self._want(kind, folder)
        while (standby := self._pick(kind)) is not None:
            self._kept.remove(standby)
            if not standby.is_current():
                self._do(standby.end())
                continue
            try:
                taken = await standby.give(furnished, log)
            except Unusable as error:
                _logger.warning("standby process %d: %s", standby.worker.pid, error)
                await standby.end()
            except asyncio.CancelledError:
                # Whoever asked for it will not have it; by now it may show itself as its worker.
                await standby.end()
                raise
            else:
                self._do(standby.clear())
                return taken
        return None

    def _pick(self, kind: Kind) -> Standby | None:
        """Return what fits, the one that has the most of what is wanted."""
        fitting = [each for each in self._kept if each.fits(kind)]
        return max(fitting, key=lambda each: len(each.there.own) if each.there else 0, default=None)

    def _want(self, kind: Kind, folder: str) -> None:
        wish = self._wishes.setdefault(kind, _Wish(set()))
        self._wishes.move_to_end(kind)
        wish.folders.add(folder)
        wish.deaths = 0
        self.stir()

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _keep(self, expected: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        await expected()
        while True:
            await self._stirred.wait()
            quiet_at = self._started_at + self._rules().reserve.quiet.total_seconds()
            if quiet_at > loop.time():
                await asyncio.sleep(quiet_at - loop.time())
                continue
            self._stirred.clear()
            try:
                await self._settle()
            except OSError:
                # Endpoints do without; the next start of a worker lets it be tried again.
                _logger.exception("no standby process can be kept")

    async def _settle(self) -> None:
        """Keep one of each kind that is wanted, the last ones first, as far as there is room."""
        self._forget()
        wanted = self._wanted()
        for standby in [each for each in self._kept if each.kind not in wanted]:
            # It may have ended, or been taken, while another one was ended.
            if standby in self._kept:
                self._kept.remove(standby)
                await standby.end()
        for kind in wanted:
            if self._stirred.is_set():
                return  # a worker is being started, or others are wanted
            if not any(each.kind == kind for each in self._kept) and self._has_memory():
                await self._add(kind)

    def _forget(self) -> None:
        """Want nothing for models whose data is gone."""
        for kind, wish in list(self._wishes.items()):
            wish.folders = {each for each in wish.folders if Path(each).is_dir()}
            if not wish.folders:
                del self._wishes[kind]

    def _wanted(self) -> list[Kind]:
        hopeful = [
            kind
            for kind, wish in reversed(self._wishes.items())
            if not wish.hopeless and wish.deaths < _DEATHS
        ]
        return hopeful[: self._rules().reserve.processes]

    def _has_memory(self) -> bool:
        memory = psutil.virtual_memory()
        return 100 * memory.available / memory.total >= self._rules().reserve.free_percent

    async def _add(self, kind: Kind) -> None:
        """Keep one more of this kind, or find out that there is no use in it."""
        standby = Standby(kind, self._folder)
        # From now on, so that it is ended with the others.
        self._kept.append(standby)
        standby.worker.exited.add_done_callback(lambda _: self._ended(standby))
        try:
            await standby.warm_up(limit=self._rules().patience.startup)
        except Died:
            await standby.worker.kill()  # told where its end is noticed
        except Unusable as error:
            if standby not in self._kept:
                return  # its end came first, and is counted as that
            self._wishes[kind].hopeless = str(error)
            models = ", ".join(sorted(self._wishes[kind].folders))
            _logger.info("no standby processes for %s: %s", models, error)
            self._kept.remove(standby)
            await standby.end()

    def _ended(self, standby: Standby) -> None:
        """Notice that one ended that was kept."""
        if standby not in self._kept:
            return
        self._kept.remove(standby)
        self._do(standby.end())
        how, wish = standby.worker.exited.result(), self._wishes.get(standby.kind)
        _logger.warning("standby process %d %s", standby.worker.pid, how)
        if wish is not None:
            wish.deaths += 1
            self.stir()


def _may(environment: Mapping[str, str], *, talks: bool) -> bool:
    """Tell whether a worker is one that could have waited, and may."""
    return talks and environment.get(CHOICE) != NEVER
