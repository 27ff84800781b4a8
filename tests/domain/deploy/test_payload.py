"""Payloads: the seed's, in its spellings, with what is left out, and what is refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.deploy import payload
from parkade.domain.deploy.order import MAX_WAIT, TRACKING, Aspect
from parkade.domain.errors import InvalidInput
from parkade.domain.rollout import Kind, Size, Strategy
from parkade.domain.scaling.policy import CustomMetric, Predefined, Tracking
from parkade.domain.terms import Sleep, Wake
from tests.builders import minutes, seconds

SEED = {
    "endpointName": "test-endpoint",
    "productionVariants": [
        {
            "AcceleratorType": "ml.eia1.medium",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
            "InstanceType": "ml.c5.2xlarge",
            "ModelName": "h2o3-gbm-2019-10-22-17-57-58",
            "VariantName": "AllTraffic",
        }
    ],
    "autoscalingMinCapacity": 1,
    "autoscalingMaxCapacity": 4,
    "targetTrackingScalingPolicyConfiguration": {
        "TargetValue": 5000.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    },
}
SMALL = {"endpointName": "e", "productionVariants": [{"ModelName": "m", "InstanceType": "ml.a.b"}]}


def variant(**members):
    return {"productionVariants": [{"ModelName": "m", "InstanceType": "ml.a.b", **members}]}


def read(**keys):
    return payload.read({**SMALL, **keys})


def refused(**keys):
    with pytest.raises(InvalidInput) as caught:
        read(**keys)
    return caught.value


def test_the_sample_is_read_as_it_is():
    order = payload.read(SEED)
    (only,) = order.variants
    assert (only.name, only.model_name) == ("AllTraffic", "h2o3-gbm-2019-10-22-17-57-58")
    assert (only.instance_type, only.instance_count, only.weight) == ("ml.c5.2xlarge", 1, 1.0)
    scaling = order.scaling["AllTraffic"]
    assert (scaling.least, scaling.most) == (1, 4)
    assert scaling.tracking == TRACKING == Tracking(
        target=5000.0, metric=Predefined.INVOCATIONS_PER_INSTANCE, out_cooldown=60, in_cooldown=300
    )  # fmt: skip
    (warning,) = order.warnings
    assert "AcceleratorType ml.eia1.medium is left out: AWS has retired" in warning


def test_other_spellings_are_taken():
    order = read(
        productionVariants=[{"modelName": "m", "inferenceInstanceType": "ml.c5.large"}],
        autoscalingMinCapacity=1,
        autoscalingMaxCapacity=2,
    )
    assert (order.variants[0].model_name, order.variants[0].instance_type) == ("m", "ml.c5.large")
    error = refused(**variant(modelName="m"))
    assert "given twice" in error.message


def test_what_is_left_out_has_its_default():
    order = read()
    assert order.variants[0].name == "AllTraffic"
    assert (order.variants[0].instance_count, order.variants[0].weight) == (1, 1.0)
    assert order.scaling == {}
    assert order.all_tags == {"environment": "development"}
    assert (order.metered, order.amount, order.owner) == (True, None, "")
    assert (order.strategy, order.max_wait) == (Strategy(), MAX_WAIT)


def test_the_policy_left_out_is_the_samples():
    order = read(autoscalingMinCapacity=1, autoscalingMaxCapacity=2)
    assert order.scaling["AllTraffic"].tracking == TRACKING


def test_scaling_is_of_each_variant_by_its_name():
    order = read(
        productionVariants=[
            {"ModelName": "m", "InstanceType": "ml.a.b", "VariantName": name}
            for name in ("blue", "green", "red")
        ],
        autoscalingMinCapacity=1,
        autoscalingMaxCapacity=2,
        scaling={"green": {"autoscalingMaxCapacity": 8}, "red": None},
    )
    bounds = {name: each and (each.least, each.most) for name, each in order.scaling.items()}
    assert bounds == {"blue": (1, 2), "green": (1, 8), "red": None}


def test_a_custom_metric_is_tracked():
    policy = {
        "TargetValue": 50,
        "CustomizedMetricSpecification": {
            "MetricName": "CPUUtilization",
            "Namespace": "/aws/sagemaker/Endpoints",
            "Dimensions": [{"Name": "EndpointName", "Value": "e"}],
            "Statistic": "Average",
        },
    }
    order = read(
        autoscalingMinCapacity=1,
        autoscalingMaxCapacity=2,
        targetTrackingScalingPolicyConfiguration=policy,
    )
    tracking = order.scaling["AllTraffic"].tracking
    assert isinstance(tracking.metric, CustomMetric)
    assert (tracking.out_cooldown, tracking.in_cooldown) == (300, 300)


def test_the_rest_is_read():
    order = read(
        minutes=90,
        owner="ann",
        environment="staging",
        tags={"team": "blue"},
        strategy={"kind": "canary", "percent": 10, "waitSeconds": 300, "alarms": ["errors"]},
        sleep={"after_minutes": 20, "pauses": True, "hold_seconds": 30},
        wake={"minutes": 15, "at_most_minutes": 60},
        maxWaitMinutes=20,
    )
    assert (order.amount, order.owner, order.max_wait) == (minutes(90), "ann", minutes(20))
    assert order.all_tags == {"team": "blue", "environment": "staging"}
    assert order.strategy == Strategy(
        kind=Kind.CANARY, step=Size(percent=10), wait=seconds(300), alarms=("errors",)
    )
    assert order.sleep == Sleep(after=minutes(20), pauses=True, hold=seconds(30))
    assert order.wake == Wake(minutes=minutes(15), at_most=minutes(60))


def test_a_strategys_own_waits_are_waited_for_unless_somebody_says_less():
    waits = {"kind": "linear", "percent": 10, "waitSeconds": 600, "terminationWaitSeconds": 60}
    assert read(strategy=waits).max_wait == MAX_WAIT + 10 * minutes(10) + minutes(1)
    assert read(strategy=waits, maxWaitMinutes=5).max_wait == minutes(5)
    limited = {"kind": "canary", "percent": 10, "limitSeconds": 3600}
    assert read(strategy=limited).max_wait == MAX_WAIT + minutes(60)


def test_a_count_out_of_bounds_is_warned_of():
    order = read(
        **variant(InitialInstanceCount=9), autoscalingMinCapacity=1, autoscalingMaxCapacity=4
    )
    assert order.warnings == (
        "variant AllTraffic: InitialInstanceCount 9 is not within 1 to 4; it begins with 4",
    )


@pytest.mark.parametrize(
    ("keys", "field", "hint"),
    [
        ({"endpointNam": "e"}, "endpointNam", "did you mean 'endpointName'?"),
        ({"autoscalingMaxCapacty": 4}, "autoscalingMaxCapacty", "autoscalingMaxCapacity"),
        (
            {"productionVariants": [{"ModelName": "m", "InstanceTyp": "ml.a.b"}]},
            "productionVariants.1.InstanceTyp",
            "did you mean 'InstanceType'?",
        ),
        ({"strategy": {"knd": "canary"}}, "strategy.knd", "did you mean 'kind'?"),
        ({"strategy": {"kind": "canery"}}, "strategy.kind", "did you mean 'canary'?"),
        ({"sleep": {"after": 5}}, "sleep.after", "after_minutes"),
        ({"scaling": {"AllTrafic": None}}, "scaling", "did you mean 'AllTraffic'?"),
    ],
)
def test_what_is_not_known_is_refused_by_its_name(keys, field, hint):
    error = refused(**keys)
    assert error.field == field
    assert hint in error.hint


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"endpointName": None}, "endpointName"),
        ({"endpointName": 5}, "endpointName"),
        ({"endpointName": "no_underscores"}, "endpointName"),
        ({"productionVariants": []}, "ProductionVariants"),
        ({"productionVariants": "x"}, "productionVariants"),
        ({"productionVariants": [5]}, "productionVariants.1"),
        ({"productionVariants": [{"InstanceType": "ml.a.b"}]}, "productionVariants.1.ModelName"),
        ({"productionVariants": [{"ModelName": "m"}]}, "productionVariants.1.InstanceType"),
        (variant(InitialInstanceCount=1.5), "productionVariants.1.InitialInstanceCount"),
        (variant(InitialInstanceCount=True), "productionVariants.1.InitialInstanceCount"),
        (variant(InitialInstanceCount=0), "InitialInstanceCount"),
        (variant(InitialVariantWeight=-1), "InitialVariantWeight"),
        ({"productionVariants": variant()["productionVariants"] * 2}, "ProductionVariants"),
        ({"autoscalingMinCapacity": 1}, "autoscalingMaxCapacity"),
        ({"autoscalingMaxCapacity": 1}, "autoscalingMinCapacity"),
        ({"autoscalingMinCapacity": 5, "autoscalingMaxCapacity": 4}, "autoscalingMinCapacity"),
        (
            {"targetTrackingScalingPolicyConfiguration": SEED["targetTrackingScalingPolicyConfiguration"]},
            "autoscalingMinCapacity",
        ),
        ({"minutes": 0}, "minutes"),
        ({"minutes": "60"}, "minutes"),
        ({"metered": "no"}, "metered"),
        ({"metered": False, "minutes": 5}, "minutes"),
        ({"metered": False, "owner": "ann"}, "owner"),
        ({"metered": False, "sleep": {"after_minutes": 5}}, "sleep"),
        ({"owner": "meter"}, "owner"),
        ({"tags": {"aws:x": "y"}}, "tags"),
        ({"tags": {"x": 5}}, "tags.x"),
        ({"environment": "a;b"}, "tags"),
        ({"maxWaitMinutes": 0}, "maxWaitMinutes"),
        ({"maxWaitMinutes": 1e9}, "maxWaitMinutes"),
        ({"maxWaitMinutes": 1e300}, "maxWaitMinutes"),
        ({"maxWaitMinutes": 10**400}, "maxWaitMinutes"),
        ({"maxWaitMinutes": float("inf")}, "maxWaitMinutes"),
        (variant(InitialVariantWeight=-(10**400)), "InitialVariantWeight"),
        ({"strategy": {"kind": "canary", "percent": 10, "waitSeconds": 10**400}}, "waitSeconds"),
        (
            {
                "autoscalingMinCapacity": 1,
                "autoscalingMaxCapacity": 4,
                "targetTrackingScalingPolicyConfiguration": {
                    **SEED["targetTrackingScalingPolicyConfiguration"],
                    "TargetValue": 10**400,
                },
            },
            "TargetValue",
        ),
        ({"strategy": {"kind": "canary"}}, "strategy.percent"),
        ({"strategy": {"kind": "canary", "percent": 60}}, "CanarySize"),
        ({"strategy": {"kind": "linear", "percent": 10, "instances": 1}}, "strategy.instances"),
        ({"strategy": "canary"}, "strategy"),
        (variant(ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 5}), "productionVariants.1.InstanceType"),
        (variant(RoutingConfig={"RoutingStrategy": "NEAREST"}), "RoutingConfig.RoutingStrategy"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_name(keys, field):
    error = refused(**keys)
    assert error.field.endswith(field), (error.field, error.message)
    assert error.message


def test_a_serverless_variant_is_not_scaled():
    serverless = [
        {"ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5}}
    ]
    bounds = {"autoscalingMinCapacity": 1, "autoscalingMaxCapacity": 2}
    assert read(productionVariants=serverless, **bounds).scaling == {}
    assert refused(productionVariants=serverless, scaling={"AllTraffic": bounds}).field == "scaling"


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(InvalidInput, match="is not a JSON object"):
        payload.read(body)


BOUNDS = st.fixed_dictionaries(
    {"autoscalingMinCapacity": st.integers(0, 3), "autoscalingMaxCapacity": st.integers(3, 9)},
    optional={
        "targetTrackingScalingPolicyConfiguration": st.fixed_dictionaries(
            {
                "TargetValue": st.floats(0.1, 1e6),
                "PredefinedMetricSpecification": st.just(
                    {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
                ),
                "DisableScaleIn": st.booleans(),
            }
        )
    },
)
ORDERS = st.fixed_dictionaries(
    {
        "endpointName": st.sampled_from(["e", "a-b"]),
        "productionVariants": st.lists(
            st.fixed_dictionaries(
                {
                    "VariantName": st.sampled_from(["blue", "green", "red"]),
                    "ModelName": st.just("m"),
                    "InstanceType": st.just("ml.a.b"),
                },
                optional={
                    "InitialInstanceCount": st.integers(1, 5),
                    "InitialVariantWeight": st.floats(0.1, 10),
                    "VolumeSizeInGB": st.integers(1, 5),
                    "ModelDataDownloadTimeoutInSeconds": st.integers(60, 3600),
                },
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda each: each["VariantName"],
        ),
    },
    optional={
        "minutes": st.floats(0.5, 1000),
        "owner": st.just("ann"),
        "environment": st.just("staging"),
        "tags": st.dictionaries(st.sampled_from(["a", "b"]), st.just("c")),
        "maxWaitMinutes": st.floats(1, 1000),
        "strategy": st.sampled_from(
            [
                {"kind": "linear", "percent": 20, "waitSeconds": 30},
                {"kind": "rolling", "instances": 1, "rollbackPercent": 50, "limitSeconds": 900},
            ]
        ),
        "sleep": st.fixed_dictionaries({"after_minutes": st.integers(1, 99)}),
        "revives": st.booleans(),
        "keepsCounts": st.booleans(),
        "AsyncInferenceConfig": st.none(),
        "ShadowProductionVariants": st.none(),
        "DataCaptureConfig": st.none()
        | st.fixed_dictionaries(
            {
                "InitialSamplingPercentage": st.integers(0, 100),
                "DestinationS3Uri": st.just("s3://captured/text"),
            },
            optional={
                "EnableCapture": st.booleans(),
                "CaptureOptions": st.lists(
                    st.sampled_from([{"CaptureMode": "Input"}, {"CaptureMode": "Output"}])
                ),
            },
        ),
    },
)


@given(ORDERS, st.none() | BOUNDS)
def test_an_order_that_is_written_reads_as_itself(keys, bounds):
    order = payload.read({**keys, **(bounds or {})})
    again = payload.read(json.loads(json.dumps(payload.written(order))))
    assert replace(again, warnings=()) == replace(order, warnings=())


CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captured/text",
    "KmsKeyId": "k",
    "CaptureOptions": [{"CaptureMode": "Input"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
}
ASYNC = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    "OutputConfig": {
        "S3OutputPath": "s3://answers/text",
        "S3FailurePath": "s3://failures/text",
        "NotificationConfig": {
            "SuccessTopic": "arn:aws:sns:us-east-1:000000000000:done",
            "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
        },
    },
}


def test_what_is_not_spoken_of_is_told_from_what_is_to_be_none():
    assert read().speaks_of == ()
    assert "DataCaptureConfig" not in payload.written(read())
    order = read(DataCaptureConfig=None, AsyncInferenceConfig=None, ShadowProductionVariants=None)
    assert set(order.speaks_of) == set(Aspect)
    assert (order.capture, order.asynchronous, order.shadows) == (None, None, ())
    assert payload.read(payload.written(order)) == order


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("DataCaptureConfig", CAPTURE),
        ("AsyncInferenceConfig", ASYNC),
        (
            "ShadowProductionVariants",
            [
                {
                    "VariantName": "shade",
                    "ModelName": "other",
                    "InstanceType": "ml.a.b",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 0.5,
                    "RoutingConfig": {"RoutingStrategy": "RANDOM"},
                }
            ],
        ),
    ],
)
def test_sagemakers_forms_are_read_and_written_again(key, given):
    order = read(**{key: given})
    assert payload.written(order)[key] == given
    assert payload.read(payload.written(order)) == order


def test_what_is_captured_is_both_where_nothing_is_said():
    given = {"InitialSamplingPercentage": 5, "DestinationS3Uri": "s3://captured/text"}
    capture = read(DataCaptureConfig=given).capture
    assert (capture.inputs, capture.outputs, capture.enabled) == (True, True, True)


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"DataCaptureConfig": {**CAPTURE, "Percent": 1}}, "DataCaptureConfig.Percent"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "InitialSamplingPercentage"),
        (
            {"DataCaptureConfig": {**CAPTURE, "CaptureOptions": [{"CaptureMode": "Both"}]}},
            "DataCaptureConfig.CaptureOptions.1.CaptureMode",
        ),
        ({"DataCaptureConfig": {**CAPTURE, "InitialSamplingPercentage": 101}}, "Percentage"),
        ({"AsyncInferenceConfig": {}}, "AsyncInferenceConfig.OutputConfig"),
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "OutputConfig.S3OutputPath"),
        (
            {
                "AsyncInferenceConfig": {
                    "OutputConfig": {
                        "S3OutputPath": "s3://a/b",
                        "NotificationConfig": {"IncludeInferenceResponseIn": ["all"]},
                    }
                }
            },
            "IncludeInferenceResponseIn",
        ),
        ({"DataCaptureConfig": CAPTURE, "AsyncInferenceConfig": ASYNC}, "DataCaptureConfig"),
        ({"ShadowProductionVariants": [{}]}, "ShadowProductionVariants.1.ModelName"),
        (
            {"ShadowProductionVariants": [{"ModelName": "m", "InstanceType": "ml.a.b"}]},
            "ProductionVariants",  # both are called AllTraffic
        ),
    ],
)
def test_what_is_wrong_with_them_is_told_by_its_place(keys, field):
    assert field in refused(**keys).field
