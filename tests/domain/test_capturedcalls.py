"""Lines of capture files."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps import link
from parkade.apps.gateway import capture
from parkade.domain.capturedcalls import Window, hour_of, read
from parkade.domain.comparing.reading import Body
from parkade.domain.errors import Unreadable

AT = datetime(2026, 2, 14, 17, 25, 49, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_line(**changes):
    told = {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"}
    line = {
        "captureData": {"endpointInput": told, "endpointOutput": {**told, "mode": "OUTPUT"}},
        "eventMetadata": {"eventId": "e1", "inferenceTime": "2026-02-14T17:25:49Z"},
        "eventVersion": "0",
    } | changes
    return json.dumps(line).encode()


def test_a_line_of_sagemaker_is_read():
    call = read(a_line())
    assert call.sent == call.answered == Body(b"1,2", "text/csv")
    assert (call.event_id, call.at, call.inference_id) == ("e1", AT, "")


@given(
    body=st.binary(max_size=200) | st.text(max_size=50).map(str.encode),
    content_type=st.sampled_from(["text/csv", "application/json; charset=utf-8", "", "image/png"]),
)
def test_what_the_gateway_writes_is_read_to_the_very_bytes(body, content_type):
    view = link.CaptureView(
        percentage=100,
        destination="s3://captured/x",
        inputs=True,
        outputs=True,
        csv_types=("text/csv",),
        json_types=("application/json",),
    )
    payload = capture.Payload(pieces=[body], content_type=content_type)
    line = capture.line(
        capture.Captured(
            view=view,
            endpoint="x",
            variant="v",
            event_id="e1",
            at=AT.timestamp(),
            sent=payload,
            answered=None,
            inference_id="mine",
            custom_attributes="a=1",
        )
    )
    call = read(line)
    assert call.sent == Body(body, content_type)
    assert call.answered is None
    assert (call.at, call.inference_id, call.custom_attributes) == (AT, "mine", "a=1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "has no captureData"),
        (b'{"captureData": {}}', "has no eventMetadata"),
        (a_line(captureData={"endpointInput": 3}), "endpointInput has no data"),
        (a_line(captureData={"endpointOutput": {"data": "x"}}), "unknown encoding 'None'"),
        (a_line(captureData={"endpointInput": {"data": "=", "encoding": "BASE64"}}), "not base 64"),
        (a_line(captureData={"endpointInput": {"data": "\ud800", "encoding": "CSV"}}), "no text"),
    ],
)
def test_a_line_that_is_none_is_refused_with_the_reason(line, reason):
    with pytest.raises(Unreadable, match=reason):
        read(line)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_line_does_harm(line):
    with pytest.raises(Unreadable):
        read(line)


def test_the_key_of_a_file_tells_its_hour():
    assert hour_of("run/text/a/2026/02/14/17/25-49-123-x.jsonl") == AT.replace(minute=0, second=0)
    assert hour_of("2026/13/14/17/x.jsonl") is None
    assert hour_of("x.jsonl") is None


def test_a_window_has_its_start_and_not_its_end():
    window = Window(AT, AT + HOUR)
    assert window.has(AT)
    assert not window.has(AT + HOUR)
    assert not window.has(AT - timedelta(seconds=1))
    assert not window.has(None)
    assert Window().has(None)


@given(st.integers(-300, 300), st.integers(0, 59))
def test_no_file_is_left_out_that_may_have_a_call_of_the_window(minutes, past):
    window, at = Window(AT, AT + HOUR), AT + timedelta(minutes=minutes)
    if window.has(at):
        # The file was begun up to an hour before.
        begun = (at - timedelta(minutes=past)).replace(minute=0, second=0)
        assert window.may_have(begun, HOUR)
    assert window.may_have(None, HOUR)
