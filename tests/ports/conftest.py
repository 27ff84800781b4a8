"""`store`: every store of one kind, on one history."""

import pytest

from tests.apart import Apart
from tests.ports import cloudwatch
from tests.ports.dynamostores import ON_DYNAMODB
from tests.ports.stores import stores


def pytest_generate_tests(metafunc):
    """Have each contract run on the stores that there are for it."""
    if "store" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition(".")[2]
        cloud = ["dynamodb"] if name in ON_DYNAMODB else []
        cloud += ["cloudwatch"] if name == "test_alarms" else []
        metafunc.parametrize("store", ["memory", "sqlite", *cloud], indirect=True)


@pytest.fixture
def store(request, tmp_path):
    if request.param == "cloudwatch":
        cloudwatch.require_held(request.node)
        yield cloudwatch.alarms(request.getfixturevalue("apart").account())
        return
    account = request.getfixturevalue("aws") if request.param == "dynamodb" else None
    with stores(request.param, tmp_path, account) as built:
        built.kind = request.param
        yield built


@pytest.fixture(scope="session")
def apart(aws_config, aws):
    """What makes accounts that nothing is in yet."""
    return Apart(aws_config, aws)
