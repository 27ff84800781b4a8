"""What a caller's headers and the kind of an endpoint decide: whether, and where, it is answered."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps import link
from tests.apps.gateway.stand import Gate, Reply, Request, invocation, read_answer, stand, wait_for
from tests.apps.gateway.test_signed import client, refused

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Caught, Stand

PREFIX = "X_Amzn_SageMaker_"
names = (f"w{number}" for number in itertools.count())


def says(text: str) -> Any:
    return lambda _: Reply(body=text.encode())


def worker(house: Stand, behave: Any = None) -> str:
    name = next(names)
    house.worker(name, behave or says(name))
    return name


def invalid(answer: Caught) -> str:
    """Return what a validation error says."""
    assert (answer.status, answer.kind) == (400, "ValidationError")
    return str(answer.json["Message"])


# Headers.


@pytest.mark.semantics(
    "names.runtime", "names.target_model", "names.inference_id", "names.session_id", "names.headers"
)
@pytest.mark.parametrize(
    ("header", "value", "member", "rule"),
    [
        ("Target-Variant", "a_b", "targetVariant", "satisfy regular expression pattern: ^[a-z"),
        ("Target-Variant", "a" * 64, "targetVariant", "have length less than or equal to 63"),
        ("Target-Container-Hostname", "-a", "targetContainerHostname", "satisfy regular"),
        ("Target-Model", "m" * 1025, "targetModel", "have length less than or equal to 1024"),
        ("Target-Model", "", "targetModel", "have length greater than or equal to 1"),
        ("Inference-Id", "i" * 65, "inferenceId", "have length less than or equal to 64"),
        ("Inference-Id", "a\xfc", "inferenceId", r"pattern: \A\S[\p{Print}]*\z"),
        ("Inference-Component", "c.d", "inferenceComponentName", "satisfy regular"),
        ("Session-Id", "NEW_SESSIONS", "sessionId", "satisfy regular"),
        ("Session-Id", "s" * 257, "sessionId", "have length less than or equal to 256"),
        ("Custom-Attributes", "a" * 1025, "customAttributes", "length less than or equal to 1024"),
        ("Custom-Attributes", "\xe4", "customAttributes", r"pattern: \p{ASCII}*"),
        ("Enable-Explanations", "e" * 65, "enableExplanations", "less than or equal to 64"),
    ],
)
def test_headers_that_break_a_rule(
    house: Stand, header: str, value: str, member: str, rule: str
) -> None:
    house.push(endpoints={"e": house.view()})
    given = {PREFIX + header.replace("-", "_"): value}
    message = invalid(house.invoke(**given))
    assert message.startswith("1 validation error detected: Value")
    assert f"at '{member}' failed to satisfy constraint: Member must " in message
    assert rule in message
    # Attributes may be of a person; all others are told.
    assert (f"'{value[:256]}'" in message) == (member != "customAttributes")


@pytest.mark.semantics("names.headers")
@pytest.mark.parametrize("header", ["Content-Type", "Accept"])
def test_texts_that_are_too_long(house: Stand, header: str) -> None:
    house.push(endpoints={"e": house.view()})
    given = {header.replace("-", "_"): "x" * 1025}
    message = invalid(house.invoke(**given))
    assert f"at '{header[0].lower()}{header[1:].replace('-', '')}'" in message
    assert "length less than or equal to 1024" in message


def test_several_faults_are_told_together(house: Stand) -> None:
    house.push(endpoints={"e": house.view()})
    given = {PREFIX + "Inference_Id": "i" * 65, PREFIX + "Target_Variant": "_"}
    message = invalid(house.invoke(**given))
    assert message.startswith("2 validation errors detected: ")
    assert "'inferenceId'" in message
    assert "'targetVariant'" in message


@pytest.mark.semantics("names.inference_id")
def test_values_as_long_as_allowed_arrive(house: Stand) -> None:
    name = next(names)
    stub = house.worker(name)
    house.push(endpoints={"e": house.view(name)})
    given = {
        PREFIX + "Custom_Attributes": "a" * 1024,
        PREFIX + "Inference_Id": "i" * 64,
        PREFIX + "Session_Id": "s" * 256,
        "Content_Type": "c" * 1024,
    }
    assert house.invoke(**given).status == 200
    assert stub.requests[0].headers["x-amzn-sagemaker-inference-id"] == "i" * 64


def test_who_may_not_invoke_is_told_nothing_else(house: Stand) -> None:
    house.push(endpoints={"e": house.view()})
    assert house.invoke(token="pk_wrong", **{PREFIX + "Inference_Id": "i" * 65}).status == 401


@pytest.mark.semantics("names.runtime")
def test_the_name_of_an_endpoint_that_can_be_none(house: Stand) -> None:
    message = invalid(house.invoke("a_b"))
    assert "Value 'a_b' at 'endpointName' failed to satisfy constraint" in message
    assert invalid(house.invoke("ab")) == "Endpoint ab of account 000000000000 not found."


@pytest.mark.semantics("invoke.explanations")
def test_nothing_explains(house: Stand) -> None:
    house.push(endpoints={"e": house.view(worker(house))})
    message = invalid(house.invoke(**{PREFIX + "Enable_Explanations": "`true`"}))
    assert "no explainer" in message


def test_a_target_model_where_there_is_one_alone(house: Stand) -> None:
    house.push(endpoints={"e": house.view(worker(house))})
    message = invalid(house.invoke(**{PREFIX + "Target_Model": "a.tar.gz"}))
    assert "a.tar.gz" in message
    assert "endpoint e is not a multi-model endpoint" in message


# Asynchronous endpoints.


@pytest.mark.semantics("async.only")
@pytest.mark.parametrize("operation", ["invocations", "invocations-response-stream"])
def test_an_asynchronous_endpoint_takes_no_other_calls(house: Stand, operation: str) -> None:
    view = link.EndpointView(variants=(house.variant("main", worker(house)),), asynchronous=True)
    house.push(endpoints={"e": view})
    message = invalid(house.invoke(path=f"/endpoints/e/{operation}"))
    assert "asynchronous invocations only" in message


def test_asynchronous_calls_go_to_control(house: Stand) -> None:
    control = house.play_control(lambda _: Reply(status=202, body=b'{"InferenceId": "i"}'))
    try:
        house.push(endpoints={"e": house.view(worker(house))})
        assert house.invoke(path="/endpoints/e/async-invocations").status == 202
        assert control.requests[0].target == "/endpoints/e/async-invocations"
    finally:
        house.run(control.stop())


# Inference components.


def hosting(house: Stand, **components: tuple[str, ...]) -> link.EndpointView:
    return link.EndpointView(
        variants=(house.variant("main"),),
        components={
            name: link.ComponentRoute(variant="main", route=house.variant(name, *workers))
            for name, workers in components.items()
        },
    )


def test_a_component_answers_by_its_name(house: Stand) -> None:
    one, two = worker(house, says("one")), worker(house, says("two"))
    house.push(endpoints={"hosts": hosting(house, first=(one,), second=(two,))})
    for name, text in (("first", b"one"), ("second", b"two"), ("first", b"one")):
        answer = house.invoke("hosts", **{PREFIX + "Inference_Component": name})
        assert answer.body == text
        assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "main"
    wait_for(lambda: house.usage[("hosts", "first")]["invocations"] == 2)
    assert house.usage[("hosts", "second")]["invocations"] == 1


@pytest.mark.semantics("invoke.component_missing")
def test_a_component_has_to_be_named(house: Stand) -> None:
    house.push(endpoints={"e": hosting(house, first=(worker(house),))})
    answer = house.invoke()
    assert answer.json["ErrorCode"] == "INFERENCE_COMPONENT_NAME_MISSING"
    assert "Inference Component Name header is required for endpoints" in invalid(answer)


def test_an_unknown_component(house: Stand) -> None:
    house.push(endpoints={"e": hosting(house, first=(worker(house),))})
    given = {PREFIX + "Inference_Component": "third"}
    assert "Inference Component third of endpoint e not found" in invalid(house.invoke(**given))


@pytest.mark.semantics("invoke.no_capacity")
def test_a_component_without_copies_has_no_capacity(house: Stand) -> None:
    house.push(endpoints={"e": hosting(house, first=())})
    message = invalid(house.invoke(**{PREFIX + "Inference_Component": "first"}))
    assert "first has no capacity" in message
    used = house.usage[("e", "first")]
    wait_for(lambda: used["no_capacity"] == 1)
    assert used["invocations"] == 0


def test_a_component_where_there_are_none(house: Stand) -> None:
    house.push(endpoints={"e": house.view(worker(house))})
    message = invalid(house.invoke(**{PREFIX + "Inference_Component": "first"}))
    assert "hosts models by its variants" in message


def test_what_waits_for_the_only_copy_goes_on_waiting_while_it_is_replaced(house: Stand) -> None:
    house.push(endpoints={"hosts2": hosting(house, only=("not-yet",))})
    named = "X-Amzn-SageMaker-Inference-Component: only"
    with house.connect() as caller:
        caller.sendall(invocation(b"", named, endpoint="hosts2"))
        wait_for(lambda: "instance not-yet refuses connections" in house.log)
        house.push(endpoints={"hosts2": hosting(house, only=())})
        house.push(endpoints={"hosts2": hosting(house, only=(worker(house, says("new")),))})
        assert read_answer(caller).body == b"new"


# Routing.


def test_random_routing_reaches_every_instance(house: Stand) -> None:
    workers = [worker(house) for _ in range(3)]
    house.push(endpoints={"e": house.view(*workers, random=True)})
    seen = Counter(house.invoke().body.decode() for _ in range(60))
    assert seen.keys() == set(workers)


@pytest.mark.semantics("limits.routing")
def test_random_routing_does_not_look_at_what_is_outstanding(house: Stand) -> None:
    gate, held_name, quick_name = Gate(), next(names), next(names)
    held, quick = house.worker(held_name, gate), house.worker(quick_name)
    house.push(endpoints={"e": house.view(held_name, quick_name, random=True)})
    callers = []
    for number in range(40):
        caller, before = house.connect(), len(quick.requests)
        caller.sendall(invocation(b"x"))
        wait_for(lambda n=number: len(held.requests) + len(quick.requests) == n + 1)
        if len(quick.requests) > before:
            assert read_answer(caller).status == 200
            caller.close()
        else:
            callers.append(caller)
    # By what is outstanding it would have got the first, or none.
    assert len(held.requests) > 1
    house.call(gate.opened.set)
    for caller in callers:
        assert read_answer(caller).status == 200
        caller.close()


def test_random_routing_sends_no_more_than_an_instance_takes(house: Stand) -> None:
    gate = Gate()
    workers = [worker(house, gate) for _ in range(2)]
    house.push(endpoints={"random": house.view(*workers, random=True)})
    callers = [house.connect() for _ in range(130)]
    for caller in callers:
        caller.sendall(invocation(b"x", endpoint="random"))
    wait_for(lambda: house.usage[("random", "main")]["in_flight"] == 130)
    house.call(gate.opened.set)
    for caller in callers:
        assert read_answer(caller).status == 200
        caller.close()


@pytest.mark.semantics("limits.serverless_concurrency")
def test_a_serverless_variant_takes_as_many_as_its_concurrency(house: Stand) -> None:
    gate = Gate()
    house.push(endpoints={"serverless": house.view(worker(house, gate), concurrency=2)})
    callers = [house.connect() for _ in range(2)]
    for caller in callers:
        caller.sendall(invocation(b"x", endpoint="serverless"))
    wait_for(lambda: house.usage[("serverless", "main")]["in_flight"] == 2)
    answer = house.invoke("serverless")
    assert (answer.status, answer.kind) == (429, "ThrottlingException")
    assert "maximum concurrency of 2" in answer.json["Message"]
    house.call(gate.opened.set)
    for caller in callers:
        assert read_answer(caller).status == 200
        caller.close()
    assert house.invoke("serverless").status == 200


@pytest.mark.semantics("limits.serverless_payload")
def test_a_serverless_variant_takes_four_megabytes(house: Stand) -> None:
    house.push(endpoints={"e": house.view(worker(house), concurrency=2)})
    assert house.invoke(body=bytes(4 * 1024**2)).status == 200
    answer = house.invoke(body=bytes(4 * 1024**2 + 1))
    assert (answer.status, answer.kind) == (413, "RequestEntityTooLargeException")
    assert "4194304 bytes" in answer.json["Message"]
    assert house.invoke().status == 200


def test_a_variant_without_weight_is_reached_by_its_name(house: Stand) -> None:
    one, two = worker(house), worker(house)
    variants = (house.variant("a", one), house.variant("b", two, weight=0))
    house.push(endpoints={"e": link.EndpointView(variants=variants)})
    assert house.invoke(**{PREFIX + "Target_Variant": "b"}).body == two.encode()
    assert {house.invoke().body for _ in range(5)} == {one.encode()}


def test_an_endpoint_that_never_had_an_instance_is_not_ready(house: Stand) -> None:
    house.push(endpoints={"e": house.view()}, limits=house.limits(model_seconds=0.2))
    answer = house.invoke()
    assert (answer.status, answer.kind) == (429, "ModelNotReadyException")


# Workers on TCP ports.


def test_a_worker_on_a_port_answers_and_its_connections_are_kept(house: Stand) -> None:
    stub = house.tcp_worker("ported")
    house.push(endpoints={"e": house.view("ported")})
    for _ in range(5):
        assert house.invoke(body="over tcp").body == b"over tcp"
    assert (stub.connections, len(stub.requests)) == (1, 5)


def test_a_port_that_nobody_listens_on_is_left_out(house: Stand) -> None:
    gone = house.tcp_worker("gone")
    house.run(gone.stop())
    there = worker(house)
    house.push(endpoints={"e": house.view("gone", there)})
    assert {house.invoke().body for _ in range(6)} == {there.encode()}


# boto3.


@pytest.mark.semantics("invoke.errors")
def test_boto3_raises_its_own_classes() -> None:
    def behave(request: Request) -> Reply | None:
        return Reply(status=400, body=b"bad " + request.body) if request.body else None

    with stand() as house:
        house.worker("w", behave)
        house.push(
            endpoints={
                "e": house.view("w"),
                "hosts": hosting(house, first=()),
                "down": link.EndpointView(down=link.Down(reason="failed", hint="", retry_after=1)),
            },
        )
        caller = client(house)
        for endpoint, raised_by, status in (
            ("e", caller.exceptions.InternalFailure, 500),
            ("down", caller.exceptions.ServiceUnavailable, 503),
            ("none", caller.exceptions.ValidationError, 400),
        ):
            with pytest.raises(raised_by) as refusal:
                caller.invoke_endpoint(EndpointName=endpoint, Body=b"")
            assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        with pytest.raises(caller.exceptions.ModelError) as raised:
            caller.invoke_endpoint(EndpointName="e", Body=b"x")
        assert raised.value.response["OriginalMessage"] == "bad x"
        assert refused(caller, "hosts")[:2] == ("ValidationError", 400)
        with pytest.raises(caller.exceptions.ValidationError, match="no capacity"):
            caller.invoke_endpoint(EndpointName="hosts", Body=b"", InferenceComponentName="first")
        house.push(endpoints={"begun": house.view()}, limits=house.limits(model_seconds=0.3))
        with pytest.raises(caller.exceptions.ModelNotReadyException) as early:
            caller.invoke_endpoint(EndpointName="begun", Body=b"")
        assert early.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        caller.close()
