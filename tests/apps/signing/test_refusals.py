"""What is refused for its time, its key or its form, by which code, and with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.adapters.memory.clock import ManualClock
from parkade.apps.signing.canonical import Request
from parkade.apps.signing.parsing import from_header
from parkade.apps.signing.refusals import SERVICES, Reason, Refused
from parkade.domain.errors import Forbidden, Unauthenticated
from tests.apps.signing.aws import Gatehouse, Sent, caught, presigned, v4

CODES = {
    Reason.MISSING: "MissingAuthenticationTokenException AccessDenied MissingAuthenticationToken",
    Reason.INCOMPLETE: "IncompleteSignatureException AuthorizationHeaderMalformed IncompleteSignature",
    Reason.UNKNOWN_KEY: "UnrecognizedClientException InvalidAccessKeyId InvalidClientTokenId",
    Reason.MISMATCH: "InvalidSignatureException SignatureDoesNotMatch SignatureDoesNotMatch",
    Reason.SKEWED: "InvalidSignatureException RequestTimeTooSkewed SignatureDoesNotMatch",
    Reason.EXPIRED_TOKEN: "ExpiredTokenException ExpiredToken ExpiredToken",
}


@pytest.fixture
def house() -> Gatehouse:
    return Gatehouse()


def listed(house: Gatehouse, **options: object) -> Sent:
    return caught(house.client("sagemaker", **options), lambda c: c.list_endpoints())


def put(house: Gatehouse, **options: object) -> Sent:
    return caught(
        house.client("s3", **options), lambda c: c.put_object(Bucket="b", Key="k", Body=b"x")
    )


def refused(house: Gatehouse, sent: Sent, service: str = "sagemaker") -> Refused:
    with pytest.raises(Refused) as raised:
        house.caller(sent, service)
    assert raised.value.hint
    return raised.value


@pytest.mark.parametrize("reason", CODES, ids=lambda reason: reason.name)
def test_each_service_has_its_own_code(reason: Reason) -> None:
    why = Refused(reason, "So it is.")
    *codes, of_sts = CODES[reason].split()
    # CloudWatch has the codes of STS, Application Auto Scaling those of SageMaker.
    assert [why.code(service) for service in SERVICES] == [*codes, of_sts, of_sts, codes[0]]
    assert {why.status(service) for service in SERVICES} <= {400, 403}
    assert "parkade env --aws" in why.text


def signed_at(sent: Sent) -> datetime:
    """Return the instant that the request was signed at, which is a whole second."""
    return datetime.strptime(sent.header("X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@pytest.mark.semantics("clients.signature")
@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_clocks_may_differ_by_five_minutes(house: Gatehouse, seconds: int) -> None:
    sent = listed(house)
    house.services.wall = ManualClock(signed_at(sent) + timedelta(seconds=seconds))
    assert house.caller(sent, "sagemaker").token.name == "ann"


@pytest.mark.semantics("clients.signature")
@pytest.mark.parametrize(
    ("seconds", "text"), [(-301, "Signature not yet current"), (301, "Signature expired")]
)
def test_more_than_five_minutes_are_too_many(house: Gatehouse, seconds: int, text: str) -> None:
    sent = listed(house)
    house.services.wall = ManualClock(signed_at(sent) + timedelta(seconds=seconds))
    why = refused(house, sent)
    assert why.reason is Reason.SKEWED
    assert text in why.message
    assert "clock" in why.hint


@pytest.mark.parametrize("newer", [True, False], ids=["v4", "v2"])
def test_a_presigned_address_is_good_for_the_time_it_names(
    house: Gatehouse, *, newer: bool
) -> None:
    client = house.client("s3", config=v4() if newer else None)
    before = datetime.now(UTC)
    sent = presigned(client, "get_object", Bucket="b", Key="k", expires=3600)
    after = datetime.now(UTC)
    assert (b"X-Amz-Expires=3600" in sent.target) is newer
    # It names whole seconds.
    house.services.wall = ManualClock(before + timedelta(seconds=3598))
    assert house.caller(sent, "s3").token.name == "ann"
    house.services.wall = ManualClock(after + timedelta(seconds=3601))
    why = refused(house, sent, "s3")
    assert (why.code("s3"), why.status("s3")) == ("AccessDenied", 403)
    assert "Request has expired" in why.message


def test_a_presigned_address_is_good_for_a_week_at_most(house: Gatehouse) -> None:
    client = house.client("s3", config=v4())
    for expires in (604_801, 10**12):
        sent = presigned(client, "get_object", Bucket="b", Key="k", expires=expires)
        why = refused(house, sent, "s3")
        assert why.code("s3") == "AuthorizationQueryParametersError"


def test_other_services_may_be_presigned_too(house: Gatehouse) -> None:
    sent = presigned(house.client("sts"), "get_caller_identity")
    assert house.caller(sent, "sts").token.name == "ann"


def test_a_header_signed_with_its_address_has_to_come_with_it(house: Gatehouse) -> None:
    for config in (v4(), None):
        client = house.client("s3", config=config)
        sent = presigned(client, "put_object", Bucket="b", Key="k", ContentType="text/csv")
        assert refused(house, sent, "s3").reason is Reason.MISMATCH
        assert house.caller(sent.with_header("Content-Type", "text/csv"), "s3")


def test_an_unknown_key_is_told_from_a_wrong_secret(house: Gatehouse) -> None:
    why = refused(house, listed(house, aws_access_key_id="AKIAIOSFODNN7EXAMPLE"))
    assert why.reason is Reason.UNKNOWN_KEY
    assert "'AKIAIOSFODNN7EXAMPLE'" in why.message
    assert "parkade env --aws" in why.hint
    why = refused(house, listed(house, aws_secret_access_key="wrong"))
    assert why.reason is Reason.MISMATCH


def test_a_token_takes_its_access_key_with_it(house: Gatehouse) -> None:
    sent = listed(house)
    wrong = listed(house, aws_secret_access_key="wrong")
    house.tokens.revoke("ann", actor="test")
    why = refused(house, sent)
    assert why.reason is Reason.EXPIRED_TOKEN
    assert "'ann' was revoked" in why.message
    # What became of it is for its holder to know.
    assert refused(house, wrong).reason is Reason.MISMATCH


def test_a_token_that_expires_takes_its_access_key_with_it(house: Gatehouse) -> None:
    house.tokens.create(
        "short", role="invoker", endpoints=[], lifetime=timedelta(minutes=1), actor="test"
    )
    sent = listed(house, name="short")
    assert house.caller(sent, "sagemaker").token.name == "short"
    house.clock.advance(timedelta(minutes=2))
    assert "'short' has expired" in refused(house, sent).message


def test_a_request_for_one_service_is_none_for_another(house: Gatehouse) -> None:
    assert refused(house, listed(house), "sts").reason is Reason.MISMATCH
    assert refused(house, put(house), "sagemaker").reason is Reason.MISMATCH
    sent = caught(house.client("s3"), lambda c: c.list_buckets())
    sent = sent.with_header("Authorization", sent.header("Authorization").replace("/s3/", "/ec2/"))
    assert "'ec2'" in refused(house, sent, "s3").message


def test_headers_that_change_the_meaning_must_be_signed(house: Gatehouse) -> None:
    sent = put(house).with_header("X-Amz-Copy-Source", "/other/key")
    why = refused(house, sent, "s3")
    assert (why.code("s3"), why.status("s3")) == ("AccessDenied", 403)
    assert "x-amz-copy-source" in why.message
    assert house.caller(put(house).with_header("X-Forwarded-For", "1.2.3.4"), "s3")


def test_the_host_must_be_signed(house: Gatehouse) -> None:
    sent = listed(house)
    text = sent.header("Authorization").replace(";host;", ";")
    assert "Host" in refused(house, sent.with_header("Authorization", text)).message


def test_a_session_token_of_another_account_is_not_looked_at(house: Gatehouse) -> None:
    sent = listed(house, aws_session_token="left-over")
    assert sent.header("X-Amz-Security-Token") == "left-over"
    assert house.caller(sent, "sagemaker").token.name == "ann"
    assert house.caller(listed(house).with_header("X-Amz-Security-Token", "x"), "sagemaker")


def test_the_date_header_will_do(house: Gatehouse) -> None:
    client = house.client("s3")
    client.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header("Date", "now")
    )
    sent = caught(client, lambda c: c.list_buckets())
    assert not any(name.lower() == b"x-amz-date" for name, _ in sent.headers)
    assert house.caller(sent, "s3").token.name == "ann"


AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=PKIAX/20260301/us-east-1/sagemaker/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        (AUTHORIZATION, "AWS4-HMAC-SHA256"),
        (AUTHORIZATION, "AWS AKIA:c2lnbmF0dXJl"),
        ("Credential=", "Credentials="),
        ("Credential=PKIAX", "Credential="),
        ("/aws4_request", ""),
        ("/aws4_request", "/aws5_request"),
        ("/us-east-1/", f"/{'x' * 200}/"),
        ("SignedHeaders=host;x-amz-date, ", ""),
        ("host;x-amz-date", ""),
        ("host;x-amz-date", "host;;x"),
        ("host;x-amz-date", "host;é"),
        ("0" * 64, "0" * 63),
        ("0" * 64, "Z" * 64),
        ("0" * 64, ""),
    ],
    ids=range(15),
)
def test_what_has_not_the_form_of_a_signature_says_so(
    house: Gatehouse, before: str, after: str
) -> None:
    sent = listed(house).with_header("X-Amz-Date", "20260301T120000Z")
    sent = sent.with_header("Authorization", AUTHORIZATION.replace(before, after))
    why = refused(house, sent)
    assert why.reason is Reason.INCOMPLETE
    assert why.status("sagemaker") == 400


@pytest.mark.parametrize(
    "date", ["", "yesterday", "20261301T000000Z", "2026-03-01T12:00:00Z", "20260301T120000", "é"]
)
def test_what_is_no_time_is_told(house: Gatehouse, date: str) -> None:
    why = refused(house, listed(house).with_header("X-Amz-Date", date))
    assert why.reason is Reason.INCOMPLETE
    assert "X-Amz-Date" in why.message


def test_without_any_time_the_header_is_asked_for(house: Gatehouse) -> None:
    assert "no X-Amz-Date" in refused(house, listed(house).with_header("X-Amz-Date", None)).message


def test_the_day_of_the_scope_is_the_requests(house: Gatehouse) -> None:
    sent = listed(house)
    day = sent.header("X-Amz-Date")[:8]
    text = sent.header("Authorization").replace(f"/{day}/", "/20200101/")
    why = refused(house, sent.with_header("Authorization", text))
    assert why.reason is Reason.MISMATCH
    assert "'20200101'" in why.message


@pytest.mark.parametrize(
    "gone",
    ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"],
)
def test_a_presigned_address_without_a_part_is_none(house: Gatehouse, gone: str) -> None:
    sent = presigned(house.client("s3", config=v4()), "get_object", Bucket="b", Key="k")
    why = refused(house, replace(sent, target=sent.target.replace(gone.encode(), b"X")), "s3")
    assert why.code("s3") == "AuthorizationQueryParametersError"
    assert gone in why.message


@pytest.mark.parametrize("gone", [b"&Expires=", b"&Signature="])
def test_a_former_presigned_address_without_a_part_is_none(house: Gatehouse, gone: bytes) -> None:
    sent = presigned(house.client("s3"), "get_object", Bucket="b", Key="k")
    target = (sent.target + b"&").replace(b"?AWS", b"?x=1&AWS").replace(gone, b"&x=")
    why = refused(house, replace(sent, target=target), "s3")
    assert why.code("s3") == "AuthorizationQueryParametersError"


def test_s3_has_to_say_what_it_signs_of_the_body(house: Gatehouse) -> None:
    why = refused(house, put(house).with_header("X-Amz-Content-SHA256", None), "s3")
    assert "x-amz-content-sha256" in why.message


#: Pieces that what is read is made of, so that invented requests get past the first look.
PIECES = st.lists(
    st.sampled_from(
        b"AWS4-HMAC-SHA256 |Credential=|PKIAX/20260301/us-east-1/s3/aws4_request|, |SignedHeaders=|"
        b"host;x-amz-date|Signature=|0123456789abcdef|X-Amz-Algorithm=AWS4-HMAC-SHA256|&|?|=|/|%|"
        b"X-Amz-Credential=|X-Amz-Date=|20260301T120000Z|X-Amz-Expires=60|AWSAccessKeyId=|Expires=1|"
        b"http://[|://|Fri, 31 Dec 9999 23:59:59 -2359|Mon, 1 Jan 0001 00:00:00 +2359|,,|\xff".split(
            b"|"
        )
    )
    | st.binary(max_size=8),
    max_size=12,
).map(b"".join)
NAMES = st.sampled_from([
    b"Authorization", b"Host", b"X-Amz-Date", b"Date", b"X-Amz-Content-SHA256",
    b"X-Amz-Decoded-Content-Length", b"X-Amz-Security-Token",
])  # fmt: skip
PLACE = Gatehouse()


@settings(deadline=None, max_examples=500)
@given(
    target=PIECES,
    headers=st.dictionaries(NAMES, PIECES, max_size=5),
    service=st.sampled_from(SERVICES),
)
def test_nonsense_is_refused_and_breaks_nothing(
    target: bytes, headers: dict[bytes, bytes], service: str
) -> None:
    with pytest.raises(Refused) as raised:
        PLACE.caller(Sent("POST", target, tuple(headers.items())), service)
    assert raised.value.status(service) in {400, 403}
    assert raised.value.text.encode()


# Plain tokens, and none.


@pytest.mark.parametrize("form", ["pass-code-of-ann", "Bearer pass-code-of-ann"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_plain_token_will_do(house: Gatehouse, service: str, form: str) -> None:
    sent = Sent("POST", b"/", ((b"Authorization", form.encode()),))
    caller = house.caller(sent, service)
    assert caller.token.name == "ann"
    assert caller.body().feed(b"anything") == b"anything"


def test_no_token_and_a_wrong_one_are_told_in_the_services_own_codes(house: Gatehouse) -> None:
    why = refused(house, Sent("POST", b"/", ()))
    assert why.reason is Reason.MISSING
    why = refused(house, Sent("POST", b"/", ((b"Authorization", b"Bearer wrong"),)))
    assert why.reason is Reason.UNKNOWN_KEY
    assert isinstance(why, Unauthenticated)


def test_without_auth_any_signature_is_taken_and_pages_are_kept_out() -> None:
    open_house = Gatehouse(auth=False)
    for sent in (
        listed(open_house, aws_access_key_id="x", aws_secret_access_key="y"),
        Sent("POST", b"/", ()),
        Sent("POST", b"/", ((b"Authorization", b"AWS4-HMAC-SHA256 nonsense"),)),
    ):
        assert open_house.caller(sent, "sagemaker").token.name == "anonymous"
    with pytest.raises(Forbidden):
        open_house.caller(
            Sent("POST", b"/", ((b"Origin", b"http://evil"), (b"Host", b"localhost"))), "sagemaker"
        )


def test_secrets_are_not_shown_by_accident(house: Gatehouse) -> None:
    sent = listed(house)
    caller = house.caller(sent, "sagemaker")
    assert caller.seal is not None
    assert repr(caller.seal.key) not in repr(caller)
    signature = from_header(Request(method=b"POST", target=sent.target, headers=sent.headers))
    assert signature.region == "us-east-1"
