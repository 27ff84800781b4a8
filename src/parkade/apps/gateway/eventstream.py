"""AWS's event-stream encoding, as SageMaker's response streams use it.

A frame is: its length, the length of its headers and a checksum of these two; the headers; the
payload; a checksum of all before. Numbers are four bytes, most significant first. A header is a name
and a text here, each behind its length.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT_TYPE = b"application/vnd.amazon.eventstream"
#: Largest payload of a frame. A reader has to hold a frame whole before it sees any of it.
PART_LIMIT = 65_536
#: Bytes around headers and payload: two lengths, two checksums.
_FRAMING = 16
_TEXT = 7


def _headers(**values: str) -> bytes:
    """Return the headers of a frame; underscores in names stand for hyphens."""
    encoded = b""
    for key, value in values.items():
        name, text = b":" + key.replace("_", "-").encode(), value.encode()
        encoded += struct.pack(">B", len(name)) + name + struct.pack(">BH", _TEXT, len(text)) + text
    return encoded


_PART = _headers(
    message_type="event", event_type="PayloadPart", content_type="application/octet-stream"
)


def parts(payload: bytes) -> Iterator[bytes]:
    """Return the frames that carry a piece of an answer, more than one where it is large."""
    if len(payload) <= PART_LIMIT:
        yield _frame(_PART, payload)
        return
    for start in range(0, len(payload), PART_LIMIT):
        yield _frame(_PART, payload[start : start + PART_LIMIT])


def failure(kind: str, message: str, code: str | None = None) -> bytes:
    """Return the frame of an exception, which ends a stream."""
    body = {"Message": message} if code is None else {"Message": message, "ErrorCode": code}
    headers = _headers(
        message_type="exception", exception_type=kind, content_type="application/json"
    )
    return _frame(headers, json.dumps(body).encode())


def _frame(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", _FRAMING + len(headers) + len(payload), len(headers))
    opening = b"".join((lengths, struct.pack(">I", crc32(lengths)), headers, payload))
    return opening + struct.pack(">I", crc32(opening))
