"""S3's operations on buckets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.apps.storage import receiving, xml
from parkade.apps.storage.call import Call, answer, iso, nothing

if TYPE_CHECKING:
    from starlette.responses import Response

#: The owner of everything; there are no accounts here.
OWNER = (("ID", "0" * 64), ("DisplayName", "parkade"))
_MOST = 10_000
#: S3's first region, which it writes as nothing.
_FIRST = "us-east-1"


async def ls(call: Call) -> Response:
    """ListBuckets."""
    there = await asyncio.to_thread(call.objects.buckets)
    limit = call.number("max-buckets", _MOST, most=_MOST)
    after, prefix = call.query.get("continuation-token", ""), call.query.get("prefix", "")
    here = call.services.file().region
    if call.query.get("bucket-region", here) != here:
        there = ()
    rest = [each for each in there if each.name > after and each.name.startswith(prefix)]
    found = rest[:limit]
    listed = tuple(
        ("Bucket", (("Name", each.name), ("CreationDate", iso(each.modified_at)))) for each in found
    )
    content: list[xml.Element] = [("Owner", OWNER), ("Buckets", listed)]
    if len(rest) > limit and found:
        content.append(("ContinuationToken", found[-1].name))
    if prefix:
        content.append(("Prefix", prefix))
    return answer(("ListAllMyBucketsResult", content))


async def make(call: Call) -> Response:
    """CreateBucket; one that is there counts as done, as in S3's first region."""
    body = await receiving.document(call)
    if body:
        xml.read(body, "CreateBucketConfiguration")
    await asyncio.to_thread(call.objects.make_bucket, call.bucket)
    return nothing(200, {"Location": f"/{call.bucket}"})


async def head(call: Call) -> Response:
    """HeadBucket."""
    await call.require_bucket()
    return nothing(200, {"x-amz-bucket-region": call.services.file().region})


async def location(call: Call) -> Response:
    """GetBucketLocation: the region that this server says it is."""
    await call.require_bucket()
    region = call.services.file().region
    return answer(("LocationConstraint", "" if region == _FIRST else region))


async def remove(call: Call) -> Response:
    """DeleteBucket, which has to be empty."""
    await asyncio.to_thread(call.objects.remove_bucket, call.bucket)
    return nothing()
