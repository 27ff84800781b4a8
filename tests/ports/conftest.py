"""`store`: every store of one kind, on one history."""

import pytest

from tests.ports.stores import stores


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    with stores(request.param, tmp_path) as built:
        yield built
