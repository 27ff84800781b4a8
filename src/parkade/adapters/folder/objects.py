"""A folder that plays S3: `s3://bucket/key` is the file `root/bucket/key`.

Plain paths, so that people can look and can put files in by hand. The price: where one key is
a folder of another (`a` and `a/b`) they cannot both be there, a key cannot end in `/`, each part
of a key is a file name (255 bytes), and a file system that ignores case takes `A` and `a` for
one. Symbolic links below the root are never followed, so nothing leads out of it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from parkade.adapters.folder.buckets import Buckets
from parkade.adapters.folder.errors import reading, writing
from parkade.adapters.folder.incoming import Incoming
from parkade.adapters.folder.places import Place
from parkade.adapters.folder.records import Record, Records
from parkade.domain import listing, names
from parkade.domain.errors import InvalidInput, ObjectNotFound
from parkade.ports.objects import BucketInfo, ObjectPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from io import FileIO
    from pathlib import Path

    from parkade.ports.objects import ObjectInfo


class FolderObjects:
    """The objects port on a folder. Folders whose names begin with a dot are its own."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with writing(str(root)):
            self._incoming = Incoming(root / ".incoming")
        self._records = Records(root / ".meta")
        self._buckets = Buckets(root)

    @contextmanager
    def writer(
        self, bucket: str, key: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[_Writer]:
        """Begin an object. Raises Conflict where the key and another one exclude each other."""
        place = Place(self._root, bucket, key)
        place.require_free()
        with ExitStack() as stack:
            with writing(place.address):
                path, file = stack.enter_context(self._incoming.file())
            yield _Writer(self, place, path, file, headers or {})

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading."""
        return Place(self._root, bucket, key).open()

    def fetch(self, bucket: str, key: str) -> tuple[ObjectInfo, BinaryIO]:
        """Open the object and describe it; a file put in by hand is read once for its etag."""
        place = Place(self._root, bucket, key)
        while True:
            with ExitStack() as stack:
                file = stack.enter_context(place.open())
                with reading(place.address):
                    record = self._records.of(place, file)
                    if record is None:
                        continue  # replaced since it was opened: the one that is there now
                    info = place.info(file, record.etag, record.headers)
                stack.pop_all()
            return info, file

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object."""
        info, file = self.fetch(bucket, key)
        file.close()
        return info

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects under the prefix; a file whose name can be no key is none."""
        return self._described(
            bucket, [key for key in self._keys(bucket, prefix) if key.startswith(prefix)]
        )

    def page(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", after: str = "", limit: int
    ) -> ObjectPage:
        """Describe at most `limit` objects and common prefixes."""
        found = listing.page(
            self._keys(bucket, prefix),
            prefix=prefix,
            delimiter=delimiter,
            after=after,
            limit=limit,
        )
        return ObjectPage(
            objects=self._described(bucket, found.keys),
            prefixes=found.prefixes,
            following=found.following,
        )

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object, and the folders that it leaves empty."""
        place = Place(self._root, bucket, key)
        with self._records.lock:
            place.delete()
            with writing(place.address):
                self._records.forget(place)

    def buckets(self) -> Sequence[BucketInfo]:
        """Describe all buckets, in the order of their names."""
        return self._buckets.all()

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket; one that is there counts as done."""
        self._buckets.make(bucket)

    def remove_bucket(self, bucket: str) -> None:
        """Remove an empty bucket."""
        with self._records.lock:
            self._buckets.remove(bucket)
            with writing(f"s3://{bucket}"):
                self._records.forget_bucket(bucket)

    def take(self, place: Place, path: Path, file: FileIO, record: Record) -> None:
        """Move a finished file to its place, its record with it."""
        with self._records.lock:
            with writing(place.address):
                self._records.remember(place, file, record)
            place.take(path)

    def _described(self, bucket: str, keys: Iterable[str]) -> Sequence[ObjectInfo]:
        found: list[ObjectInfo] = []
        for key in keys:
            try:
                found.append(self.stat(bucket, key))
            except (ObjectNotFound, InvalidInput):
                continue  # deleted since it was listed, or not an object
        return found

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        """Return at least all keys that begin with the prefix, in their order."""
        root = self._root / names.bucket_name(bucket)
        folder = _folder_of(root, prefix)
        if folder is None or root.is_symlink() or not root.is_dir():
            return []
        with reading(f"s3://{bucket}/"):
            paths = [
                os.path.relpath(os.path.join(parent, file), root)  # noqa: PTH118 - one for each file
                for parent, _, files in os.walk(folder, onerror=_raise)
                for file in files
            ]
        return sorted(path.replace(os.sep, "/") for path in paths if _is_text(path))


class _Writer:
    def __init__(
        self,
        objects: FolderObjects,
        place: Place,
        path: Path,
        file: FileIO,
        headers: Mapping[str, str],
    ) -> None:
        self._objects = objects
        self._place = place
        self._path = path
        self._file = file
        self._headers = headers
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> object:
        with writing(self._place.address):
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._digest.update(data)
        return len(data)

    def digest(self) -> str:
        return self._digest.hexdigest()

    def commit(self) -> ObjectInfo:
        etag = self._digest.hexdigest()
        with self._file:
            with writing(self._place.address):
                os.fsync(self._file)
            record = Record(etag=etag, headers=dict(self._headers))
            self._objects.take(self._place, self._path, self._file, record)
            return self._place.info(self._file, etag, record.headers)


def _folder_of(root: Path, prefix: str) -> Path | None:
    """Return the folder that all keys with the prefix lie in; None: there can be none."""
    parents = prefix.split("/")[:-1]
    if not {"", ".", ".."}.isdisjoint(parents) or "\0" in prefix or not _is_text(prefix):
        return None
    folder = root
    for part in parents:
        folder /= part
        if folder.is_symlink():
            return None
    return folder if folder.is_dir() else None


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raise(error: OSError) -> NoReturn:
    raise error
