"""Objects in a dictionary."""

from __future__ import annotations

import hashlib
import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from parkade.domain import names
from parkade.domain.errors import ObjectNotFound
from parkade.ports.objects import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.ports.clock import Clock


class MemoryObjects:
    """The objects port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[tuple[str, str], tuple[ObjectInfo, bytes]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def writer(self, bucket: str, key: str) -> Iterator[_Writer]:
        """Begin an object."""
        names.object_address(bucket, key)
        with io.BytesIO() as content:
            yield _Writer(self, bucket, key, content)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading."""
        return io.BytesIO(self._find(bucket, key)[1])

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object."""
        return self._find(bucket, key)[0]

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects under the prefix, in the order of keys."""
        with self._lock:
            return [
                info
                for (there, key), (info, _) in sorted(self._objects.items())
                if there == bucket and key.startswith(prefix)
            ]

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object, where it is there."""
        with self._lock:
            self._objects.pop((bucket, key), None)

    def keep(self, bucket: str, key: str, content: bytes) -> ObjectInfo:
        """Store a whole object."""
        info = ObjectInfo(
            bucket=bucket,
            key=key,
            size=len(content),
            etag=hashlib.sha256(content).hexdigest(),
            modified_at=self._clock.now(),
        )
        with self._lock:
            self._objects[bucket, key] = (info, content)
        return info

    def _find(self, bucket: str, key: str) -> tuple[ObjectInfo, bytes]:
        address = names.object_address(bucket, key)
        with self._lock:
            if (bucket, key) not in self._objects:
                raise ObjectNotFound(f"there is no object {address}")
            return self._objects[bucket, key]


class _Writer:
    def __init__(self, objects: MemoryObjects, bucket: str, key: str, content: io.BytesIO) -> None:
        self._objects = objects
        self._bucket = bucket
        self._key = key
        self._content = content

    def write(self, data: bytes) -> object:
        return self._content.write(data)

    def commit(self) -> ObjectInfo:
        with self._content:
            return self._objects.keep(self._bucket, self._key, self._content.getvalue())
