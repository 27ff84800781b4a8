"""Endpoints that boto3 makes, and the meter: with a lease, without one, against one."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import QUICK, Account, account, arn, invalid, variant
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = count()


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("leases")) as built:
        built.model("no-op")
        for config in ("one", "another"):
            built.config(config, variant())
        yield built


@pytest.fixture
def name() -> str:
    return f"l-{next(_numbers)}"


@pytest.fixture
def set_unmetered(boto: Account) -> Iterator[Any]:
    file = boto.house.state.parent / "server.yaml"

    def write(unmetered: str) -> None:
        file.write_text(f"{QUICK}unmetered: {unmetered}\n")
        boto.house.ok("POST", "/v1/reload")

    yield write
    write("warn")


def lease(boto: Account, name: str) -> dict[str, Any]:
    found = boto.house.ok("GET", f"/v1/leases/{name}").json()
    assert isinstance(found, dict)
    return found


def create(boto: Account, name: str, config: str = "one") -> str:
    """Try what is to be refused."""
    return invalid(boto.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config)


def test_an_endpoint_without_a_lease_runs_and_an_event_says_so(boto: Account, name: str) -> None:
    boto.endpoint(name, "one")
    wait_for(lambda: boto.house.events(endpoint=name, kind="endpoint.unmetered"), why="the event")
    assert boto.house.call("GET", f"/v1/leases/{name}").status_code == 404
    boto.delete(name)


def test_an_endpoint_without_a_lease_is_given_one(
    boto: Account, name: str, set_unmetered: Any
) -> None:
    set_unmetered("adopt")
    boto.endpoint(name, "one")
    wait_for(lambda: boto.house.call("GET", f"/v1/leases/{name}").is_success, why="the lease")
    assert lease(boto, name)["config_name"] == "one"
    boto.delete(name)


def test_an_endpoint_without_a_lease_is_refused(
    boto: Account, name: str, set_unmetered: Any
) -> None:
    set_unmetered("refuse")
    told = create(boto, name)
    assert f"parkade add {name} --config one --minutes 30" in told
    assert "Could not find" in invalid(boto.sagemaker.describe_endpoint, EndpointName=name)
    boto.house.park(name, config="one")
    boto.wait(name)
    boto.delete(name)


def test_a_leased_endpoint_exists(boto: Account, name: str) -> None:
    boto.house.park(name, config="one")
    assert create(boto, name) == (
        f'Cannot create already existing endpoint "{arn("endpoint", name)}".'
    )
    boto.delete(name)


def test_deleting_a_leased_endpoint_ends_its_lease_and_it_stays_gone(
    boto: Account, name: str
) -> None:
    boto.house.park(name, config="one")
    boto.delete(name)
    ended = lease(boto, name)
    assert ended["state"] == "stopped"
    (event,) = boto.house.events(endpoint=name, kind="lease.ended")
    assert (event["actor"], event["data"]["ended"]) == ("admin", "stopped")  # type: ignore[index]
    boto.house.ok("GET", "/v1/plan")
    assert "Could not find" in invalid(boto.sagemaker.describe_endpoint, EndpointName=name)


def test_an_endpoint_whose_lease_is_over_is_not_created_but_extended(
    boto: Account, name: str
) -> None:
    boto.house.park(name, config="one")
    boto.delete(name)
    told = create(boto, name)
    assert "is over (stopped)" in told
    assert f"parkade extend {name} --minutes 30" in told
    boto.house.ok("POST", f"/v1/leases/{name}/extend", json={"minutes": 30})
    boto.house.wait_state(name, "running")
    boto.wait(name)
    boto.delete(name)


def test_the_lease_follows_an_update(boto: Account, name: str) -> None:
    boto.house.park(name, config="one")
    boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="another")
    assert boto.wait(name)["EndpointConfigName"] == "another"
    assert lease(boto, name)["config_name"] == "another"
    before = lease(boto, name)["expires_at"]
    boto.delete(name)
    boto.house.ok("POST", f"/v1/leases/{name}/extend", json={"minutes": 30})
    boto.house.wait_state(name, "running")
    assert boto.wait(name)["EndpointConfigName"] == "another"
    assert lease(boto, name)["expires_at"] != before
    boto.delete(name)


def test_an_endpoint_whose_deletion_is_refused_keeps_its_lease(
    boto: Account, name: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    (tmp_path / "slow" / "code").mkdir(parents=True)
    (tmp_path / "slow" / "code" / "inference.py").write_text(
        "import os, time\n"
        "def model_fn(folder):\n"
        f"    while not os.path.exists({str(gate)!r}):\n"
        "        time.sleep(0.02)\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    return body\n"
    )
    boto.model("slow", tmp_path / "slow")
    boto.config("slow", variant(model="slow"))
    boto.house.park(name, config="one")
    boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="slow")
    assert "in-progress" in invalid(boto.sagemaker.delete_endpoint, EndpointName=name)
    assert lease(boto, name)["state"] in {"running", "starting"}
    gate.touch()
    boto.wait(name)
    boto.delete(name)


def test_tags_of_a_leased_endpoint_come_back_with_it(boto: Account, name: str) -> None:
    boto.house.park(name, config="one")
    own = arn("endpoint", name)
    tags = [{"Key": "auto-maintain", "Value": "yes"}]
    boto.sagemaker.add_tags(ResourceArn=own, Tags=tags)
    boto.house.ok("POST", f"/v1/leases/{name}/end")
    boto.wait_gone(name)
    boto.house.ok("POST", f"/v1/leases/{name}/start")
    wait_for(
        lambda: boto.house.call("GET", f"/v1/endpoints/{name}").json()["state"] == "running",
        why="it to run again",
    )
    assert boto.sagemaker.list_tags(ResourceArn=own)["Tags"] == tags
    boto.delete(name)
