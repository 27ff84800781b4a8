"""Model data on disk: one unpacked folder for each content, shared by all that use it.

A folder appears whole, by a rename, and goes when its last user does. Its name is the
SHA-256 of the archive, so that data which is there already is not read again.

SageMaker's Python SDK leaves model archives as they are and uploads a script beside: code that has
an archive of its own takes the place of `code/`, in a folder named by both contents.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.runtime import archive
from parkade.runtime.removal import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.ports.objects import Objects

#: Where a model says which code it is to have.
SUBMITTED = "SAGEMAKER_SUBMIT_DIRECTORY"
#: The name of the folder for models that bring no data.
_NOTHING = hashlib.sha256(b"").hexdigest()


class ModelData:
    """Unpacks, shares and removes model data; a `user` is a fleet that runs it."""

    def __init__(
        self, objects: Objects, folder: Path, gone: Callable[[], None] = lambda: None
    ) -> None:
        """Keep it in `folder`; `gone` is called when some of it is there no longer."""
        self._objects = objects
        self._gone = gone
        self._folder = folder
        self._users: dict[str, set[str]] = defaultdict(set)
        self._unpacking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def fetch(self, data_url: str, user: str, *, limit: int, code_url: str = "") -> Path:
        """Return the folder with the data, held for `user` until released.

        `limit` is each archive's. Raises ObjectNotFound, BadArchive, and OSError where the disk does
        not take it.
        """
        digest = await asyncio.to_thread(self.digest, data_url, code_url)
        self.hold(digest, user)
        async with self._unpacking[digest]:
            folder = self._folder / digest
            if folder.is_dir():
                return folder
            if not data_url and not code_url:
                folder.mkdir(parents=True)
                return folder
            return await self._unpack(data_url, code_url, user, limit)

    def folder(self, path: str) -> Path | None:
        """Return the path of a worker's model folder, if it is one of these."""
        folder = Path(path)
        return folder if folder.parent == self._folder else None

    def digest(self, data_url: str, code_url: str = "") -> str:
        """Return the name of the data as it is now. Raises ObjectNotFound."""
        data, code = self._digest(data_url), self._digest(code_url)
        return _of_both(data, code) if code_url else data

    def has(self, data_url: str, code_url: str = "") -> bool:
        """Tell whether the data is unpacked as it is now. Blocking; raises ObjectNotFound."""
        return (self._folder / self.digest(data_url, code_url)).is_dir()

    def _digest(self, url: str) -> str:
        return self._objects.stat(*names.s3_address(url)).etag if url else _NOTHING

    async def _unpack(self, data_url: str, code_url: str, user: str, limit: int) -> Path:
        part = self._folder / f".{uuid.uuid4().hex}"
        given_up = threading.Event()
        unpacking = asyncio.ensure_future(
            asyncio.to_thread(self._unpack_to, part, data_url, code_url, limit, given_up)
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

    def _unpack_to(
        self, part: Path, data_url: str, code_url: str, limit: int, given_up: threading.Event
    ) -> str:
        data = _NOTHING
        if data_url:
            with self._objects.open(*names.s3_address(data_url)) as packed:
                data = archive.unpack(packed, part, limit=limit, given_up=given_up)
        if not code_url:
            return data
        folder = part / "code"
        _clear(folder)
        with self._objects.open(*names.s3_address(code_url)) as packed:
            code = archive.unpack(packed, folder, name=code_url, limit=limit, given_up=given_up)
        return _of_both(data, code)

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
        """Remove the data that nobody but `user` has held; under its name it is gone at once."""
        gone = []
        for digest, users in list(self._users.items()):
            users.discard(user)
            if not users:
                del self._users[digest]
                gone.append(_set_aside(self._folder / digest))
        if gone:
            self._gone()
        for aside in gone:
            if aside is not None:
                await asyncio.to_thread(remove, aside)

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
            await asyncio.to_thread(remove, aside)


def submitted(environment: Mapping[str, str]) -> str:
    """Return the address of the code that a model is to have; empty: what is in its data."""
    given = environment.get(SUBMITTED, "")
    return given if given.startswith("s3://") else ""


def _of_both(data: str, code: str) -> str:
    return hashlib.sha256(f"{data} {code}".encode()).hexdigest()


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove(path)
    else:
        path.unlink(missing_ok=True)


def _set_aside(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    return folder.rename(folder.with_name(f".{uuid.uuid4().hex}"))
