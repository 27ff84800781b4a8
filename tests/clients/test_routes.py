"""Routes of a whole Parkade: the same caller and the same variant, rates, time limits, counts."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from parkade.domain.series import API, API_METHOD, API_STAGE
from tests.clients.account import IMAGE, QUICK, Account, variant
from tests.clients.archives import script
from tests.clients.series import Measured, measured
from tests.house import PATIENCE, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.house import House

VARIANT = "x-Amzn-Invoked-Production-Variant"
CALLERS = [f"caller-{number}" for number in range(400)]
#: Never answers, or with the status that it is asked for.
FICKLE = """
import json, time

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept, context):
    status = int(json.loads(body)["text"])
    if not status:
        time.sleep(3600)
    context.set_response_status(status)
    return "{}", "application/json"
"""


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("routes")
    (folder / "server.yaml").write_text(QUICK)
    with (
        house(folder / "state", "--config", str(folder / "server.yaml")) as own,
        closing(Account(own)) as built,
    ):
        built.model("no-op")
        own.ok("PUT", "/v1/objects/models/fickle.tar.gz", content=script(FICKLE))
        container = {"Image": IMAGE, "ModelDataUrl": "s3://models/fickle.tar.gz"}
        built.sagemaker.create_model(ModelName="fickle", PrimaryContainer=container)
        built.config("shop", variant("A"), variant("B"))
        built.endpoint("shop", "shop")
        built.config("fickle", variant(model="fickle"))
        built.endpoint("fickle", "fickle")
        yield built


@pytest.fixture(scope="module")
def series(boto: Account) -> Iterator[Measured]:
    with measured(boto.house) as made:
        yield made


@pytest.fixture
def caller(boto: Account) -> Iterator[httpx.Client]:
    """One connection for many calls."""
    with httpx.Client(
        base_url=boto.house.url,
        headers={"Authorization": boto.house.token},
        timeout=PATIENCE,
    ) as made:
        yield made


def route(boto: Account, path: str, endpoint: str, **conditions: Any) -> None:
    """Set a route, and wait for the gateway to know it as it is now."""
    form = {"endpoint_name": endpoint, **conditions}
    boto.house.ok("PUT", f"/v1/routes{path}", json=form)
    # It is acknowledged by no answer: what was set last is known when a later route is.
    marker = f"/marker-{path[1:]}-{len(str(form))}"
    boto.house.ok("PUT", f"/v1/routes{marker}", json={"endpoint_name": "nowhere", "public": True})
    wait_for(
        lambda: "nowhere" in httpx.post(boto.house.url + marker, timeout=PATIENCE).text,
        why=f"{path} to be there",
    )
    boto.house.ok("DELETE", f"/v1/routes{marker}")


def call(caller: httpx.Client, path: str, status: int = 200, **options: Any) -> httpx.Response:
    return caller.post(path, json={"text": str(status)}, **options)


def assigned(caller: httpx.Client, path: str) -> dict[str, str]:
    told = {}
    for each in CALLERS:
        answer = call(caller, path, headers={"X-User": each})
        assert answer.status_code == 200
        told[each] = answer.headers[VARIANT]
    return told


def test_four_hundred_callers_keep_their_variants_and_move_one_way(
    boto: Account, caller: httpx.Client
) -> None:
    route(boto, "/shop", "shop", sticky={"header": "X-User"})
    first = assigned(caller, "/shop")
    assert assigned(caller, "/shop") == first
    # Half of them, within five standard deviations of ten.
    assert 150 <= Counter(first.values())["A"] <= 250
    weights = [
        {"VariantName": name, "DesiredWeight": weight} for name, weight in (("A", 20), ("B", 80))
    ]
    boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=weights
    )
    boto.wait("shop")

    def shares() -> Counter[str]:
        return Counter(
            call(caller, "/endpoints/shop/invocations").headers[VARIANT] for _ in "12345"
        )

    # Who is not told apart is drawn exactly: one of five, once the gateway has heard.
    wait_for(lambda: shares() == {"A": 1, "B": 4}, why="the new weights")
    after = assigned(caller, "/shop")
    moved = {(first[each], after[each]) for each in CALLERS if first[each] != after[each]}
    assert moved == {("A", "B")}
    assert 40 <= Counter(after.values())["A"] <= 120
    # Whoever names a variant gets it.
    for name in "AB":
        target = {"X-User": CALLERS[0], "X-Amzn-SageMaker-Target-Variant": name}
        assert call(caller, "/shop", headers=target).headers[VARIANT] == name


def test_a_client_that_keeps_cookies_keeps_its_variant(boto: Account) -> None:
    route(boto, "/visit", "shop", public=True, sticky={"cookie": "visitor"})
    seen = set()
    for _ in range(12):
        with httpx.Client(base_url=boto.house.url, timeout=PATIENCE) as browser:
            told = [call(browser, "/visit").headers[VARIANT] for _ in range(4)]
            assert len(set(told)) == 1
            (cookie,) = browser.cookies.jar
            assert (cookie.name, cookie.path) == ("visitor", "/visit")
            seen.add(cookie.value)
    assert len(seen) == 12


def test_the_rate_of_a_public_route_is_that_of_all_who_come(boto: Account) -> None:
    route(boto, "/narrow", "shop", public=True, rate={"per_second": 0.001, "burst": 3})
    answers = [
        httpx.post(f"{boto.house.url}/narrow", json={"text": "x"}, timeout=PATIENCE)
        for _ in range(5)
    ]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_rate_of_a_route_with_tokens_is_shared_by_them(
    boto: Account, caller: httpx.Client
) -> None:
    route(boto, "/shared", "shop", rate={"per_second": 0.001, "burst": 4})
    form = {"name": "second", "role": "invoker"}
    other = {"Authorization": boto.house.ok("POST", "/v1/tokens", json=form).json()["token"]}
    wait_for(lambda: call(caller, "/endpoints/shop/invocations", headers=other).is_success)
    for _ in range(6):
        assert call(caller, "/shared", headers={"Authorization": "pk_nobody"}).status_code == 401
    told = [call(caller, "/shared", headers=headers).status_code for headers in ({}, other) * 3]
    assert told == [200, 200, 200, 200, 429, 429]


def test_a_route_gives_a_model_its_own_time(boto: Account, caller: httpx.Client) -> None:
    route(boto, "/hasty", "fickle", timeout_seconds=0.3)
    answer = call(caller, "/hasty", 0)
    assert answer.status_code == 424
    assert "timed out while waiting for a response" in answer.json()["Message"]


def test_calls_are_in_the_series_of_api_gateway_exactly(
    boto: Account, caller: httpx.Client, series: Measured
) -> None:
    built: House = boto.house
    # The model that never answers is still at it.
    boto.config("counted", variant(model="fickle"))
    boto.endpoint("counted", "counted")
    route(boto, "/counted", "counted", rate={"per_second": 0.001, "burst": 8})
    for status in (200, 200, 200, 404, 500):
        call(caller, "/counted", status)
    for secret in ("pk_nobody", "pk_noone"):
        assert call(caller, "/counted", headers={"Authorization": secret}).status_code == 401
    too_large = caller.post("/counted", content=b"x" * 6_300_000)
    assert too_large.status_code == 413
    boto.delete("counted")
    wait_for(lambda: call(caller, "/endpoints/counted/invocations").status_code == 400)
    assert call(caller, "/counted").status_code == 400
    assert call(caller, "/counted").status_code == 400
    assert call(caller, "/counted").status_code == 429
    of = {
        "namespace": API,
        "ApiName": "parkade",
        "Stage": API_STAGE,
        "Method": API_METHOD,
        "Resource": "/counted",
    }
    # 200 three times; 424 for what the model refused; the gateway's own.
    series.wait_total(11, "Count", **of)
    assert series.total("4XXError", **of) == 8
    assert series.total("5XXError", **of) == 0
    assert series.whole("4XXError", **of).count == 11
    latency, integration = (series.whole(name, **of) for name in ("Latency", "IntegrationLatency"))
    assert (latency.count, integration.count) == (11, 5)
    assert sum(latency.buckets.values()) == 11
    assert 0 < integration.total <= latency.total
    # Milliseconds: no answer took an hour.
    assert latency.most < 3_600_000
    whole = {"namespace": API, "ApiName": "parkade"}
    assert series.total("Count", **whole) > series.total("Count", **of)
    own = {**of, "Resource": "/endpoints/{name}/invocations"}
    assert series.total("Count", **own) > 0
    metrics = built.call("GET", "/metrics").text
    line = 'parkade_route_calls_total{api="parkade",route="/counted",status="4xx"} 8.0'
    assert line in metrics
