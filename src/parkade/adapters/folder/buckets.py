"""The buckets of the folder: its folders whose names can be buckets' names."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from parkade.adapters.folder.errors import reading, writing
from parkade.domain import names
from parkade.domain.errors import BucketNotFound, Conflict, InUse, InvalidInput
from parkade.ports.objects import BucketInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}


class Buckets:
    """The folders right below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def all(self) -> Sequence[BucketInfo]:
        """Describe all buckets, in the order of their names."""
        found: list[BucketInfo] = []
        with reading("the buckets"), os.scandir(self._root) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and _is_name(entry.name):
                    modified = timedelta(microseconds=entry.stat().st_mtime_ns // 1000)
                    found.append(BucketInfo(name=entry.name, modified_at=_EPOCH + modified))
        return sorted(found, key=lambda bucket: bucket.name)

    def make(self, bucket: str) -> None:
        """Make a bucket; one that is there counts as done."""
        folder = self._root / names.bucket_name(bucket)
        with writing(f"s3://{bucket}"):
            try:
                folder.mkdir(exist_ok=True)
            except FileExistsError as error:
                raise _no_folder(bucket) from error
        if folder.is_symlink():
            raise _no_folder(bucket)

    def remove(self, bucket: str) -> None:
        """Remove an empty bucket, with the empty folders in it."""
        folder = self._root / names.bucket_name(bucket)
        if folder.is_symlink() or not folder.is_dir():
            raise BucketNotFound(f"there is no bucket {bucket!r}")
        with writing(f"s3://{bucket}"):
            if any(files for _, _, files in os.walk(folder, onerror=_raise)):
                raise _not_empty(bucket)
            try:
                for parent, folders, _ in os.walk(folder, topdown=False, onerror=_raise):
                    for each in folders:
                        Path(parent, each).rmdir()
                folder.rmdir()
            except NotADirectoryError as error:
                raise _not_empty(bucket) from error  # a symbolic link
            except OSError as error:
                if error.errno in _NOT_EMPTY:  # something was put since it was looked at
                    raise _not_empty(bucket) from error
                raise


def _no_folder(bucket: str) -> Conflict:
    return Conflict(
        f"bucket {bucket!r} cannot be made: a file or a symbolic link has its name",
        hint="take it out of the objects folder, or choose another name",
    )


def _not_empty(bucket: str) -> InUse:
    return InUse(f"bucket {bucket!r} is not empty", hint="delete what is in it first")


def _is_name(text: str) -> bool:
    try:
        names.bucket_name(text)
    except InvalidInput:
        return False
    return True


def _raise(error: OSError) -> NoReturn:
    raise error
