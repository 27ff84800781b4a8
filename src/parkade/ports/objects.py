"""Objects: what plays S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    #: What its writer said of it, by header names in lower case: its type, `x-amz-meta-...`.
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketInfo:
    """A bucket; `modified_at` is when something directly in it last came or went."""

    name: str
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPage:
    """A page of a listing."""

    objects: Sequence[ObjectInfo]
    #: What many keys have in common up to a delimiter, in place of these keys.
    prefixes: Sequence[str]
    #: Where the next page begins: given as its `after`. Empty: there is no more.
    following: str


class ObjectWriter(Protocol):
    """Receives an object piece by piece; nothing is visible until the end."""

    def write(self, data: bytes) -> object:
        """Take the next piece."""
        ...

    def digest(self) -> str:
        """Return the SHA-256, in hex, of what was written so far."""
        ...

    def commit(self) -> ObjectInfo:
        """Make the object visible, whole, in place of an older one."""
        ...


class Objects(Protocol):
    """Stores objects under bucket and key; putting into a bucket that is not there makes it."""

    def writer(
        self, bucket: str, key: str, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[ObjectWriter]:
        """Begin an object; leaving the context without `commit` leaves nothing behind."""
        ...

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading; a later put does not change what is read.

        Raises ObjectNotFound.
        """
        ...

    def fetch(self, bucket: str, key: str) -> tuple[ObjectInfo, BinaryIO]:
        """Open the object for reading and describe just what was opened.

        Raises ObjectNotFound.
        """
        ...

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object. Raises ObjectNotFound."""
        ...

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects whose key begins with `prefix`, in the order of keys."""
        ...

    def page(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", after: str = "", limit: int
    ) -> ObjectPage:
        """Describe at most `limit` objects and common prefixes, as `domain.listing.page` does.

        What is deleted meanwhile may be missing: a page can be shorter and still not be the last.
        """
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object; one that is not there counts as done."""
        ...

    def buckets(self) -> Sequence[BucketInfo]:
        """Describe all buckets, in the order of their names."""
        ...

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket; one that is there counts as done."""
        ...

    def remove_bucket(self, bucket: str) -> None:
        """Remove an empty bucket. Raises BucketNotFound, or InUse where objects are in it."""
        ...
