"""Removing folders that strangers' scripts have written to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove the folder and all in it, also where a script took the right to from its owner.

    Blocking. Raises OSError.
    """
    try:
        shutil.rmtree(folder)
    except PermissionError:
        _give_back(folder)
        shutil.rmtree(folder)


def _give_back(folder: Path) -> None:
    folder.chmod(0o700)
    # Each folder is made readable before it is walked into; links are not followed.
    for place, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(place, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
