"""Model data on disk: one unpacked folder for each content, shared by all that use it.

A folder appears whole, by a rename, and goes when its last user does. Its name is the
SHA-256 of the archive, so that data which is there already is not read again.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.runtime import archive

if TYPE_CHECKING:
    from parkade.ports.objects import Objects

#: The name of the folder for models that bring no data.
_NOTHING = hashlib.sha256(b"").hexdigest()


class ModelData:
    """Unpacks, shares and removes model data; a `user` is a fleet that runs it."""

    def __init__(self, objects: Objects, folder: Path) -> None:
        self._objects = objects
        self._folder = folder
        self._users: dict[str, set[str]] = defaultdict(set)
        self._unpacking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def fetch(self, data_url: str, user: str, *, limit: int) -> Path:
        """Return the folder with the data, held for `user` until released.

        Raises ObjectNotFound, BadArchive, and OSError where the disk does not take it.
        """
        digest = await asyncio.to_thread(self.digest, data_url)
        self.hold(digest, user)
        async with self._unpacking[digest]:
            folder = self._folder / digest
            if folder.is_dir():
                return folder
            if not data_url:
                folder.mkdir(parents=True)
                return folder
            return await self._unpack(data_url, user, limit)

    def folder(self, path: str) -> Path | None:
        """Return the path of a worker's model folder, if it is one of these."""
        folder = Path(path)
        return folder if folder.parent == self._folder else None

    def digest(self, data_url: str) -> str:
        """Return the SHA-256 of the archive as it is now. Raises ObjectNotFound."""
        if not data_url:
            return _NOTHING
        return self._objects.stat(*names.s3_address(data_url)).etag

    async def _unpack(self, data_url: str, user: str, limit: int) -> Path:
        part = self._folder / f".{uuid.uuid4().hex}"
        given_up = threading.Event()
        unpacking = asyncio.ensure_future(
            asyncio.to_thread(self._unpack_to, part, data_url, limit, given_up)
        )
        try:
            digest = await asyncio.shield(unpacking)
        except asyncio.CancelledError:
            given_up.set()
            await asyncio.gather(unpacking, return_exceptions=True)
            raise
        else:
            return self._place(part, digest, user)
        finally:
            await self._remove(part)

    def _unpack_to(self, part: Path, data_url: str, limit: int, given_up: threading.Event) -> str:
        with self._objects.open(*names.s3_address(data_url)) as packed:
            return archive.unpack(packed, part, limit=limit, given_up=given_up)

    def _place(self, part: Path, digest: str, user: str) -> Path:
        """Name the data by what was read, which is not what was asked for if it was replaced."""
        self.hold(digest, user)
        folder = self._folder / digest
        if not folder.is_dir():
            part.rename(folder)
        return folder

    def hold(self, digest: str, user: str) -> None:
        """Keep the data of this content for `user`, whether it is there yet or not."""
        self._users[digest].add(user)

    async def release(self, user: str) -> None:
        """Remove the data that nobody but `user` has held."""
        for digest, users in list(self._users.items()):
            users.discard(user)
            if not users:
                del self._users[digest]
                await self._remove(self._folder / digest)

    async def tidy(self) -> None:
        """Remove all that nobody holds, and what a crash left half done; only before any fetch."""
        if self._folder.is_dir():
            for folder in list(self._folder.iterdir()):
                if folder.name not in self._users:
                    await self._remove(folder)

    async def _remove(self, folder: Path) -> None:
        """Remove the folder; under its name it is gone at once, so that a fetch begins anew."""
        aside = _set_aside(folder)
        if aside is not None:
            await asyncio.to_thread(shutil.rmtree, aside)


def _set_aside(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    return folder.rename(folder.with_name(f".{uuid.uuid4().hex}"))
