"""Who may invoke what, and how often."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING

import pytest

from parkade.apps import link
from parkade.apps.gateway import admission, answers
from parkade.apps.gateway.admission import Admission, Bucket
from tests.apps.gateway.stand import INSIDE, TOKEN, echo, head, read_answer

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand


@pytest.mark.parametrize("form", [TOKEN, f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN}"])
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_token_is_taken_raw_or_as_bearer_whatever_the_headers_case(
    house: Stand, name: str, form: str
) -> None:
    house.push(
        endpoints={"e": link.EndpointView(down=link.Down(reason="r", hint="h", retry_after=1))}
    )
    assert house.invoke(token=None, **{name: form}).status == 503


@pytest.mark.parametrize("token", [None, "", "pk_wrong", TOKEN[:-1], TOKEN + "x"])
def test_without_a_good_token_nothing_is_told(house: Stand, token: str | None) -> None:
    worker = house.worker(f"unknown{token}")
    house.push(endpoints={"e": house.view(f"unknown{token}")})
    for endpoint in ("e", "no-such-endpoint"):
        answer = house.invoke(endpoint, token=token)
        assert (answer.status, answer.kind) == (401, "UnauthorizedException")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Message" in answer.json
    assert not worker.requests


def test_a_token_limited_to_endpoints_may_invoke_only_these(house: Stand) -> None:
    house.worker("limited")
    house.push(
        endpoints={"mine": house.view("limited"), "other": house.view("limited")},
        tokens=(house.token_view("few", TOKEN, endpoints=("mine", "third")),),
    )
    assert house.invoke("mine").status == 200
    answer = house.invoke("other")
    assert (answer.status, answer.kind) == (403, "AccessDeniedException")
    assert "'other'" in answer.json["Message"]
    assert house.invoke("unknown").status == 403


@pytest.mark.parametrize(("left", "status"), [(1000, 200), (-1, 401)])
def test_a_token_is_good_until_it_expires(house: Stand, left: float, status: int) -> None:
    house.worker(f"expiring{left}")
    until = time.time() + left
    house.push(
        endpoints={"e": house.view(f"expiring{left}")},
        tokens=(house.token_view("short", TOKEN, expires_at=until),),
    )
    assert house.invoke().status == status


def test_a_token_expires_while_it_is_remembered() -> None:
    now = 1000.0
    door = Admission(b"key", lambda: now)
    digest = hmac.new(b"key", TOKEN.encode(), "sha256").hexdigest()
    token = link.TokenView(name="short", digest=digest, role="invoker", expires_at=1060.0)
    door.apply(link.Snapshot(version=1, inside="", tokens=(token,)))
    assert door.refusal(TOKEN.encode(), "e") is None
    now += 59.9
    assert door.refusal(TOKEN.encode(), "e") is None
    now += 0.1
    assert door.refusal(TOKEN.encode(), "e") is answers.UNAUTHENTICATED


def test_a_revoked_token_is_forgotten_with_the_next_snapshot(house: Stand) -> None:
    house.worker("revoked")
    house.push(endpoints={"e": house.view("revoked")})
    assert house.invoke().status == 200
    house.push(tokens=(house.token_view("another", "pk_another"),))
    assert house.invoke().status == 401
    assert house.invoke(token="pk_another").status == 200


def test_a_public_route_asks_for_no_token_the_endpoint_does(house: Stand) -> None:
    house.worker("public")
    house.push(
        endpoints={"e": house.view("public")},
        routes={
            "/open": link.RouteView(endpoint="e", public=True),
            "/closed": link.RouteView(endpoint="e"),
        },
    )
    assert house.invoke(path="/open", token=None).status == 200
    assert house.invoke(path="/open", token="pk_wrong").status == 200
    assert house.invoke(path="/closed", token=None).status == 401
    assert house.invoke(token=None).status == 401


def test_with_auth_off_nobody_is_asked(house: Stand) -> None:
    house.worker("no-auth")
    house.push(endpoints={"e": house.view("no-auth")}, auth=False)
    assert house.invoke(token=None).status == 200


def test_a_token_is_throttled_on_its_own(house: Stand) -> None:
    house.worker("throttled")
    house.push(
        endpoints={"e": house.view("throttled")},
        tokens=(house.token_view("a", "pk_a"), house.token_view("b", "pk_b")),
        limits=house.limits(rate=0.001, burst=3),
    )
    assert [house.invoke(token="pk_a").status for _ in range(4)] == [200, 200, 200, 429]
    answer = house.invoke(token="pk_a")
    assert answer.kind == "ThrottlingException"
    assert 900 < int(answer.headers["Retry-After"]) <= 1000
    assert house.invoke(token="pk_b").status == 200
    # A new snapshot gives nothing back.
    house.push()
    assert house.invoke(token="pk_a").status == 429


def test_a_tokens_rate_counts_for_management_as_well(house: Stand) -> None:
    control = house.play_control(echo)
    house.push(tokens=(house.token_view("a", "pk_a"),), limits=house.limits(rate=0.001, burst=2))
    with house.connect() as caller:
        for _ in range(3):
            caller.sendall(head("GET", "/v1/leases", token="pk_a"))
            answer = read_answer(caller, method="GET")
    assert len(control.requests) == 2
    assert answer.status == 429
    assert answer.json["error"]["code"] == "throttled"
    assert 900 < int(answer.headers["Retry-After"]) <= 1000
    # Whoever has no token is control's to refuse, each time.
    with house.connect() as caller:
        for _ in range(3):
            caller.sendall(head("GET", "/v1/leases", token="pk_unknown"))
            assert read_answer(caller, method="GET").status == 200


def test_the_bucket_fills_at_its_rate_up_to_its_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(admission, "monotonic", lambda: now)
    bucket = Bucket(rate=4, burst=2)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0.25]
    now += 0.25
    assert [bucket.take() for _ in range(2)] == [0, 0.25]
    bucket.resize(rate=8, burst=5)
    now += 60
    assert [bucket.take() for _ in range(6)] == [0, 0, 0, 0, 0, 0.125]


def test_the_inside_socket_takes_the_secret_of_this_run_alone(house: Stand) -> None:
    import socket

    house.worker("inside")
    house.push(endpoints={"e": house.view("inside")})

    def ask(token: str) -> int:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(house.folder / "gateway.sock"))
            caller.sendall(
                f"POST /endpoints/e/invocations HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            return read_answer(caller).status

    assert [ask(INSIDE), ask(TOKEN), ask("")] == [200, 401, 401]
    assert house.invoke(token=INSIDE).status == 401
