"""Capture files, on this machine or where the server plays S3, read line by line.

Nothing is passed over in silence: what is not replayed is counted, and what cannot be read is named.
"""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from parkade.apps.cli import addresses
from parkade.apps.cli.addresses import Remote
from parkade.apps.cli.client import Refused
from parkade.domain import capturedcalls
from parkade.domain.comparing.answers import printable
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.ownrequests import is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import httpx

    from parkade.apps.cli.client import Client
    from parkade.domain.capturedcalls import CapturedCall, Window

_SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".json.gz")
_GZIP = b"\x1f\x8b"
#: A line with an input and an output of 64 MiB each, in base 64.
LONGEST = 256 * 1024**2
#: Lines and files that are named; all are counted.
NAMED = 20
#: A file of an hour may have calls that began shortly before it.
_SLACK = timedelta(hours=1)
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """A file that is there; it is opened when its turn comes."""

    #: As people are shown it.
    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(slots=True)
class Counts:
    """What was read, and what became of it."""

    files: int = 0
    #: Files that are no capture files by their names.
    other_files: int = 0
    #: Files of another time, by their keys.
    files_outside: int = 0
    lines: int = 0
    replayed: int = 0
    outside: int = 0
    #: Requests that Parkade itself had sent: former replays, and tests.
    own: int = 0
    #: Calls whose event id came before, as those of a shadow variant.
    repeated: int = 0
    without_input: int = 0
    unreadable: int = 0
    unreadable_named: list[dict[str, str]] = field(default_factory=list)

    def cannot_read(self, place: str, why: str) -> None:
        """Count a line, or the rest of a file, and name it."""
        self.unreadable += 1
        if len(self.unreadable_named) < NAMED:
            self.unreadable_named.append({"place": place, "why": why})


class Calls:
    """The captured calls that are to be replayed, with where each was read."""

    def __init__(self, files: Iterator[File | None], window: Window, limit: int | None) -> None:
        """Read these files; None stands for one that is no capture file."""
        self.counts = Counts()
        self._files = files
        self._window = window
        self._limit = limit
        self._seen: set[bytes] = set()

    def __iter__(self) -> Iterator[tuple[str, CapturedCall]]:
        for file in self._files:
            if file is None:
                self.counts.other_files += 1
                continue
            if not self._window.may_have(capturedcalls.hour_of(file.name), _SLACK):
                self.counts.files_outside += 1
                continue
            self.counts.files += 1
            for place, line in self._lines(file):
                call = self._wanted(place, line)
                if call is not None:
                    self.counts.replayed += 1
                    yield place, call
                    if self.counts.replayed == self._limit:
                        return

    def _lines(self, file: File) -> Iterator[tuple[str, bytes]]:
        number = 0
        try:
            with file.open() as raw, _plain(raw) as stream:
                while line := stream.readline(LONGEST):
                    number += 1
                    place = f"{file.name}:{number}"
                    if len(line) >= LONGEST and not line.endswith(b"\n"):
                        _skip(stream)
                        self.counts.lines += 1
                        self.counts.cannot_read(place, f"it is longer than {LONGEST} bytes")
                    elif line.strip():
                        self.counts.lines += 1
                        yield place, line
        except (Refused, OSError, EOFError, zlib.error) as error:
            self.counts.cannot_read(
                f"{file.name}:{number + 1}", f"the rest cannot be read: {error}"
            )

    def _wanted(self, place: str, line: bytes) -> CapturedCall | None:
        try:
            call = capturedcalls.read(line)
        except Unreadable as error:
            self.counts.cannot_read(place, error.message)
            return None
        if not self._window.has(call.at):
            self.counts.outside += 1
        elif is_own(call.inference_id):
            self.counts.own += 1
        elif call.sent is None:
            self.counts.without_input += 1
        elif self._repeats(call.event_id):
            self.counts.repeated += 1
        else:
            return call
        return None

    def _repeats(self, event_id: str) -> bool:
        if not event_id:
            return False
        digest = blake2b(event_id.encode(errors="replace"), digest_size=16).digest()
        if digest in self._seen:
            return True
        self._seen.add(digest)
        return False


def found(client: Client, source: str) -> Iterator[File | None]:
    """Give the files of a folder, or below an s3:// address. Raises InvalidInput, or Refused."""
    if source.startswith("s3://"):
        return _stored(client, addresses.remote(source))
    return _in_folder(Path(source))


def _in_folder(place: Path) -> Iterator[File | None]:
    if not place.exists():
        raise InvalidInput(
            f"{place} does not exist",
            field="from",
            hint="give a folder with capture files, or s3://BUCKET/PREFIX",
        )
    paths = (
        [place] if place.is_file() else sorted(each for each in place.rglob("*") if each.is_file())
    )
    return (_local(each) if each.name.endswith(_SUFFIXES) else None for each in paths)


def _local(path: Path) -> File:
    return File(printable(path.as_posix()), lambda: path.open("rb"))


def _stored(client: Client, place: Remote) -> Iterator[File | None]:
    if not place.key.endswith(_SUFFIXES):
        place = Remote(place.bucket, addresses.folder_of(place.key))
    addresses.require_bucket(client, place.bucket)
    return (
        _remote(client, each["bucket"], each["key"]) if each["key"].endswith(_SUFFIXES) else None
        for page in addresses.listed(client, place)
        for each in page["objects"]
    )


def _remote(client: Client, bucket: str, key: str) -> File:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with client.download(bucket, key) as answer:
            yield io.BufferedReader(_Answer(answer), _PIECE)

    return File(printable(f"s3://{bucket}/{key}"), opened)


class _Answer(io.RawIOBase):
    """The bytes of an answer, as they come, as a file."""

    def __init__(self, answer: httpx.Response) -> None:
        self._pieces = answer.iter_bytes(_PIECE)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = next(self._pieces, b"")
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


@contextmanager
def _plain(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give the file, unpacked where it is packed, whatever its name says."""
    if cast("io.BufferedReader", raw).peek(2)[:2] != _GZIP:
        yield raw
        return
    with gzip.GzipFile(fileobj=raw) as unpacked:
        yield cast("IO[bytes]", unpacked)


def _skip(stream: IO[bytes]) -> None:
    while (piece := stream.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass
