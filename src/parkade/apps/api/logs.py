"""Log files of instances as one text, and as one stream that goes on.

Files are looked at every `INTERVAL`: neither Linux nor macOS wakes a reader of a plain file the
same way, and a person who reads a log does not see a quarter of a second.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from parkade.runtime.logs import older, opened, unrotated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

#: seconds. Between two looks at the files.
INTERVAL = 0.25
#: bytes. What is read of one file at once.
_PIECE = 64 * 1024
#: bytes. A line that is longer is told in parts.
_LONGEST_LINE = 1024 * 1024
#: What `_identity` tells of no file.
_NONE = (0, 0)


class Reader:
    """Reads the logs that `find` lists; every line begins with the instance that wrote it."""

    def __init__(self, find: Callable[[], Sequence[Path]]) -> None:
        self._find = find
        self._logs: dict[Path, _Log] = {}

    def tail(self, lines: int, *, whole: bool) -> Iterator[bytes]:
        """Yield the last lines of each log; `whole`: a last line that may go on, as well."""
        for path in self._find():
            log = self._logs[path] = _Log(path)
            yield log.tail(lines, whole=whole)

    def more(self) -> Iterator[bytes]:
        """Yield what was written since, with all that logs hold that were not there before."""
        found = self._find()
        for path in found:
            if path not in self._logs:
                self._logs[path] = _Log(path)
            while text := self._logs[path].more():
                yield text
        for path in self._logs.keys() - set(found):
            del self._logs[path]


async def following(
    reader: Reader, lines: int, admitted: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield the last lines, then new ones, until nobody reads or the reader may not any more."""
    for text in reader.tail(lines, whole=False):
        yield text
    while admitted():
        for text in reader.more():
            yield text
        await asyncio.sleep(INTERVAL)


class _Log:
    """One instance's log, read up to `_position`. Rotation moves its beginning to `older`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        variant, _, instance = path.stem.rpartition("-")
        self._prefix = f"{variant}/{instance} ".encode()
        self._position = 0
        #: The older part that was read, as `_identity` tells it.
        self._rotation = _NONE
        #: The beginning of a line that has no end yet.
        self._begun = b""

    def tail(self, lines: int, *, whole: bool) -> bytes:
        """Return the last lines, from the rotated part as well where they reach so far."""
        with unrotated(self._path) as log:
            if log is None:
                return b""
            data, self._position = _last(log, lines)
            with opened(older(self._path)) as rotated:
                self._rotation = _identity(rotated)
                missing = lines - data.count(b"\n")
                if rotated and missing > 0:
                    data = _last(rotated, missing)[0] + data
        return self._lines(data, whole=whole)

    def more(self) -> bytes:
        """Return whole lines that were written since; empty where there are none yet."""
        while data := self._piece():
            if text := self._lines(data, whole=False):
                return text
        return b""

    def _piece(self) -> bytes:
        """Return what was written next; empty where there is nothing yet."""
        with unrotated(self._path) as log:
            if log is None:
                return b""
            with opened(older(self._path)) as rotated:
                if (rotation := _identity(rotated)) != self._rotation:
                    rest = _rest(rotated, self._position)
                    self._rotation, self._position = rotation, 0
                    if rest:
                        return rest
            if os.fstat(log.fileno()).st_size < self._position:
                self._position = 0  # emptied by somebody else
            log.seek(self._position)
            data = log.read(_PIECE)
            self._position += len(data)
            return data

    def _lines(self, data: bytes, *, whole: bool) -> bytes:
        *lines, self._begun = (self._begun + data).split(b"\n")
        if self._begun and (whole or len(self._begun) > _LONGEST_LINE):
            lines.append(self._begun)
            self._begun = b""
        return b"".join(self._prefix + line + b"\n" for line in lines)


def _identity(file: BinaryIO | None) -> tuple[int, int]:
    """Return what tells one older part from the next, whose inode may be that of one before."""
    if file is None:
        return _NONE
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_mtime_ns


def _rest(file: BinaryIO | None, position: int) -> bytes:
    if file is None:
        return b""
    file.seek(position)
    return file.read()


def _last(file: BinaryIO, lines: int) -> tuple[bytes, int]:
    """Return the last lines of a file, an unfinished one included, and the position after them."""
    start = end = file.seek(0, os.SEEK_END)
    data = b""
    # The line feed at the very end closes the last line; it does not begin another.
    while start > 0 and lines > 0 and data[:-1].count(b"\n") < lines:
        step = min(_PIECE, start)
        start -= step
        file.seek(start)
        data = file.read(step) + data
    ended = data.endswith(b"\n")
    kept = data.removesuffix(b"\n").split(b"\n")[-lines:] if lines > 0 and data else []
    return b"\n".join(kept) + (b"\n" if ended and kept else b""), end
