"""Where an object lies, and the rules of that place: inside the root, no links, one file a key."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, stop_after_attempt

from parkade.adapters.folder.errors import absent, reading, writing
from parkade.domain import names
from parkade.domain.errors import Conflict, InvalidInput
from parkade.ports.objects import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader, FileIO

#: A delete has just removed the folder that was about to be used, or a put has made one.
_RACES = {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY}
_ATTEMPTS = 100
#: bytes. What the file systems of Linux and macOS take as one name.
_NAME_LIMIT = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: O_NONBLOCK: a named pipe put in by hand must not hold us up.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Place:
    """The file of one object. Raises InvalidInput for what can be no bucket or key."""

    def __init__(self, root: Path, bucket: str, key: str) -> None:
        self.address = names.object_address(bucket, key)
        if key.endswith("/"):
            raise InvalidInput(f"Key {key[:200]!r} ends in a slash: it is a folder", field="Key")
        if any(len(part.encode()) > _NAME_LIMIT for part in key.split("/")):
            raise InvalidInput(
                f"Key {key[:200]!r} has a part that is too long for a file name",
                field="Key",
                hint=f"each part between slashes has at most {_NAME_LIMIT} bytes",
            )
        self.bucket = bucket
        self.key = key
        self._root = root
        self.path = root / bucket / key

    def open(self) -> BufferedReader:
        """Open the file for reading. Raises ObjectNotFound where it is no regular file."""
        with reading(self.address):
            if self._link() is not None:
                raise absent(self.address)
            file = open(os.open(self.path, _FLAGS), "rb")  # noqa: PTH123, SIM115 - handed on
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise absent(self.address)
        return file

    def info(
        self, file: BufferedReader | FileIO, etag: str, headers: Mapping[str, str]
    ) -> ObjectInfo:
        """Describe the object from its open file."""
        status = os.fstat(file.fileno())
        return ObjectInfo(
            bucket=self.bucket,
            key=self.key,
            size=status.st_size,
            etag=etag,
            modified_at=_EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000),
            headers=headers,
        )

    def require_free(self) -> None:
        """Raise Conflict where a link, or a key that excludes this one, is in the way."""
        with writing(self.address):
            link = self._link()
            if link is not None:
                raise Conflict(
                    f"{self.address} cannot be stored: {link} is a symbolic link",
                    hint="objects are kept inside the objects folder only; take the link away",
                )
            for folder in self._folders()[:-1]:
                if _is_no_folder(folder):
                    raise self._excluded(folder)
            if self.path.is_dir() and any(files for _, _, files in os.walk(self.path)):
                raise self._excluded(self.path)

    def take(self, finished: Path) -> None:
        """Move a finished file here, in place of an older one, for good."""
        with writing(self.address):
            self._move(finished)
            for folder in self._folders():
                _sync(folder)

    def delete(self) -> None:
        """Delete the file, and the folders of the key that it leaves empty."""
        with writing(self.address):
            if self._link() is not None or not self.path.is_file():
                return
            self.path.unlink(missing_ok=True)
        for folder in self._folders()[:-2]:  # root and bucket stay
            try:
                folder.rmdir()
            except OSError:
                return  # it is not empty, or gone

    def _move(self, finished: Path) -> None:
        for attempt in Retrying(
            retry=retry_if_exception(_is_race), stop=stop_after_attempt(_ATTEMPTS), reraise=True
        ):
            with attempt:
                self.require_free()
                self.path.parent.mkdir(parents=True, exist_ok=True)
                _replace(finished, self.path)

    def _folders(self) -> list[Path]:
        """Return the folders from the file's own up to the root."""
        parents = list(self.path.parents)
        return parents[: parents.index(self._root) + 1]

    def _link(self) -> Path | None:
        below = [self.path, *self._folders()[:-1]]
        return next((path for path in below if path.is_symlink()), None)

    def _excluded(self, other: Path) -> Conflict:
        return Conflict(
            f"{self.address} cannot be stored: "
            f"s3://{other.relative_to(self._root).as_posix()} is there, and a key cannot be both "
            "an object and a folder of objects",
            hint="choose another key, or delete what is there",
        )


def _is_no_folder(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_race(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _RACES


def _replace(finished: Path, path: Path) -> None:
    if path.is_dir():  # empty folders, which a crash or a person left
        for folder, _, _ in os.walk(path, topdown=False):
            Path(folder).rmdir()
    finished.replace(path)


def _sync(folder: Path) -> None:
    try:
        file = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return  # a delete has taken the object and its folder already
    try:
        os.fsync(file)
    finally:
        os.close(file)
