"""The contract of the deployment store."""

from dataclasses import replace

import pytest

from parkade.domain.deploy import payload
from parkade.domain.deploy.deployment import Deployment, FormerScaling, Found, Status
from parkade.domain.deploy.steps import Outcome, StepKind
from parkade.domain.errors import DeploymentNotFound, InUse, Unreadable, VersionConflict
from parkade.domain.scaling.policy import Policy, Predefined, Tracking
from parkade.domain.scaling.target import Resource, ScalableTarget, Suspended
from parkade.ports.events import EventQuery
from tests.builders import NOW, a_config, an_event, minutes, seconds


def an_order(name="falcon", **keys):
    variant = {"ModelName": "m", "InstanceType": "ml.c5.large", **keys.pop("variant", {})}
    return payload.read({"endpointName": name, "productionVariants": [variant], **keys})


def a_deployment(deployment_id="d1", name="falcon", **changes):
    defaults = {
        "id": deployment_id,
        "order": an_order(name),
        "actor": "ann",
        "owner": "ann",
        "status": Status.RUNNING,
        "begun_at": NOW,
    }
    return Deployment(**{**defaults, **changes})


def over(deployment):
    return replace(deployment, status=Status.SUCCEEDED, ended_at=NOW)


def test_every_field_comes_back(store):
    resource = Resource("falcon", "blue")
    order = an_order(
        variant={
            "VariantName": "blue",
            "AcceleratorType": "ml.eia1.medium",
            "VolumeSizeInGB": 5,
            "RoutingConfig": {"RoutingStrategy": "RANDOM"},
        },
        autoscalingMinCapacity=1,
        autoscalingMaxCapacity=4,
        targetTrackingScalingPolicyConfiguration={
            "TargetValue": 7.5,
            "CustomizedMetricSpecification": {
                "MetricName": "Load",
                "Namespace": "Mine",
                "Dimensions": [{"Name": "a", "Value": "b"}],
                "Statistic": "Average",
            },
        },
        minutes=5,
        owner="bob",
        environment="staging",
        tags={"team": "ü"},
        strategy={"kind": "linear", "percent": 25, "waitSeconds": 60, "alarms": ["a"]},
        maxWaitMinutes=20,
        sleep={"after_minutes": 5, "hold_seconds": 3},
        wake={"minutes": 10, "at_most_minutes": 60},
    )
    tracking = Tracking(target=1.0, metric=Predefined.INVOCATIONS_PER_INSTANCE)
    full = (
        a_deployment(
            order=order,
            status=Status.CANCELLED,
            ended_at=NOW + minutes(3),
            reason="because",
            cancelled_by="eve",
            found=Found(
                config_name="old",
                counts={"blue": 2},
                tags={"a": "b"},
                lease_config="old",
                lease_over=True,
            ),
            scaling=FormerScaling(
                targets=(
                    ScalableTarget(
                        resource=resource,
                        least=1,
                        most=2,
                        created_at=NOW,
                        suspended=Suspended(scale_in=True),
                        tags={"a": "b"},
                        version=3,
                    ),
                ),
                policies=(
                    Policy(name="p", resource=resource, created_at=NOW, id="id", tracking=tracking),
                ),
            ),
            config=a_config("new"),
            made_config=True,
        )
        .stepping(StepKind.LOOK, NOW)
        .retried("not now", seconds(2), NOW)
        .stepped(Outcome.DONE, "it is there", NOW + seconds(3))
        .stepping(StepKind.CONFIG, NOW + seconds(4))
    )
    stored = store.deployments.put(full)
    assert stored == replace(full, version=1)
    assert store.deployments.get("d1") == stored


def test_get_raises_deployment_not_found(store):
    with pytest.raises(DeploymentNotFound, match="none"):
        store.deployments.get("none")


def test_all_are_in_the_order_in_which_they_began(store):
    for number, name in enumerate(("b", "a", "c")):
        store.deployments.put(a_deployment(f"d{9 - number}", name))
    store.deployments.put(over(store.deployments.get("d8")))
    assert [each.id for each in store.deployments.all().records] == ["d9", "d8", "d7"]
    assert [each.id for each in store.deployments.all("a").records] == ["d8"]
    assert [each.id for each in store.deployments.running().records] == ["d9", "d7"]


def test_of_one_endpoint_one_is_running_at_a_time(store):
    first = store.deployments.put(a_deployment("d1"))
    with pytest.raises(InUse, match="d1"):
        store.deployments.put(a_deployment("d2"), an_event())
    assert list(store.history.read(EventQuery())) == []
    store.deployments.put(a_deployment("d3", "other"))
    store.deployments.put(over(first))
    store.deployments.put(a_deployment("d2"))


def test_put_stores_over_the_version_that_was_read_and_no_other(store):
    first = store.deployments.put(a_deployment())
    second = store.deployments.put(replace(first, reason="new"))
    assert second.version == 2
    for stale in (first, a_deployment()):
        with pytest.raises(VersionConflict):
            store.deployments.put(stale, an_event())
    assert store.deployments.get("d1") == second
    assert list(store.history.read(EventQuery())) == []


def test_the_event_is_stored_with_the_deployment(store):
    store.deployments.put(a_deployment(), an_event(kind="deployment.begun"))
    store.deployments.remove("d1", an_event(kind="deployment.forgotten"))
    assert [each.kind for each in store.history.read(EventQuery())] == [
        "deployment.begun",
        "deployment.forgotten",
    ]


def test_what_is_not_there_cannot_be_removed(store):
    with pytest.raises(DeploymentNotFound):
        store.deployments.remove("none", an_event())
    assert list(store.history.read(EventQuery())) == []


def test_a_damaged_one_hides_no_other_and_still_holds_its_endpoint(store):
    store.deployments.put(a_deployment("bad"))
    store.deployments.put(a_deployment("good", "other"))
    store.damage_deployment("bad")
    for listing in (store.deployments.all(), store.deployments.running()):
        assert [each.id for each in listing.records] == ["good"]
        assert list(listing.unreadable) == ["bad"]
    with pytest.raises(Unreadable, match="bad"):
        store.deployments.get("bad")
    with pytest.raises(InUse, match="bad"):
        store.deployments.put(a_deployment("d2"))
    store.deployments.remove("bad", an_event())
    store.deployments.put(a_deployment("d2"))
