"""Invocations that AWS clients have signed: a real boto3 in front of a real gateway."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from parkade.apps import link
from parkade.apps.gateway.admission import Admission
from parkade.apps.signing.keys import access_key
from tests.apps.gateway.stand import TOKEN, echo, invocation, read_answer

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=60)


def key_of(house: Stand, token: link.TokenView) -> Credentials:
    key = access_key(house.key, token.digest)
    return Credentials(key.id, key.secret)


def client(house: Stand, token: link.TokenView | None = None, prefix: str = "", **keys: str) -> Any:
    own = key_of(house, token or house.token_view("tests", TOKEN))
    given = {"aws_access_key_id": own.access_key, "aws_secret_access_key": own.secret_key, **keys}
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{house.port}{prefix}",
        region_name="eu-central-1",
        config=ONCE,
        **given,
    )


def invoked(caller: Any, endpoint: str = "e", body: bytes = b"body", **options: str) -> bytes:
    answer = caller.invoke_endpoint(EndpointName=endpoint, Body=body, **options)
    return bytes(answer["Body"].read())


def refused(caller: Any, endpoint: str = "e") -> tuple[str, int, str]:
    """Return code, status and message of what boto3 raises."""
    with pytest.raises(ClientError) as raised:
        invoked(caller, endpoint)
    error = raised.value.response
    return (
        error["Error"]["Code"],
        error["ResponseMetadata"]["HTTPStatusCode"],
        error["Error"]["Message"],
    )


def signed(
    house: Stand, body: bytes, path: str = "/endpoints/e/invocations", secret: str = TOKEN
) -> dict[str, str]:
    """Return the headers that sign a POST of a token."""
    url = f"http://127.0.0.1:{house.port}{path}"
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "text/csv"})
    own = key_of(house, house.token_view("any", secret))
    SigV4Auth(own, "sagemaker", "us-east-1").add_auth(request)
    return {"Host": urlsplit(url).netloc, **dict(request.headers.items())}


def as_lines(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


@pytest.mark.parametrize(
    "body", [b"", b"text", bytes(range(256)) * 20_000], ids=["empty", "small", "large"]
)
@pytest.mark.parametrize("prefix", ["", "/prod"], ids=["plain", "prod"])
def test_boto3_invokes(house: Stand, body: bytes, prefix: str) -> None:
    name = f"signed-{len(body)}{prefix.replace('/', '-')}"
    worker = house.worker(name)
    house.push(endpoints={"e": house.view(name)})
    caller = client(house, prefix=prefix)
    given = {"CustomAttributes": "a  b", "InferenceId": "1"}
    assert invoked(caller, body=body, ContentType="text/csv", **given) == body
    assert invoked(caller, body=b"again on the same connection") == b"again on the same connection"
    assert worker.requests[0].headers["x-amzn-sagemaker-custom-attributes"] == "a  b"
    assert "authorization" not in worker.requests[0].headers


@pytest.mark.semantics("clients.signature")
def test_a_wrong_signature_reaches_no_model(house: Stand) -> None:
    worker = house.worker("wrong")
    house.push(endpoints={"e": house.view("wrong")})
    code, status, message = refused(client(house, aws_secret_access_key="wrong"))
    assert (code, status) == ("InvalidSignatureException", 403)
    assert "does not match the signature you provided" in message
    assert "parkade env --aws" in message
    code, status, message = refused(client(house, aws_access_key_id="AKIAIOSFODNN7EXAMPLE"))
    assert (code, status) == ("UnrecognizedClientException", 403)
    assert "AKIAIOSFODNN7EXAMPLE" in message
    assert not worker.requests


@pytest.mark.parametrize(
    ("minutes", "text"), [(6, "not yet current"), (-6, "Signature expired")], ids=["fast", "slow"]
)
def test_a_clock_that_is_wrong_by_more_than_five_minutes_is_told(
    house: Stand, monkeypatch: pytest.MonkeyPatch, minutes: int, text: str
) -> None:
    house.worker(f"skew{minutes}")
    house.push(endpoints={"e": house.view(f"skew{minutes}")})
    moved = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moved)
    code, status, message = refused(client(house))
    assert (code, status) == ("InvalidSignatureException", 403)
    assert text in message
    assert "clock" in message


def test_another_body_than_the_signed_one_reaches_no_model(house: Stand) -> None:
    worker = house.worker("changed")
    house.push(endpoints={"e": house.view("changed")})
    headers = as_lines(signed(house, b"signed"))
    with house.connect() as caller:
        caller.sendall(_request(b"change", headers))
        answer = read_answer(caller)
        assert (answer.status, answer.kind) == (403, "InvalidSignatureException")
        # The connection is as good as before.
        caller.sendall(_request(b"signed", headers))
        assert read_answer(caller).body == b"signed"
        caller.sendall(invocation(b"plain"))
        assert read_answer(caller).body == b"plain"
    assert len(worker.requests) == 2


def _request(body: bytes, headers: list[str], target: str = "/endpoints/e/invocations") -> bytes:
    lines = [f"POST {target} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def test_a_signature_is_good_for_its_address_alone(house: Stand) -> None:
    house.worker("address")
    house.push(endpoints={name: house.view("address") for name in ("e", "f")})
    headers = as_lines(signed(house, b""))
    for target in ("/endpoints/f/invocations", "/endpoints/e/invocations?x=1"):
        with house.connect() as caller:
            caller.sendall(_request(b"", headers, target))
            assert read_answer(caller).kind == "InvalidSignatureException"
    # As a request through a proxy has it.
    with house.connect() as caller:
        absolute = f"http://127.0.0.1:{house.port}/endpoints/e/invocations"
        caller.sendall(_request(b"", headers, absolute))
        assert read_answer(caller).status == 200


@pytest.mark.parametrize("expects", [True, False], ids=["100-continue", "at-once"])
def test_a_stranger_is_refused_before_its_body(house: Stand, *, expects: bool) -> None:
    house.worker(f"stranger-{expects}")
    house.push(endpoints={"e": house.view(f"stranger-{expects}")})
    headers = signed(house, b"")
    key_id = headers["Authorization"].split("Credential=")[1].split("/")[0]
    headers["Authorization"] = headers["Authorization"].replace(key_id, "PKIASTRANGER")
    head = [f"{name}: {value}" for name, value in headers.items()]
    head += ["Expect: 100-continue"] if expects else ["Connection: close"]
    lines = ["POST /endpoints/e/invocations HTTP/1.1", *head, "Content-Length: 5000000", "", ""]
    with house.connect() as caller:
        caller.sendall("\r\n".join(lines).encode())
        answer = read_answer(caller)
    assert (answer.status, answer.kind) == (403, "UnrecognizedClientException")


def test_a_signer_may_wait_for_100_continue(house: Stand) -> None:
    house.worker("continue")
    house.push(endpoints={"e": house.view("continue")})
    request = _request(b"body", [*as_lines(signed(house, b"body")), "Expect: 100-continue"])
    with house.connect() as caller:
        caller.sendall(request[:-4])
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(request[-4:])
        assert read_answer(caller).body == b"body"


def test_a_signature_without_a_key_is_incomplete(house: Stand) -> None:
    house.worker("keyless")
    house.push(endpoints={"e": house.view("keyless")})
    answer = house.invoke(token=None, Authorization="AWS4-HMAC-SHA256 SignedHeaders=host")
    assert (answer.status, answer.kind) == (400, "IncompleteSignatureException")


def test_the_rules_of_the_token_apply(house: Stand) -> None:
    house.worker("rules")
    few = house.token_view("few", "pk_few", endpoints=("mine",))
    house.push(endpoints={"mine": house.view("rules"), "other": house.view("rules")}, tokens=(few,))
    assert invoked(client(house, few), "mine") == b"body"
    code, status, message = refused(client(house, few), "other")
    assert (code, status) == ("AccessDeniedException", 403)
    assert "'few'" in message
    house.push(tokens=(house.token_view("another", "pk_another"),))
    assert refused(client(house, few), "mine")[0] == "UnrecognizedClientException"


def test_a_token_that_expires_takes_its_access_key_with_it(house: Stand) -> None:
    house.worker("expiring")
    caller = client(house, house.token_view("short", "pk_short"))
    for left, code in ((1000, ""), (-1, "ExpiredTokenException")):
        short = house.token_view("short", "pk_short", expires_at=time.time() + left)
        house.push(endpoints={"e": house.view("expiring")}, tokens=(short,))
        if code:
            assert refused(caller)[:2] == (code, 403)
        else:
            assert invoked(caller) == b"body"


def test_an_access_key_expires_while_it_is_remembered() -> None:
    """Within the time for which the signature itself is good."""
    now = float(int(time.time()))
    door = Admission(b"key", lambda: now)
    token = link.TokenView(name="short", digest="00", role="invoker", expires_at=now + 60)
    door.apply(link.Snapshot(version=1, inside="", tokens=(token,)))
    key = access_key(b"key", token.digest)
    url = "http://127.0.0.1/endpoints/e/invocations"
    request = AWSRequest("POST", url, data=b"x", headers={"Host": "127.0.0.1"})
    SigV4Auth(Credentials(key.id, key.secret), "sagemaker", "us-east-1").add_auth(request)
    headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    given = (b"/endpoints/e/invocations", headers, [b"x"], "e")
    assert door.refusal_signed(*given) is None
    now += 59
    assert door.refusal_signed(*given) is None
    now += 1
    answer = door.refusal_signed(*given)
    assert answer is not None
    assert b"ExpiredTokenException" in answer.head


def test_signed_requests_count_for_their_tokens_rate_wrong_ones_do_not(house: Stand) -> None:
    house.worker("rate")
    rated = house.token_view("rated", "pk_rated")
    house.push(
        endpoints={"e": house.view("rate")},
        tokens=(rated,),
        limits=house.limits(rate=0.01, burst=2),
    )
    for _ in range(5):
        assert (
            refused(client(house, rated, aws_secret_access_key="x"))[0]
            == "InvalidSignatureException"
        )
    assert invoked(client(house, rated)) == b"body"
    assert house.invoke(token="pk_rated").status == 200
    assert refused(client(house, rated))[:2] == ("ThrottlingException", 429)
    assert house.invoke(token="pk_rated").status == 429


def test_signed_requests_to_control_count_as_well_and_arrive_as_they_were(house: Stand) -> None:
    control = house.play_control(echo)
    token = house.token_view("managing", "pk_managing")
    house.push(tokens=(token,), limits=house.limits(rate=0.01, burst=2))
    headers = signed(house, b"{}", "/?x=%2F+a", "pk_managing")
    with house.connect() as caller:
        for status in (200, 200, 429):
            caller.sendall(_request(b"{}", as_lines(headers), "/?x=%2F+a"))
            assert read_answer(caller).status == status
    assert [request.target for request in control.requests] == ["/?x=%2F+a"] * 2
    arrived = control.requests[0].headers
    assert {name.lower(): value for name, value in headers.items()}.items() <= arrived.items()
    # A key that nobody has is control's to refuse.
    stranger = as_lines(headers)
    stranger = [line.replace("Credential=PKIA", "Credential=AKIA") for line in stranger]
    with house.connect() as caller:
        caller.sendall(_request(b"{}", stranger, "/?x=%2F+a"))
        assert read_answer(caller).status == 200


def test_where_no_token_is_asked_for_any_signature_is_taken(house: Stand) -> None:
    house.worker("open")
    anybody = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
    house.push(endpoints={"e": house.view("open")}, auth=False)
    assert invoked(client(house, **anybody)) == b"body"
    house.push(auth=True, routes={"/open": link.RouteView(endpoint="e", public=True)})
    assert refused(client(house, **anybody))[0] == "UnrecognizedClientException"
    answer = house.invoke(path="/open", token=None, Authorization="AWS4-HMAC-SHA256 nonsense")
    assert answer.status == 200
