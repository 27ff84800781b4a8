"""One instance of a multi-model endpoint: which models it has loaded, and how one more gets in.

A model is taken out in this order: off the list, so that it is nobody's choice any more; out of
every gateway's map, which answer when nothing of theirs is under way with it; out of the
container. Coming in it is the other way round. So no request meets a model that is going.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from parkade.domain.errors import StartFailed, Unavailable
from parkade.domain.targets import Loaded, victim
from parkade.runtime.modelserver import ModelServer, NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.runtime.tallies import Tally
    from parkade.runtime.targetdata import Stored

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An instance that answers and loads target models."""

    instance_id: str
    endpoint_name: str
    variant_name: str
    generation: int = 0
    #: The path of a unix socket, or `HOST:PORT`.
    address: str
    #: The s3:// prefix that its target models are below.
    prefix: str
    #: Whether a model stays loaded after a call.
    caches: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Copy:
    """A target model that is loaded in an instance."""

    place: Place
    target: str
    stored: Stored
    loaded_at: datetime
    used_at: datetime
    #: In bytes; None: the container does not tell.
    memory: int | None = None
    #: Requests under way, by gateway.
    in_flight: dict[str, int] = field(default_factory=dict)


class Board(Protocol):
    """Where it is shown what is loaded where: the gateways."""

    def placed(self, copy: Copy) -> None:
        """Show the copy; requests for its target model in its instance go to it from now on."""
        ...

    async def withdrawn(self, copy: Copy) -> None:
        """Take the copy down; return when nothing is under way with it, or will be."""
        ...

    def vanished(self, instance_id: str) -> None:
        """Take down all copies of an instance that is gone."""
        ...


class AllPinned(Exception):
    """There is no room in an instance, and what is loaded there is pinned."""


class Shelf:
    """The models of one instance. `copies` are those that requests may be sent to, by target."""

    def __init__(
        self,
        place: Place,
        board: Board,
        *,
        now: Callable[[], datetime],
        pinned: Callable[[str], bool],
        tally: Callable[[str], Tally],
    ) -> None:
        self.place = place
        self.copies: dict[str, Copy] = {}
        #: How many models are on their way in.
        self.arriving = 0
        #: Whether the instance is gone.
        self.gone = False
        self.server = ModelServer(place.address)
        self._board = board
        self._now = now
        self._pinned = pinned
        self._tally = tally
        #: Who makes room does it alone: each would take out a model for itself otherwise.
        self._making_room = asyncio.Lock()
        self._leaving: dict[str, asyncio.Future[None]] = {}
        #: One at a time brings a target model.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def size(self) -> tuple[int, int]:
        """How full it is: in memory, as far as it is known, and in models."""
        memory = sum(copy.memory or 0 for copy in self.copies.values())
        return memory, len(self.copies) + self.arriving

    def found(
        self,
        target: str,
        stored: Stored,
        memory: int | None,
        used_at: datetime | None = None,
    ) -> None:
        """Show a model that the container has loaded."""
        now = self._now()
        copy = Copy(
            place=self.place,
            target=target,
            stored=stored,
            loaded_at=now,
            used_at=used_at or now,
            memory=memory,
        )
        self.copies[target] = copy
        self._board.placed(copy)

    async def bring(self, target: str, stored: Stored) -> None:
        """Load the model; where memory is short, others give way.

        One of the same target with another content is replaced: it takes requests until the new
        one does. Raises StartFailed with the container's reason, AllPinned, Unavailable where the
        instance is gone, and WentAway where it goes over this.
        """
        turn = self._turns.setdefault(target, asyncio.Lock())
        async with turn:
            await self._bring(target, stored)

    async def _bring(self, target: str, stored: Stored) -> None:
        former = self.copies.get(target)
        if former is not None and former.stored.name == stored.name:
            return
        if (leaving := self._leaving.get(stored.name)) is not None:
            await leaving
        begun = monotonic()
        memory = await self._load(target, stored)
        tally = self._tally(target)
        tally.loads += 1
        tally.loading_us += int((monotonic() - begun) * 1e6)
        if self.gone:
            raise Unavailable("the instance went away while it loaded the model")
        former = self.copies.get(target)
        self.found(target, stored, memory, former.used_at if former is not None else None)
        if former is not None and former.stored.name != stored.name:
            await self._take_out(former)

    async def unload(self, copy: Copy) -> None:
        """Unload the copy; return when it is gone. One that is on its way out counts as done."""
        if self.copies.get(copy.target) is copy:
            del self.copies[copy.target]
            await self._take_out(copy)

    def lost(self, target: str, name: str) -> Copy | None:
        """Know that the container has lost a model, or never had it; return what was shown."""
        copy = self.copies.get(target)
        if copy is None or copy.stored.name != name:
            return None
        return self.copies.pop(target)

    def close(self) -> None:
        """Know that the instance is gone, with all that it had loaded."""
        self.gone = True
        self.copies.clear()
        self._board.vanished(self.place.instance_id)

    async def _take_out(self, copy: Copy) -> None:
        name = copy.stored.name
        done = self._leaving[name] = asyncio.get_running_loop().create_future()
        try:
            await self._board.withdrawn(copy)
            begun = monotonic()
            await self.server.unload(name)
            tally = self._tally(copy.target)
            tally.unloads += 1
            tally.unloading_us += int((monotonic() - begun) * 1e6)
        except Unavailable as error:
            _logger.info("instance %s: %s", self.place.instance_id, error.message)
        except StartFailed as error:
            _logger.warning("model %r: %s", copy.target, error.message)
        finally:
            del self._leaving[name]
            done.set_result(None)

    async def _load(self, target: str, stored: Stored) -> int | None:
        try:
            return await self.server.load(stored.name, stored.folder)
        except NoRoom as error:
            full: NoRoom | None = None if self._making_room.locked() else error
        async with self._making_room:
            while True:
                try:
                    if full is not None:
                        await self._make_room(target, full)
                    return await self.server.load(stored.name, stored.folder)
                except NoRoom as error:
                    full = error
                except (AllPinned, StartFailed):
                    await self.server.unload(stored.name)
                    raise

    async def _make_room(self, target: str, error: NoRoom) -> None:
        """Let the model that was unused for longest give way."""
        chosen = victim(self._as_loaded(copy) for copy in self.copies.values())
        if chosen is not None:
            await self.unload(self.copies[chosen.target])
        elif self._leaving:
            await asyncio.wait(list(self._leaving.values()), return_when=asyncio.FIRST_COMPLETED)
        elif self.copies:
            raise AllPinned(
                f"all {len(self.copies)} models in instance {self.place.instance_id} are pinned"
            )
        else:
            raise StartFailed(
                f"the container has no memory for {target!r}, though nothing else is loaded: {error}",
                hint="raise multi_model.memory_bytes in server.yaml",
            )

    def _as_loaded(self, copy: Copy) -> Loaded:
        return Loaded(
            target=copy.target,
            used_at=copy.used_at,
            busy=any(copy.in_flight.values()),
            pinned=self._pinned(copy.target),
        )
