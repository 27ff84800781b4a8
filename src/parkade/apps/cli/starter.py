"""A new project made from the sample: a folder that can be applied at once."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.apps.cli import sample
from parkade.apps.projectfile.schema import ID, schema
from parkade.domain.errors import AlreadyExists, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

#: The project's own files, as they are here for a project called Sample.
_TEMPLATES = Path(__file__).with_name("newproject")
_NAME = "Sample"
#: The models, and what train.py is told for each.
_MODELS = {"model-a": (), "model-b": ("--words",)}
#: Of no use where the model is served from.
_LEFT = ("__pycache__", "README.md")
#: Short enough for endpoints of the project to have names.
_LONGEST = 24


def make(folder: Path, cache: Path, tell: Callable[[str], None]) -> str:
    """Make the project, whole or not at all, and return its name.

    Raises AlreadyExists for a folder with something in it, and StartFailed where the sample cannot
    be trained.
    """
    folder = folder.absolute()
    name = _name(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise AlreadyExists(
                f"{folder} is there, and not an empty folder",
                hint="name a folder that is new, or empty",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            _fill(Path(made), name, cache, tell)
            folder.mkdir(exist_ok=True)
            for each in (Path(made) / "project").iterdir():
                each.rename(folder / each.name)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be made: {error.strerror}", field="folder", hint="name another"
        ) from error
    return name


def _fill(work: Path, name: str, cache: Path, tell: Callable[[str], None]) -> None:
    project = work / "project"
    (project / "models").mkdir(parents=True)
    for model, options in _MODELS.items():
        tell(f"Making {model}")
        prepared = sample.prepare(work, cache, tell, options)
        shutil.copytree(prepared, project / "models" / model, ignore=shutil.ignore_patterns(*_LEFT))
    for template in sorted(_TEMPLATES.iterdir()):
        text = _named(template.read_text(encoding="utf-8"), name)
        (project / template.name).write_text(text, encoding="utf-8")
    (project / ID).write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")


def _named(text: str, name: str) -> str:
    """Put the project's name, in small letters too, in the place of the sample's, in one go."""
    either = re.compile(_NAME, re.IGNORECASE)
    return either.sub(lambda found: name if found[0] == _NAME else name.lower(), text)


def _name(folder: Path) -> str:
    """Return the project's name: the folder's words, each with a capital.

    So that the prefix reads as one with a stage: `text-shop` and `Demo` make `TextShopDemo`. What
    begins with a digit could be a number where it is read, and gets a word before it.
    """
    words = re.findall(r"[A-Za-z0-9]+", folder.name)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return (name if name[:1].isalpha() else _NAME + name)[:_LONGEST]
