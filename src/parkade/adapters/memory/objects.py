"""Objects in a dictionary."""

from __future__ import annotations

import hashlib
import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from parkade.domain import listing, names
from parkade.domain.errors import BucketNotFound, InUse, ObjectNotFound
from parkade.ports.objects import BucketInfo, ObjectInfo, ObjectPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.ports.clock import Clock


class MemoryObjects:
    """The objects port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[tuple[str, str], tuple[ObjectInfo, bytes]] = {}
        self._buckets: dict[str, datetime] = {}
        self._lock = threading.Lock()

    @contextmanager
    def writer(
        self, bucket: str, key: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[_Writer]:
        """Begin an object."""
        names.object_address(bucket, key)
        with io.BytesIO() as content:
            yield _Writer(self, bucket, key, content, headers or {})

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading."""
        return io.BytesIO(self._find(bucket, key)[1])

    def fetch(self, bucket: str, key: str) -> tuple[ObjectInfo, BinaryIO]:
        """Describe the object and open it for reading."""
        info, content = self._find(bucket, key)
        return info, io.BytesIO(content)

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

    def page(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", after: str = "", limit: int
    ) -> ObjectPage:
        """Describe at most `limit` objects and common prefixes."""
        there = {info.key: info for info in self.ls(names.bucket_name(bucket), prefix)}
        found = listing.page(there, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        return ObjectPage(
            objects=[there[key] for key in found.keys],
            prefixes=found.prefixes,
            following=found.following,
        )

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object, where it is there."""
        with self._lock:
            if self._objects.pop((bucket, key), None) is not None:
                self._buckets[bucket] = self._clock.now()

    def buckets(self) -> Sequence[BucketInfo]:
        """Describe all buckets, in the order of their names."""
        with self._lock:
            return [
                BucketInfo(name=name, modified_at=modified_at)
                for name, modified_at in sorted(self._buckets.items())
            ]

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket, where it is not there."""
        with self._lock:
            self._buckets.setdefault(names.bucket_name(bucket), self._clock.now())

    def remove_bucket(self, bucket: str) -> None:
        """Remove an empty bucket."""
        names.bucket_name(bucket)
        with self._lock:
            if bucket not in self._buckets:
                raise BucketNotFound(f"there is no bucket {bucket!r}")
            if any(there == bucket for there, _ in self._objects):
                raise InUse(f"bucket {bucket!r} is not empty", hint="delete what is in it first")
            del self._buckets[bucket]

    def keep(
        self, bucket: str, key: str, content: bytes, headers: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Store a whole object."""
        info = ObjectInfo(
            bucket=bucket,
            key=key,
            size=len(content),
            etag=hashlib.sha256(content).hexdigest(),
            modified_at=self._clock.now(),
            headers=dict(headers or {}),
        )
        with self._lock:
            self._buckets[bucket] = info.modified_at
            self._objects[bucket, key] = (info, content)
        return info

    def _find(self, bucket: str, key: str) -> tuple[ObjectInfo, bytes]:
        address = names.object_address(bucket, key)
        with self._lock:
            if (bucket, key) not in self._objects:
                raise ObjectNotFound(f"there is no object {address}")
            return self._objects[bucket, key]


class _Writer:
    def __init__(
        self,
        objects: MemoryObjects,
        bucket: str,
        key: str,
        content: io.BytesIO,
        headers: Mapping[str, str],
    ) -> None:
        self._objects = objects
        self._bucket = bucket
        self._key = key
        self._content = content
        self._headers = headers

    def write(self, data: bytes) -> object:
        return self._content.write(data)

    def digest(self) -> str:
        return hashlib.sha256(self._content.getbuffer()).hexdigest()

    def commit(self) -> ObjectInfo:
        with self._content:
            content = self._content.getvalue()
            return self._objects.keep(self._bucket, self._key, content, self._headers)
