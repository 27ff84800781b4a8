"""A rehearsal in fast time: four endpoints are scaled at once, by the clock of leases.

`busy` is under a load of 300 requests a minute, of 1,800, and of 300 again; `late` and `soon` are
asynchronous and have nothing to do; nor has the inference component `idle`. What is judged are the activities that
were stored, at the times of the clock of leases, and the points that they were decided on: a machine
that could not hold a rate is judged by the rate that was measured.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.tracking import needed
from tests.clients.account import QUICK, Account, variant
from tests.faults.load import steady
from tests.faults.test_steady_load import saying
from tests.house import PATIENCE, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A quarter of an hour takes half a minute, and the first test waits for all of the rehearsal.
pytestmark = pytest.mark.timeout(300)

#: Seconds of the lease clock in one of real time.
SCALE = 30
NAMESPACE = "sagemaker"
BUSY = {
    "ServiceNamespace": NAMESPACE,
    "ResourceId": "endpoint/busy/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
LATE = {**BUSY, "ResourceId": "endpoint/late/variant/AllTraffic"}
SOON = {**BUSY, "ResourceId": "endpoint/soon/variant/AllTraffic"}
IDLE = {
    "ServiceNamespace": NAMESPACE,
    "ResourceId": "inference-component/idle",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
}
TRACKING = Tracking(target=600.0, metric=Predefined.INVOCATIONS_PER_INSTANCE)
MINUTE = timedelta(minutes=1)
#: By how much `risen_at` may lie before the first request: what a call takes, in fast time.
SLACK = timedelta(seconds=SCALE)
COMPUTE = {"NumberOfCpuCoresRequired": 1.0, "MinMemoryRequiredInMb": 128}


@dataclass
class Rehearsal:
    """A house in which it has taken place, and when the load was changed."""

    account: Account
    scaling: Any
    risen_at: datetime
    fallen_at: datetime
    #: Whether anything was done before the load rose.
    hasty: bool

    def activities(self, resource: dict[str, str]) -> list[dict[str, Any]]:
        """Return what was done, the oldest first."""
        return _activities(self.scaling, resource)

    def points(self, start: datetime, end: datetime) -> list[float]:
        """Return the invocations of each instance of `busy`, minute by minute."""
        found = self.account.house.ok(
            "GET",
            "/v1/metrics",
            params={
                "endpoint": "busy",
                "name": "InvocationsPerInstance",
                "statistic": "Sum",
                "start": start.isoformat(),
                "end": end.isoformat(),
            },
        ).json()
        (series,) = found["measured"]
        return [point["values"]["Sum"] for point in series["points"]]


def _activities(scaling: Any, resource: dict[str, str]) -> list[dict[str, Any]]:
    found = scaling.describe_scaling_activities(
        ServiceNamespace=NAMESPACE, ResourceId=resource["ResourceId"]
    )["ScalingActivities"]
    return [each for each in reversed(found) if each["StatusCode"] == "Successful"]


def _now(built: Account) -> datetime:
    """Return what the clock of leases shows."""
    return datetime.fromisoformat(built.house.ok("GET", "/v1/plan").json()["now"])


def _done(scaling: Any, resource: dict[str, str], count: int) -> bool:
    found = _activities(scaling, resource)
    return bool(found) and found[-1]["Description"].endswith(f" to {count}.")


def _tracked(scaling: Any, resource: dict[str, str], target: float, **members: Any) -> None:
    scaling.put_scaling_policy(
        **resource,
        PolicyName="keep",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": target, **members},
    )


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Four endpoints that are scaled, and what a quarter of an hour has made of them."""
    folder = tmp_path_factory.mktemp("scaling")
    (folder / "server.yaml").write_text(QUICK)
    fast = ("--config", str(folder / "server.yaml"), "--time-scale", str(SCALE))
    with house(folder / "state", *fast) as built, closing(Account(built)) as boto:
        scaling = boto.session.client(
            "application-autoscaling", endpoint_url=built.url, config=Config(read_timeout=PATIENCE)
        )
        with closing(scaling):
            _furnish(boto, folder, scaling)
            yield _rehearse(boto, scaling)


def _furnish(boto: Account, folder: Path, scaling: Any) -> None:
    saying(boto, folder, "old")
    boto.config("plain", variant(model="old"))
    boto.config(
        "later",
        variant(model="old"),
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://answers/out"}},
    )
    boto.config("host", variant(model=None))
    configs = {"busy": "plain", "late": "later", "soon": "later", "hosting": "host"}
    for name, config in configs.items():
        boto.endpoint(name, config)
    boto.sagemaker.create_inference_component(
        InferenceComponentName="idle",
        EndpointName="hosting",
        VariantName="AllTraffic",
        Specification={"ModelName": "old", "ComputeResourceRequirements": COMPUTE},
        RuntimeConfig={"CopyCount": 1},
    )
    scaling.register_scalable_target(**BUSY, MinCapacity=1, MaxCapacity=4)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    _tracked(scaling, BUSY, 600.0, PredefinedMetricSpecification=metric)
    for resource, name in ((LATE, "late"), (SOON, "soon")):
        scaling.register_scalable_target(**resource, MinCapacity=0, MaxCapacity=2)
        backlog = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": name}],
            "Statistic": "Average",
        }
        _tracked(scaling, resource, 5.0, CustomizedMetricSpecification=backlog)
    _step_from_zero(boto, scaling)
    scaling.register_scalable_target(**IDLE, MinCapacity=0, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    _tracked(scaling, IDLE, 1.0, PredefinedMetricSpecification=metric)


def _step_from_zero(boto: Account, scaling: Any) -> None:
    """Have an alarm on a backlog that nobody works off add an instance, as AWS documents it."""
    policy = scaling.put_scaling_policy(
        **LATE,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 300,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    with closing(boto.session.client("cloudwatch", endpoint_url=boto.house.url)) as cloudwatch:
        cloudwatch.put_metric_alarm(
            AlarmName="stuck",
            MetricName="HasBacklogWithoutCapacity",
            Namespace="AWS/SageMaker",
            Dimensions=[{"Name": "EndpointName", "Value": "late"}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=2,
            DatapointsToAlarm=2,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
            AlarmActions=[policy["PolicyARN"]],
        )


def _rehearse(boto: Account, scaling: Any) -> Rehearsal:
    def at_rate(rate: int) -> Any:
        return steady(boto.house, "busy", rate=rate / 60 * SCALE)

    begun_at = _now(boto)
    with at_rate(300):
        wait_for(lambda: _now(boto) > begun_at + MINUTE)
        hasty = bool(_activities(scaling, BUSY))
    risen_at = _now(boto)
    with at_rate(1800):
        wait_for(lambda: _activities(scaling, BUSY), why="more instances under more load")
    fallen_at = _now(boto)
    with at_rate(300):
        wait_for(lambda: _done(scaling, BUSY, 1), limit=90, why="one instance again")
    return Rehearsal(
        account=boto, scaling=scaling, risen_at=risen_at, fallen_at=fallen_at, hasty=hasty
    )


@pytest.mark.semantics("scaling.policies", "scaling.alarms")
def test_a_load_of_three_targets_has_three_instances_within_four_minutes(
    rehearsal: Rehearsal,
) -> None:
    assert not rehearsal.hasty
    out = rehearsal.activities(BUSY)[0]
    assert "AlarmHigh" in out["Cause"]
    # The newest of the points that were over by then was measured of one instance.
    measured = rehearsal.points(rehearsal.risen_at - MINUTE, out["StartTime"] - MINUTE)[-3:]
    assert all(point > TRACKING.target for point in measured)
    wanted = min(4, needed(TRACKING, 1, measured[-1]))
    assert out["Description"] == f"Setting desired instance count to {wanted}."
    if 1200 < measured[-1] <= 1800:  # the load was held
        assert wanted == 3
        assert out["EndTime"] - rehearsal.risen_at <= 4 * MINUTE + SLACK


@pytest.mark.semantics("scaling.alarms")
def test_a_small_load_has_one_instance_again_after_15_minutes_and_before_25(
    rehearsal: Rehearsal,
) -> None:
    last = rehearsal.activities(BUSY)[-1]
    assert last["Description"] == "Setting desired instance count to 1."
    assert "AlarmLow" in last["Cause"]
    assert 15 * MINUTE <= last["StartTime"] - rehearsal.fallen_at <= 25 * MINUTE
    assert all(
        point < 540
        for point in rehearsal.points(last["StartTime"] - 15 * MINUTE, last["StartTime"] - MINUTE)
    )


@pytest.mark.semantics("async.to_zero")
def test_an_asynchronous_endpoint_goes_to_zero_and_comes_back_for_its_backlog(
    rehearsal: Rehearsal,
) -> None:
    boto, scaling = rehearsal.account, rehearsal.scaling
    wait_for(lambda: _done(scaling, LATE, 0), why="no instance where nothing waits")
    (described,) = boto.wait("late")["ProductionVariants"]
    assert (described["DesiredInstanceCount"], described["CurrentInstanceCount"]) == (0, 0)
    location = _accepted(boto, "late")
    wait_for(lambda: _done(scaling, LATE, 1), why="an instance for what waits")
    back = rehearsal.activities(LATE)[-1]
    assert back["Cause"] == "monitor alarm stuck in state ALARM triggered policy from-zero"
    assert _answered(boto, location) == 7


@pytest.mark.semantics("async.to_zero")
def test_without_steps_the_first_request_brings_an_asynchronous_endpoint_back(
    rehearsal: Rehearsal,
) -> None:
    boto, scaling = rehearsal.account, rehearsal.scaling
    wait_for(lambda: _done(scaling, SOON, 0), why="no instance where nothing waits")
    boto.wait("soon")
    location = _accepted(boto, "soon")
    wait_for(lambda: _done(scaling, SOON, 1), why="an instance for what waits")
    assert rehearsal.activities(SOON)[-1]["Cause"] == "requests wait while there is no instance"
    assert _answered(boto, location) == 7


def _accepted(boto: Account, name: str) -> str:
    """Have a request accepted; return where its answer will be."""
    answer = boto.runtime.invoke_endpoint_async(EndpointName=name, Body=b'{"n": 7}')
    return str(answer["OutputLocation"]).removeprefix("s3://")


def _answered(boto: Account, path: str) -> int:
    wait_for(lambda: boto.house.call("GET", f"/v1/objects/{path}").is_success, why="the answer")
    return int(json.loads(boto.house.ok("GET", f"/v1/objects/{path}").content)["n"])


@pytest.mark.semantics("scaling.component_zero")
def test_a_component_goes_to_zero_and_wakes_on_the_first_call(rehearsal: Rehearsal) -> None:
    boto, scaling = rehearsal.account, rehearsal.scaling
    wait_for(lambda: _done(scaling, IDLE, 0), why="no copy where nobody calls")
    with pytest.raises(ClientError, match="capacity"):
        boto.invoke("hosting", InferenceComponentName="idle")
    wait_for(lambda: _done(scaling, IDLE, 1), why="a copy for who has called")
    assert rehearsal.activities(IDLE)[-1]["Cause"] == "a request came while there was no copy"
    body = b'{"n": 1}'
    wait_for(
        lambda: (
            boto.house.call(
                "POST",
                "/endpoints/hosting/invocations",
                content=body,
                headers={"X-Amzn-SageMaker-Inference-Component": "idle"},
            ).is_success
        )
    )
