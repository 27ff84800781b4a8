"""Bodies of S3's requests: what is signed, framed and summed is verified before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps import transfers
from parkade.apps.storage.checksums import Sums
from parkade.apps.storage.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.storage.call import Call
    from parkade.ports.objects import ObjectWriter

#: bytes. Documents: a thousand keys to delete, ten thousand parts to complete.
_DOCUMENT_LIMIT = 8 * 1024**2
_META = "x-amz-meta-"
#: bytes. S3's limit for all names and values of a client's own.
_META_LIMIT = 2048
_KEPT = frozenset({
    "content-type", "cache-control", "content-disposition", "content-encoding",
    "content-language", "expires",
})  # fmt: skip


class Content:
    """A body on its way to where its content goes."""

    def __init__(self, call: Call, take: Callable[[bytes], object], *, summed: bool = True) -> None:
        """With `summed`, the request's sums are those of the body."""
        self._body = call.caller.body()
        self._sums = Sums(call.headers if summed else {})
        self._take = take

    def feed(self, data: bytes) -> None:
        """Take the next piece as it was sent."""
        content = self._body.feed(data)
        self._sums.update(content)
        self._take(content)

    def end(self) -> dict[str, str]:
        """Verify the whole; return the sums that S3 tells back."""
        return self._sums.verify(self._body.end())


async def stored(call: Call, writer: ObjectWriter) -> dict[str, str]:
    """Write the body of a request, up to the limit of an object; return its sums, verified."""
    intake = transfers.Intake(writer, call.services.file().limits.object_bytes)
    length = call.caller.length
    if length is None:
        text = call.headers.get("content-length", "0")
        length = int(text) if text.isdecimal() else 0
    intake.require(length)
    content = Content(call, intake.take)
    await transfers.receive(call.request.stream(), content.feed)
    sums = content.end()
    return {**sums, "x-amz-checksum-type": "FULL_OBJECT"} if sums else {}


async def document(call: Call, *, summed: bool = True) -> bytes:
    """Return the body where it is a small document."""
    found = bytearray()

    def take(data: bytes) -> None:
        found.extend(data)
        if len(found) > _DOCUMENT_LIMIT:
            raise Fault("MaxMessageLengthExceeded", 400, "Your request was too big.")

    content = Content(call, take, summed=summed)
    await transfers.receive(call.request.stream(), content.feed)
    content.end()
    return bytes(found)


def said(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a request says of its object, to be told with it."""
    kept = {
        name: value for name, value in headers.items() if name in _KEPT or name.startswith(_META)
    }
    size = sum(
        len(name) - len(_META) + len(value)
        for name, value in kept.items()
        if name.startswith(_META)
    )
    if size > _META_LIMIT:
        raise Fault(
            "MetadataTooLarge", 400, f"Your metadata headers exceed {_META_LIMIT} bytes: {size}."
        )
    codings = [each.strip() for each in kept.pop("content-encoding", "").split(",")]
    rest = ", ".join(each for each in codings if each and each.lower() != "aws-chunked")
    return {**kept, "content-encoding": rest} if rest else kept
