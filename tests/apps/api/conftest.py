"""What tests of the API get."""

import pytest

from tests.apps.api.world import World


@pytest.fixture
def world():
    return World()
