"""What tests of S3's door get."""

import pytest

from tests.apps.storage.shop import Shop


@pytest.fixture
def shop():
    return Shop()
