"""What is known of each object beside its bytes: its SHA-256 and what its writer said of it.

It is kept beside the objects, not among them, in one small file for each key. A record counts
only while size, time and inode of the file are the same, so that a file put in by hand, or over
another, gets its own. It is written before its file takes the key's place; until then the
record of the file that is there is kept with it, so that a crash between the two loses neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader, FileIO
    from pathlib import Path

    from parkade.adapters.folder.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one file."""

    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Records:
    """A folder with one small file for each object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: Held while a file and its record take their places, so that they stay together.
        self.lock = threading.Lock()

    def of(self, place: Place, file: BufferedReader) -> Record | None:
        """Return what is known of the object that is open; its SHA-256 is computed if need be.

        None: another file has taken its place meanwhile, and its record may have gone with it.
        """
        seen = _seen(os.fstat(file.fileno()))
        for each in self._known(place):
            if each["seen"] == seen:
                return Record(etag=each["sha256"], headers=each["headers"])
        # In this order: the record of the file that is in its place is never dropped.
        if self._in(place) != seen:
            return None
        record = Record(etag=hashlib.file_digest(file, "sha256").hexdigest())
        file.seek(0)
        if _seen(os.fstat(file.fileno())) == seen:  # nobody wrote while it was read
            with self.lock:
                self.remember(place, file, record)
        return record

    def remember(self, place: Place, file: BufferedReader | FileIO, record: Record) -> None:
        """Keep the record of a file, beside the record of the one that is in its place now."""
        known = self._known(place)
        if known:
            there = self._in(place)
            known = [each for each in known if each["seen"] == there]
        seen = _seen(os.fstat(file.fileno()))
        entry = {"seen": seen, "sha256": record.etag, "headers": dict(record.headers)}
        self._write(place, [entry, *known])

    def forget(self, place: Place) -> None:
        """Drop what is known of the object."""
        self._path(place).unlink(missing_ok=True)

    def forget_bucket(self, bucket: str) -> None:
        """Drop what is left of a bucket that was removed."""
        # What cannot be removed describes no file that is there, and so counts for nothing.
        shutil.rmtree(self._folder / bucket, ignore_errors=True)

    def _in(self, place: Place) -> list[int]:
        """Return what is seen of the file in its place; nothing where there is none."""
        try:
            return _seen(place.path.stat(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _known(self, place: Place) -> list[dict[str, Any]]:
        try:
            known = json.loads(self._path(place).read_bytes())["known"]
            return [each for each in known if {"seen", "sha256", "headers"} <= each.keys()]
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
            return []  # never computed, or broken: it is computed again

    def _write(self, place: Place, known: list[dict[str, Any]]) -> None:
        path = self._path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        with fresh.open("w") as file:
            json.dump({"key": place.key, "known": known}, file)
            if any(each["headers"] for each in known):  # a sum alone can be computed again
                file.flush()
                os.fsync(file)
        fresh.replace(path)

    def _path(self, place: Place) -> Path:
        # Hashed: a key may be longer than a file name, and `a` and `a/b` must not collide here.
        return self._folder / place.bucket / hashlib.sha256(place.key.encode()).hexdigest()


def _seen(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ino]
