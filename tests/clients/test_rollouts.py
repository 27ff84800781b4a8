"""boto3 updates endpoints in stages, guarded by CloudWatch's alarms."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from tests.clients.account import Account, account, invalid, variant
from tests.house import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = count()

HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
AT_ONCE = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
ROLLING = {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 0}


def blue_green(kind: str, **more: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 0, **more}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give an account with configs of one variant that tell themselves apart."""
    folder = tmp_path_factory.mktemp("rollouts")
    with account(folder) as built:
        for name in ("blue", "green"):
            built.model(name, speaking(folder / name, name))
            built.config(name, variant(model=name))
        built.config("two", variant("a", model="blue"), variant("b", model="blue"))
        built.config("serverless", serverless("AllTraffic"))
        yield built


def speaking(folder: Path, text: str) -> Path:
    """Return the folder of a model that answers with the text."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(
        "def model_fn(folder):\n"
        "    return None\n"
        "def transform_fn(model, body, content_type, accept):\n"
        f"    return {text!r}\n"
    )
    return folder


def serverless(name: str) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": "blue",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }


@pytest.fixture(scope="module")
def cloudwatch(boto: Account) -> Iterator[Any]:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
    with closing(
        boto.session.client("cloudwatch", endpoint_url=boto.house.url, config=config)
    ) as made:
        yield made


@pytest.fixture
def name(boto: Account) -> Iterator[str]:
    """Give the name of an endpoint from config `blue` in service."""
    made = f"r-{next(_numbers)}"
    boto.endpoint(made, "blue")
    yield made
    boto.delete(made)


def alarm(cloudwatch: Any, endpoint: str) -> str:
    """Make an alarm on the endpoint's errors; return its name."""
    cloudwatch.put_metric_alarm(
        AlarmName=f"errors-of-{endpoint}",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        Period=60,
        EvaluationPeriods=1,
        Statistic="Sum",
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    return f"errors-of-{endpoint}"


def update(boto: Account, name: str, config: str = "green", **members: Any) -> None:
    boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **members)


def stage(boto: Account, name: str, wanted: str) -> dict[str, Any]:
    """Wait until the new variant has this status; return the endpoint's description."""

    def there() -> Any:
        described = boto.sagemaker.describe_endpoint(EndpointName=name)
        (rising,) = described["PendingDeploymentSummary"]["ProductionVariants"]
        return rising["VariantStatus"][0]["Status"] == wanted and described

    found = wait_for(there, why=f"{name} to be {wanted}")
    assert isinstance(found, dict)
    return found


def answers(boto: Account, name: str, times: int) -> Counter[bytes]:
    return Counter(boto.invoke(name)["Body"].read() for _ in range(times))


@pytest.mark.semantics("guardrails.staged", "states.variant")
def test_a_canary_is_shown_while_it_bakes_and_turned_back_by_its_alarm(
    boto: Account, cloudwatch: Any, name: str
) -> None:
    canary = {"Type": "CAPACITY_PERCENT", "Value": 10}
    deployment: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": canary,
                "WaitIntervalInSeconds": 3600,
            },
            "TerminationWaitInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 28800,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm(cloudwatch, name)}]},
    }
    update(boto, name, DeploymentConfig=deployment)
    described = stage(boto, name, "Baking")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "blue")
    assert described["LastDeploymentConfig"] == deployment
    pending = described["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == "green"
    (rising,) = pending["ProductionVariants"]
    assert pending["StartTime"] <= rising["VariantStatus"][0]["StartTime"]
    assert rising["VariantStatus"][0]["StatusMessage"] == "10 % of requests go to it"
    assert (rising["CurrentWeight"], rising["DesiredWeight"]) == (pytest.approx(0.1), 1.0)
    assert (rising["CurrentInstanceCount"], rising["DesiredInstanceCount"]) == (1, 1)
    (serving,) = described["ProductionVariants"]
    assert serving["CurrentWeight"] == pytest.approx(0.9)
    assert answers(boto, name, 20) == {b"blue": 18, b"green": 2}
    assert "in-progress" in invalid(boto.sagemaker.delete_endpoint, EndpointName=name)
    cloudwatch.set_alarm_state(
        AlarmName=alarm(cloudwatch, name), StateValue="ALARM", StateReason=""
    )
    described = boto.wait(name)
    assert described["EndpointConfigName"] == "blue"
    assert f"alarm 'errors-of-{name}' went off" in described["FailureReason"]
    assert "PendingDeploymentSummary" not in described
    assert answers(boto, name, 10) == {b"blue": 10}


@pytest.mark.parametrize(("verb", "serves"), [("promote", b"green"), ("rollback", b"blue")])
def test_an_update_by_boto3_is_taken_on_or_back_by_hand(
    boto: Account, name: str, verb: str, serves: bytes
) -> None:
    path = f"/v1/endpoints/{name}/rollout/{verb}"
    assert boto.house.call("POST", path).status_code == 409
    waits = {"CanarySize": HALF, "WaitIntervalInSeconds": 3600}
    boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
    )
    boto.wait(name)
    update(boto, name, DeploymentConfig=blue_green("CANARY", **waits))
    stage(boto, name, "Baking")
    assert boto.house.ok("POST", path).json()["name"] == name
    failure = boto.wait(name).get("FailureReason", "")
    assert ("rolled it back: by hand" in failure) == (verb == "rollback")
    assert answers(boto, name, 10) == {serves: 10}


@pytest.mark.semantics("guardrails.staged")
@pytest.mark.parametrize(
    "deployment",
    [
        {"BlueGreenUpdatePolicy": AT_ONCE},
        {"BlueGreenUpdatePolicy": {**AT_ONCE, "MaximumExecutionTimeoutInSeconds": 600}},
        blue_green("CANARY", CanarySize=HALF),
        blue_green("LINEAR", LinearStepSize=HALF),
        {"RollingUpdatePolicy": {**ROLLING, "RollbackMaximumBatchSize": HALF}},
    ],
    ids=["at once", "limited", "canary", "linear", "rolling"],
)
def test_every_strategy_arrives_and_is_remembered(
    boto: Account, name: str, deployment: dict[str, Any]
) -> None:
    update(boto, name, DeploymentConfig=deployment)
    described = boto.wait(name)
    assert described["EndpointConfigName"] == "green"
    assert "FailureReason" not in described
    told = described["LastDeploymentConfig"]
    if "BlueGreenUpdatePolicy" in deployment:
        assert told["BlueGreenUpdatePolicy"].pop("TerminationWaitInSeconds") == 0
    assert told == deployment
    assert answers(boto, name, 4) == {b"green": 4}


@pytest.mark.semantics("guardrails.staged")
def test_the_last_deployment_config_is_used_again_where_that_is_asked_for(
    boto: Account, cloudwatch: Any, name: str
) -> None:
    guarded = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm(cloudwatch, name)}]}}
    update(boto, name, DeploymentConfig={**blue_green("CANARY", CanarySize=HALF), **guarded})
    boto.wait(name)
    state = {"AlarmName": alarm(cloudwatch, name), "StateValue": "ALARM", "StateReason": ""}
    cloudwatch.set_alarm_state(**state)
    told = invalid(
        boto.sagemaker.update_endpoint,
        EndpointName=name,
        EndpointConfigName="blue",
        RetainDeploymentConfig=True,
    )
    assert f"Alarm 'errors-of-{name}' is in ALARM already" in told
    update(boto, name, "blue")
    boto.wait(name)


@pytest.mark.semantics("guardrails.refused")
@pytest.mark.parametrize(
    ("deployment", "told"),
    [
        ({"RollingUpdatePolicy": ROLLING, "BlueGreenUpdatePolicy": AT_ONCE}, "only one of them"),
        (blue_green("CANARY"), "CANARY needs CanarySize"),
        (blue_green("LINEAR"), "LINEAR needs LinearStepSize"),
        (blue_green("CANARY", CanarySize={**HALF, "Value": 51}), "at most 50 percent"),
        (blue_green("LINEAR", LinearStepSize={**HALF, "Value": 9}), "10 to 50 percent"),
        (blue_green("LINEAR", LinearStepSize=HALF, CanarySize=HALF), "CanarySize goes with Type"),
        (
            {"RollingUpdatePolicy": {**ROLLING, "MaximumBatchSize": {**HALF, "Value": 4}}},
            "5 to 50 percent",
        ),
        (
            {"BlueGreenUpdatePolicy": {**AT_ONCE, "TerminationWaitInSeconds": 3601}},
            "less than or equal to 3600",
        ),
        (
            {"BlueGreenUpdatePolicy": {**AT_ONCE, "MaximumExecutionTimeoutInSeconds": 599}},
            "greater than or equal to 600",
        ),
        (
            {
                "BlueGreenUpdatePolicy": {
                    **AT_ONCE,
                    "TerminationWaitInSeconds": 600,
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
            "not larger than all waits together",
        ),
        ({"AutoRollbackConfiguration": {"Alarms": [{}]}}, "Alarms.1 has no AlarmName"),
        (
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": f"{n}"} for n in range(11)]}},
            "less than or equal to 10",
        ),
    ],
)
def test_what_sagemaker_does_not_take_is_refused(
    boto: Account, lasting: str, deployment: dict[str, Any], told: str
) -> None:
    client = boto.sagemaker
    for operation, named in ((client.create_endpoint, "new"), (client.update_endpoint, lasting)):
        assert told in invalid(
            operation, EndpointName=named, EndpointConfigName="green", DeploymentConfig=deployment
        )
    assert boto.status(lasting) == "InService"


@pytest.fixture(scope="module")
def lasting(boto: Account) -> Iterator[str]:
    """Give the name of an endpoint that is refused everything."""
    boto.endpoint("lasting", "blue")
    yield "lasting"
    boto.delete("lasting")


@pytest.mark.semantics("guardrails.refused")
@pytest.mark.parametrize(
    ("config", "deployment", "told"),
    [
        ("two", blue_green("CANARY", CanarySize=HALF), "has other variants than 'blue'"),
        ("serverless", blue_green("LINEAR", LinearStepSize=HALF), "is serverless"),
        ("green", blue_green("CANARY", CanarySize=ONE), "1 instance of a variant with 1 is not"),
        (
            "green",
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "absent"}]}},
            "'absent'",
        ),
    ],
    ids=["variants", "serverless", "instances", "alarm"],
)
def test_what_cannot_be_updated_so_is_refused(
    boto: Account, lasting: str, config: str, deployment: dict[str, Any], told: str
) -> None:
    assert told in invalid(
        boto.sagemaker.update_endpoint,
        EndpointName=lasting,
        EndpointConfigName=config,
        DeploymentConfig=deployment,
    )
    assert boto.status(lasting) == "InService"
