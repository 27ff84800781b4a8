"""The forms of objects."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.ports.objects import BucketInfo, ObjectInfo


class StoredView(View):
    """An object that was stored."""

    bucket: str
    key: str
    size: int = Field(description="In bytes.")
    etag: str = Field(description="SHA-256 in hex.")

    @classmethod
    def of(cls, info: ObjectInfo) -> "StoredView":
        """Write what was stored."""
        return cls(bucket=info.bucket, key=info.key, size=info.size, etag=info.etag)


class ObjectView(StoredView):
    """An object."""

    modified_at: datetime

    @classmethod
    def of(cls, info: ObjectInfo) -> "ObjectView":
        """Write an object."""
        return cls(
            bucket=info.bucket,
            key=info.key,
            size=info.size,
            etag=info.etag,
            modified_at=info.modified_at,
        )


class ObjectList(View):
    """One page of a bucket's objects."""

    objects: list[ObjectView]
    prefixes: list[str] = Field(
        description="What keys that go on after the delimiter have in common."
    )
    next: str | None = Field(description="Where the next page begins: give it as `after`.")


class BucketView(View):
    """A bucket."""

    name: str
    modified_at: datetime = Field(description="When something directly in it last came or went.")


class BucketList(View):
    """One page of the buckets."""

    buckets: list[BucketView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")

    @classmethod
    def of(cls, buckets: Iterable[BucketInfo], following: str | None) -> "BucketList":
        """Write a page."""
        views = [BucketView(name=each.name, modified_at=each.modified_at) for each in buckets]
        return cls(buckets=views, next=following)
