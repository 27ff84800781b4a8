"""What boto3 has done to a Parkade is in its series, exactly."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from parkade.domain.series import COMPONENTS, INSTANCES, PARKADE
from tests.clients.account import IMAGE, QUICK, Account, refusal, variant
from tests.clients.archives import script
from tests.clients.series import Measured, measured, of
from tests.house import house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Answers with the status that it is asked for.
FICKLE = """
import json

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept, context):
    context.set_response_status(int(json.loads(body)["text"]))
    return "{}", "application/json"
"""
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: Tells the trace that it was called with.
TRACED = """
def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept, context):
    told = [context.get_request_header(0, name) for name in ("traceparent", "TraceState")]
    return str(told), "text/plain"
"""


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("measurements")
    (folder / "server.yaml").write_text(QUICK)
    # What is looked at every ten seconds is, then, every second.
    fast = ("--config", str(folder / "server.yaml"), "--time-scale", "10")
    with house(folder / "state", *fast) as own, closing(Account(own)) as built:
        built.model("no-op")
        for name, text in (("fickle", FICKLE), ("traced", TRACED)):
            built.house.ok("PUT", f"/v1/objects/models/{name}.tar.gz", content=script(text))
            container = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.tar.gz"}
            built.sagemaker.create_model(ModelName=name, PrimaryContainer=container)
        yield built


@pytest.fixture(scope="module")
def two(boto: Account) -> str:
    """An endpoint of two variants that all of them may look at."""
    boto.config("two", variant("a", InitialInstanceCount=2), variant("b", "fickle"))
    boto.endpoint("two", "two")
    return "two"


@pytest.fixture(scope="module")
def series(boto: Account) -> Iterator[Measured]:
    with measured(boto.house) as made:
        yield made


@pytest.mark.semantics("metrics.variant")
@pytest.mark.usefixtures("two")
def test_each_variant_has_its_counts_and_latencies(boto: Account, series: Measured) -> None:
    begun = time.monotonic()
    for _ in range(7):
        boto.invoke("two", TargetVariant="a")
    spent = (time.monotonic() - begun) * 1e6
    for status in (200, 200, 404, 500, 503):
        body = b'{"text": "%d"}' % status
        given: dict[str, Any] = {"EndpointName": "two", "Body": body, "TargetVariant": "b"}
        given["ContentType"] = "application/json"
        if status == 200:
            boto.runtime.invoke_endpoint(**given)["Body"].read()
        else:
            assert refusal(boto.runtime.invoke_endpoint, **given)[0] == "ModelError"
    series.wait_total(7, "Invocations", **of("two", "a"))
    series.wait_total(5, "Invocations", **of("two", "b"))
    errors = ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    assert [series.total(name, **of("two", "a")) for name in errors] == [0, 0, 0]
    assert [series.total(name, **of("two", "b")) for name in errors] == [1, 2, 3]
    # Its average is the share of errors, for a success is a zero.
    assert series.whole("InvocationModelErrors", **of("two", "b")).average == 3 / 5
    assert series.total("InvocationsPerInstance", **of("two", "a")) == 3.5
    assert series.total("InvocationsPerInstance", **of("two", "b")) == 5
    model = series.whole("ModelLatency", **of("two", "a"))
    overhead = series.whole("OverheadLatency", **of("two", "a"))
    assert model.count == overhead.count == 7
    assert sum(model.buckets.values()) == 7
    assert 0 < model.total + overhead.total < spent
    whole = series.whole("TotalLatency", PARKADE, **of("two", "a"))
    assert whole.total == pytest.approx(model.total + overhead.total, abs=10)
    # The endpoint alone has none of them.
    assert not series.points("Invocations", EndpointName="two")


@pytest.mark.semantics("metrics.variant")
def test_a_serverless_variant_tells_how_long_it_took_to_start(
    boto: Account, series: Measured
) -> None:
    rules = {"MemorySizeInMB": 1024, "MaxConcurrency": 5}
    production = {"VariantName": "AllTraffic", "ModelName": "no-op", "ServerlessConfig": rules}
    boto.config("serverless", production)
    boto.endpoint("serverless", "serverless")
    wait_for(lambda: series.whole("ModelSetupTime", **of("serverless")).count)
    setup = series.whole("ModelSetupTime", **of("serverless"))
    assert (setup.count, setup.total > 1000) == (1, True)
    assert not series.points("ModelSetupTime", **of("two", "a"))


@pytest.mark.semantics("metrics.component")
@pytest.mark.usefixtures("two")
def test_components_are_counted_by_their_names(boto: Account, series: Measured) -> None:
    boto.config("host", variant(model=None))
    boto.endpoint("host", "host")
    for name in ("first", "second"):
        boto.sagemaker.create_inference_component(
            InferenceComponentName=name,
            EndpointName="host",
            VariantName="AllTraffic",
            Specification={"ModelName": "no-op"},
            RuntimeConfig={"CopyCount": 1},
        )
    describe = boto.sagemaker.describe_inference_component

    def wait(name: str, copies: int) -> None:
        def there() -> bool:
            found = describe(InferenceComponentName=name)
            status, config = found["InferenceComponentStatus"], found["RuntimeConfig"]
            return (status, config["CurrentCopyCount"]) == ("InService", copies)

        wait_for(there, why=f"{name} to have {copies} copies")

    wait("first", 1)
    wait("second", 1)
    for _ in range(3):
        boto.invoke("host", InferenceComponentName="first")
    boto.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="second", DesiredRuntimeConfig={"CopyCount": 0}
    )
    wait("second", 0)
    for _ in range(2):
        given = {"EndpointName": "host", "Body": b"{}", "InferenceComponentName": "second"}
        refusal(boto.runtime.invoke_endpoint, **given)
    series.wait_total(3, "Invocations", InferenceComponentName="first")
    assert series.total("InvocationsPerCopy", InferenceComponentName="first") == 3
    assert series.whole("ModelLatency", InferenceComponentName="first").count == 3
    series.wait_total(2, "NoCapacityInvocationFailures", InferenceComponentName="second")
    assert series.total("Invocations", InferenceComponentName="second") == 0
    # They are the variant's, too.
    assert series.total("Invocations", **of("host")) == 3
    wait_for(lambda: series.points("ConcurrentRequestsPerCopy", InferenceComponentName="first"))
    wait_for(lambda: series.points("ConcurrentRequestsPerModel", **of("two", "a")))
    normal = "MemoryUtilizationNormalized"
    wait_for(lambda: series.points(normal, COMPONENTS, InferenceComponentName="first"))


@pytest.mark.semantics("metrics.multi")
def test_target_models_are_counted_each_and_together(boto: Account, series: Measured) -> None:
    for name in ("one", "two"):
        content = script(TRACED)
        boto.house.ok("PUT", f"/v1/objects/many/p/{name}.tar.gz", content=content)
    container = {"Image": IMAGE, "ModelDataUrl": "s3://many/p/", "Mode": "MultiModel"}
    boto.sagemaker.create_model(ModelName="many", PrimaryContainer=container)
    boto.config("many", variant(model="many"))
    boto.endpoint("many", "many")
    for target in ("one", "one", "one", "two"):
        boto.invoke("many", TargetModel=f"{target}.tar.gz")
    series.wait_total(4, "Invocations", **of("many"))
    wait_for(lambda: series.whole("ModelCacheHit", **of("many")).count == 4)
    assert series.whole("ModelCacheHit", **of("many")).average == 0.5
    for name in ("ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime"):
        assert series.whole(name, **of("many")).count == 2
        assert series.total(name, **of("many")) > 0
    one = of("many", TargetModel="one.tar.gz")
    assert series.total("Invocations", PARKADE, **one) == 3
    assert series.whole("ModelCacheHit", PARKADE, **one).total == 2
    wait_for(lambda: series.whole("LoadedModelCount", INSTANCES, **of("many")).most == 2)


@pytest.mark.semantics("metrics.async")
def test_asynchronous_endpoints_have_series_of_their_own(boto: Account, series: Measured) -> None:
    rules = {"OutputConfig": {"S3OutputPath": "s3://answers/out"}}
    boto.config("later", variant(model="fickle"), AsyncInferenceConfig=rules)
    boto.endpoint("later", "later")
    for status in (200, 200, 500):
        body = b'{"text": "%d"}' % status
        boto.runtime.invoke_endpoint_async(
            EndpointName="later", Body=body, ContentType="application/json"
        )
    missing = "s3://answers/none"
    boto.runtime.invoke_endpoint_async(EndpointName="later", InputLocation=missing)
    series.wait_total(4, "InvocationsProcesssed", **of("later"))
    assert series.total("InvocationFailures", **of("later")) == 2
    assert series.total("RequestDownloadFailures", **of("later")) == 1
    assert series.total("ResponseUploadFailures", **of("later")) == 0
    assert series.total("Invocation5XXErrors", **of("later")) == 1
    assert series.whole("TotalProcessingTime", **of("later")).count == 4
    assert series.whole("TimeInBacklog", **of("later")).count == 4
    for name in ("RequestDownloadLatency", "ResponseUploadLatency", "ModelLatency"):
        assert series.whole(name, **of("later")).least > 0
    for name in ("Invocations", "InvocationsPerInstance", "OverheadLatency"):
        assert not series.points(name, **of("later"))
    wait_for(lambda: series.points("ApproximateBacklogSize", EndpointName="later"))
    assert series.total("HasBacklogWithoutCapacity", EndpointName="later") == 0
    assert series.points("ApproximateBacklogSizePerInstance", EndpointName="later")


@pytest.mark.semantics("metrics.machine")
@pytest.mark.usefixtures("two")
def test_instances_tell_what_they_use_of_the_machine(boto: Account, series: Measured) -> None:
    wait_for(lambda: series.points("CPUUtilization", INSTANCES, **of("two", "a")))
    ids = {
        each["instance_id"] if "instance_id" in each else each["id"]
        for each in boto.house.ok("GET", "/v1/endpoints/two").json()["instances"]
        if each["variant_name"] == "a"
    }
    assert len(ids) == 2
    for name in ("CPUUtilization", "MemoryUtilization", "DiskUtilization"):
        whole = series.whole(name, INSTANCES, **of("two", "a"))
        assert 0 <= whole.least <= whole.most
        for each in ids:
            assert series.points(name, INSTANCES, **of("two", "a", InstanceId=each))
    assert 0 < series.whole("MemoryUtilization", INSTANCES, **of("two", "a")).most < 100


@pytest.mark.parametrize("door", ["sync", "async"])
def test_scripts_are_told_the_trace_of_their_caller(boto: Account, door: str) -> None:
    rules = {"OutputConfig": {"S3OutputPath": "s3://answers/traces"}}
    given = {"AsyncInferenceConfig": rules} if door == "async" else {}
    boto.config(f"traced-{door}", variant(model="traced"), **given)
    boto.endpoint(f"traced-{door}", f"traced-{door}")
    path = "async-invocations" if door == "async" else "invocations"
    headers = {"traceparent": TRACE, "tracestate": "a=1,b=2", "baggage": "c=3"}
    answer = boto.house.ok(
        "POST", f"/endpoints/traced-{door}/{path}", content=b"{}", headers=headers
    )
    text = answer.text
    if door == "async":
        location = answer.headers["X-Amzn-SageMaker-OutputLocation"].removeprefix("s3://")
        there = f"/v1/objects/{location}"
        wait_for(lambda: boto.house.call("GET", there).is_success)
        text = boto.house.ok("GET", there).text
    assert text == str([TRACE, "a=1,b=2"])
