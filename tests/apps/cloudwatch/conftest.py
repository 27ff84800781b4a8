"""A world behind a real socket, and boto3's client of CloudWatch in each protocol that it can."""

import gzip
import json
from contextlib import ExitStack, closing
from pathlib import Path

import botocore
import pytest
from botocore.config import Config
from botocore.session import Session

from tests.apps.api.world import World, served

PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")


@pytest.fixture(scope="session")
def sessions(tmp_path_factory):
    """By protocol: a session whose description of CloudWatch knows no other one."""
    given = Path(botocore.__file__).parent / "data" / "cloudwatch" / "2010-08-01"
    found = {}
    for protocol in PROTOCOLS:
        folder = tmp_path_factory.mktemp(protocol)
        made = folder / "cloudwatch" / given.name
        made.mkdir(parents=True)
        for file in given.iterdir():
            content = file.read_bytes()
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            if file.name.startswith("service-2."):
                described = json.loads(content)
                described["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
                content = json.dumps(described).encode()
            (made / file.name.removesuffix(".gz")).write_bytes(content)
        found[protocol] = Session()
        found[protocol].get_component("data_loader").search_paths.insert(0, str(folder))
        found[protocol].set_credentials("AKIANOBODY", "secret")
    return found


def client_of(url, session):
    return session.create_client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=url,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


class Switch:
    """One socket for all tests: it serves the world of the present one."""

    def __init__(self):
        self.app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch():
    made = Switch()
    with served(made) as made.url:
        yield made


@pytest.fixture(scope="session")
def clients(switch, sessions):
    """A client in each protocol."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(closing(client_of(switch.url, session)))
            for protocol, session in sessions.items()
        }


@pytest.fixture
def world(switch):
    made = World(auth=False)
    switch.app = made.app
    return made


@pytest.fixture
def url(world, switch):
    return switch.url


@pytest.fixture(params=PROTOCOLS)
def boto(request, world, clients):
    """A client in each protocol in turn."""
    made = clients[request.param]
    assert made.meta.service_model.resolved_protocol == request.param
    return made


@pytest.fixture
def cbor(world, clients):
    """A client in the protocol that Smithy gives to new clients."""
    return clients["smithy-rpc-v2-cbor"]
