"""Folders go, whatever their scripts have done to them."""

import os
import tempfile
from pathlib import Path

import pytest

from parkade.runtime.removal import remove

NOBODY = 65534


@pytest.fixture
def folder(tmp_path):
    """A folder that nobody may touch, with a link that leads out of it."""
    folder = tmp_path / "work"
    (folder / "outer" / "inner").mkdir(parents=True)
    (folder / "outer" / "inner" / "file").write_text("x")
    (folder / "way-out").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir(mode=0o500)
    for each in (folder / "outer" / "inner", folder / "outer", folder):
        each.chmod(0)
    return folder


def test_a_folder_goes_that_nobody_may_touch(folder):
    remove(folder)
    assert not folder.exists()
    assert (folder.parent / "kept").stat().st_mode & 0o777 == 0o500


@pytest.mark.skipif(os.getuid() != 0, reason="the test above does the same")
def test_it_goes_for_a_user_without_privileges(folder):
    """Root may remove anything; where the tests are root's, this is somebody else's."""
    with tempfile.TemporaryDirectory() as place:
        moved = folder.rename(Path(place) / "work")
        for each in (moved.parent, moved, moved / "outer", moved / "outer" / "inner"):
            os.chown(each, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            remove(moved)
        finally:
            os.seteuid(0)
        assert not moved.exists()
