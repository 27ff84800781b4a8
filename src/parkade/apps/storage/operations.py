"""Which operation of S3 a request is, and what of S3 is not here.

A bucket or key with a sub-resource in the query (`?acl`) is another operation than without. So
every parameter has to be one that the operation knows; what is not here is named as Amazon's own
description of S3 names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from botocore.loaders import Loader

from parkade.apps.storage import buckets, listing, multipart, reading, removing, storing
from parkade.apps.storage.faults import Fault, not_there
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from starlette.responses import Response

    from parkade.apps.storage.call import Call

Level: TypeAlias = Literal["service", "bucket", "object"]

#: The account that everything here belongs to.
ACCOUNT = "000000000000"
_READ, _WRITE = Role.OPERATOR, Role.ADMIN
#: Clients add the first for their own logs, the others where an address is presigned; the last
#: two repeat headers that have to come with it.
_ALWAYS = frozenset({
    "x-id", "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5",
})  # fmt: skip
_PRESIGNED = "x-amz-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: how it is recognised, who may call it, and what it knows."""

    name: str
    method: str
    level: Level
    role: Role
    run: Callable[[Call], Awaitable[Response]]
    #: Parameters by which it is recognised.
    marks: frozenset[str] = frozenset()
    #: Parameters that it knows beside these.
    knows: frozenset[str] = frozenset()
    #: A header by which it is recognised.
    header: str = ""
    #: Whether `If-Match` and the like are understood.
    conditional: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LISTING = _set("prefix delimiter max-keys encoding-type")
OPERATIONS = (
    Operation(
        name="ListBuckets", method="GET", level="service", role=_READ, run=buckets.ls,
        knows=_set("max-buckets continuation-token prefix bucket-region"),
    ),
    Operation(name="CreateBucket", method="PUT", level="bucket", role=_WRITE, run=buckets.make),
    Operation(name="HeadBucket", method="HEAD", level="bucket", role=_READ, run=buckets.head),
    Operation(
        name="DeleteBucket", method="DELETE", level="bucket", role=_WRITE, run=buckets.remove
    ),
    Operation(
        name="GetBucketLocation", method="GET", level="bucket", role=_READ, run=buckets.location,
        marks=_set("location"),
    ),
    Operation(
        name="ListObjectsV2", method="GET", level="bucket", role=_READ, run=listing.second,
        marks=_set("list-type"), knows=_LISTING | _set("continuation-token start-after fetch-owner"),
    ),
    Operation(
        name="ListObjects", method="GET", level="bucket", role=_READ, run=listing.first,
        knows=_LISTING | _set("marker"),
    ),
    Operation(
        name="PutObject", method="PUT", level="object", role=_WRITE, run=storing.put
    ),
    Operation(
        name="CopyObject", method="PUT", level="object", role=_WRITE, run=storing.copy,
        header=storing.SOURCE,
    ),
    Operation(
        name="GetObject", method="GET", level="object", role=_READ, run=reading.get,
        knows=reading.OVERRIDES, conditional=True,
    ),
    Operation(
        name="HeadObject", method="HEAD", level="object", role=_READ, run=reading.head,
        knows=reading.OVERRIDES, conditional=True,
    ),
    Operation(
        name="GetObjectTagging", method="GET", level="object", role=_READ, run=reading.tagging,
        marks=_set("tagging"),
    ),
    Operation(
        name="DeleteObject", method="DELETE", level="object", role=_WRITE, run=removing.one
    ),
    Operation(
        name="DeleteObjects", method="POST", level="bucket", role=_WRITE, run=removing.many,
        marks=_set("delete"),
    ),
    Operation(
        name="CreateMultipartUpload", method="POST", level="object", role=_WRITE,
        run=multipart.create, marks=_set("uploads"),
    ),
    Operation(
        name="UploadPart", method="PUT", level="object", role=_WRITE, run=multipart.put,
        marks=_set("partNumber uploadId"),
    ),
    Operation(
        name="UploadPartCopy", method="PUT", level="object", role=_WRITE, run=multipart.copy,
        marks=_set("partNumber uploadId"), header=storing.SOURCE,
    ),
    Operation(
        name="CompleteMultipartUpload", method="POST", level="object", role=_WRITE,
        run=multipart.complete, marks=_set("uploadId"),
    ),
    Operation(
        name="AbortMultipartUpload", method="DELETE", level="object", role=_WRITE,
        run=multipart.abort, marks=_set("uploadId"),
    ),
    Operation(
        name="ListParts", method="GET", level="object", role=_READ, run=multipart.ls_parts,
        marks=_set("uploadId"), knows=_set("max-parts part-number-marker"),
    ),
    Operation(
        name="ListMultipartUploads", method="GET", level="bucket", role=_READ, run=multipart.ls,
        marks=_set("uploads"),
        knows=_set("prefix max-uploads key-marker upload-id-marker encoding-type"),
    ),
)  # fmt: skip
SPOKEN = "Spoken here are " + ", ".join(each.name for each in OPERATIONS) + "."

#: Headers that ask for what is not here; a value given with one asks for nothing.
_REFUSED: Mapping[str, frozenset[str]] = {
    "x-amz-acl": frozenset({"private", "bucket-owner-full-control"}),
    "x-amz-storage-class": frozenset({"STANDARD"}),
    "x-amz-grant-": frozenset(),
    # The first is what S3 does anyway, the second what SageMaker's SDK asks for by default: at rest,
    # objects are as safe as the disk they are on. With keys of one's own they would be more.
    "x-amz-server-side-encryption": frozenset({"AES256", "aws:kms"}),
    "x-amz-server-side-encryption-": frozenset(),
    "x-amz-copy-source-server-side-encryption": frozenset(),
    "x-amz-tagging": frozenset({"COPY", "REPLACE", ""}),
    "x-amz-object-lock-": frozenset(),
    "x-amz-bucket-object-lock-enabled": frozenset({"false"}),
    "x-amz-website-redirect-location": frozenset(),
    "x-amz-write-offset-bytes": frozenset(),
}
_CONDITIONS = ("if-match", "if-none-match")
_OWNERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")


def find(
    method: str, level: Level, query: Mapping[str, str], headers: Mapping[str, str]
) -> Operation:
    """Return the operation that is asked for. Raises NotImplemented that names what is not here."""
    asked = {
        name for name in query if name not in _ALWAYS and not name.lower().startswith(_PRESIGNED)
    }
    fitting = [
        each
        for each in OPERATIONS
        if (each.method, each.level) == (method, level)
        and each.marks <= asked
        and (not each.header or each.header in headers)
    ]
    if fitting:
        found = max(fitting, key=lambda each: (len(each.marks), bool(each.header)))
        if asked <= found.marks | found.knows:
            _require_headers(found, headers)
            return found
    raise _not_there(method, level, asked, known=fitting)


def _require_headers(operation: Operation, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        for refused, harmless in _REFUSED.items():
            if name.startswith(refused) and value not in harmless:
                raise not_there(f"{operation.name} with the header {name}: {value[:80]}", SPOKEN)
        if name in _CONDITIONS and not operation.conditional:
            raise not_there(f"{operation.name} with the header {name}", SPOKEN)
        if name in _OWNERS and value != ACCOUNT:
            raise Fault(
                "AccessDenied", 403, f"The bucket's owner is {ACCOUNT}, not {value[:80]} ({name})."
            )


def _not_there(method: str, level: Level, asked: set[str], *, known: list[Operation]) -> Fault:
    named = [
        (name, marks)
        for name, how, where, marks in _described()
        if (how, where) == (method, level) and marks and marks <= asked
    ]
    here = {each.name for each in OPERATIONS}
    named = [(name, marks) for name, marks in named if name not in here]
    if named:
        return not_there(max(named, key=lambda each: len(each[1]))[0], SPOKEN)
    if known:
        parameters = ", ".join(sorted(asked - known[0].marks - known[0].knows))
        return not_there(f"{known[0].name} with the parameter {parameters[:200]}", SPOKEN)
    return Fault(
        "MethodNotAllowed", 405, f"{method} is not possible for this kind of resource. {SPOKEN}"
    )


@cache
def _described() -> tuple[tuple[str, str, Level, frozenset[str]], ...]:
    """Return every operation of S3: name, method, level and marks."""
    return tuple(_read_description())


def _read_description() -> Iterator[tuple[str, str, Level, frozenset[str]]]:
    for name, each in Loader().load_service_model("s3", "service-2")["operations"].items():
        if each.get("deprecated"):
            continue
        path, _, query = each["http"]["requestUri"].partition("?")
        level: Level = (
            "object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service"
        )
        marks = frozenset(pair.partition("=")[0] for pair in query.split("&") if pair) - _ALWAYS
        yield name, each["http"]["method"], level, marks
