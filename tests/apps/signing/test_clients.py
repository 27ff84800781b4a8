"""What real AWS clients sign is taken, and nothing that differs from it."""

from __future__ import annotations

import io
from dataclasses import replace
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from parkade.apps.signing.refusals import Reason, Refused
from tests.apps.signing.aws import Gatehouse, Sent, caught, presigned, v4

HOUSE = Gatehouse(real=True)
#: Where requests that were signed when this module was read stay new for ever.
FROZEN = Gatehouse()
S3 = HOUSE.client("s3")
KEYS = [
    "plain.tar.gz",
    "a b/c+d",
    "//x//y/",
    "./../a/./b",
    "ü/日本/é",
    "100%/50%25",
    "~-._!*'()&=@:,$;?#[]",
    "a%2Fb",
    '\x01\x7f<>|\\^`{}"',
    " ends with blanks ",
]
CALLS = {
    "list": ("sagemaker", lambda c: c.list_endpoints(NameContains="a b", MaxResults=3)),
    "create": (
        "sagemaker",
        lambda c: c.create_model(ModelName="m", PrimaryContainer={"Image": "ü"}),
    ),
    "invoke": (
        "sagemaker-runtime",
        lambda c: c.invoke_endpoint(
            EndpointName="text",
            Body=b"\x00\xff" * 1000,
            ContentType="text/csv;  q=1",
            CustomAttributes="a  b",
            TargetModel="a/b c.tar.gz",
        ),
    ),
    "stream": (
        "sagemaker-runtime",
        lambda c: c.invoke_endpoint_with_response_stream(EndpointName="text", Body=b""),
    ),
    "async": (
        "sagemaker-runtime",
        lambda c: c.invoke_endpoint_async(EndpointName="text", InputLocation="s3://b/k"),
    ),
    "identity": ("sts", lambda c: c.get_caller_identity()),
    "buckets": ("s3", lambda c: c.list_buckets()),
    "objects": (
        "s3",
        lambda c: c.list_objects_v2(
            Bucket="b", Prefix="a b/+ü&=", Delimiter="/", ContinuationToken="a+b/c=="
        ),
    ),
    "parts": ("s3", lambda c: c.create_multipart_upload(Bucket="b", Key="k")),
    "part": (
        "s3",
        lambda c: c.upload_part(Bucket="b", Key="k", UploadId="u+/=", PartNumber=2, Body=b"part"),
    ),
    "put": (
        "s3",
        lambda c: c.put_object(
            Bucket="b", Key="k", Body=io.BytesIO(b"body"), Metadata={"a": "  b   c "}, Tagging="x=y"
        ),
    ),
    "copy": (
        "s3",
        lambda c: c.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "c", "Key": "a b+ü"}),
    ),
    "delete": ("s3", lambda c: c.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]})),
    "range": ("s3", lambda c: c.get_object(Bucket="b", Key="k", Range="bytes=1-2")),
}


def service_of(name: str) -> str:
    return "sagemaker" if name == "sagemaker-runtime" else name


def reason_of(sent: Sent, service: str) -> Reason:
    with pytest.raises(Refused) as raised:
        FROZEN.caller(sent, service)
    assert raised.value.message
    assert raised.value.hint
    return raised.value.reason


@pytest.mark.parametrize("call", CALLS)
def test_what_a_client_signs_is_its_tokens(call: str) -> None:
    service, make = CALLS[call]
    sent = caught(HOUSE.client(service), make)
    caller = HOUSE.caller(sent, service_of(service))
    assert caller.token.name == "ann"
    assert caller.token.endpoints == {"text"}
    body = caller.body()
    assert body.feed(sent.body) == sent.body
    body.end()


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1"])
def test_keys_of_objects_may_be_anything(key: str, region: str) -> None:
    client = HOUSE.client("s3", region_name=region)
    sent = caught(client, lambda c: c.put_object(Bucket="b", Key=key, Body=b"x"))
    assert HOUSE.caller(sent, "s3").token.name == "ann"
    for config in (None, v4()):
        client = HOUSE.client("s3", region_name=region, config=config)
        asked = presigned(client, "get_object", Bucket="b", Key=key)
        assert HOUSE.caller(asked, "s3").token.name == "ann"


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda text: max(text) < "\ud800"))
def test_no_key_of_an_object_is_too_odd(key: str) -> None:
    sent = caught(S3, lambda c: c.head_object(Bucket="b", Key=key))
    assert HOUSE.caller(sent, "s3").token.name == "ann"


@pytest.mark.parametrize("payload", [True, False])
def test_a_payload_may_stay_out_of_the_signature_of_s3_alone(*, payload: bool) -> None:
    config = v4(s3={"payload_signing_enabled": payload})
    sent = caught(
        HOUSE.client("s3", config=config), lambda c: c.put_object(Bucket="b", Key="k", Body=b"abc")
    )
    body = HOUSE.caller(sent, "s3").body()
    body.feed(b"another body")
    if payload:
        with pytest.raises(Refused) as raised:
            body.end()
        assert raised.value.reason is Reason.BODY_MISMATCH
        assert (raised.value.code("s3"), raised.value.status("s3")) == (
            "XAmzContentSHA256Mismatch",
            400,
        )
    else:
        body.end()


def test_over_https_boto3_sends_checksums_behind_the_body() -> None:
    client = HOUSE.client("s3", endpoint_url="https://127.0.0.1:8700/s3")
    sent = caught(
        client, lambda c: c.put_object(Bucket="b", Key="k", Body=io.BytesIO(b"abc" * 50_000))
    )
    assert sent.header("x-amz-content-sha256") == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    body = HOUSE.caller(sent, "s3").body()
    pieces = [body.feed(sent.body[at : at + 999]) for at in range(0, len(sent.body), 999)]
    assert b"".join(pieces) == b"abc" * 50_000
    (name,) = body.end()
    assert name == sent.header("x-amz-trailer")


# What somebody changed on the way.

SIGNED = {call: caught(FROZEN.client(CALLS[call][0]), CALLS[call][1]) for call in CALLS}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/=&?-_.~"


def other(text: bytes, at: int, letter: str) -> bytes:
    """Return the text with another letter somewhere behind its first."""
    at = 1 + at % (len(text) - 1) if len(text) > 1 else 0
    return text[:at] + letter.encode() + text[at + 1 :]


@settings(deadline=None, max_examples=400)
@given(
    call=st.sampled_from(sorted(SIGNED)), at=st.integers(0, 10**6), letter=st.sampled_from(LETTERS)
)
def test_another_target_was_not_signed(call: str, at: int, letter: str) -> None:
    sent = SIGNED[call]
    assume(len(sent.target) > 1)
    target = other(sent.target, at, letter)
    service = service_of(CALLS[call][0])
    path, _, query = target.partition(b"?")
    before, _, asked = sent.target.partition(b"?")
    # Where it means the same, it may be the same.
    assume(_path(path, service) != _path(before, service) or _pairs(query) != _pairs(asked))
    assert reason_of(replace(sent, target=target), service)


def _path(path: bytes, service: str) -> object:
    if service == "s3":
        return unquote_to_bytes(path)
    return [part for part in path.split(b"/") if part not in {b"", b"."}], path.endswith(b"/")


def _pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [pair.partition(b"=") for pair in query.split(b"&") if pair]
    return sorted((unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs)


@settings(deadline=None, max_examples=400)
@given(call=st.sampled_from(sorted(SIGNED)), data=st.data())
def test_another_header_was_not_signed(call: str, data: st.DataObject) -> None:
    sent = SIGNED[call]
    authorization = sent.header("authorization")
    names = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    name = data.draw(st.sampled_from(names))
    value = sent.header(name)
    changed = other(
        value.encode() or b" ", data.draw(st.integers(0, 999)), data.draw(st.sampled_from(LETTERS))
    ).decode()
    assume(changed.split() != value.split())
    assert reason_of(sent.with_header(name, changed), service_of(CALLS[call][0]))
    if value.split():
        assert reason_of(sent.with_header(name, None), service_of(CALLS[call][0]))


@settings(deadline=None, max_examples=400)
@given(
    call=st.sampled_from(sorted(SIGNED)), at=st.integers(0, 999), letter=st.sampled_from(LETTERS)
)
def test_another_authorization_is_none(call: str, at: int, letter: str) -> None:
    sent = SIGNED[call]
    changed = other(sent.header("authorization").encode(), at, letter).decode()
    assume(changed != sent.header("authorization"))
    assert reason_of(sent.with_header("Authorization", changed), service_of(CALLS[call][0]))


@pytest.mark.parametrize("call", ["invoke", "create", "identity"])
def test_another_body_was_not_signed(call: str) -> None:
    sent = SIGNED[call]
    service = service_of(CALLS[call][0])
    assert reason_of(replace(sent, body=sent.body + b" "), service) is Reason.MISMATCH
    assert reason_of(replace(sent, body=b""), service) is Reason.MISMATCH


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "post"])
def test_another_method_was_not_signed(method: str) -> None:
    assert reason_of(replace(SIGNED["invoke"], method=method), "sagemaker") is Reason.MISMATCH


PRESIGNED = {
    newer: presigned(
        FROZEN.client("s3", config=v4() if newer else None),
        "get_object",
        Bucket="b",
        Key="a b+ü//x",
        VersionId="v 1",
    )
    for newer in (True, False)
}


@settings(deadline=None, max_examples=200)
@given(at=st.integers(0, 999), letter=st.sampled_from(LETTERS), newer=st.booleans())
def test_another_presigned_address_was_not_signed(at: int, letter: str, *, newer: bool) -> None:
    sent = PRESIGNED[newer]
    target = other(sent.target, at, letter)
    path, _, query = target.partition(b"?")
    before, _, asked = sent.target.partition(b"?")
    assume(_path(path, "s3") != _path(before, "s3") or _pairs(query) != _pairs(asked))
    assert reason_of(replace(sent, target=target), "s3")


def test_clients_may_order_the_query_and_write_headers_as_they_like() -> None:
    sent = SIGNED["objects"]
    path, _, query = sent.target.partition(b"?")
    turned = path + b"?" + b"&".join(reversed(query.split(b"&")))
    shouted = tuple((name.upper(), b"  " + value + b" ") for name, value in sent.headers)
    again = replace(sent, target=turned, headers=shouted)
    assert FROZEN.caller(again, "s3").token.name == "ann"
    absolute = replace(sent, target=b"http://127.0.0.1:8700" + sent.target)
    assert FROZEN.caller(absolute, "s3").token.name == "ann"
