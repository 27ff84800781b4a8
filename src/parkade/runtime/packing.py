"""Packing a model folder into a `model.tar.gz`: the same folder gives the same bytes.

What serving does not need stays out. A `.parkadeignore` in the folder says what else does, one
glob pattern a line; a line that begins with `!` takes something in again, and the last line
that matches decides. A pattern with a leading `/` counts from the folder itself, any other one
for a name at any depth, or for a whole path.

What is packed has a digest, which is taken before compression: it is there without an archive,
and machines whose compressors differ agree on it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed import ReadableBuffer

IGNORE_FILE = ".parkadeignore"
#: Hidden files, caches, and what a folder has for training and testing only.
LEFT_OUT = (".*", "__pycache__", "*.pyc", "/test", "/data", "/train.py")
#: A middle way between size and time; weights hardly shrink at any level.
COMPRESSION = 6
#: What the names of archives begin with that are not whole yet.
UNFINISHED = ".packing-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What was written. `size` is that of the archive in bytes, `digest` that of its content."""

    path: Path
    size: int
    members: tuple[str, ...]
    digest: str


def digest(folder: Path) -> str:
    """Return the SHA-256 in hex of what `pack` would pack. Raises InvalidInput as it does."""
    sums = _Sums()
    _archive(sums, folder, list(_chosen(folder)))
    return sums.hexdigest()


def pack(folder: Path, out: Path) -> Packed:
    """Write the folder's archive to `out`, whole or not at all.

    Raises InvalidInput for a folder without `code/inference.py`, for what cannot be packed
    (links to folders, dangling links, sockets), and where `out` cannot be written.
    """
    chosen = _chosen(folder)
    if not out.parent.is_dir():
        raise InvalidInput(
            f"{out.parent} is not a folder", field="out", hint="make it, or choose another place"
        )
    files = [path for path in chosen if not _same(path, out)]
    descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=out.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            packed = _write(stream, folder, files)
        part.chmod(0o644)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    members = tuple(path.relative_to(folder).as_posix() for path in files)
    return Packed(path=out, size=out.stat().st_size, members=members, digest=packed)


def _chosen(folder: Path) -> Iterator[Path]:
    if not (folder / "code" / "inference.py").is_file():
        raise InvalidInput(
            f"{folder} has no code/inference.py, so it is not a model folder",
            field="folder",
            hint="give the folder that has code/inference.py and the model's files",
        )
    return _files(folder, folder, (*LEFT_OUT, *_own_patterns(folder / IGNORE_FILE)))


def _own_patterns(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8 text", field="folder", hint="save it as UTF-8"
        ) from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _files(folder: Path, root: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files to pack, sorted; a folder that is left out is not entered."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if _left_out(path.relative_to(root).as_posix(), patterns):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, root, patterns)
        elif path.is_file():
            yield path
        else:
            raise InvalidInput(
                f"{path} is neither a file nor a folder, but a link or something special",
                field="folder",
                hint=f"put the files themselves there, or leave it out in {IGNORE_FILE}",
            )


def _left_out(path: str, patterns: Sequence[str]) -> bool:
    decision = False
    for pattern in patterns:
        wanted = pattern.startswith("!")
        glob = pattern.removeprefix("!").rstrip("/")
        if glob.startswith("/"):
            matches = fnmatchcase(path, glob[1:])
        else:
            matches = fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)
        if matches:
            decision = not wanted
    return decision


def _same(path: Path, out: Path) -> bool:
    return path.resolve() == out.resolve()


class _Sums(io.BufferedIOBase):
    """Takes the digest of what is written to it, and hands it on."""

    def __init__(self, onward: gzip.GzipFile | None = None) -> None:
        super().__init__()
        self._onward = onward
        self._sums = hashlib.sha256()

    def write(self, content: ReadableBuffer, /) -> int:
        """Take the next piece."""
        self._sums.update(content)
        if self._onward is not None:
            self._onward.write(content)
        return memoryview(content).nbytes

    def hexdigest(self) -> str:
        """Return the digest in hex."""
        return self._sums.hexdigest()


def _write(stream: IO[bytes], folder: Path, files: Sequence[Path]) -> str:
    """Write an archive; return the digest of its content."""
    # No name and no time in the gzip header.
    with gzip.GzipFile("", "wb", COMPRESSION, stream, mtime=0) as packed:
        sums = _Sums(packed)
        _archive(sums, folder, files)
    return sums.hexdigest()


def _archive(sums: _Sums, folder: Path, files: Sequence[Path]) -> None:
    # No owner and no time in the members.
    with tarfile.open(fileobj=sums, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            with path.open("rb") as content:
                status = os.fstat(content.fileno())
                member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                member.size = status.st_size
                member.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
                archive.addfile(member, content)
