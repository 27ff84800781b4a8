"""The file system's errors in our own words; no other module of this folder translates."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    InvalidInput,
    ObjectNotFound,
    ParkadeError,
    ResourceLimitExceeded,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Nothing is there, or something that is no object: a folder in place of a file or the reverse,
#: a symbolic link, a name longer than any file's.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


@contextmanager
def reading(address: str) -> Iterator[None]:
    """Translate what goes wrong while an object is read."""
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise absent(address) from error
        raise _unavailable(address, error) from error


@contextmanager
def writing(address: str) -> Iterator[None]:
    """Translate what goes wrong while an object is written."""
    try:
        yield
    except OSError as error:
        raise _refused(address, error) from error


def absent(address: str) -> ObjectNotFound:
    """Say that there is no object."""
    return ObjectNotFound(f"there is no object {address}")


def _refused(address: str, error: OSError) -> ParkadeError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return ResourceLimitExceeded(
            f"there is no room on the disk for {address}", hint="make room, then try again"
        )
    if error.errno == errno.ENAMETOOLONG:
        return InvalidInput(
            f"{address[:200]!r} is too long for the path of a file",
            field="Key",
            hint="use a shorter key, or a state folder with a shorter path",
        )
    return _unavailable(address, error)


def _unavailable(address: str, error: OSError) -> Unavailable:
    return Unavailable(
        f"{address} cannot be used: {error.strerror}",
        hint="check that the objects folder is yours to read and write, and that the disk works",
    )
