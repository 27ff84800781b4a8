"""The event-stream encoding, as botocore decodes it."""

from __future__ import annotations

import json

from botocore.eventstream import EventStreamBuffer, EventStreamMessage
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.gateway import eventstream


def decoded(wire: bytes, size: int = 1000) -> list[EventStreamMessage]:
    """Return the frames as botocore reads them, a few bytes at a time."""
    buffer, messages = EventStreamBuffer(), []
    for start in range(0, len(wire), size):
        buffer.add_data(wire[start : start + size])
        messages += list(buffer)
    return messages


@given(st.lists(st.binary(max_size=300)), st.integers(min_value=1, max_value=100))
def test_parts_come_back_as_they_were(payloads: list[bytes], size: int) -> None:
    wire = b"".join(frame for payload in payloads for frame in eventstream.parts(payload))
    messages = decoded(wire, size)
    assert [message.payload for message in messages] == payloads
    assert all(
        message.headers
        == {
            ":message-type": "event",
            ":event-type": "PayloadPart",
            ":content-type": "application/octet-stream",
        }
        for message in messages
    )


@given(st.integers(min_value=0, max_value=5 * eventstream.PART_LIMIT))
def test_a_large_piece_is_split(size: int) -> None:
    payload = (b"parkade-" * (size // 8 + 1))[:size]
    messages = decoded(b"".join(eventstream.parts(payload)), 10_000)
    assert b"".join(message.payload for message in messages) == payload
    assert all(len(message.payload) <= eventstream.PART_LIMIT for message in messages)


@given(st.text(), st.none() | st.text(min_size=1))
def test_a_failure_is_an_exception(message: str, code: str | None) -> None:
    (frame,) = decoded(eventstream.failure("ModelStreamError", message, code))
    assert frame.headers == {
        ":message-type": "exception",
        ":exception-type": "ModelStreamError",
        ":content-type": "application/json",
    }
    expected = {"Message": message} | ({} if code is None else {"ErrorCode": code})
    assert json.loads(frame.payload) == expected
