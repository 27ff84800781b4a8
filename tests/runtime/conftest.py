import pytest

from tests.runtime.premises import Home


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()
