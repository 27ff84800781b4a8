"""What came of a file of another tool."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.projectfile.importing.given import Told
    from parkade.apps.projectfile.problem import Place
    from parkade.domain.event import Json

#: The image of a model whose folder is named and its image is not.
USUAL_IMAGE = "pytorch-inference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a file is converted: what its paths are relative to, and where the result will be."""

    #: The folder that the paths of the file begin at.
    root: Path
    #: The folder of the new file.
    target: Path
    #: Folders of models, and images, that were named beside the file, by the models' names.
    folders: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)

    def relative(self, path: Path) -> str:
        """Return a path as the new file spells it."""
        return Path(os.path.relpath(path, self.target)).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The content of the new file, its comments, and what is to be told."""

    content: dict[str, Json]
    comments: dict[Place, str]
    told: list[Told]

    def keys(self, section: str) -> list[str]:
        """Return the keys of a section of the content."""
        found = self.content.get(section)
        return list(found) if isinstance(found, dict) else []
