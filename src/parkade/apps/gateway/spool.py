"""Files that lines wait in until they are delivered as objects.

A spool is a file whose first line says which object it becomes; lines are appended at once, so
that they outlive the process that wrote them. Delivering one twice, as happens where a process is
killed between the delivery and the removal of the file, writes the same object again.

Each is locked (flock) as long as its process lives. What can be locked is a left-over of one that
was killed. What that one had not written to the end, at most one line, is not delivered.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import uuid
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parkade.ports.objects import Objects

SUFFIX = ".spool"
#: Bytes that are copied at once.
BLOCK = 1024**2


class Spool:
    """One file; `size` is in bytes. It stays this process's own until it is removed or closed."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor

    def append(self, line: bytes) -> None:
        """Add a line, whole or not at all. Raises OSError."""
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(line)

    def deliver(self, objects: Objects) -> None:
        """Make an object of the lines. Raises what the objects raise, OSError and ValueError."""
        with self.path.open("rb") as file:
            head = file.readline()
            blocks = _whole_lines(file)
            first = next(blocks, b"")
            if not first:
                return
            bucket, key = json.loads(head)
            with objects.writer(bucket, key) as writer:
                for block in itertools.chain((first,), blocks):
                    writer.write(block)
                writer.commit()

    def remove(self) -> None:
        """Delete the file: what was in it is delivered."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave the file to whoever comes next."""
        os.close(self._descriptor)


class Spools:
    """The folder of all spools of all processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, bucket: str, key: str) -> Spool:
        """Begin a spool that becomes this object. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool = None
        while spool is None:
            path = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
            path.touch(mode=0o600, exist_ok=False)
            # None: taken for a left-over between its creation and its lock.
            spool = _locked(path)
        try:
            spool.append(json.dumps([bucket, key]).encode() + b"\n")
        except OSError:
            spool.remove()
            raise
        return spool

    def left(self) -> Iterator[Spool]:
        """Take over the spools of processes that are gone."""
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            spool = _locked(path)
            if spool is not None:
                yield spool


def _locked(path: Path) -> Spool | None:
    """Return the spool, now this process's own; None: it is another's, or gone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not path.exists():
        os.close(descriptor)
        return None
    return Spool(path, descriptor, os.fstat(descriptor).st_size)


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    while lines := file.readlines(BLOCK):
        block = b"".join(lines if lines[-1].endswith(b"\n") else lines[:-1])
        if block:
            yield block
