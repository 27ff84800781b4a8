"""A database in a folder of its own."""

import pytest

from parkade.adapters.sqlite.database import Database
from tests.house import PATIENCE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "parkade.db"


@pytest.fixture
def database(path):
    opened = Database(path, busy_timeout=PATIENCE)
    yield opened
    opened.close()
