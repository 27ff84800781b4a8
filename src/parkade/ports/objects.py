"""Objects: what plays S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What is known of an object without reading it. `size` is in bytes, `etag` a SHA-256 in hex."""

    bucket: str
    key: str
    size: int
    etag: str
    modified_at: datetime


class ObjectWriter(Protocol):
    """Receives an object piece by piece; nothing is visible until the end."""

    def write(self, data: bytes) -> object:
        """Take the next piece."""
        ...

    def commit(self) -> ObjectInfo:
        """Make the object visible, whole, in place of an older one."""
        ...


class Objects(Protocol):
    """Stores objects under bucket and key; putting into a bucket that is not there makes it."""

    def writer(self, bucket: str, key: str) -> AbstractContextManager[ObjectWriter]:
        """Begin an object; leaving the context without `commit` leaves nothing behind."""
        ...

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading; a later put does not change what is read.

        Raises ObjectNotFound.
        """
        ...

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object. Raises ObjectNotFound."""
        ...

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects whose key begins with `prefix`, in the order of keys."""
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object; one that is not there counts as done."""
        ...
