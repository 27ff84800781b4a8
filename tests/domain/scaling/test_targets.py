"""Resources, scalable targets, policies, ARNs."""

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling import arns
from parkade.domain.scaling.policy import CustomMetric, Predefined, Tracking
from parkade.domain.scaling.target import Dimension, Resource, Suspended
from parkade.domain.series import Series
from tests.domain.scaling.cases import RESOURCE, a_policy, a_target, a_tracking, some_steps

COMPONENT = Resource("parrot")


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    ("text", "dimension", "resource"),
    [
        ("endpoint/falcon/variant/main", Dimension.INSTANCES, RESOURCE),
        ("inference-component/parrot", Dimension.COPIES, COMPONENT),
    ],
)
def test_a_resource_has_an_id_and_a_dimension(text, dimension, resource):
    assert Resource.parse(text, dimension) == Resource.parse(text) == resource
    assert (resource.id, resource.dimension) == (text, dimension)


@pytest.mark.parametrize(
    ("text", "dimension", "field"),
    [
        ("endpoint/falcon", "", "ResourceId"),
        ("endpoint/falcon/variant/", "", "ResourceId"),
        ("endpoint/fal con/variant/main", "", "ResourceId"),
        ("endpoint/a/variant/b/c", "", "ResourceId"),
        ("table/falcon", "", "ResourceId"),
        ("endpoint/falcon/variant/main", Dimension.COPIES, "ScalableDimension"),
        ("inference-component/parrot", Dimension.INSTANCES, "ScalableDimension"),
    ],
)
def test_what_cannot_be_scaled_is_refused(text, dimension, field):
    with pytest.raises(InvalidInput) as refused:
        Resource.parse(text, dimension)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("bounds", "field"),
    [((-1, 2), "MinCapacity"), ((0, 2**31), "MaxCapacity"), ((3, 2), "MinCapacity")],
)
def test_bounds_that_are_none_are_refused(bounds, field):
    with pytest.raises(InvalidInput) as refused:
        a_target(*bounds)
    assert refused.value.field == field


def test_what_is_not_given_stays_suspended_or_not():
    was = Suspended(scale_in=True, scheduled=True)
    assert was.changed(scale_out=True, scheduled=False) == Suspended(scale_in=True, scale_out=True)


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    ("metric", "resource", "expected"),
    [
        (Predefined.INVOCATIONS_PER_INSTANCE, RESOURCE, ("InvocationsPerInstance", "Sum", 60)),
        (Predefined.INVOCATIONS_PER_COPY, COMPONENT, ("InvocationsPerCopy", "Sum", 60)),
        (Predefined.REQUESTS_PER_MODEL, RESOURCE, ("ConcurrentRequestsPerModel", "Maximum", 10)),
        (Predefined.REQUESTS_PER_COPY, COMPONENT, ("ConcurrentRequestsPerCopy", "Maximum", 10)),
    ],
)
def test_a_predefined_metric_is_a_statistic_of_a_series(metric, resource, expected):
    policy = a_policy(metric=metric, resource=resource)
    (query,) = policy.tracking.queries(resource)
    measured = query.measured
    assert (measured.series.name, measured.statistic, measured.period) == expected
    assert policy.tracking.period(resource) == expected[2]


def test_a_predefined_metric_is_of_its_own_dimension():
    with pytest.raises(InvalidInput) as refused:
        a_policy(resource=COMPONENT)
    assert refused.value.field == "PredefinedMetricType"
    assert "SageMakerInferenceComponentInvocationsPerCopy" in refused.value.hint


def test_a_policy_has_one_configuration():
    both = {"tracking": a_tracking(), "steps": some_steps((1, 0.0, None))}
    with pytest.raises(InvalidInput, match="must have one configuration"):
        a_policy(**both)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": 0.0}, "TargetValue"),
        ({"target": float("nan")}, "TargetValue"),
        ({"target": float("inf")}, "TargetValue"),
        ({"out_cooldown": -1}, "ScaleOutCooldown"),
        ({"in_cooldown": -1}, "ScaleInCooldown"),
    ],
)
def test_what_cannot_be_tracked_is_refused_by_its_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        a_tracking(**changes)
    assert refused.value.field == field


def test_the_cooldowns_are_sagemakers_unless_given():
    tracking = Tracking(target=1.0, metric=Predefined.INVOCATIONS_PER_COPY)
    assert (tracking.out_cooldown, tracking.in_cooldown) == (300, 300)


def a_query(name, **changes):
    measured = Measured(series=Series.of("Own", name), period=60, statistic="Sum")
    return Query(id=name, measured=measured, **changes)


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    "queries",
    [
        (),
        (a_query("a"), a_query("b")),
        (a_query("a", returned=False),),
        (Query(id="e", expression="TIME_SERIES(1)"),),
        (Query(id="e", expression="missing / 2"),),
    ],
)
def test_a_metric_of_ones_own_is_one_series(queries):
    with pytest.raises(InvalidInput):
        CustomMetric(queries=queries)
    half = Query(id="half", expression="a / 2")
    assert CustomMetric(queries=(a_query("a", returned=False), half), plain=False)


@pytest.mark.parametrize("resource", [RESOURCE, COMPONENT])
def test_an_arn_names_its_policy_whatever_the_region(resource):
    policy = a_policy("a:b/ü", resource=resource, steps=some_steps((1, 0.0, None)))
    arn = arns.of_policy(policy, "eu-north-1", "000000000000")
    assert arns.policy_named(arn) == (resource, "a:b/ü")
    assert arns.policy_key(arn) == policy.key
    # As the actions of target tracking's alarms name it on AWS.
    made = f"{arn}:createdBy/2b7f6c1c-5a7e-4d9f-8a51-0c9f3e6f1d2a"
    assert arns.policy_named(made) == (resource, "a:b/ü")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sns:us-east-1:000000000000:alarms",
        "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1f:resource/ecs/service/a/b:policyName/x",
        "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1f:resource/sagemaker/endpoint/a:policyName/x",
    ],
)
def test_other_arns_name_none(arn):
    assert arns.policy_named(arn) is None
    assert arns.policy_key(arn) == ""
