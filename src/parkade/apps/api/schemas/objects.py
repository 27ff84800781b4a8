"""The forms of objects."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.ports.objects import ObjectInfo


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
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
