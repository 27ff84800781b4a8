"""Log files of instances as one text, and as one stream that goes on.

Files are looked at every `INTERVAL`: neither Linux nor macOS wakes a reader of a plain file the
same way, and a person who reads a log does not see a quarter of a second.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from parkade.runtime.logs import older

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

#: seconds. Between two looks at the files.
INTERVAL = 0.25
#: bytes. What is read of one file at once.
_PIECE = 64 * 1024
#: bytes. A line that is longer is told in parts.
_LONGEST_LINE = 1024 * 1024


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
        self._rotation = _identity(older(path))
        #: The beginning of a line that has no end yet.
        self._begun = b""

    def tail(self, lines: int, *, whole: bool) -> bytes:
        """Return the last lines, from the rotated part as well where they reach so far."""
        data, self._position = _last(self._path, lines)
        missing = lines - data.count(b"\n")
        if missing > 0:
            data = _last(older(self._path), missing)[0] + data
        return self._lines(data, whole=whole)

    def more(self) -> bytes:
        """Return whole lines that were written since; empty where there are none yet."""
        while data := self._piece():
            if text := self._lines(data, whole=False):
                return text
        return b""

    def _piece(self) -> bytes:
        """Return what was written next; empty where there is nothing yet."""
        # The order of these looks counts: rotation copies what there is to a part, empties the
        # log, and then gives the part its name.
        emptied = _size(self._path) < self._position
        under_way = self._path.with_name(self._path.name + ".part").exists()
        rotation = _identity(older(self._path))
        if rotation != self._rotation:
            self._rotation = rotation
            rest, _ = _read(older(self._path), self._position)
            self._position = 0
            if rest:
                return rest
        elif emptied and under_way:
            return b""
        elif emptied:
            self._position = 0
        data, self._position = _read(self._path, self._position, _PIECE)
        return data

    def _lines(self, data: bytes, *, whole: bool) -> bytes:
        *lines, self._begun = (self._begun + data).split(b"\n")
        if self._begun and (whole or len(self._begun) > _LONGEST_LINE):
            lines.append(self._begun)
            self._begun = b""
        return b"".join(self._prefix + line + b"\n" for line in lines)


def _identity(path: Path) -> int:
    return path.stat().st_ino if path.exists() else 0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read(path: Path, position: int, most: int = -1) -> tuple[bytes, int]:
    """Return what the file holds from a position on, and the position after it."""
    if not path.exists():
        return b"", position
    with path.open("rb") as file:
        file.seek(position)
        data = file.read(most)
        return data, position + len(data)


def _last(path: Path, lines: int) -> tuple[bytes, int]:
    """Return the last lines of a file, an unfinished one included, and the position after them."""
    if not path.exists():
        return b"", 0
    with path.open("rb") as file:
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
