"""What a captured call becomes: its line, its place, and which calls are taken at all."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps import link
from parkade.apps.gateway import capture
from parkade.apps.gateway.capture import PART, Captured, Payload
from parkade.apps.gateway.sampling import CAPTURE_STEP, SHADOW_STEP, Sampler

VIEW = link.CaptureView(
    destination="s3://bucket/some/prefix",
    percentage=100,
    inputs=True,
    outputs=True,
    csv_types=("text/csv",),
    json_types=("application/json", "application/jsonlines"),
)
AT = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC).timestamp()


def call(**fields: Any) -> Captured:
    given = {
        "view": VIEW,
        "endpoint": "e",
        "variant": "v",
        "event_id": "id",
        "at": AT,
        "sent": Payload(pieces=[b"1,2"], content_type="text/csv"),
        "answered": Payload(pieces=[b'{"a": ', b"1}"], content_type="application/json"),
    }
    return Captured(**{**given, **fields})


def decoded(payload: dict[str, str]) -> bytes:
    """Return the bytes as a reader of the file gets them."""
    if payload["encoding"] == "BASE64":
        return base64.b64decode(payload["data"], validate=True)
    return payload["data"].encode()


@pytest.mark.semantics("capture.line")
def test_the_line_has_the_documented_form():
    text = capture.line(call(inference_id="mine", custom_attributes="a=b")).decode()
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"a": 1}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": "id",
            "inferenceId": "mine",
            "customAttributes": ["a=b"],
            "inferenceTime": "2026-02-03T04:05:06Z",
        },
        "eventVersion": "0",
    }


def test_what_the_caller_did_not_give_and_what_is_not_wanted_is_left_out():
    line = json.loads(capture.line(call(answered=None)))
    assert line["captureData"].keys() == {"endpointInput"}
    assert line["eventMetadata"].keys() == {"eventId", "inferenceTime"}


@pytest.mark.semantics("capture.key")
def test_the_key_names_endpoint_variant_and_hour():
    bucket, key = capture.address(call())
    assert bucket == "bucket"
    uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"some/prefix/e/v/2026/02/03/04/05-06-789-{uuid}\.jsonl", key)
    bare = capture.address(call(view=link.CaptureView(
        destination="s3://bucket", percentage=1, inputs=True, outputs=True
    )))  # fmt: skip
    assert bare[1].startswith("e/v/2026/")


@pytest.mark.semantics("capture.encoding")
@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/csv", "CSV"),
        ("Text/CSV; charset=utf-8", "CSV"),
        ("application/json", "JSON"),
        ("application/jsonlines ;x=y", "JSON"),
        ("application/json-seq", "BASE64"),
        ("text/plain", "BASE64"),
        ("", "BASE64"),
    ],
)
def test_the_encoding_follows_the_lists_of_content_types(content_type: str, encoding: str):
    line = json.loads(capture.line(call(sent=Payload(pieces=[b"1,2"], content_type=content_type))))
    payload = line["captureData"]["endpointInput"]
    assert (payload["encoding"], payload["observedContentType"]) == (encoding, content_type)


def test_text_that_is_none_is_kept_in_base_64():
    for pieces in ([b"\xff"], [b"ok", b"\xc3"], [b"\xed\xa0\x80"]):
        line = json.loads(capture.line(call(sent=Payload(pieces=pieces, content_type="text/csv"))))
        payload = line["captureData"]["endpointInput"]
        assert payload["encoding"] == "BASE64"
        assert decoded(payload) == b"".join(pieces)


TYPES = st.sampled_from(["text/csv", "application/json", "image/png", "", 'a"b\\c'])
BODIES = st.one_of(
    st.lists(st.binary(max_size=50), max_size=5),
    st.lists(st.text(max_size=50).map(lambda text: text.encode("utf-8", "ignore")), max_size=5),
)


@pytest.mark.semantics("capture.encoding")
@given(body=BODIES, content_type=TYPES, answer=BODIES, answer_type=TYPES)
def test_every_line_decodes_to_the_bytes_that_were_sent_and_received(
    body: list[bytes], content_type: str, answer: list[bytes], answer_type: str
):
    line = capture.line(
        call(
            sent=Payload(pieces=body, content_type=content_type),
            answered=Payload(pieces=answer, content_type=answer_type),
        )
    )
    assert line.decode("ascii").splitlines(keepends=True) == [line.decode()]
    data = json.loads(line)["captureData"]
    assert decoded(data["endpointInput"]) == b"".join(body)
    assert decoded(data["endpointOutput"]) == b"".join(answer)


@pytest.mark.parametrize("content_type", ["text/csv", "image/png"])
def test_long_bodies_are_put_together_from_their_parts(content_type: str):
    body = "äöü€😀,\n".encode() * PART
    pieces = [body[: PART + 1], body[PART + 1 : 2 * PART], body[2 * PART :]]
    line = capture.line(call(sent=Payload(pieces=pieces, content_type=content_type)))
    assert decoded(json.loads(line)["captureData"]["endpointInput"]) == body


@pytest.mark.semantics("capture.sampling")
@pytest.mark.parametrize("step", [CAPTURE_STEP, SHADOW_STEP], ids=["capture", "shadow"])
@given(share=st.integers(0, 100))
def test_a_share_is_taken_evenly(step: float, share: int):
    sampler = Sampler(share / 100, step)
    taken = [sampler.take() for _ in range(1000)]
    if share in {0, 100}:
        assert sum(taken) == share * 10
    assert abs(sum(taken) - share * 10) <= 3
    # Nobody's rhythm matters: of every second, third ... request about the same share is taken.
    for stride in (2, 3, 5, 10):
        every = taken[::stride]
        assert abs(sum(every) - len(every) * share / 100) <= 8


def test_what_is_captured_does_not_follow_what_is_copied():
    captured, copied = Sampler(0.5, CAPTURE_STEP), Sampler(0.5, SHADOW_STEP)
    both = [(captured.take(), copied.take()) for _ in range(1000)]
    assert abs(both.count((True, True)) - 250) <= 10
