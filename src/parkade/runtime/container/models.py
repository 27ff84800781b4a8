"""The models of one container: which are there, how they come and how they go.

They come one after the other, each in the background; whoever asks for one waits for its answer.
They go when what is under way on them has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from . import memory
from .budget import WORTH_COLLECTING
from .loading import Failed, Loading
from .model import Model
from .namespaces import shared_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .budget import Budget, Mark


class Refusal(Exception):
    """A model cannot be loaded or unloaded; the status and the text say why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(eq=False, slots=True, kw_only=True)
class Entry:
    """A name that is taken: by a model, or by one that comes or goes."""

    name: str
    url: str
    #: Rises from one to the next.
    number: int
    model: Model | None = None
    #: Set once it has come, or has failed to; and once it is gone.
    come: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Models:
    """The models by name."""

    def __init__(self, budget: Budget, environ: Mapping[str, str], *, patience: float) -> None:
        self._budget = budget
        self._environ = environ
        #: How many seconds a load may take.
        self._patience = patience
        self._entries: dict[str, Entry] = {}
        self._numbers = count(1)
        self._one_at_a_time = asyncio.Lock()

    def __iter__(self) -> Iterator[Entry]:
        """Give the loaded ones, in the order in which they were asked for."""
        return (entry for entry in self._entries.values() if entry.model is not None)

    def get(self, name: str) -> Entry | None:
        """Return a loaded one."""
        entry = self._entries.get(name)
        return entry if entry is not None and entry.model is not None else None

    async def load(self, name: str, url: str, folder: Path) -> Entry:
        """Load a model. Raises Refusal: 409 when it is loaded, 507 for lack of memory.

        One that is coming or going is waited for, so that 409 is true.
        """
        while (taken := self._entries.get(name)) is not None:
            if taken.model is not None:
                raise Refusal(409, f"model {name!r} is loaded already")
            await (taken.gone if taken.come.is_set() else taken.come).wait()
        entry = Entry(name=name, url=url, number=next(self._numbers))
        self._entries[name] = entry
        try:
            async with self._one_at_a_time:
                entry.model = await self._loaded(folder)
        finally:
            if entry.model is None:
                self._remove(entry)
            entry.come.set()
        return entry

    async def unload(self, name: str) -> bool:
        """Unload a model when nothing is under way on it; False where there is none."""
        entry = self._entries.get(name)
        if entry is None:
            return False
        await entry.come.wait()
        model, entry.model = entry.model, None
        if model is None:
            return False
        await model.idle()
        try:
            await asyncio.to_thread(self._drop, model)
        finally:
            self._remove(entry)
        return True

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.name]
        entry.gone.set()

    async def _loaded(self, folder: Path) -> Model:
        mark = await self._room(folder)
        modules = shared_modules()
        loading = Loading(folder, self._environ)
        outcome = await loading.outcome(limit=self._patience, exceeded=lambda: self._bursts(mark))
        if isinstance(outcome, Failed):
            loading.namespace.discard()
            await self._tidy(mark)
            text = f"{outcome.message}; {self._taken()}" if outcome.status == 507 else None
            raise Refusal(outcome.status, text or outcome.message)
        model = Model(outcome, loading.namespace, folder)
        # Nobody else is to hold what is dropped below.
        del outcome, loading
        model.alone = shared_modules() == modules
        model.size = self._budget.charge(mark, folder, alone=model.alone)
        if self._budget.exceeded(mark):
            await self._tidy(mark)
            if self._budget.exceeded(mark):
                await asyncio.to_thread(self._drop, model)
                self._budget.undo()
                raise Refusal(507, f"the model takes more memory than there is; {self._taken()}")
        return model

    async def _tidy(self, mark: Mark) -> None:
        """Look for what a load has left, if that is worth it."""
        if self._budget.resident() - mark.resident >= WORTH_COLLECTING:
            await asyncio.to_thread(memory.collect)

    async def _room(self, folder: Path) -> Mark:
        """Return how things are before a load, if there is room for it."""
        mark = self._budget.mark(folder, self._sizes())
        if self._budget.refuses(mark) and self._budget.is_worth_collecting():
            await asyncio.to_thread(memory.collect)
            self._budget.collected(mark.resident)
            mark = self._budget.mark(folder, self._sizes())
        if self._budget.refuses(mark):
            raise Refusal(507, f"there is no room for another model; {self._taken()}")
        return mark

    def _bursts(self, mark: Mark) -> bool:
        """Tell whether a load takes so much that it is not waited for what it frees again."""
        limit = self._budget.limit
        return limit is not None and self._budget.resident() > max(limit, mark.resident) * 5 // 4

    def _sizes(self) -> list[int]:
        return [entry.model.size for entry in self if entry.model and entry.model.alone]

    def _drop(self, model: Model) -> None:
        """Give its memory back. Blocks for as long as that takes."""
        before = self._budget.resident()
        model.drop()
        memory.trim()
        self._budget.free(model.size, before, alone=model.alone)
        if self._budget.is_worth_collecting():
            before = self._budget.resident()
            memory.collect()
            self._budget.collected(before)

    def _taken(self) -> str:
        """Say what is taken, and whether something could be unloaded."""
        limit = self._budget.limit or 0
        taken = f"the container takes {_mib(self._budget.resident())} of {_mib(limit)} MiB"
        loaded = sum(1 for _ in self)
        if loaded:
            return f"{taken}; {loaded} models are loaded, of which some could be unloaded"
        return f"{taken}, and no other model is loaded: it does not fit at all"


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}"
