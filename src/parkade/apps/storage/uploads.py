"""Uploads in parts, until they are completed: objects themselves, in a folder of their own.

Each upload is a bucket there, named by its id: the object `upload` says what it is to become,
`part-00001` and so on are its parts. So parts are whole or not there, and outlive the process.
A completed upload leaves `done`, so that a client whose answer was lost may ask again.
"""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.storage.faults import Fault
from parkade.domain.errors import InUse, InvalidInput, NotFound, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from parkade.ports.objects import ObjectInfo, Objects

logger = logging.getLogger(__name__)

#: Uploads in which nothing has come for so long are given up.
ABANDONED = timedelta(days=7)
_RECORD, _DONE, _PART = "upload", "done", "part-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What the parts are to become."""

    id: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    started_at: datetime
    #: Its ETag where it is completed already.
    done: str = ""


def begin(parts: Objects, bucket: str, key: str, headers: Mapping[str, str]) -> str:
    """Begin an upload and return its id."""
    upload_id = f"u{uuid.uuid4().hex}"
    _write(parts, upload_id, _RECORD, {"bucket": bucket, "key": key, "headers": dict(headers)})
    return upload_id


def find(parts: Objects, upload_id: str, bucket: str, key: str) -> Upload:
    """Return the upload of this key. Raises NoSuchUpload."""
    upload = _read(parts, upload_id)
    if upload is None or (upload.bucket, upload.key) != (bucket, key):
        raise missing(upload_id)
    return upload


def under_way(parts: Objects, bucket: str) -> list[Upload]:
    """Return the uploads into a bucket that are not completed, in the order of keys."""
    found = (_read(parts, each.name) for each in parts.buckets())
    there = (each for each in found if each and each.bucket == bucket and not each.done)
    return sorted(there, key=lambda each: (each.key, each.id))


def listed(parts: Objects, upload_id: str) -> Iterator[tuple[int, ObjectInfo]]:
    """Give the parts that are there by their numbers, in order."""
    for info in parts.ls(upload_id, _PART):
        yield int(info.key.removeprefix(_PART)), info


def part_key(number: int) -> str:
    """Return the key of a part."""
    return f"{_PART}{number:05}"


def finish(parts: Objects, upload_id: str, etag: str) -> None:
    """Drop the parts of an upload that is completed, and remember what came of it."""
    _write(parts, upload_id, _DONE, {"etag": etag})
    for _, info in listed(parts, upload_id):
        parts.delete(upload_id, info.key)


def drop(parts: Objects, upload_id: str) -> None:
    """Drop an upload with its parts."""
    parts.delete(upload_id, _RECORD)
    for info in parts.ls(upload_id):
        parts.delete(upload_id, info.key)
    try:
        parts.remove_bucket(upload_id)
    except (NotFound, InUse):
        return  # a part was still on its way; `tidy` takes it


def tidy(parts: Objects, now: datetime) -> None:
    """Drop what was abandoned, and what is left of completed uploads, after a while."""
    try:
        for each in parts.buckets():
            if now - each.modified_at > ABANDONED:
                drop(parts, each.name)
    except ParkadeError as error:
        # Nothing else needs it; it is tried again the next time.
        logger.error("abandoned uploads are not tidied: %s", error.message)  # noqa: TRY400


def missing(upload_id: str) -> Fault:
    """Say that there is no such upload."""
    return Fault(
        "NoSuchUpload",
        404,
        f"The specified upload does not exist: {upload_id[:80]!r}. "
        "It may have been aborted, completed, or given up after 7 days.",
        UploadId=upload_id[:80],
    )


def _read(parts: Objects, upload_id: str) -> Upload | None:
    """Return an upload; None where there is none, or none that can be understood."""
    try:
        info, file = parts.fetch(upload_id, _RECORD)
        with file:
            record = json.load(file)
        return Upload(
            id=upload_id,
            bucket=str(record["bucket"]),
            key=str(record["key"]),
            headers=dict(record["headers"]),
            started_at=info.modified_at,
            done=_done(parts, upload_id),
        )
    except (NotFound, InvalidInput):
        return None
    except (ValueError, TypeError, KeyError) as error:
        logger.warning("upload %s cannot be understood: %s", upload_id, error)
        return None


def _done(parts: Objects, upload_id: str) -> str:
    try:
        with parts.open(upload_id, _DONE) as file:
            return str(json.load(file)["etag"])
    except NotFound:
        return ""


def _write(parts: Objects, upload_id: str, key: str, content: dict[str, Any]) -> None:
    with parts.writer(upload_id, key) as writer:
        writer.write(json.dumps(content).encode())
        writer.commit()
