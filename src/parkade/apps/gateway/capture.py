"""A captured call and the line it becomes: SageMaker's data capture format, and where it goes.

A line has to decode to the very bytes that were sent and received. So data whose content type is
to be written as text, and that is no UTF-8, is written in base 64 like data of any other type.

Long data is worked on in parts: whoever works beside the event loop must let go of the
interpreter often.
"""

from __future__ import annotations

import base64
import codecs
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from parkade.domain import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parkade.apps import link

#: Bytes that are encoded at once; a multiple of 3, for base 64.
PART = 48 * 1024
#: What SageMaker calls its files is not documented: minute, second, millisecond and a UUID is
#: what has been seen (unverified). Nobody should read a meaning out of it.
FILE_NAME = "{at:%M-%S}-{milliseconds:03d}-{unique}.jsonl"


_encode = json.JSONEncoder(separators=(",", ":")).encode
_Decoder = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body in the pieces it came in, and the content type it came with; empty: none."""

    pieces: Sequence[bytes]
    content_type: str

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One call that is to be written down; what is None of it is not."""

    view: link.CaptureView
    endpoint: str
    variant: str
    event_id: str
    #: When it was made, in seconds of the epoch.
    at: float
    sent: Payload | None
    answered: Payload | None
    #: As the caller gave them; empty: it gave none.
    inference_id: str = ""
    custom_attributes: str = ""

    @property
    def size(self) -> int:
        """How many bytes of bodies it keeps."""
        return sum(each.size for each in (self.sent, self.answered) if each is not None)


def address(call: Captured) -> tuple[str, str]:
    """Return the bucket, and a key for a new file that begins with this call.

    Raises InvalidInput where the destination is none.
    """
    bucket, prefix = names.s3_prefix(call.view.destination, field="DestinationS3Uri")
    at = datetime.fromtimestamp(call.at, UTC)
    file = FILE_NAME.format(at=at, milliseconds=at.microsecond // 1000, unique=uuid.uuid4())
    return bucket, f"{prefix}{call.endpoint}/{call.variant}/{at:%Y/%m/%d/%H}/{file}"


def line(call: Captured) -> bytes:
    """Return the call as a line of JSON."""
    data = []
    if call.sent is not None:
        data.append(b'"endpointInput":' + _payload(call.sent, b"INPUT", call.view))
    if call.answered is not None:
        data.append(b'"endpointOutput":' + _payload(call.answered, b"OUTPUT", call.view))
    metadata: dict[str, object] = {"eventId": call.event_id}
    if call.inference_id:
        metadata["inferenceId"] = call.inference_id
    if call.custom_attributes:
        # A list of one text is how public readers of captured files take them (unverified).
        metadata["customAttributes"] = [call.custom_attributes]
    metadata["inferenceTime"] = f"{datetime.fromtimestamp(call.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return b'{"captureData":{%b},"eventMetadata":%b,"eventVersion":"0"}\n' % (
        b",".join(data),
        _json(metadata),
    )


def _payload(payload: Payload, mode: bytes, view: link.CaptureView) -> bytes:
    encoding, data = _encoded(payload, view)
    return b'{"observedContentType":%b,"mode":"%b","data":"%b","encoding":"%b"}' % (
        _json(payload.content_type),
        mode,
        b"".join(data),
        encoding,
    )


def _encoded(payload: Payload, view: link.CaptureView) -> tuple[bytes, list[bytes]]:
    kind = _kind(payload.content_type, view)
    if kind is not None:
        try:
            return kind, list(_escaped(payload.pieces))
        except UnicodeDecodeError:
            pass  # its bytes are kept in the other way
    return b"BASE64", list(_base64(payload.pieces))


def _kind(content_type: str, view: link.CaptureView) -> bytes | None:
    """Return how the data is written as text; None: it is not. Parameters do not count."""
    plain = content_type.partition(";")[0].strip().lower()
    for kind, types in ((b"CSV", view.csv_types), (b"JSON", view.json_types)):
        if plain in map(str.lower, types):
            return kind
    return None


def _escaped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    decoder = _Decoder()
    for part in _parts(pieces):
        yield _json(decoder.decode(part))[1:-1]
    decoder.decode(b"", final=True)


def _base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in _parts(pieces):
        whole = rest + part
        cut = len(whole) - len(whole) % 3
        yield base64.b64encode(whole[:cut])
        rest = whole[cut:]
    yield base64.b64encode(rest)


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), PART):
            yield piece[start : start + PART]


def _json(value: object) -> bytes:
    return _encode(value).encode("ascii")
