"""What `parkade objects` copies: from where to where, worked out before anything is sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from parkade.apps.cli.client import Refused
from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.cli.client import Client

_S3 = "s3://"
#: Standard input or output.
PIPE = "-"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Remote:
    """A key of a bucket, or a beginning of keys."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{_S3}{self.bucket}/{self.key}" if self.key else f"{_S3}{self.bucket}"

    def named(self, source: str) -> Remote:
        """Return where something of this name goes: a folder keeps the name."""
        folder = not self.key or self.key.endswith("/")
        return Remote(self.bucket, self.key + source if folder else self.key)

    def below(self, relative: str) -> Remote:
        """Return a key in this folder."""
        return Remote(self.bucket, f"{folder_of(self.key)}{relative}")


#: `-`, a file, or an object.
End: TypeAlias = "str | Path | Remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One file or object, its size where that is known, and where it goes."""

    source: End
    target: End
    size: int | None


def remote(text: str, *, whole: bool = False) -> Remote:
    """Read `s3://BUCKET[/KEY]`; with `whole`, the key has to be there. Raises InvalidInput."""
    match = re.fullmatch(r"s3://([^/]*)/?(.*)", text, re.DOTALL)
    if match is None:
        raise InvalidInput(
            f"{text!r} is not an s3:// address", field="address", hint="write s3://BUCKET/KEY"
        )
    names.bucket_name(match[1], field="bucket")
    if whole:
        names.s3_address(text, field="address")
    return Remote(match[1], match[2])


def folder_of(key: str) -> str:
    """Return the beginning that all keys in a folder have."""
    return f"{key.rstrip('/')}/" if key.rstrip("/") else ""


def end(text: str) -> End:
    """Read one side of a copy."""
    if text == PIPE:
        return PIPE
    return remote(text) if text.startswith(_S3) else Path(text)


def listed(
    client: Client, place: Remote, *, delimiter: str | None = None
) -> Iterator[dict[str, Any]]:
    """Give the pages of a bucket's objects that begin with the key."""
    after: str | None = None
    while True:
        page = client.get(
            "objects",
            place.bucket,
            prefix=place.key or None,
            delimiter=delimiter,
            after=after,
            limit=_PAGE,
        )
        yield page
        after = page["next"]
        if not after:
            return


def objects(client: Client, place: Remote) -> list[dict[str, Any]]:
    """Return all objects that begin with the key; a bucket that is not there is refused."""
    found = [each for page in listed(client, place) for each in page["objects"]]
    if not found:
        require_bucket(client, place.bucket)
    return found


def buckets(client: Client) -> list[dict[str, Any]]:
    """Return all buckets."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = client.get("objects", after=after, limit=_PAGE)
        found += page["buckets"]
        after = page["next"]
        if not after:
            return found


def require_bucket(client: Client, bucket: str) -> None:
    """Raise Refused where the bucket is not there, with the name that was probably meant."""
    known = [each["name"] for each in buckets(client)]
    if bucket not in known:
        meant = names.suggestion(bucket, known)
        raise Refused(
            f"there is no bucket {bucket!r}",
            status=404,
            code="bucket_not_found",
            hint=f"{meant} see: parkade objects ls".strip(),
        )


def one(client: Client, place: Remote) -> dict[str, Any]:
    """Return the object with just this key."""
    page = client.get("objects", place.bucket, prefix=place.key, limit=1)
    if page["objects"] and page["objects"][0]["key"] == place.key:
        return dict(page["objects"][0])
    require_bucket(client, place.bucket)
    hint = "see: parkade objects ls"
    if page["objects"]:
        hint = f"several keys begin so; copy or remove them with --recursive, or see: parkade objects ls {place}"
    raise Refused(f"there is no object {place}", status=404, code="object_not_found", hint=hint)


def copies(client: Client, source: End, target: End, *, recursive: bool) -> list[Copy]:
    """Return what is to be copied. Raises InvalidInput, or Refused for what is not there."""
    if not isinstance(source, Remote) and not isinstance(target, Remote):
        raise _unusable("neither side is an s3:// address", "write s3://BUCKET/KEY for one of them")
    if recursive:
        if PIPE in {source, target}:
            raise _unusable("--recursive copies folders, not -", "leave --recursive out")
        return list(_many(client, source, target))
    return [_one(client, source, target)]


def _one(client: Client, source: End, target: End) -> Copy:
    size: int | None = None
    name = ""
    if isinstance(source, Remote):
        if not source.key or source.key.endswith("/"):
            raise _unusable(f"{source} is a folder", "copy it with --recursive")
        name = source.key.rpartition("/")[2]
        size = one(client, source)["size"]
    elif isinstance(source, Path):
        name = source.name
        size = _size(source)
    if isinstance(target, Remote):
        if source == PIPE and (not target.key or target.key.endswith("/")):
            raise _unusable(f"{target} has no key", "name the object: s3://BUCKET/KEY")
        target = target.named(name)
        names.object_address(target.bucket, target.key, field="address")
    elif isinstance(target, Path) and target.is_dir():
        target /= name
    return Copy(source=source, target=target, size=size)


def _many(client: Client, source: End, target: End) -> Iterator[Copy]:
    if isinstance(source, Remote):
        prefix = folder_of(source.key)
        there = objects(client, Remote(source.bucket, prefix))
        if not there:
            raise _unusable(f"there is nothing below {source}", "see: parkade objects ls")
        for each in there:
            relative = each["key"].removeprefix(prefix)
            yield Copy(
                source=Remote(source.bucket, each["key"]),
                target=_below(target, relative),
                size=each["size"],
            )
        return
    folder = Path(str(source))
    if not folder.is_dir():
        raise _unusable(f"{folder} is not a folder", "leave --recursive out for one file")
    files = sorted(Path(parent, name) for parent, _, found in os.walk(folder) for name in found)
    for file in files:
        place = _below(target, file.relative_to(folder).as_posix())
        yield Copy(source=file, target=place, size=_size(file))


def _below(target: End, relative: str) -> End:
    if isinstance(target, Remote):
        place = target.below(relative)
        names.object_address(place.bucket, place.key, field="address")
        return place
    # No key climbs out of its folder, whatever a server says.
    names.object_address("any", relative, field="address")
    return Path(str(target), *relative.split("/"))


def _size(file: Path) -> int:
    if file.is_dir():
        raise _unusable(f"{file} is a folder", "copy it with --recursive")
    try:
        return file.stat().st_size
    except OSError as error:
        raise _unusable(f"{file} cannot be read: {error.strerror}", "check its name") from error


def _unusable(what: str, hint: str) -> InvalidInput:
    return InvalidInput(what, field="address", hint=hint)
