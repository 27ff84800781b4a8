"""Unpacking model.tar.gz, which comes from strangers.

tarfile is used to read headers and data, never to write: what it would write through links, or
accept when a header in the middle is broken, is not for archives that nobody vouches for. The
rules here are few: every member lies inside, no parent of a member is a link, every link ends at
something inside, and neither the headers nor the data may unfold beyond the limit.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import threading
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from parkade.domain.errors import BadArchive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS_LIMIT = 100_000
#: tarfile reads a header's extensions at a stroke; none that is honest comes near this.
_HEADER_LIMIT = 2**20
#: A header of 512 bytes, padding, and a long name for each member.
_OVERHEAD = 2048
_PIECE = 2**20


def unpack(
    packed: BinaryIO,
    folder: Path,
    *,
    limit: int,
    given_up: threading.Event | None = None,
    name: str = "model.tar.gz",
) -> str:
    """Unpack a gzipped tar into the new `folder`; return the SHA-256 of what was read, in hex.

    Blocking, until it is given up. Raises BadArchive, which names the archive or the member, and
    leaves to the caller to remove what was written until then.
    """
    folder.mkdir(parents=True)
    digest = _Digesting(packed, given_up or threading.Event())
    stream = _Stream(digest, limit + MEMBERS_LIMIT * _OVERHEAD)
    unpacking = _Unpacking(folder, limit)
    try:
        for tar, member in _members(stream, name):
            unpacking.take(tar, member)
        stream.finish()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadArchive(f"{name} is broken {unpacking.place}: {error}") from error
    except tarfile.TarError as error:
        raise BadArchive(
            f"{name} holds no readable tar archive {unpacking.place}: {error}"
        ) from error
    unpacking.check_links()
    return digest.hexdigest()


def _members(stream: _Stream, name: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar:
        count = 0
        while (member := tar.next()) is not None:
            count += 1
            if count > MEMBERS_LIMIT:
                raise BadArchive(f"{name} has more than {MEMBERS_LIMIT} members")
            yield tar, member
            # tarfile remembers every member it has seen; nothing here looks back.
            tar.members.clear()  # type: ignore[attr-defined]
    if stream.last.strip(b"\0"):
        # tarfile takes a header that it cannot read for the end.
        raise tarfile.ReadError("a header is broken")


class _Unpacking:
    """What was written so far, and the checks that each further member must pass."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._left = limit
        self._folders = {folder}
        self._links: list[tuple[Path, str]] = []
        self.place = "at its beginning"

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self._inside(member.name, repr(member.name))
        try:
            if member.isdir():
                self._make_folder(path, member.name)
            elif path == self._folder:
                raise BadArchive(f"member {member.name!r} takes the place of the model folder")
            else:
                self._make_folder(path.parent, member.name)
                self._write(tar, member, path)
        except (OSError, ValueError) as error:
            if isinstance(error, gzip.BadGzipFile):
                raise
            raise BadArchive(f"member {member.name!r} cannot be written: {error}") from error
        self.place = f"after member {member.name!r}"

    def _inside(self, name: str, member: str) -> Path:
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\0" in name:
            raise BadArchive(
                f"member {member} points outside of the archive",
                hint="pack with relative paths: parkade model pack DIR",
            )
        return self._folder.joinpath(*parts)

    def _make_folder(self, path: Path, name: str) -> None:
        """Make the folder and its parents; a link in the place of one would lead elsewhere."""
        if path in self._folders:
            return
        self._make_folder(path.parent, name)
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise BadArchive(f"member {name!r} lies under {path.name!r}, which is no folder")
        path.mkdir(mode=0o755, exist_ok=True)
        self._folders.add(path)

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        if path in self._folders:
            raise BadArchive(f"member {member.name!r} takes the place of a folder")
        path.unlink(missing_ok=True)  # a later member of the same name counts, as in tar
        if member.isreg():
            self._write_file(tar, member, path)
        elif member.issym():
            if member.linkname.startswith("/"):
                raise BadArchive(f"member {member.name!r} is a link to {member.linkname!r} outside")
            path.symlink_to(member.linkname)
            self._links.append((path, member.name))
        elif member.islnk():
            self._link(member, path)
        else:
            raise BadArchive(
                f"member {member.name!r} is neither a file, a folder nor a link",
                hint="devices, pipes and sockets are not part of a model",
            )

    def _write_file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        source = tar.extractfile(member)
        if source is None or member.size > self._left:
            raise self._too_large(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with source, os.fdopen(os.open(path, flags, member.mode & 0o755 | 0o600), "wb") as target:
            while piece := source.read(_PIECE):
                self._left -= len(piece)
                if self._left < 0:
                    raise self._too_large(member)
                target.write(piece)
            if target.tell() != member.size:
                raise tarfile.ReadError(f"member {member.name!r} is cut short")

    def _too_large(self, member: tarfile.TarInfo) -> BadArchive:
        return BadArchive(
            f"model.tar.gz unpacks to more than {self._limit} bytes, reached at {member.name!r}",
            hint="raise `limits.unpacked_bytes` in server.yaml",
        )

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        target = self._inside(member.linkname, f"{member.name!r}, a link to {member.linkname!r},")
        if target.parent not in self._folders or target.is_symlink() or not target.is_file():
            raise BadArchive(
                f"member {member.name!r} is a link to {member.linkname!r}, no earlier member"
            )
        os.link(target, path)

    def check_links(self) -> None:
        """Follow every link to its end; only now is everything there that it may lead through."""
        root = self._folder.resolve()
        for path, name in self._links:
            if not path.is_symlink():
                continue  # a later member took its place
            try:
                end = path.resolve(strict=True)
            except (OSError, RuntimeError) as error:
                raise BadArchive(f"member {name!r} is a link that leads nowhere") from error
            if not end.is_relative_to(root):
                raise BadArchive(f"member {name!r} is a link that leads outside of the archive")


class _Digesting:
    """Reads through to a file and hashes what passes, unless that was given up."""

    def __init__(self, source: BinaryIO, given_up: threading.Event) -> None:
        self._source = source
        self._given_up = given_up
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        if self._given_up.is_set():
            raise EOFError("unpacking was given up")
        piece = self._source.read(size)
        self._hash.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class _Stream:
    """Unzips forwards only, never more than `limit` bytes, never much at a stroke.

    It has of a file what tarfile asks for when members are read in order.
    """

    def __init__(self, packed: _Digesting, limit: int) -> None:
        self._unzipped = gzip.GzipFile(fileobj=cast("IO[bytes]", packed), mode="rb")
        self._limit = limit
        self._position = 0
        #: What was read last: zeros, or nothing, at the end of a whole archive.
        self.last = b""

    def read(self, size: int) -> bytes:
        if size > 2 * _HEADER_LIMIT:
            raise BadArchive("model.tar.gz has a header that is too large")
        piece = self._unzipped.read(size)
        self._position += len(piece)
        if self._position > self._limit:
            raise BadArchive(f"model.tar.gz unpacks to more than {self._limit} bytes")
        self.last = piece
        return piece

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        while self._position < position and self.read(min(position - self._position, _PIECE)):
            pass
        if self._position != position:
            raise tarfile.ReadError("unexpected end of data")
        return position

    def finish(self) -> None:
        """Read to the end, so that checksum and digest cover all of it."""
        while self.read(_PIECE):
            pass
