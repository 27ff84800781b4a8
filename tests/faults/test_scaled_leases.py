"""What is scaled goes on being scaled, whatever becomes of its endpoint and of Parkade."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from tests.clients.account import Account, variant
from tests.house import PATIENCE, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = "limits:\n  grace_seconds: 2\n  workers: 4\n"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/demo/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give the admin's account of a house with room for four workers and a leased endpoint."""
    folder = tmp_path_factory.mktemp("scaled")
    (folder / "server.yaml").write_text(SETTINGS)
    with (
        house(folder / "state", "--config", str(folder / "server.yaml")) as built,
        closing(Account(built)) as made,
    ):
        built.furnish()
        built.park()
        yield made


@pytest.fixture(scope="module")
def scaling(boto: Account) -> Iterator[Any]:
    client = boto.session.client(
        "application-autoscaling", endpoint_url=boto.house.url, config=Config(read_timeout=PATIENCE)
    )
    with closing(client):
        yield client


@pytest.fixture(autouse=True)
def two(boto: Account, scaling: Any) -> None:
    """Have two instances at least, and three at most."""
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=3)
    wait_for(lambda: counts(boto) == (2, 2), why="two instances")


def counts(boto: Account) -> tuple[int, int]:
    (found,) = boto.sagemaker.describe_endpoint(EndpointName="demo")["ProductionVariants"]
    return found["CurrentInstanceCount"], found["DesiredInstanceCount"]


def activities(scaling: Any) -> list[dict[str, Any]]:
    found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
    return list(found["ScalingActivities"])


@pytest.mark.semantics("scaling.bounds")
def test_a_target_survives_the_stop_and_the_start_of_its_endpoint_by_the_lease(
    boto: Account, scaling: Any
) -> None:
    boto.house.ok("POST", "/v1/leases/demo/end")
    boto.wait_gone("demo")
    before = activities(scaling)[0]["ActivityId"]
    boto.house.ok("POST", "/v1/leases/demo/extend", json={"minutes": 30})
    boto.house.wait_state("demo", "running")
    wait_for(lambda: counts(boto) == (2, 2), why="two instances again")
    newest = wait_for(
        lambda: (
            (found := activities(scaling)[0])["ActivityId"] != before
            and found["StatusCode"] == "Successful"
            and found
        )
    )
    assert newest["Cause"] == "minimum capacity was set to 2"


def test_an_update_to_fewer_is_brought_within_the_bounds(boto: Account) -> None:
    boto.config("fewer", variant(model="demo-model"))
    boto.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="fewer")
    wait_for(
        lambda: (
            boto.sagemaker.describe_endpoint(EndpointName="demo")["EndpointConfigName"] == "fewer"
            and counts(boto) == (2, 2)
        ),
        why="two instances of the new config",
    )


def test_what_there_is_no_room_for_is_told_once_and_tried_again(
    boto: Account, scaling: Any
) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=5, MaxCapacity=5)
    first = activities(scaling)[0]
    scaling.register_scalable_target(**TARGET, MaxCapacity=5)
    newest = activities(scaling)[0]
    assert newest["ActivityId"] == first["ActivityId"]
    assert newest["EndTime"] > first["EndTime"]
    assert newest["StatusCode"] == "Failed"
    assert "needs 3 more workers, but 2 of 4 are taken" in newest["StatusMessage"]
    assert len(boto.house.events(kind="scaling.failed")) == 1
    assert counts(boto) == (2, 2)
    assert boto.house.invoke().is_success


def test_a_killed_control_process_loses_no_activity(boto: Account, scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=3, MaxCapacity=3)
    boto.house.wait_reborn("control", boto.house.kill("control"))
    wait_for(lambda: counts(boto) == (3, 3), why="three instances")
    wait_for(lambda: activities(scaling)[0]["StatusCode"] == "Successful")
    assert activities(scaling)[0]["Description"] == "Setting desired instance count to 3."
