"""What tests of S3's door get."""

import pytest

from tests.apps.api.world import World
from tests.apps.storage.shop import Shop


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def world():
    return World()
