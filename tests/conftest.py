"""What every test gets."""

import socket
from pathlib import Path

import pytest
from hypothesis import settings

from parkade.apps.collecting import uncollected
from tests.aws_account import aws, aws_config, moto_server  # noqa: F401  fixtures for all

# A busy machine is no reason to fail, and a failure found once must be found again.
settings.register_profile("parkade", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("parkade")

#: What starts whole servers, by its folder.
_LONG = tuple(Path(__file__).parent / each for each in ("faults", "clients"))
#: Seconds that such a test may take: what it waits for has limits of its own, which say what failed.
_PATIENT = 300


@pytest.fixture
def closed_port():
    """A port that refuses connections: it is held, so that nobody else comes to listen there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Have what is imported now, for all tests, not looked through again during each of them."""
    with uncollected():
        return (yield)


def pytest_collection_modifyitems(items):
    """Have what takes long first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not _is_long(item))
    for item in filter(_is_long, items):
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_PATIENT))


def _is_long(item):
    return any(map(item.path.is_relative_to, _LONG))
