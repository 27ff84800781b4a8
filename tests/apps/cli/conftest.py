"""What tests of the command line get."""

import pytest

from tests.apps.cli.desk import desk as open_desk


@pytest.fixture
def desk(tmp_path):
    with open_desk(tmp_path) as opened:
        yield opened
