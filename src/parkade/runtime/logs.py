"""Logs of instances: one file each, appended to by its workers, rotated under them.

A worker's standard output is the file itself, so that nothing is lost when the host dies. It
cannot be told to open another one, hence copy and truncate; the file is opened for appending,
so that the next line goes to its new end. A reader that must not miss or repeat a line holds
the rotation off while it reads (`unrotated`).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path
    from typing import BinaryIO

_TAIL_BYTES = 4096
_PIECE = 2**20


def path(folder: Path, endpoint_name: str, variant_name: str, instance_id: str) -> Path:
    """Return where an instance's log lies."""
    return folder / endpoint_name / f"{variant_name}-{instance_id}.log"


def older(log: Path) -> Path:
    """Return where the rotated part of a log lies."""
    return log.with_name(log.name + ".1")


def open_to_append(log: Path) -> int:
    """Open the log, made where it is missing, and return its file descriptor."""
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(log: Path, limit: int) -> bool:
    """Move what the log holds to its older file if it is larger than `limit`; tell whether.

    Of a log that grew to more than twice the limit since it was looked at, only its end is kept,
    so that a worker that writes without end does not fill the disk.
    """
    with opened(log) as source:
        if source is None or _size(source) <= limit:
            return False
        # Before the copy: what is written between it and the truncation is lost.
        fcntl.flock(source, fcntl.LOCK_EX)
        size = _size(source)
        if size <= limit:
            return False  # somebody else has rotated it
        part = log.with_name(log.name + ".part")
        source.seek(size - limit if size > 2 * limit else 0)
        with part.open("wb") as target:
            # To its end, which moves; but not for as long as somebody can write faster.
            left = 3 * limit
            while left and (piece := source.read(min(left, _PIECE))):
                target.write(piece)
                left -= len(piece)
        # In this order: a host that is killed in between leaves lines twice, not none of them.
        part.replace(older(log))
        os.truncate(log, 0)
    return True


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO | None]:
    """Give a log or its older part to read; None where there is none (any more: see `prune`)."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file


@contextmanager
def unrotated(log: Path) -> Iterator[BinaryIO | None]:
    """Give the log to read, which no rotation moves meanwhile; None where there is none."""
    with opened(log) as file:
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_SH)
        yield file


def tail(log: Path, *, since: int, lines: int = 10) -> str:
    """Return the last lines, none from before the offset `since` (unless it was rotated)."""
    with opened(log) as file:
        if file is None:
            return ""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _TAIL_BYTES, since if since <= size else 0))
        text = file.read().decode(errors="replace")
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])


def of_endpoint(folder: Path, endpoint_name: str) -> tuple[Path, ...]:
    """Return all logs of an endpoint, those of instances that are gone as well, newest last."""
    written = []
    for log in (folder / endpoint_name).glob("*.log"):
        with suppress(FileNotFoundError):  # it was pruned meanwhile
            written.append((log.stat().st_mtime_ns, log))
    return tuple(log for _, log in sorted(written))


def prune(folder: Path, endpoint_name: str, *, keep: int, live: Collection[Path]) -> None:
    """Remove the logs of instances that are gone, but the newest `keep`."""
    gone = [log for log in of_endpoint(folder, endpoint_name) if log not in live]
    for log in gone[: max(len(gone) - keep, 0)]:
        log.unlink(missing_ok=True)
        older(log).unlink(missing_ok=True)
