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

from parkade.adapters.folder.errors import reading, writing
from parkade.adapters.folder.etags import Etags
from parkade.adapters.folder.incoming import Incoming
from parkade.adapters.folder.places import Place
from parkade.domain.errors import InvalidInput, ObjectNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path

    from parkade.ports.objects import ObjectInfo


class FolderObjects:
    """The objects port on a folder. Folders whose names begin with a dot are its own."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with writing(str(root)):
            self._incoming = Incoming(root / ".incoming")
        self._etags = Etags(root / ".meta")

    @contextmanager
    def writer(self, bucket: str, key: str) -> Iterator[_Writer]:
        """Begin an object. Raises Conflict where the key and another one exclude each other."""
        place = Place(self._root, bucket, key)
        place.require_free()
        with ExitStack() as stack:
            with writing(place.address):
                path, file = stack.enter_context(self._incoming.file())
            yield _Writer(place, self._etags, path, file)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading."""
        return Place(self._root, bucket, key).open()

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object; a file put in by hand is read once for its etag."""
        place = Place(self._root, bucket, key)
        with place.open() as file, reading(place.address):
            return place.info(file, self._etags.of(bucket, key, file))

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects under the prefix; a file whose name can be no key is none."""
        found: list[ObjectInfo] = []
        for key in self._keys(bucket):
            if key.startswith(prefix):
                try:
                    found.append(self.stat(bucket, key))
                except (ObjectNotFound, InvalidInput):
                    continue  # deleted since it was listed, or not an object
        return found

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object, and the folders that it leaves empty."""
        place = Place(self._root, bucket, key)
        place.delete()
        with writing(place.address):
            self._etags.forget(bucket, key)

    def _keys(self, bucket: str) -> list[str]:
        Place(self._root, bucket, "any")  # raises what an unusable bucket name raises
        folder = self._root / bucket
        if folder.is_symlink() or not folder.is_dir():
            return []
        with reading(f"s3://{bucket}/"):
            paths = [
                os.path.relpath(os.path.join(parent, file), folder)  # noqa: PTH118 - one for each file
                for parent, _, files in os.walk(folder, onerror=_raise)
                for file in files
            ]
        return sorted(path.replace(os.sep, "/") for path in paths if _is_text(path))


class _Writer:
    def __init__(self, place: Place, etags: Etags, path: Path, file: FileIO) -> None:
        self._place = place
        self._etags = etags
        self._path = path
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> object:
        with writing(self._place.address):
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._digest.update(data)
        return len(data)

    def commit(self) -> ObjectInfo:
        etag = self._digest.hexdigest()
        with self._file:
            with writing(self._place.address):
                os.fsync(self._file)
                # Before the rename: until then it is not this file's, and does not count.
                self._etags.remember(self._place.bucket, self._place.key, self._file, etag)
            self._place.take(self._path)
            return self._place.info(self._file, etag)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raise(error: OSError) -> NoReturn:
    raise error
