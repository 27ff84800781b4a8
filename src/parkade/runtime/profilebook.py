"""Profiles on disk, so that a host that comes back knows what models import without starting them.

They are hints: one that is lost, or not true any more, costs a start that is not quicker.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.runtime.profiles import profile, told

if TYPE_CHECKING:
    from parkade.runtime.profiles import Profile
    from parkade.runtime.standby import Recipe

#: The files that are kept, those that were written last.
_KEPT = 256


class ProfileBook:
    """A folder with a file for each model's content and environment. Blocking; raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, recipe: Recipe, model_dir: str, found: Profile) -> None:
        """Keep it in place of what was known before."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False) as file:
            json.dump(told(found), file)
        Path(file.name).replace(self._path(recipe, model_dir))
        files = sorted(self._folder.iterdir(), key=_written, reverse=True)
        for each in files[_KEPT:]:
            each.unlink(missing_ok=True)

    def read(self, recipe: Recipe, model_dir: str) -> Profile | None:
        """Return what is known."""
        try:
            return profile(json.loads(self._path(recipe, model_dir).read_text()))
        except (FileNotFoundError, ValueError):
            return None

    def _path(self, recipe: Recipe, model_dir: str) -> Path:
        # The folder of model data is named by its content. Variables may be secrets.
        parts = [*recipe.command, *map(list, sorted(recipe.environment)), Path(model_dir).name]
        digest = hashlib.sha256(json.dumps(parts).encode(errors="surrogateescape")).hexdigest()
        return self._folder / f"{digest}.json"


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another host has pruned it
        return 0.0
