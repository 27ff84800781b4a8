"""The facade: what a program may build on, and nothing else."""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

import parkade
from tests.house import ROOT


def test_the_facade_is_these_names():
    assert parkade.__all__ == [
        "Action",
        "ActionKind",
        "EndReason",
        "EndpointStatus",
        "Lease",
        "LeaseRules",
        "Meter",
        "ObservedEndpoint",
        "ParkadeError",
        "Plan",
        "Sweep",
        "plan",
    ]
    assert dir(parkade) == sorted([*parkade.__all__, "__version__"])


@pytest.mark.parametrize("name", parkade.__all__)
def test_every_name_is_there(name):
    assert getattr(parkade, name).__module__.startswith("parkade.")


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="no attribute 'utils'"):
        _ = parkade.utils


def test_it_is_enough_to_decide():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    rules = parkade.LeaseRules(
        max_ahead=timedelta(days=7), initial=timedelta(minutes=30), warnings=()
    )
    lease = parkade.Lease(
        endpoint_name="falcon",
        config_name="falcon-config",
        owner="ann",
        created_at=now,
        expires_at=now + timedelta(minutes=30),
    )
    decided = parkade.plan(now, [lease], {}, rules)
    assert [action.kind for action in decided.actions] == [parkade.ActionKind.START]


def test_importing_the_package_loads_nothing_that_a_worker_does_not_need():
    script = "import sys, parkade; print(*(m for m in sys.modules if m.startswith('parkade')))"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["parkade"]


def test_the_version_is_the_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert parkade.__version__ == project["version"]
