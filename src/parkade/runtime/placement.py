"""Which target model is loaded in which instance: fetched, loaded, moved, unloaded here.

Gateways know what is loaded where and ask for what is not. Control holds nothing of it that
must survive: what a container has loaded, it tells; what a name stands for is on disk beside the
data. So a control process that comes back takes up what is loaded and goes on.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    BadArchive,
    InvalidInput,
    ObjectNotFound,
    StartFailed,
    Unavailable,
)
from parkade.domain.targets import target_address, target_model, target_of
from parkade.runtime.modelserver import WentAway
from parkade.runtime.refusals import Refusals, no_object, no_room
from parkade.runtime.shelves import AllPinned, Shelf
from parkade.runtime.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from parkade.domain.targets import TargetSetting
    from parkade.ports.clock import Clock
    from parkade.runtime.shelves import Board, Copy, Place
    from parkade.runtime.tallies import Tally, TargetUse
    from parkade.runtime.targetdata import Stored, TargetData

_logger = logging.getLogger(__name__)

#: Seconds for which a model waits for an instance that answers.
INSTANCE_LIMIT = 60.0
#: Seconds for which a model over which an instance went away waits for it to come back.
RETURN_LIMIT = 10.0
#: Seconds until a container that did not tell its models is asked again; doubles up to the longest.
_ASK_AGAIN = 0.5
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A target model that is to be loaded in an instance of this variant."""

    endpoint_name: str
    variant_name: str
    target: str
    #: Of its instances; 0: any.
    generation: int = 0
    #: Whether in one more instance than it is loaded in already.
    further: bool = False


class Placement:
    """Loads target models in the instances of multi-model endpoints."""

    def __init__(
        self,
        data: TargetData,
        board: Board,
        clock: Clock,
        *,
        setting: Callable[[str, str], TargetSetting | None],
    ) -> None:
        """Ask `setting` for what somebody wants of an endpoint's target model."""
        self.tallies = Tallies()
        self._data = data
        self._board = board
        self._clock = clock
        self._setting = setting
        self._shelves: dict[str, Shelf] = {}
        #: Instances whose containers have not told yet what they have loaded.
        self._opening: dict[str, tuple[Place, asyncio.Task[None]]] = {}
        self._loading: dict[Wanted, asyncio.Task[None]] = {}
        self._refusals = Refusals()
        self._moved = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, places: Iterable[Place]) -> None:
        """Take up what is on disk and what is loaded in these instances."""
        await self._data.recall()
        self.settle(places)
        opening = [task for _, task in self._opening.values()]
        if opening:
            # One that does not answer must not keep the others from being served.
            await asyncio.wait(opening, timeout=_ASK_AGAIN)

    async def close(self) -> None:
        """Let go of everything; what is loaded stays loaded."""
        opening = [task for _, task in self._opening.values()]
        tasks = [*self._tasks, *self._loading.values(), *opening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for shelf in self._shelves.values():
            await shelf.server.close()

    def settle(self, places: Iterable[Place]) -> None:
        """Know that these are the instances that answer now, and no others."""
        wanted = {place.instance_id: place for place in places}
        there = {name: shelf.place for name, shelf in self._shelves.items()}
        there |= {name: place for name, (place, _) in self._opening.items()}
        for name, place in there.items():
            if wanted.get(name) != place:
                self._close(name)
        for name, place in wanted.items():
            if name not in self._shelves and name not in self._opening:
                task = asyncio.create_task(self._open(place), name=f"models of {name}")
                self._opening[name] = (place, task)
        self._stir()

    def _close(self, name: str) -> None:
        if name in self._opening:
            _, task = self._opening.pop(name)
            task.cancel()
        else:
            shelf = self._shelves.pop(name)
            shelf.close()
            self.spawn(shelf.server.close())

    async def _open(self, place: Place) -> None:
        shelf = Shelf(
            place,
            self._board,
            now=self._clock.now,
            pinned=lambda target: self._pinned(place.endpoint_name, target),
            tally=lambda target: self._tally(place, target),
        )
        try:
            await self._take_up(shelf)
        except asyncio.CancelledError:
            await shelf.server.close()
            raise
        self._shelves[place.instance_id] = shelf
        del self._opening[place.instance_id]
        self._stir()

    async def _take_up(self, shelf: Shelf) -> None:
        """Take up what the container has loaded, and unload what nobody knows any more."""
        pause = _ASK_AGAIN
        while True:
            try:
                loaded = await shelf.server.loaded()
                for name, memory in loaded.items():
                    stored = self._data.known(name)
                    target = target_of(shelf.place.prefix, stored.address) if stored else None
                    if stored is not None and target is not None and shelf.place.caches:
                        shelf.found(target, stored, memory)
                    else:
                        await shelf.server.unload(name)
            except (Unavailable, StartFailed) as error:
                _logger.info("instance %s: %s", shelf.place.instance_id, error.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    async def load(self, wanted: Wanted) -> None:
        """Return when the target model is loaded; all who ask at a time wait for the same.

        Raises ObjectNotFound, InvalidInput (BadArchive), StartFailed with the container's reason,
        and Unavailable where no instance can take it now.
        """
        task = self._loading.get(wanted)
        if task is None:
            task = asyncio.create_task(self._load(wanted), name=f"load {wanted.target}")
            self._loading[wanted] = task
            task.add_done_callback(partial(self._loaded, wanted))
        await asyncio.shield(task)

    def _loaded(self, wanted: Wanted, task: asyncio.Task[None]) -> None:
        del self._loading[wanted]
        if not task.cancelled() and (error := task.exception()):
            _logger.info("%r is not loaded: %s", wanted.target, error)

    async def _load(self, wanted: Wanted) -> None:
        target = target_model(wanted.target)
        deadline = monotonic() + INSTANCE_LIMIT
        full: set[str] = set()
        while True:
            # What moves from here on is not missed, however long a load takes that fails.
            moved = self._moved
            shelves = self._of(wanted.endpoint_name, wanted.variant_name, wanted.generation)
            holders = [shelf for shelf in shelves if target in shelf.copies]
            if holders and not wanted.further:
                return
            free = [shelf for shelf in shelves if shelf not in holders]
            if holders and not free:
                return
            open_ones = [shelf for shelf in free if shelf.place.instance_id not in full]
            if free and not open_ones:
                raise no_room(target)
            try:
                if open_ones:
                    chosen = min(open_ones, key=lambda shelf: shelf.size)
                    await self._bring(chosen, target)
                    return
            except AllPinned as error:
                _logger.info("no room for %r: %s", target, error)
                full.add(chosen.place.instance_id)
                continue
            except WentAway as error:
                _logger.warning("model %r: %s", target, error)
                # To try it at once would cost the others' models another instance.
                await self._until_back(chosen, len(shelves))
                continue
            except Unavailable as error:
                _logger.info("model %r: %s", target, error.message)
            # An instance has gone, or none is there; the host brings it back.
            await self._until(moved, deadline, wanted)

    async def _bring(self, shelf: Shelf, target: str) -> None:
        """Load the target model's present content in the instance; see `Shelf.bring`."""
        address = target_address(shelf.place.prefix, target)
        await self._refusals.require_untried(address, self._data.etag)
        shelf.arriving += 1
        begun = monotonic()
        try:
            async with self._data.fetched(address, self._is_loaded) as stored:
                tally = self._tally(shelf.place, target)
                tally.downloads += 1
                tally.downloading_us += int((monotonic() - begun) * 1e6)
                await self._put_in(shelf, target, stored)
        except ObjectNotFound as error:
            raise no_object(target, address) from error
        except BadArchive as error:
            text = f"TargetModel {target!r} ({address}) cannot be unpacked: {error.message}"
            etag = await self._data.etag(address)
            raise self._refusals.refuse(
                address, etag, partial(InvalidInput, text, field="TargetModel", hint=error.hint)
            ) from error
        finally:
            shelf.arriving -= 1

    async def _put_in(self, shelf: Shelf, target: str, stored: Stored) -> None:
        try:
            await shelf.bring(target, stored)
        except StartFailed as error:
            text = f"model {target!r} cannot be loaded: {error.message}"
            raise self._refusals.refuse(
                stored.address, stored.etag, partial(StartFailed, text, hint=error.hint)
            ) from error
        except WentAway as error:
            fatal = self._refusals.went_away(stored.address, stored.etag, target, shelf.place)
            if fatal is None:
                raise
            raise fatal from error
        self._refusals.clear(stored.address)

    async def _until(self, moved: asyncio.Event, deadline: float, wanted: Wanted) -> None:
        """Return when instances have come or gone, which the event tells."""
        try:
            async with asyncio.timeout(max(0, deadline - monotonic())):
                await moved.wait()
        except TimeoutError as error:
            raise Unavailable(
                f"no instance of variant {wanted.variant_name!r} answers that could load "
                f"{wanted.target!r}",
                hint=f"see: parkade show {wanted.endpoint_name}",
            ) from error

    async def _until_back(self, shelf: Shelf, count: int) -> None:
        """Return when the instance that went away has a successor, or takes too long for it."""
        place = shelf.place
        with suppress(TimeoutError):  # then the others have to do
            async with asyncio.timeout(RETURN_LIMIT):
                while (
                    self._shelves.get(place.instance_id) is shelf
                    or len(self._of(place.endpoint_name, place.variant_name, place.generation))
                    < count
                ):
                    await self._moved.wait()

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    # What gateways tell.

    def used(self, gateway: str, uses: Iterable[TargetUse]) -> None:
        """Know how copies were used since the gateway's last word."""
        now = self._clock.now()
        for use in uses:
            if use.invocations:
                self.tallies.used(use)
            shelf = self._shelves.get(use.instance_id)
            copy = shelf.copies.get(use.target) if shelf is not None else None
            if copy is not None:
                copy.used_at = max(copy.used_at, now - timedelta(seconds=use.age))
                copy.in_flight[gateway] = use.in_flight

    def forget(self, gateway: str) -> None:
        """Know that the gateway is gone, with the requests that it had under way."""
        for copy in self.copies():
            copy.in_flight.pop(gateway, None)

    def lost(self, instance_id: str, target: str, name: str) -> None:
        """Know that a container says that it has not loaded what it was shown to have."""
        shelf = self._shelves.get(instance_id)
        copy = shelf.lost(target, name) if shelf is not None else None
        if copy is not None:
            _logger.warning("instance %s has lost model %r", instance_id, target)
            self.spawn(self._board.withdrawn(copy))

    def finished(self, instance_id: str, target: str, name: str) -> None:
        """Unload a model that is not to stay, now that its calls are answered."""
        shelf = self._shelves.get(instance_id)
        copy = shelf.copies.get(target) if shelf is not None else None
        if copy is not None and copy.stored.name == name:
            self.spawn(self.unload(copy, forget=True))

    # What others decide.

    async def unload(self, copy: Copy, *, forget: bool = False) -> None:
        """Unload the copy; with `forget`, what is loaded nowhere else goes from the disk, too."""
        shelf = self._shelves.get(copy.place.instance_id)
        if shelf is not None:
            await shelf.unload(copy)
        if forget and not self._is_loaded(copy.stored.name):
            await self._data.forget(copy.stored.name)

    async def renew(self, copy: Copy) -> None:
        """Load the present content of the copy's object in its place.

        Raises what `load` raises; the copy then stays as it is.
        """
        shelf = self._shelves.get(copy.place.instance_id)
        if shelf is None or shelf.copies.get(copy.target) is not copy:
            return
        try:
            await self._bring(shelf, copy.target)
        except AllPinned as error:
            raise no_room(copy.target) from error
        except WentAway as error:
            raise Unavailable(str(error)) from error
        if not self._is_loaded(copy.stored.name):
            await self._data.forget(copy.stored.name)

    # What is looked at.

    def copies(self) -> tuple[Copy, ...]:
        """Return every copy of a target model that is loaded."""
        return tuple(
            copy for shelf in self._shelves.values() for copy in tuple(shelf.copies.values())
        )

    def shelves(self) -> tuple[Shelf, ...]:
        """Return every instance that has told what it has loaded."""
        return tuple(self._shelves.values())

    def _of(self, endpoint_name: str, variant_name: str, generation: int) -> list[Shelf]:
        return [
            shelf
            for shelf in self._shelves.values()
            if shelf.place.endpoint_name == endpoint_name
            and shelf.place.variant_name == variant_name
            and generation in {0, shelf.place.generation}
        ]

    def _tally(self, place: Place, target: str) -> Tally:
        return self.tallies.of(place.endpoint_name, place.variant_name, target)

    def _is_loaded(self, name: str) -> bool:
        return any(copy.stored.name == name for copy in self.copies())

    def _pinned(self, endpoint_name: str, target: str) -> bool:
        setting = self._setting(endpoint_name, target)
        return setting is not None and setting.pinned

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something in the background, until `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _logger.error("a task of placement failed", exc_info=error)
