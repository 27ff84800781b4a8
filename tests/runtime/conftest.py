import pytest

from tests.runtime.premises import Home
from tests.runtime.shop import Shop


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    # On a busy machine it may take a while until a process that waits has the processor.
    monkeypatch.setattr("parkade.runtime.standby._HAND_OVER", 60)
    shop = Shop(tmp_path)
    yield shop
    shop.close()
