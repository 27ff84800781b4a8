"""Target models on disk: unpacked once for each content, found again by their opaque names.

    <folder>/data/<sha256 of the archive>/       what was unpacked, shared by all that have it
    <folder>/names/<opaque name>/model           a link to it: what a container is told to load
    <folder>/names/<opaque name>/target.json     which object it is, for a host that comes back

A model that was unloaded stays here, so that it is back soon; where the disk is full, all that
is loaded nowhere goes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import uuid
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import NotFound
from parkade.domain.targets import opaque_name
from parkade.runtime.modeldata import ModelData

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from parkade.ports.objects import Objects

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A content of a target model that is unpacked. `name` is what containers are told."""

    name: str
    address: str
    etag: str
    folder: Path


class TargetData:
    """Fetches, finds and removes target models' data; at most `loads` at a time are unpacked."""

    def __init__(
        self, objects: Objects, folder: Path, *, limit: Callable[[], int], loads: int
    ) -> None:
        """Unpack archives of `limit` bytes at most, below `folder`."""
        self._objects = objects
        self._names = folder / "names"
        self._data = ModelData(objects, folder / "data")
        self._limit = limit
        self._turns = asyncio.Semaphore(loads)
        self._known: dict[str, Stored] = {}
        #: How many are about to load it, by name.
        self._held: Counter[str] = Counter()
        #: Two that fetch the same content name it once.
        self._naming = asyncio.Lock()

    async def recall(self) -> None:
        """Find what is there, and remove what no name leads to; before any fetch."""
        found = await asyncio.to_thread(_read, self._names)
        self._known = {each.name: each for each in found}
        for each in found:
            self._data.hold(each.etag, each.name)
        await self._data.tidy()

    def known(self, name: str) -> Stored | None:
        """Return what the container is told under this name."""
        return self._known.get(name)

    def all(self) -> tuple[Stored, ...]:
        """Return all that is on disk."""
        return tuple(self._known.values())

    async def etags(self, addresses: Iterable[str]) -> dict[str, str | None]:
        """Return the present content of each address; None: there is no such object any more."""
        return await asyncio.to_thread(self._etags, tuple(addresses))

    def _etags(self, addresses: tuple[str, ...]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for address in addresses:
            try:
                found[address] = self._objects.stat(*names.s3_address(address)).etag
            except NotFound:
                found[address] = None
        return found

    async def etag(self, address: str) -> str:
        """Return the object's present content. Raises ObjectNotFound."""
        return await asyncio.to_thread(self._data.digest, address)

    @asynccontextmanager
    async def fetched(self, address: str, used: Callable[[str], bool]) -> AsyncIterator[Stored]:
        """Give the object's present content, unpacked; it is not removed inside the context.

        Where the disk is full, all that is not `used`, by its name, goes. Raises ObjectNotFound,
        BadArchive, and OSError where the disk does not take it even then.
        """
        stored = await self._fetch(address, used)
        try:
            yield stored
        finally:
            self._held[stored.name] -= 1

    async def _fetch(self, address: str, used: Callable[[str], bool]) -> Stored:
        """Return what is held already: from the moment that it is there nobody may remove it."""
        present = self._known.get(opaque_name(address, await self.etag(address)))
        if present is not None:
            self._held[present.name] += 1
            return present
        async with self._turns:
            try:
                return await self._unpack(address)
            except OSError as error:
                _logger.warning("making room for %s on disk: %s", address, error)
            for name in [name for name in self._known if not used(name)]:
                await self.forget(name)
            return await self._unpack(address)

    async def _unpack(self, address: str) -> Stored:
        user = uuid.uuid4().hex
        try:
            folder = await self._data.fetch(address, user, limit=self._limit())
            async with self._naming:
                stored = await self._named(address, folder)
                self._held[stored.name] += 1
            return stored
        finally:
            # Not before the name holds the data in its place.
            await self._data.release(user)

    async def _named(self, address: str, folder: Path) -> Stored:
        name = opaque_name(address, folder.name)
        stored = self._known.get(name)
        if stored is None:
            place = self._names / name
            stored = Stored(name=name, address=address, etag=folder.name, folder=place / "model")
            await asyncio.to_thread(_write, place, folder, stored)
            self._known[name] = stored
        self._data.hold(folder.name, name)
        return stored

    async def forget(self, name: str) -> None:
        """Remove what the name leads to, unless it is another's, too, or about to be loaded."""
        if name not in self._known or self._held[name]:
            return
        del self._known[name], self._held[name]
        aside = self._names / f".{uuid.uuid4().hex}"
        # Name and data are gone at once, before anything else can run: a fetch begins anew, and
        # what it then holds under the same name is not let go of here.
        (self._names / name).rename(aside)
        await self._data.release(name)
        await asyncio.to_thread(shutil.rmtree, aside)


def _write(place: Path, folder: Path, stored: Stored) -> None:
    """Make the name as a whole: whoever reads it finds all of it or nothing."""
    fresh = place.with_name(f".{uuid.uuid4().hex}")
    fresh.mkdir(parents=True)
    (fresh / "model").symlink_to(folder)
    text = json.dumps({"address": stored.address, "etag": stored.etag})
    (fresh / "target.json").write_text(text, encoding="utf-8")
    fresh.rename(place)


def _read(folder: Path) -> list[Stored]:
    """Return every whole name; remove all else."""
    if not folder.is_dir():
        return []
    found = []
    for place in folder.iterdir():
        stored = _read_one(place)
        if stored is None:
            shutil.rmtree(place)
        else:
            found.append(stored)
    return found


def _read_one(place: Path) -> Stored | None:
    model = place / "model"
    if place.name.startswith("."):
        return None
    try:
        values = json.loads((place / "target.json").read_text(encoding="utf-8"))
        stored = Stored(
            name=place.name, address=values["address"], etag=values["etag"], folder=model
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("%s is no target model's name: %r", place, error)
        return None
    return stored if model.is_dir() else None
