"""Archives of a project's models: named by what is in them, packed and stored only where needed.

A folder's archive is named by the digest of its content, so that nothing is packed to learn that
nothing changed. It waits in the cache folder from the end of packing to the end of storing: what
is killed between them does not pack again.
"""

from __future__ import annotations

import fcntl
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from parkade.apps.cli import render, views
from parkade.apps.cli.addresses import Remote
from parkade.domain.errors import Conflict, InvalidInput, ParkadeError
from parkade.runtime import packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from parkade.apps.cli.client import Client

_PIECE = 1 << 20
#: What all names of archives end with.
SUFFIX = ".tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a model's archive is made of, and where it goes."""

    #: What the model is called in the file.
    model: str
    #: A model folder, or an archive.
    source: Path
    #: The SHA-256 in hex: of a folder's content, or of the archive as it is.
    digest: str
    place: Remote

    @property
    def address(self) -> str:
        """Where it is, once it is stored."""
        return str(self.place)


def read(model: str, source: Path, *, bucket: str, prefix: str) -> Archive:
    """Return the archive of a folder, or a file as it is. Raises InvalidInput."""
    try:
        if source.is_dir():
            digest = packing.digest(source)
        else:
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput(
            f"model {model} cannot be read: {error.filename}: {error.strerror}",
            field=f"models.{model}",
            hint="check the path, and who may read it",
        ) from error
    place = Remote(bucket, f"{prefix}/{digest}{SUFFIX}")
    return Archive(model=model, source=source, digest=digest, place=place)


def missing(client: Client, archives: Iterable[Archive]) -> list[Archive]:
    """Return those that are not stored yet; of those that are the same, one."""
    apart = {each.place: each for each in archives}
    return [each for each in apart.values() if not client.exists(each.place.bucket, each.place.key)]


def store(client: Client, archive: Archive, cache: Path) -> None:
    """Pack it, where it is a folder, and upload it: one process at a time, and once.

    Raises Conflict where it is not any more what was read.
    """
    try:
        if archive.source.is_dir():
            _store_folder(client, archive, cache / "archives")
        else:
            _upload(client, archive, archive.source, archive.digest)
    except OSError as error:
        raise ParkadeError(
            f"model {archive.model} cannot be packed: {error.filename or cache}: {error.strerror}",
            hint=f"archives are packed below {cache}; there has to be room for them",
        ) from error


def _store_folder(client: Client, archive: Archive, folder: Path) -> None:
    with _alone(folder, archive):
        if client.exists(archive.place.bucket, archive.place.key):
            return
        packed = folder / f"{archive.digest}{SUFFIX}"
        if not packed.exists():
            _pack(archive, packed)
        with packed.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        _upload(client, archive, packed, digest)
        packed.unlink()


@contextmanager
def _alone(folder: Path, archive: Archive) -> Iterator[None]:
    """Hold the folder of archives that wait; what is half packed there is nobody's any more."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with render.working(f"{archive.model}: another process packs; waiting for it"):
                fcntl.flock(file, fcntl.LOCK_EX)
        for left in folder.glob(f"{packing.UNFINISHED}*"):
            left.unlink()
        yield


def _pack(archive: Archive, out: Path) -> None:
    with render.working(f"{archive.model}: packing {archive.source}"):
        packed = packing.pack(archive.source, out)
    if packed.digest != archive.digest:
        out.unlink()
        raise _changed(archive)


def _upload(client: Client, archive: Archive, path: Path, digest: str) -> None:
    """Upload a file; the server takes nothing else than what has this digest."""
    size = path.stat().st_size
    if not render.draws_progress():
        render.note(f"{archive.model}: storing {views.size(size)}")
    with path.open("rb") as file, render.transfer(f"{archive.model}: storing", size) as count:
        client.upload(
            archive.place.bucket, archive.place.key, _pieces(file, count), size, sha256=digest
        )


def _pieces(file: BinaryIO, count: Callable[[int], None]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
        count(len(piece))


def _changed(archive: Archive) -> Conflict:
    return Conflict(
        f"{archive.source}, model {archive.model}, was changed after it was read",
        hint="nothing was changed on the server: apply again",
    )
