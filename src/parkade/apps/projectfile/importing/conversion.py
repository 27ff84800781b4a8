"""A file of another tool, recognised and turned into the text of a parkade.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile import reading
from parkade.apps.projectfile.importing import managed, stacks, writing
from parkade.apps.projectfile.importing.given import in_order
from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import Mark

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.apps.projectfile.importing.carried import Carried, Surroundings
    from parkade.apps.projectfile.importing.given import Told
    from parkade.domain.event import Json

_FORMS = (stacks, managed)
_HEAD = """A serving project, made by `parkade import` from {name}.
See what would be done with: parkade apply --dry-run"""


def convert(path: Path, around: Surroundings) -> tuple[Carried, list[Told]]:
    """Return what came of a file, and what is to be told of it, in its order. Raises BadFile."""
    try:
        table = reading.parse(path)
        for form in _FORMS:
            if form.is_one(table):
                carried = form.convert(table, around)
                return carried, list(in_order(carried.told))
        raise BadFile.of(
            Mark(),
            "it is of no form that is known: app-config.json has Project and Stack, and an "
            "endpoint manager's configs.json has project_prefix and jumpstart_models",
        )
    except BadFile as error:
        raise error.within(str(path)) from error


def written(carried: Carried, name: str) -> str:
    """Return the text of the new file."""
    head = _HEAD.format(name=name)
    content = {key: _escaped(each) for key, each in carried.content.items()}
    return writing.write(content, {**carried.comments, (): head})


def _escaped(value: Json) -> Json:
    """Return a value whose texts stand for themselves, and for no variables."""
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return value.replace("${", "$${") if isinstance(value, str) else value
