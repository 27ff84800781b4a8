"""Scaling policies: put, shown as they were given, deleted; what is none is refused by name."""

import pytest

from parkade.services.scaling import POLICIES_LIMIT
from tests.apps.autoscaling.calls import (
    STEPS,
    TRACKING,
    invalid,
    one,
    policies,
    refusal,
    register,
    step,
    track,
)
from tests.builders import NOW, minutes
from tests.scaled import ADAPTER, BLUE, GREEN

METRIC = {
    "MetricName": "Depth",
    "Namespace": "Mine",
    "Dimensions": [{"Name": "Queue", "Value": "a & b"}],
}
CUSTOM = {**METRIC, "Statistic": "Average", "Unit": "Count"}
QUERIES = [
    {"Id": "depth", "MetricStat": {"Metric": METRIC, "Stat": "Sum"}, "ReturnData": False},
    {"Id": "each", "Expression": "depth / 2", "Label": "for each", "ReturnData": True},
]
COPIES = {
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"
    }
}


def custom(**metric):
    return {"PredefinedMetricSpecification": None, "CustomizedMetricSpecification": metric}


@pytest.mark.semantics("scaling.api")
def test_target_tracking_is_shown_as_it_was_put(boto, world):
    register(boto)
    answer = track(boto)
    high, low = answer["Alarms"]
    assert high["AlarmName"].startswith("TargetTracking-endpoint/falcon/variant/blue-AlarmHigh-")
    assert low["AlarmName"].startswith("TargetTracking-endpoint/falcon/variant/blue-AlarmLow-")
    assert high["AlarmARN"] == (
        f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{high['AlarmName']}"
    )
    (policy,) = policies(boto)
    assert policy == one(
        PolicyName="p",
        PolicyARN=answer["PolicyARN"],
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
        Alarms=answer["Alarms"],
        CreationTime=NOW,
    )
    known = {each.name: each for each in world.services.alarms.book.all().records}
    assert known.keys() == {high["AlarmName"], low["AlarmName"]}
    assert known[high["AlarmName"]].alarm_actions == (answer["PolicyARN"],)


def test_cooldowns_are_300_seconds_where_none_are_given(boto):
    register(boto)
    track(boto, ScaleOutCooldown=None, ScaleInCooldown=None, DisableScaleIn=None)
    (policy,) = policies(boto)
    told = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (told["ScaleOutCooldown"], told["ScaleInCooldown"]) == (300, 300)
    assert told["DisableScaleIn"] is False


def test_a_policy_that_is_put_again_keeps_its_arn_and_its_time(boto, world):
    register(boto)
    first = track(boto)
    world.clock.advance(minutes(5))
    again = track(boto, TargetValue=5.5, DisableScaleIn=True)
    assert again["PolicyARN"] == first["PolicyARN"]
    assert again["Alarms"] == first["Alarms"][:1]
    (policy,) = policies(boto)
    assert policy["CreationTime"] == NOW
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 5.5


@pytest.mark.parametrize("metric", [CUSTOM, {"Metrics": QUERIES}], ids=["one", "queries"])
def test_a_custom_metric_is_shown_as_it_was_put(boto, metric):
    register(boto)
    track(boto, **custom(**metric))
    (policy,) = policies(boto)
    told = policy["TargetTrackingScalingPolicyConfiguration"]
    assert told["CustomizedMetricSpecification"] == metric
    assert "PredefinedMetricSpecification" not in told


@pytest.mark.semantics("scaling.api")
def test_steps_are_shown_as_they_were_put_and_name_the_alarms_that_lead_to_them(boto, world):
    register(boto, ADAPTER, least=0)
    steps = {
        "AdjustmentType": "PercentChangeInCapacity",
        "MinAdjustmentMagnitude": 2,
        "StepAdjustments": [
            {"MetricIntervalUpperBound": 5.0, "ScalingAdjustment": 10},
            {"MetricIntervalLowerBound": 5.0, "ScalingAdjustment": 50},
        ],
    }
    answer = step(boto, MetricAggregationType=None, Cooldown=None, **steps)
    assert answer["Alarms"] == []
    (policy,) = policies(boto)
    assert policy["PolicyType"] == "StepScaling"
    assert policy["StepScalingPolicyConfiguration"] == {
        **steps,
        "Cooldown": 300,
        "MetricAggregationType": "Average",
    }
    step(boto)
    (policy,) = policies(boto)
    assert policy["StepScalingPolicyConfiguration"] == STEPS


def test_policies_are_found_by_name_resource_and_dimension(boto):
    for resource in (BLUE, GREEN):
        register(boto, resource)
        for name in ("p", "q"):
            track(boto, name, resource)
    register(boto, ADAPTER)
    track(boto, "p", ADAPTER, **COPIES)

    def found(**members):
        return [(each["ResourceId"], each["PolicyName"]) for each in policies(boto, **members)]

    assert len(found()) == 5
    assert found(ResourceId=BLUE.id) == [(BLUE.id, "p"), (BLUE.id, "q")]
    assert found(PolicyNames=["q", "x"]) == [(BLUE.id, "q"), (GREEN.id, "q")]
    copies = "sagemaker:inference-component:DesiredCopyCount"
    assert found(ScalableDimension=copies) == [(ADAPTER.id, "p")]
    assert found(ResourceId=BLUE.id, ScalableDimension=copies) == []


def test_a_deleted_policy_is_gone_with_its_alarms(boto, world):
    register(boto)
    track(boto)
    boto.delete_scaling_policy(**one(PolicyName="p"))
    assert policies(boto) == []
    assert world.services.alarms.book.all().records == ()
    code, _ = refusal(boto.delete_scaling_policy, **one(PolicyName="p"))
    assert code == "ObjectNotFoundException"


def test_a_policy_needs_a_target(boto):
    code, message = refusal(track, boto=boto)
    assert code == "ObjectNotFoundException"
    assert message == (
        "No scalable target registered for service namespace: sagemaker, resource ID: "
        f"{BLUE.id}, scalable dimension: sagemaker:variant:DesiredInstanceCount"
    )


def test_more_policies_than_a_target_may_have_are_refused(boto):
    register(boto)
    for number in range(POLICIES_LIMIT):
        track(boto, f"p{number}")
    assert refusal(track, boto=boto, name="more")[0] == "LimitExceededException"
    track(boto, "p7", TargetValue=7.0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PredefinedMetricSpecification": None}, "exactly one of PredefinedMetricSpecification"),
        ({"CustomizedMetricSpecification": CUSTOM}, "exactly one of"),
        ({"TargetValue": 0.0}, "TargetValue"),
        ({"TargetValue": -1.0}, "TargetValue"),
        ({"TargetValue": None}, "targetValue"),
        ({"ScaleInCooldown": -1}, "ScaleInCooldown"),
        ({"ScaleOutCooldown": -1}, "ScaleOutCooldown"),
        (COPIES, "SageMakerVariantInvocationsPerInstance"),
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "KafkaBrokerStorageUtilization"}},
            "KafkaBrokerStorageUtilization",
        ),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
                }
            },
            "SageMakerVariantProvisionedConcurrencyUtilization",
        ),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                    "ResourceLabel": "app/lb",
                }
            },
            "ResourceLabel",
        ),
        (custom(**{**CUSTOM, "Statistic": None}), "CustomizedMetricSpecification.Statistic"),
        (custom(**{**CUSTOM, "MetricName": None}), "CustomizedMetricSpecification.MetricName"),
        (custom(**{**CUSTOM, "Metrics": QUERIES}), "exclude each other"),
        (custom(**{**CUSTOM, "Dimensions": METRIC["Dimensions"] * 2}), "'Queue' twice"),
        (custom(Metrics=[]), "0 of the Metrics return data"),
        (custom(Metrics=QUERIES[:1]), "0 of the Metrics return data"),
        (custom(Metrics=[QUERIES[1]]), "depth"),
        (custom(Metrics=[{"Id": "a", "Expression": "1 +"}]), "1 +"),
        (custom(Metrics=[{"Id": "a"}]), "MetricStat and Expression"),
        (custom(Metrics=[{"Id": "a", "MetricStat": {"Metric": {}, "Stat": "Sum"}}]), "MetricName"),
        (custom(Metrics=[{"Id": "a", "MetricStat": {"Metric": METRIC, "Stat": "Sume"}}]), "Sume"),
    ],
)  # fmt: skip
def test_what_cannot_be_tracked_is_refused_by_name(boto, changes, named):
    register(boto)
    code, message = refusal(track, boto=boto, **changes)
    assert (code, named in message) == ("ValidationException", True), message
    assert policies(boto) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"AdjustmentType": None}, "AdjustmentType"),
        ({"AdjustmentType": "Twice"}, "adjustmentType"),
        ({"StepAdjustments": None}, "StepAdjustments"),
        ({"StepAdjustments": []}, "StepAdjustments"),
        ({"StepAdjustments": [{"ScalingAdjustment": 1}]}, "no bound"),
        ({"StepAdjustments": [{"MetricIntervalLowerBound": 0.0}]}, "scalingAdjustment"),
        ({"MinAdjustmentMagnitude": 1}, "MinAdjustmentMagnitude"),
        ({"Cooldown": -1}, "Cooldown"),
        ({"MetricAggregationType": "Median"}, "metricAggregationType"),
    ],
)
def test_what_are_no_steps_is_refused_by_name(boto, changes, named):
    register(boto, ADAPTER)
    code, message = refusal(step, boto=boto, **changes)
    assert (code, named in message) == ("ValidationException", True), message


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"PolicyType": "StepScaling"},
        {"PolicyType": "StepScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING},
        {
            "StepScalingPolicyConfiguration": STEPS,
            "TargetTrackingScalingPolicyConfiguration": TRACKING,
        },
    ],
)
def test_a_policy_has_one_configuration_that_of_its_type(boto, members):
    register(boto)
    message = invalid(boto.put_scaling_policy, **one(PolicyName="p", **members))
    assert "one configuration" in message


def test_the_type_may_be_left_out_of_a_policy(boto):
    register(boto)
    boto.put_scaling_policy(
        **one(PolicyName="p", TargetTrackingScalingPolicyConfiguration=TRACKING)
    )
    assert policies(boto)[0]["PolicyType"] == "TargetTrackingScaling"


@pytest.mark.parametrize(
    "members",
    [
        {"PolicyType": "PredictiveScaling"},
        {"PredictiveScalingPolicyConfiguration": {"MetricSpecifications": []}},
    ],
)
def test_predictive_scaling_is_refused_by_name(boto, members):
    register(boto)
    message = invalid(boto.put_scaling_policy, **one(PolicyName="p", **members))
    assert "PredictiveScaling is not supported by Parkade" in message
