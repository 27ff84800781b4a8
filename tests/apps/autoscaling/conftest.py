"""A world behind a real socket with things to scale, and boto3's client of Application Auto Scaling."""

from contextlib import closing

import pytest
from botocore.config import Config
from botocore.session import Session

from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading
from tests.apps.api.world import World, served
from tests.apps.cloudwatch.conftest import Switch
from tests.builders import NOW, minutes

BLUE = Resource("falcon", "blue")
GREEN = Resource("other", "green")
ADAPTER = Resource("adapter")


def a_reading(resource, **changes):
    given = {
        "resource": resource,
        "endpoint_name": resource.name,
        "readiness": Readiness.READY,
        "current": 2,
        "desired": 2,
        "changed_at": NOW - minutes(60),
        "awake_since": NOW - minutes(60),
        "floor": 0 if resource.component else 1,
    }
    return Reading(**{**given, **changes})


def furnish(world):
    """Have a variant of falcon and one of another, and a component of an endpoint of its own."""
    world.capacity.put(a_reading(BLUE))
    world.capacity.put(a_reading(GREEN))
    world.capacity.put(a_reading(ADAPTER, endpoint_name="parts"))
    return world


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
