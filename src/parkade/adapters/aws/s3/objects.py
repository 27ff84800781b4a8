"""The objects port on S3.

An object's etag is the SHA-256 of its content, which Parkade writes beside what it puts; S3's own
ETag is something else. Whatever lists objects asks for each of them, some at once, since a listing
of S3's tells neither that nor what an object's writer said of it.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from parkade.adapters.aws.refusals import calling, code_of
from parkade.adapters.aws.s3.infos import info
from parkade.adapters.aws.s3.reader import BUFFER, Reader
from parkade.adapters.aws.s3.writer import Writer
from parkade.domain import names
from parkade.domain.errors import (
    AlreadyExists,
    BucketNotFound,
    InUse,
    InvalidInput,
    ObjectNotFound,
    ParkadeError,
)
from parkade.ports.objects import BucketInfo, ObjectInfo, ObjectPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from parkade.adapters.aws.account import Account

#: Keys that S3 lists at once at most, and objects that are asked for at once.
_KEYS, _AT_ONCE = 1000, 16
_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})
#: What HeadObject answers whoever may put objects, and not read them.
_UNSEEN = frozenset({"403", "AccessDenied", "Forbidden"})
#: Comes after every character of a key: what is listed after a common prefix is not in it.
_LAST = "\U0010ffff"


class S3Objects:
    """The objects port. Buckets are those of the account; new ones are made in its region."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @contextmanager
    def writer(
        self, bucket: str, key: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[Writer]:
        """Begin an object, which waits on the disk until it is committed."""
        names.object_address(bucket, key)
        writer = Writer(
            self._account,
            bucket,
            key,
            headers or {},
            make_bucket=self.make_bucket,
            sent=self._sent,
        )
        try:
            yield writer
        finally:
            writer.close()

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Open the object for reading."""
        return self.fetch(bucket, key)[1]

    def fetch(self, bucket: str, key: str) -> tuple[ObjectInfo, BinaryIO]:
        """Open the object for reading and describe just what was opened."""
        with self._looking(bucket, key):
            answer = self._client.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        reader = Reader(self._account, bucket, key, answer)
        return info(bucket, key, answer), cast("BinaryIO", io.BufferedReader(reader, BUFFER))

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Describe the object."""
        with self._looking(bucket, key):
            head = self._client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        return info(bucket, key, head)

    def ls(self, bucket: str, prefix: str = "") -> Sequence[ObjectInfo]:
        """Describe all objects whose key begins with `prefix`, in the order of keys."""
        found: list[ObjectInfo] = []
        after = ""
        while True:
            page = self.page(bucket, prefix, after=after, limit=_KEYS)
            found += page.objects
            after = page.following
            if not after:
                return found

    def page(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", after: str = "", limit: int
    ) -> ObjectPage:
        """Describe at most `limit` objects and common prefixes."""
        names.bucket_name(bucket)
        if delimiter and after.endswith(delimiter):
            after += _LAST
        listed = _Listed()
        while (left := limit - listed.count) > 0:
            request = {"Prefix": prefix, "Delimiter": delimiter, "StartAfter": after}
            answer = self._list(
                Bucket=bucket,
                MaxKeys=min(left, _KEYS),
                **{name: value for name, value in request.items() if value},
            )
            listed.take(answer)
            if not answer.get("IsTruncated"):
                listed.following = ""
                break
            after = listed.following
            if delimiter and after.endswith(delimiter):
                after += _LAST
        return ObjectPage(
            objects=self._described(bucket, listed.keys),
            prefixes=listed.prefixes,
            following=listed.following,
        )

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object; one that is not there counts as done."""
        address = names.object_address(bucket, key)
        with calling(f"{address} cannot be deleted"):
            try:
                self._client.delete_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) not in _ABSENT:
                    raise

    def buckets(self) -> Sequence[BucketInfo]:
        """Describe all buckets by when they were made, which is all that S3 knows of them."""
        with calling("the buckets cannot be listed"):
            pages = list(self._account.pages("s3", "list_buckets"))
        found = [
            BucketInfo(name=each["Name"], modified_at=each["CreationDate"].astimezone(UTC))
            for page in pages
            for each in page.get("Buckets", ())
        ]
        return sorted(found, key=lambda bucket: bucket.name)

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket; one that is there, and ours, counts as done."""
        names.bucket_name(bucket)
        place = {"CreateBucketConfiguration": {"LocationConstraint": self._account.region}}
        # S3's first region is the one that must not be named.
        where = {} if self._account.region == "us-east-1" else place

        def meaning(code: str, text: str) -> ParkadeError | None:
            if code != "BucketAlreadyExists":
                return None
            return AlreadyExists(
                f"bucket {bucket!r} is somebody else's: {text}",
                hint="names of buckets are shared by all accounts; take another one",
            )

        with calling(f"bucket {bucket!r} cannot be made", meaning):
            try:
                self._client.create_bucket(Bucket=bucket, **where)
            except ClientError as error:
                if code_of(error) != "BucketAlreadyOwnedByYou":
                    raise

    def remove_bucket(self, bucket: str) -> None:
        """Remove an empty bucket."""
        names.bucket_name(bucket)

        def meaning(code: str, _text: str) -> ParkadeError | None:
            if code == "NoSuchBucket":
                return BucketNotFound(f"there is no bucket {bucket!r}")
            if code == "BucketNotEmpty":
                return InUse(f"bucket {bucket!r} is not empty", hint="delete what is in it first")
            return None

        with calling(f"bucket {bucket!r} cannot be removed", meaning):
            self._client.delete_bucket(Bucket=bucket)

    @property
    def _client(self) -> Any:
        return self._account.client("s3")

    @contextmanager
    def _looking(self, bucket: str, key: str) -> Iterator[None]:
        address = names.object_address(bucket, key)

        def meaning(code: str, _text: str) -> ParkadeError | None:
            return ObjectNotFound(f"there is no object {address}") if code in _ABSENT else None

        with calling(f"{address} cannot be read", meaning):
            yield

    def _list(self, **request: Any) -> dict[str, Any]:
        with calling(f"s3://{request['Bucket']}/ cannot be listed"):
            try:
                answer: dict[str, Any] = self._client.list_objects_v2(**request)
            except ClientError as error:
                if code_of(error) != "NoSuchBucket":
                    raise
                return {}
        return answer

    def _described(self, bucket: str, keys: Iterable[str]) -> Sequence[ObjectInfo]:
        wanted = list(keys)
        if not wanted:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(wanted)), "s3") as pool:
            found = pool.map(partial(self._there, bucket), wanted)
            return [each for each in found if each is not None]

    def _there(self, bucket: str, key: str) -> ObjectInfo | None:
        try:
            return self.stat(bucket, key)
        except (ObjectNotFound, InvalidInput):
            return None  # deleted since it was listed, or of a key that has no address here

    def _sent(
        self, bucket: str, key: str, size: int, headers: Mapping[str, str], digest: str
    ) -> ObjectInfo:
        """Describe an object that was just put, whatever has its place by now, seen or not."""
        with calling(f"s3://{bucket}/{key} was put, and cannot be looked at"):
            try:
                answer = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) not in _ABSENT | _UNSEEN:
                    raise
                answer = error.response
            else:
                found = info(bucket, key, answer)
                if found.etag == digest:
                    return found
        return ObjectInfo(
            bucket=bucket,
            key=key,
            size=size,
            etag=digest,
            modified_at=_date(answer),
            headers=dict(headers),
        )


@dataclass(slots=True)
class _Listed:
    """What pages of a listing have told so far."""

    keys: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    #: The last name that was told.
    following: str = ""

    @property
    def count(self) -> int:
        return len(self.keys) + len(self.prefixes)

    def take(self, answer: Mapping[str, Any]) -> None:
        keys = [each["Key"] for each in answer.get("Contents", ())]
        prefixes = [each["Prefix"] for each in answer.get("CommonPrefixes", ())]
        self.keys += keys
        self.prefixes += prefixes
        self.following = max([*keys, *prefixes], default="")


def _date(answer: Mapping[str, Any]) -> datetime:
    """Return when S3 answered."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)
