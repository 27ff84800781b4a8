"""Shadow variants: copies that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps import link
from parkade.apps.gateway import shadow
from parkade.apps.gateway.sampling import CAPTURE_STEP, Sampler
from tests.apps.gateway.stand import Gate, Reply, stand, wait_for
from tests.apps.gateway.test_capture import capture, captured, chunked, decoded

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Request, Stand

#: More than comes in one piece.
LONG = bytes(2_000_000)
PRODUCTION = "x-Amzn-Invoked-Production-Variant"


def shadowed(house: Stand, name: str, weight: float = 1.0, **fields: Any) -> link.EndpointView:
    """Return the view of an endpoint whose shadow's worker is the endpoint's name and `-shadow`."""
    return link.EndpointView(
        variants=(house.variant("main", name),),
        shadows=(house.variant("shade", f"{name}-shadow", weight=weight),),
        **fields,
    )


def used(house: Stand, endpoint: str) -> dict[str, int]:
    return house.usage[(endpoint, "shade")]


@pytest.mark.semantics("invoke.shadow")
def test_the_caller_gets_the_production_variants_answer_and_the_shadow_a_copy(house: Stand):
    house.worker("twice", lambda _: Reply(body=b"production"))
    shade = house.worker("twice-shadow", lambda _: Reply(body=b"shadow"))
    house.push(endpoints={"twice": shadowed(house, "twice")})
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"Content_Type": "text/csv", "X_Amzn_SageMaker_Inference_Id": "mine"}
    headers["traceparent"] = trace
    for number in range(10):
        answer = house.invoke("twice", f"body {number}", **headers)
        assert (answer.status, answer.body, answer.headers[PRODUCTION]) == (
            200,
            b"production",
            "main",
        )
    wait_for(lambda: used(house, "twice")["invocations"] == 10)
    assert sorted(each.body for each in shade.requests) == [b"body %d" % n for n in range(10)]
    assert {each.headers["content-type"] for each in shade.requests} == {"text/csv"}
    assert {each.headers["x-amzn-sagemaker-inference-id"] for each in shade.requests} == {"mine"}
    assert {each.headers["traceparent"] for each in shade.requests} == {trace}
    # Both can be compared.
    assert house.usage[("twice", "main")]["invocations"] == 10
    assert used(house, "twice")["model_us"] > 0
    assert used(house, "twice")["in_flight"] == 0


@pytest.mark.semantics("invoke.shadow")
@pytest.mark.parametrize(("weight", "expected"), [(0.0, 0), (0.25, 10), (1.0, 40), (3.0, 40)])
def test_a_shadow_gets_its_share(house: Stand, weight: float, expected: int):
    name = f"part-{weight:g}".replace(".", "")
    house.worker(name)
    shade = house.worker(f"{name}-shadow")
    house.push(endpoints={name: shadowed(house, name, weight)})
    for _ in range(40):
        house.invoke(name)
    wait_for(lambda: house.usage[(name, "main")]["invocations"] == 40)
    # A copy is made a moment after its request is counted.
    heard = len(house.reports)
    wait_for(lambda: len(house.reports) > heard + 1)
    wait_for(lambda: used(house, name)["in_flight"] == 0)
    assert abs(len(shade.requests) - expected) <= (1 if 0 < weight < 1 else 0)


def test_requests_of_parkades_own_are_not_copied(house: Stand):
    house.worker("own")
    shade = house.worker("own-shadow")
    house.push(endpoints={"own": shadowed(house, "own")})
    for inference_id in ("parkade-replay-1", "parkade-test-1", "a-user"):
        house.invoke("own", X_Amzn_SageMaker_Inference_Id=inference_id)
    wait_for(lambda: house.usage[("own", "main")]["invocations"] == 3)
    wait_for(lambda: used(house, "own")["invocations"] == 1)
    ids = [each.headers["x-amzn-sagemaker-inference-id"] for each in shade.requests]
    assert ids == ["a-user"]


def test_a_slow_shadow_holds_nobody_up_and_is_spared_what_it_cannot_take():
    with stand() as house:
        gate = Gate()
        house.worker("e")
        shade = house.worker("e-shadow", gate)
        house.push(endpoints={"e": shadowed(house, "e")})
        total = shadow.CONCURRENCY + shadow.WAITING + 20
        for _ in range(total):
            assert house.invoke().status == 200
        wait_for(lambda: used(house, "e")["dropped"] == 20)
        assert used(house, "e")["in_flight"] == shadow.CONCURRENCY + shadow.WAITING
        assert len(shade.requests) == shadow.CONCURRENCY
        # One event at once; the others within a minute, together.
        wait_for(lambda: house.events)
        (event,) = house.events
        assert (event.kind, event.endpoint, event.data) == ("shadow.dropped", "e", {"count": 1})
        assert "shadow variant shade" in event.reason
        house.call(gate.opened.set)
        wait_for(lambda: used(house, "e")["invocations"] == total - 20)
        assert used(house, "e")["in_flight"] == 0


def test_copies_are_bounded_in_bytes():
    with stand() as house:
        gate = Gate(lambda _: Reply())
        house.worker("e", lambda _: Reply())
        house.worker("e-shadow", gate)
        house.push(endpoints={"e": shadowed(house, "e")})
        body = bytes(6_000_000)
        fit = shadow.BYTES // len(body)
        for _ in range(fit + 2):
            assert house.invoke("e", body).status == 200
        wait_for(lambda: used(house, "e")["dropped"] == 2)
        house.call(gate.opened.set)
        wait_for(lambda: used(house, "e")["invocations"] == fit)


def test_a_dead_shadow_leaves_the_endpoint_as_it_is():
    with stand() as house:
        house.worker("e")
        house.push(endpoints={"e": shadowed(house, "e")})
        for _ in range(10):
            assert house.invoke().status == 200
        wait_for(lambda: used(house, "e")["dropped"] == 10)
        assert used(house, "e")["in_flight"] == 0
        # It comes back by itself.
        shade = house.worker("e-shadow")
        wait_for(lambda: house.invoke().status == 200 and shade.requests)


def test_a_shadow_that_dies_while_it_has_copies_counts_as_an_error():
    with stand() as house:
        house.worker("e")
        shade = house.worker_process("e-shadow")
        house.push(endpoints={"e": shadowed(house, "e")})
        house.invoke()
        wait_for(lambda: used(house, "e")["invocations"] == 1)
        shade.kill()
        shade.wait()
        for _ in range(5):
            assert house.invoke().status == 200
        wait_for(lambda: used(house, "e")["dropped"] + used(house, "e")["model_errors"] == 5)
        assert used(house, "e")["in_flight"] == 0


def test_errors_of_a_shadow_are_counted_and_told_to_nobody(house: Stand):
    def behave(request: Request) -> Reply:
        return Reply(raw=b"nonsense") if request.body == b"0" else Reply(status=int(request.body))

    house.worker("erring")
    house.worker("erring-shadow", behave)
    house.push(endpoints={"erring": shadowed(house, "erring")})
    for status in (200, 400, 500, 503, 0):
        assert house.invoke("erring", str(status)).status == 200
    wait_for(lambda: used(house, "erring")["invocations"] == 5)
    counts = {name: used(house, "erring")[name] for name in ("errors_4xx", "errors_5xx")}
    assert counts == {"errors_4xx": 1, "errors_5xx": 2}
    assert used(house, "erring")["model_errors"] == 4
    assert house.usage[("erring", "main")]["model_errors"] == 0


def test_requests_that_fail_are_copied_too(house: Stand):
    house.worker("failed", lambda _: Reply(status=500))
    shade = house.worker("failed-shadow")
    house.push(endpoints={"failed": shadowed(house, "failed")})
    assert house.invoke("failed").status == 424
    wait_for(lambda: shade.requests)


def test_a_shadow_is_no_target_variant(house: Stand):
    house.worker("aimed")
    shade = house.worker("aimed-shadow")
    house.push(endpoints={"aimed": shadowed(house, "aimed", 0.0)})
    answer = house.invoke("aimed", X_Amzn_SageMaker_Target_Variant="shade")
    assert (answer.status, answer.kind) == (400, "ValidationError")
    assert "shade" in answer.json["Message"]
    assert "not found" in answer.json["Message"]
    assert shade.requests == []


def test_a_shadow_that_is_taken_away_finishes_what_it_has():
    with stand() as house:
        gate = Gate()
        house.worker("e")
        house.worker("e-shadow", gate)
        view = shadowed(house, "e")
        house.push(endpoints={"e": view})
        for _ in range(shadow.CONCURRENCY + 3):
            house.invoke()
        wait_for(lambda: used(house, "e")["in_flight"] == shadow.CONCURRENCY + 3)
        house.push(endpoints={"e": link.EndpointView(variants=view.variants)})
        wait_for(lambda: used(house, "e")["dropped"] == 3)
        house.call(gate.opened.set)
        wait_for(lambda: used(house, "e")["invocations"] == shadow.CONCURRENCY)
        assert used(house, "e")["in_flight"] == 0


def test_answers_of_both_are_captured_under_the_same_id():
    with stand() as house:
        house.worker("e", lambda _: Reply(body=b"production"))
        house.worker("e-shadow", lambda _: Reply(body=b"shadow"))
        view = shadowed(house, "e", capture=capture(50, csv_types=("application/octet-stream",)))
        house.push(endpoints={"e": view}, limits=house.limits(capture_seconds=0.1))
        for _ in range(20):
            house.invoke()
        wait_for(lambda: used(house, "e")["invocations"] == 20)
        sampler = Sampler(0.5, CAPTURE_STEP)
        expected = [sampler.take() for _ in range(20)].count(True)
        for variant in ("main", "shade"):
            wait_for(lambda name=variant: len(captured(house, "e", name)) == expected)
        ids = [
            {line["eventMetadata"]["eventId"] for line in captured(house, "e", variant)}
            for variant in ("main", "shade")
        ]
        assert ids[0] == ids[1]


def test_a_shadow_may_stream_and_be_a_pipeline():
    with stand() as house:
        house.worker("e", lambda _: chunked(b"production"))
        house.worker("first", lambda request: Reply(body=request.body + b" first"))
        house.worker("second", lambda request: chunked(request.body, LONG))
        addresses = tuple(str(house.folder / f"{name}.sock") for name in ("first", "second"))
        shade = link.VariantRoute(
            name="shade",
            weight=1,
            instances=(link.InstanceRoute(id="both", addresses=addresses),),
            hostnames=("", ""),
        )
        view = link.EndpointView(
            variants=(house.variant("main", "e"),), shadows=(shade,), capture=capture()
        )
        house.push(endpoints={"e": view}, limits=house.limits(capture_seconds=0.1))
        assert house.invoke("e", b"in").body == b"production"
        wait_for(lambda: captured(house, "e", "shade"))
        (line,) = captured(house, "e", "shade")
        assert decoded(line["captureData"]["endpointInput"]) == b"in"
        assert decoded(line["captureData"]["endpointOutput"]) == b"in first" + LONG
        wait_for(lambda: used(house, "e")["streams"] == 1)
