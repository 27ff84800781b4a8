"""A world behind a real socket with things to scale, and boto3's client of Application Auto Scaling."""

from contextlib import closing

import pytest
from botocore.config import Config
from botocore.session import Session

from tests.apps.api.world import World, served
from tests.apps.cloudwatch.conftest import Switch
from tests.scaled import furnish


@pytest.fixture(scope="session")
def switch():
    made = Switch()
    with served(made) as made.url:
        yield made


@pytest.fixture(scope="session")
def client(switch):
    session = Session()
    session.set_credentials("AKIANOBODY", "secret")
    made = session.create_client(
        "application-autoscaling",
        region_name="us-east-1",
        endpoint_url=switch.url,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    with closing(made):
        yield made


@pytest.fixture
def world(switch):
    made = furnish(World(auth=False))
    switch.app = made.app
    return made


@pytest.fixture
def boto(world, client):
    return client
