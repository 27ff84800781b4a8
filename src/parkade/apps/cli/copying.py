"""Copies one file or object, piece by piece, and holds both sides to the same SHA-256.

A file that is downloaded takes its place once it is whole; whatever ends the copy before that
leaves the file that was there.
"""

from __future__ import annotations

import hashlib
import mimetypes
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from parkade.apps.cli import render
from parkade.apps.cli.addresses import PIPE, Copy, End, Remote
from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parkade.apps.cli.client import Client

_PIECE = 1 << 20
_TYPE = "application/octet-stream"


def copy(client: Client, each: Copy, count: Callable[[int], None]) -> None:
    """Copy one; `count` is told how many bytes have gone through."""
    with _pieces(client, each.source) as (pieces, content_type):
        sums = hashlib.sha256()
        counted = _counted(pieces, sums.update, count)
        if isinstance(each.target, Remote):
            stored = client.upload(
                each.target.bucket, each.target.key, counted, each.size, content_type=content_type
            )
            _require_same(stored["etag"], sums.hexdigest(), each.target)
        elif each.target == PIPE:
            for piece in counted:
                render.piece(piece)
        else:
            _write(Path(str(each.target)), counted)


@contextmanager
def _pieces(client: Client, source: End) -> Iterator[tuple[Iterator[bytes], str]]:
    """Give the source's bytes and its type."""
    if isinstance(source, Remote):
        with client.download(source.bucket, source.key) as answer:
            etag = answer.headers.get("etag", "").strip('"')
            pieces = _verified(answer.iter_bytes(_PIECE), etag, source)
            yield pieces, answer.headers.get("content-type", _TYPE)
    elif source == PIPE:
        yield _read(sys.stdin.buffer), _TYPE
    else:
        path = Path(str(source))
        with _opened(path) as file:
            yield _read(file), mimetypes.guess_type(path.name, strict=True)[0] or _TYPE


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    fresh = path.with_name(f".{path.name[:200]}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("xb") as file, _removed(fresh):
            for piece in pieces:
                file.write(piece)
            file.flush()
            fresh.replace(path)
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}", field="address", hint="check its name"
        ) from error


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}", field="address", hint="check its name"
        ) from error


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _counted(
    pieces: Iterable[bytes], update: Callable[[bytes], None], count: Callable[[int], None]
) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
        count(len(piece))


def _verified(pieces: Iterable[bytes], etag: str, source: Remote) -> Iterator[bytes]:
    sums = hashlib.sha256()
    for piece in pieces:
        sums.update(piece)
        yield piece
    _require_same(etag, sums.hexdigest(), source)


def _require_same(etag: str, digest: str, place: Remote) -> None:
    if etag != digest:
        raise ParkadeError(f"{place} was changed on its way", hint="try again")
