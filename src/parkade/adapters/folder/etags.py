"""What an object's SHA-256 was when it was last computed, beside the objects, not among them.

A remembered value counts only while size, time and inode of the file are the same, so that a
file put in by hand, or over another, gets its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedReader, FileIO
    from pathlib import Path


class Etags:
    """A folder with one small file for each object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, bucket: str, key: str, file: BufferedReader) -> str:
        """Return the SHA-256 of the object that is open, in hex."""
        seen = _seen(file)
        known = self._known(bucket, key)
        if isinstance(known, dict) and known.get("seen") == seen:
            return str(known.get("sha256"))
        etag = hashlib.file_digest(file, "sha256").hexdigest()
        if _seen(file) == seen:  # nobody wrote while it was read
            self.remember(bucket, key, file, etag)
        return etag

    def remember(self, bucket: str, key: str, file: BufferedReader | FileIO, etag: str) -> None:
        """Keep the etag of the file as it is now."""
        path = self._path(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        fresh.write_text(json.dumps({"key": key, "sha256": etag, "seen": _seen(file)}))
        fresh.replace(path)

    def forget(self, bucket: str, key: str) -> None:
        """Drop what is known of the object."""
        self._path(bucket, key).unlink(missing_ok=True)

    def _known(self, bucket: str, key: str) -> Any:
        try:
            return json.loads(self._path(bucket, key).read_bytes())
        except (FileNotFoundError, ValueError):
            return None  # never computed, or broken: it is computed again

    def _path(self, bucket: str, key: str) -> Path:
        # Hashed: a key may be longer than a file name, and `a` and `a/b` must not collide here.
        return self._folder / bucket / hashlib.sha256(key.encode()).hexdigest()


def _seen(file: BufferedReader | FileIO) -> list[int]:
    status = os.fstat(file.fileno())
    return [status.st_size, status.st_mtime_ns, status.st_ino]
