"""Objects on their way in: files that become visible by being renamed.

Each is locked (flock) for as long as its writer lives. What can be locked is a leftover of a
process that was killed, whatever its age, and goes when the folder is next opened.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path


class Incoming:
    """A folder of unfinished files on the file system of the finished ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            _remove_leftover(path)

    @contextmanager
    def file(self) -> Iterator[tuple[Path, FileIO]]:
        """Give a new file; what is still in the folder at the end is removed."""
        path = self._folder / uuid.uuid4().hex
        with _locked(path) as file:
            try:
                yield path, file
            finally:
                path.unlink(missing_ok=True)


def _locked(path: Path) -> FileIO:
    while True:
        file = open(path, "wb", buffering=0, opener=_for_this_user)  # noqa: SIM115 - handed on
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists():
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # taken for a leftover between its creation and its lock


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _remove_leftover(path: Path) -> None:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except (FileNotFoundError, BlockingIOError):
        return  # finished meanwhile, or still being written
