"""What tests of project files get."""

import pytest

from tests.apps.projectfile.folder import Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
