"""A document laid out into parts, in the forms that those who keep them read."""

from decimal import Decimal

import pytest

from parkade.apps.projectfile import document
from parkade.apps.projectfile.layout import project_of
from parkade.domain.deploy import payload
from parkade.domain.errors import InvalidInput
from parkade.domain.project.part import Kind, derived_name
from parkade.domain.project.project import PROJECT_TAG

MODEL = {"data": "s3://models/a.tar.gz", "image": "pytorch-inference"}
VARIANT = {"name": "A", "model": "a", "type": "ml.c5.xlarge"}


def laid_out(**changes):
    body = {
        "project": "Text",
        "stage": "Demo",
        "models": {"a": MODEL},
        "endpoints": {"text": {"variants": [VARIANT]}},
        **changes,
    }
    return project_of(document.read(body))


def part(kind, **changes):
    return next(each for each in laid_out(**changes).parts if each.kind is kind)


def endpoint(**settings):
    return part(Kind.ENDPOINT, endpoints={"text": {"variants": [VARIANT], **settings}}).content


def test_a_models_name_comes_of_its_content():
    made = part(Kind.MODEL)
    assert made.name == derived_name("TextDemo-a", made.content)
    assert part(Kind.MODEL).name == made.name
    other = part(Kind.MODEL, models={"a": MODEL | {"environment": {"LEVEL": "info"}}})
    assert other.name != made.name
    assert (other.key, other.content["environment"]) == ("a", {"LEVEL": "info"})


def test_endpoints_name_their_models_by_those_names():
    model, served = part(Kind.MODEL), part(Kind.ENDPOINT)
    assert served.name == "TextDemo-text"
    assert served.content["productionVariants"][0]["ModelName"] == model.name


def test_models_of_many_and_pipelines():
    many = {"data": "s3://models/many/", "image": "x", "multi_model": True, "caches": False}
    content = part(Kind.MODEL, models={"a": many}).content
    assert (content["multi_model"], content["caches"]) == (True, False)
    one = MODEL | {"hostname": "first", "environment": {"T": {"env": "T"}}}
    pipeline = {"containers": [one, MODEL], "direct": False}
    made = part(Kind.MODEL, models={"a": pipeline}, secrets={"env:T": "t"})
    assert [each["hostname"] for each in made.content["containers"]] == ["first", ""]
    assert made.content["containers"][0]["environment"] == {"T": "t"}
    assert made.secret == {"containers.0.environment.T"}


def test_an_endpoint_is_a_payload_of_the_deployer():
    scaling = {"most": 3, "target": 70, "out_cooldown": 60}
    content = endpoint(
        variants=[VARIANT | {"weight": 2, "instances": 2, "scaling": scaling}],
        lease={"minutes": 90},
        owner="ann",
        sleep={"after_minutes": 10, "pauses": True, "hold_seconds": 30},
        wake={"minutes": 10, "at_most_minutes": 60},
        strategy={"kind": "canary", "percent": 10, "wait_seconds": 300, "alarms": ["theirs"]},
        tags={"team": "nlp"},
    )
    own = {"deploy", "keep", "schedule", "maintain"}
    order = payload.read({key: value for key, value in content.items() if key not in own})
    assert order.endpoint_name == "TextDemo-text"
    assert (order.variants[0].weight, order.variants[0].instance_count) == (2, 2)
    assert order.scaling["A"].tracking.target == 70
    assert (order.scaling["A"].most, order.scaling["A"].tracking.out_cooldown) == (3, 60)
    assert order.amount.total_seconds() == 90 * 60
    assert (order.owner, order.sleep.pauses, order.environment) == ("ann", True, "Demo")
    assert order.strategy.alarms == ("theirs",)
    assert order.tags == {"team": "nlp", PROJECT_TAG: "TextDemo"}


def test_scaling_that_is_off_is_none():
    off = VARIANT | {"scaling": {"enabled": False, "most": 3, "target": 70}}
    assert endpoint(variants=[off])["scaling"] == {"A": None}
    assert endpoint()["scaling"] == {"A": None}


def test_scaling_by_a_metric_of_ones_own():
    metric = {"namespace": "Own", "name": "Queue", "dimensions": {"Name": "x"}, "unit": "Count"}
    scaled = VARIANT | {"scaling": {"most": 3, "target": 70, "metric": metric}}
    content = endpoint(variants=[scaled])
    policy = content["scaling"]["A"]["targetTrackingScalingPolicyConfiguration"]
    assert policy["CustomizedMetricSpecification"] == {
        "Namespace": "Own",
        "MetricName": "Queue",
        "Dimensions": [{"Name": "Name", "Value": "x"}],
        "Statistic": "Average",
        "Unit": "Count",
    }


def test_capture_async_shadows_and_serverless_are_sagemakers_forms():
    content = endpoint(
        capture={
            "percentage": 5,
            "destination": "s3://c/x",
            "outputs": False,
            "csv_types": ["a/b"],
        },
        shadows=[VARIANT | {"name": "S"}],
    )
    assert content["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 5,
        "DestinationS3Uri": "s3://c/x",
        "CaptureOptions": [{"CaptureMode": "Input"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["a/b"]},
    }
    assert content["ShadowProductionVariants"][0]["VariantName"] == "S"
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    asynchronous = {"output": "s3://o/x", "failure": "s3://o/f", "error_topic": topic}
    content = endpoint(**{"async": asynchronous | {"concurrency": 4}})
    assert content["AsyncInferenceConfig"] == {
        "OutputConfig": {
            "S3OutputPath": "s3://o/x",
            "S3FailurePath": "s3://o/f",
            "NotificationConfig": {"ErrorTopic": topic},
        },
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    }
    serverless = {"model": "a", "serverless": {"memory_mb": 2048, "concurrency": 5}}
    (variant,) = endpoint(variants=[serverless])["productionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in variant


def test_terms_are_those_of_the_api():
    keep = {"by_minutes": 15, "when_left_minutes": 5, "at_most_minutes": 120}
    hours = "mon-fri 09:00-17:00 Europe/Berlin"
    content = endpoint(lease={"keep": keep, "schedule": hours}, maintain={"stop_after": 3})
    assert (content["keep"], content["schedule"]) == (keep, hours)
    assert content["maintain"] == {"watch": "on", "stop_after": 3}
    assert endpoint(maintain=False)["maintain"] == {"watch": "off"}
    assert endpoint()["maintain"] is None


def test_without_a_lease_it_is_not_metered():
    content = endpoint(lease=False)
    assert content["metered"] is False
    assert not {"minutes", "owner", "sleep", "wake"} & content.keys()


def test_an_endpoint_that_is_not_deployed_is_there_all_the_same():
    assert endpoint(deploy=False)["deploy"] is False


def test_routes():
    route = {"endpoint": "text", "auth": "public", "rate": {"per_second": 10, "burst": 20}}
    made = part(Kind.ROUTE, routes={"/text": route | {"sticky": {"cookie": "who"}}})
    assert made.name == "/text"
    assert made.content == {
        "endpoint_name": "TextDemo-text",
        "public": True,
        "rate": {"per_second": 10, "burst": 20},
        "timeout_seconds": None,
        "sticky": {"cookie": "who"},
        "project": "TextDemo",
    }


def test_budget_prices_and_limits():
    budget = {"owner": "ann", "amount": 50, "per": "month", "then": "stop"}
    project = laid_out(
        limits={"hourly": 5, "instances": 10, "budget": budget}, prices={"ml.c5.xlarge": 0.238}
    )
    made = next(each for each in project.parts if each.kind is Kind.BUDGET)
    assert made.name == "ann"
    assert made.content == {"usd": "50.0", "per": "month", "then": "stop", "zone": "UTC"}
    assert (project.limits.hourly, project.limits.instances) == (5, 10)
    assert project.prices == {"ml.c5.xlarge": Decimal("0.238")}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lease": False, "owner": "ann"}, "owner does not go with lease: false"),
        ({"variants": [VARIANT | {"weight": 0}]}, "weights add up to 0"),
        ({"variants": [{"model": "a"}]}, "type is missing"),
        ({"variants": []}, "variants"),
        ({"strategy": {"kind": "linear"}}, "percent is missing: linear goes in steps"),
        ({"lease": {"schedule": "never"}}, "lease.schedule: .*write it as mon-fri"),
        ({"wake": {"minutes": 60, "at_most_minutes": 10}}, "at_most_minutes 10 is less"),
        ({"variants": [VARIANT | {"scaling": {"least": 3, "most": 2, "target": 1}}]}, "least 3"),
        ({"variants": [VARIANT | {"scaling": {"least": 0, "most": 2, "target": 1}}]}, "async"),
        ({"capture": {"destination": "s3://a/b"}, "async": {"output": "s3://a/b"}}, "capture"),
        ({"tags": {PROJECT_TAG: "x"}}, "is the project's own"),
    ],
)
def test_endpoints_that_cannot_be(settings, message):
    with pytest.raises(InvalidInput, match=message):
        endpoint(**settings)
