"""S3's operations of uploads in parts."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from parkade.apps import transfers
from parkade.apps.storage import receiving, storing, uploads, xml
from parkade.apps.storage.buckets import OWNER
from parkade.apps.storage.call import Call, answer, iso, nothing, patiently
from parkade.apps.storage.checksums import Sums
from parkade.apps.storage.faults import Fault, invalid
from parkade.apps.storage.listing import spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from parkade.apps.storage.uploads import Upload
    from parkade.ports.objects import ObjectInfo

_NUMBERS = 10_000
#: bytes. S3's limit for every part but the last.
_LEAST = 5 * 1024**2
_MOST = 1000
_CHECKSUM = "x-amz-checksum-"


async def create(call: Call) -> Response:
    """CreateMultipartUpload."""
    said = receiving.said(call.headers)

    def begin() -> str:
        # An address that cannot be stored is refused now, not when all has been sent.
        with call.objects.writer(call.bucket, call.key):
            return uploads.begin(call.services.parts, call.bucket, call.key, said)

    upload_id = await asyncio.to_thread(begin)
    told = (("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload_id))
    algorithm = {
        name: call.headers[name]
        for name in (f"{_CHECKSUM}algorithm", f"{_CHECKSUM}type")
        if name in call.headers
    }
    return answer(("InitiateMultipartUploadResult", told), algorithm)


async def put(call: Call) -> Response:
    """UploadPart."""
    upload, key = await _part(call)
    with call.services.parts.writer(upload.id, key) as writer:
        sums = await receiving.stored(call, writer)
        info = await asyncio.to_thread(writer.commit)
    return nothing(200, {"ETag": f'"{info.etag}"', **sums})


async def copy(call: Call) -> Response:
    """UploadPartCopy."""
    upload, key = await _part(call)
    source = storing.source_of(call)

    def work() -> xml.Element:
        info, file = storing.opened(call, source)
        with file, call.services.parts.writer(upload.id, key) as writer:
            at, end = storing.source_range(call, info.size)
            file.seek(at)
            while at < end and (data := file.read(min(transfers.PIECE, end - at))):
                writer.write(data)
                at += len(data)
            return storing.result("CopyPartResult", writer.commit())

    return await patiently(work)


async def complete(call: Call) -> Response:
    """CompleteMultipartUpload."""
    upload = await _find(call)
    body = await receiving.document(call, summed=False)
    wanted = _wanted(xml.read(body, "CompleteMultipartUpload"))
    return await patiently(lambda: _completed(call, upload.id, wanted), alone=call.alone(upload.id))


async def abort(call: Call) -> Response:
    """AbortMultipartUpload."""
    upload = _open(await _find(call))
    await asyncio.to_thread(uploads.drop, call.services.parts, upload.id)
    return nothing()


async def ls_parts(call: Call) -> Response:
    """ListParts."""
    upload = _open(await _find(call))
    limit = call.number("max-parts", _MOST, most=_MOST)
    after = call.number("part-number-marker", 0, most=_NUMBERS)
    there = await asyncio.to_thread(lambda: list(uploads.listed(call.services.parts, upload.id)))
    rest = [each for each in there if each[0] > after]
    found = rest[:limit]
    content: list[xml.Element] = [
        ("Bucket", upload.bucket),
        ("Key", upload.key),
        ("UploadId", upload.id),
        ("Owner", OWNER),
        ("StorageClass", "STANDARD"),
        ("PartNumberMarker", str(after)),
        ("NextPartNumberMarker", str(found[-1][0] if found else after)),
        ("MaxParts", str(limit)),
        ("IsTruncated", "true" if len(rest) > limit else "false"),
    ]
    content += (_part_element(number, info) for number, info in found)
    return answer(("ListPartsResult", content))


async def ls(call: Call) -> Response:
    """ListMultipartUploads."""
    limit = call.number("max-uploads", _MOST, most=_MOST)
    spelt = spelling(call)
    await call.require_bucket()
    after = (call.query.get("key-marker", ""), call.query.get("upload-id-marker", "\U0010ffff"))
    there = await asyncio.to_thread(uploads.under_way, call.services.parts, call.bucket)
    prefix = call.query.get("prefix", "")
    rest = [each for each in there if (each.key, each.id) > after and each.key.startswith(prefix)]
    found = rest[:limit]
    content: list[xml.Element] = [
        ("Bucket", call.bucket),
        ("KeyMarker", spelt(call.query.get("key-marker", ""))),
        ("UploadIdMarker", call.query.get("upload-id-marker", "")),
        ("Prefix", spelt(prefix)),
        ("MaxUploads", str(limit)),
        ("IsTruncated", "true" if len(rest) > limit else "false"),
    ]
    if call.query.get("encoding-type"):
        content.append(("EncodingType", "url"))
    if len(rest) > limit and found:
        content += (("NextKeyMarker", spelt(found[-1].key)), ("NextUploadIdMarker", found[-1].id))
    for each in found:
        facts: list[xml.Element] = [
            ("Key", spelt(each.key)),
            ("UploadId", each.id),
            ("Initiator", OWNER),
            ("Owner", OWNER),
            ("StorageClass", "STANDARD"),
            ("Initiated", iso(each.started_at)),
        ]
        content.append(("Upload", facts))
    return answer(("ListMultipartUploadsResult", content))


async def _find(call: Call) -> Upload:
    parts, upload_id = call.services.parts, call.query["uploadId"]
    return await asyncio.to_thread(uploads.find, parts, upload_id, call.bucket, call.key)


def _open(upload: Upload) -> Upload:
    if upload.done:
        raise uploads.missing(upload.id)
    return upload


async def _part(call: Call) -> tuple[Upload, str]:
    text = call.query["partNumber"]
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= _NUMBERS:
        raise invalid(f"Part number must be an integer between 1 and {_NUMBERS}, inclusive.")
    return _open(await _find(call)), uploads.part_key(int(text))


def _wanted(document: xml.Node) -> list[tuple[int, str]]:
    """Return numbers and ETags of the parts in the order that is asked for."""
    wanted = []
    for each in document.all("Part"):
        number = each.value("PartNumber").strip()
        if not number.isascii() or not number.isdecimal() or len(number) > 9:
            raise xml.malformed("each Part has a PartNumber")
        wanted.append((int(number), each.value("ETag").strip().strip('"')))
    if not wanted:
        raise xml.malformed("it must name at least one Part")
    return wanted


def _completed(call: Call, upload_id: str, wanted: Sequence[tuple[int, str]]) -> xml.Element:
    parts = call.services.parts
    # Looked at again: another request may have completed it since.
    upload = uploads.find(parts, upload_id, call.bucket, call.key)
    etag = upload.done or _assembled(call, upload, wanted).etag
    return (
        "CompleteMultipartUploadResult",
        (
            ("Location", str(call.request.url.replace(query=""))),
            ("Bucket", call.bucket),
            ("Key", call.key),
            ("ETag", f'"{etag}"'),
        ),
    )


def _assembled(call: Call, upload: Upload, wanted: Sequence[tuple[int, str]]) -> ObjectInfo:
    parts = call.services.parts
    _require_whole(call, dict(uploads.listed(parts, upload.id)), wanted)
    sums = Sums(_of_object(call))
    with call.objects.writer(upload.bucket, upload.key, upload.headers) as writer:
        for number, _ in wanted:
            with parts.open(upload.id, uploads.part_key(number)) as file:
                while data := file.read(transfers.PIECE):
                    sums.update(data)
                    writer.write(data)
        sums.verify()
        info = writer.commit()
    uploads.finish(parts, upload.id, info.etag)
    return info


def _require_whole(
    call: Call, there: dict[int, ObjectInfo], wanted: Sequence[tuple[int, str]]
) -> None:
    numbers = [number for number, _ in wanted]
    if any(later <= number for number, later in itertools.pairwise(numbers)):
        raise invalid("The list of parts was not in ascending order.", "InvalidPartOrder")
    for number, etag in wanted:
        if number not in there or there[number].etag != etag:
            raise invalid(
                f"Part {number} could not be found, or has another ETag.",
                "InvalidPart",
                PartNumber=str(number),
                ETag=etag,
            )
    for number, etag in wanted[:-1]:
        if there[number].size < _LEAST:
            raise invalid(
                "Your proposed upload is smaller than the minimum allowed size: each part but "
                f"the last has at least {_LEAST} bytes.",
                "EntityTooSmall",
                PartNumber=str(number),
                ETag=etag,
                ProposedSize=str(there[number].size),
                MinSizeAllowed=str(_LEAST),
            )
    limit = call.services.file().limits.object_bytes
    if sum(there[number].size for number in numbers) > limit:
        raise Fault("EntityTooLarge", 400, f"The parts together are larger than {limit} bytes.")


def _of_object(call: Call) -> dict[str, str]:
    """Return the sums of the whole object that a request names; sums of sums are not looked at."""
    return {
        name: value
        for name, value in call.headers.items()
        if name.startswith(_CHECKSUM) and "-" not in value
    }


def _part_element(number: int, info: ObjectInfo) -> xml.Element:
    return (
        "Part",
        (
            ("PartNumber", str(number)),
            ("LastModified", iso(info.modified_at)),
            ("ETag", f'"{info.etag}"'),
            ("Size", str(info.size)),
        ),
    )
