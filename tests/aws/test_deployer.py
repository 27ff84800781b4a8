"""The deployer's machine with the payload that the first of its kind documented."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.project import PREFIX

if TYPE_CHECKING:
    from tests.aws.machines import Execution
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws

MACHINE = f"{PREFIX}-AutoScalingModelEndpointDeploymentStateMachine"
PAYLOAD: dict[str, Any] = json.loads("""
{
  "endpointName": "test-endpoint",
  "productionVariants": [{
    "AcceleratorType": "ml.eia1.medium",
    "InitialInstanceCount": 1,
    "InitialVariantWeight": 1,
    "InstanceType": "ml.c5.2xlarge",
    "ModelName": "h2o3-gbm-2019-10-22-17-57-58",
    "VariantName": "AllTraffic"
  }],
  "autoscalingMinCapacity": 1,
  "autoscalingMaxCapacity": 4,
  "targetTrackingScalingPolicyConfiguration": {
    "TargetValue": 5000.0,
    "PredefinedMetricSpecification": {
      "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
    "ScaleOutCooldown": 60,
    "ScaleInCooldown": 300,
    "DisableScaleIn": false
  }
}
""")
MODEL = PAYLOAD["productionVariants"][0]["ModelName"]


@pytest.fixture(scope="module", autouse=True)
def _model(walk: Walk) -> None:
    """The model that the payload names, of the project's own archive."""
    listed = walk.sagemaker.list_models()["Models"]
    name = next(each["ModelName"] for each in listed if "sample" in each["ModelName"].lower())
    known = walk.sagemaker.describe_model(ModelName=name)
    walk.sagemaker.create_model(ModelName=MODEL, PrimaryContainer=known["PrimaryContainer"])


def run(walk: Walk, payload: dict[str, Any]) -> Execution:
    running = walk.running
    execution = running.machines.start(running.machine(MACHINE), payload)
    walk.clock.until(execution.over.is_set, held=running.busy, why=f"{execution.entered}")
    return execution


def config_of(walk: Walk) -> str:
    return str(walk.sagemaker.describe_endpoint(EndpointName="test-endpoint")["EndpointConfigName"])


def targets(walk: Walk) -> list[dict[str, Any]]:
    client = walk.running.standins.client("application-autoscaling")
    answer = client.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=["endpoint/test-endpoint/variant/AllTraffic"]
    )
    return list(answer["ScalableTargets"])


def test_the_documented_payload_deploys_and_deploys_again(walk: Walk) -> None:
    run(walk, PAYLOAD).succeeded()
    first = config_of(walk)
    assert walk.invoke("test-endpoint") == {"ok": True, "n": 4}
    (target,) = targets(walk)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    changed = copy.deepcopy(PAYLOAD)
    changed["productionVariants"][0]["InitialVariantWeight"] = 2
    run(walk, changed).succeeded()
    assert config_of(walk) != first
    assert len(targets(walk)) == 1
    assert walk.invoke("test-endpoint") == {"ok": True, "n": 4}


def test_an_order_at_the_api_is_carried_out_by_the_machine(walk: Walk) -> None:
    order = copy.deepcopy(PAYLOAD)
    order["productionVariants"][0]["InitialVariantWeight"] = 3
    begun = walk.ok("POST", "/v1/deployments", json=order)

    def over() -> bool:
        return walk.ok("GET", f"/v1/deployments/{begun['id']}")["status"] != "running"

    walk.clock.until(over, held=walk.running.busy, why="the deployment to be over")
    assert walk.ok("GET", f"/v1/deployments/{begun['id']}")["status"] == "succeeded"
    assert walk.invoke("test-endpoint") == {"ok": True, "n": 4}


def test_a_deployment_that_fails_says_so_and_changes_nothing(walk: Walk) -> None:
    before = config_of(walk)
    bad = copy.deepcopy(PAYLOAD)
    bad["productionVariants"][0]["ModelName"] = "there-is-no-such-model"
    topic = walk.running.topic(walk.running.by_handler("notices").spec.environment["PARKADE_TOPIC"])
    execution = run(walk, bad)
    assert execution.status == "FAILED"
    assert "there-is-no-such-model" in execution.cause
    assert config_of(walk) == before
    assert walk.invoke("test-endpoint") == {"ok": True, "n": 4}
    walk.running.settle()
    found: list[str] = []

    def told() -> bool:
        found.extend(json.dumps(each) for each in walk.running.notices(topic))
        return any("there-is-no-such-model" in each for each in found)

    walk.clock.until(told, held=lambda: True, why="the topic to be told")
