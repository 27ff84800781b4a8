"""Which project a command is about: one stage of a file of this machine, or a name of the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parkade.apps import settings
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from parkade.apps.cli.client import Client
    from parkade.apps.projectfile.reading import ProjectFile

#: What is looked for in the current folder where no file is named.
NAMES = ("parkade.yaml", "parkade.yml", "parkade.json", "parkade.toml")
_NAMED = 10

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="The project's file; else parkade.yaml (yml, json, toml) of this folder.",
        show_default=False,
    ),
]
Stage = Annotated[
    str | None,
    typer.Option("--stage", "-s", metavar="NAME", help="Stage of the file.", show_default=False),
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="PREFIX",
        help="Project on the server, instead of a file.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A project: by its prefix, and its file where there is one."""

    prefix: str
    file: Path | None = None
    stage: str | None = None


def found(given: Path | None, *, folder: Path | None = None) -> Path:
    """Return the file that is meant. Raises InvalidInput where there are none, or several."""
    if given is not None:
        return given
    there = [name for name in NAMES if ((folder or Path()) / name).is_file()]
    if not there:
        raise InvalidInput(
            f"there is no {NAMES[0]} in this folder",
            field="file",
            hint="name a file with --file, or begin with: parkade init DIR",
        )
    if len(there) > 1:
        raise InvalidInput(
            f"there are several project files in this folder: {', '.join(there)}",
            field="file",
            hint=f"say which one is meant: --file {there[0]}",
        )
    return (folder or Path()) / there[0]


def read(given: Path | None, stage: str | None, *, whole: bool = True) -> ProjectFile:
    """Return one stage of the file that is meant. Raises InvalidInput, or BadFile."""
    # Its sections take a while to make; other commands need not wait for them.
    from parkade.apps.projectfile import reading  # noqa: PLC0415

    return reading.read(found(given), stage=stage, environment=settings.variables(), whole=whole)


def meant(client: Client, *, file: Path | None, project: str | None, stage: str | None) -> Meant:
    """Return the project that is meant. Raises InvalidInput, or BadFile."""
    if project is not None:
        if file is not None or stage is not None:
            extra = "--file" if file is not None else "--stage"
            raise InvalidInput(
                f"--project and {extra} exclude each other",
                field="project",
                hint="the name of a project on the server has its stage in it",
            )
        return Meant(prefix=project)
    try:
        path = found(file)
    except InvalidInput as error:
        if file is not None or any(Path(name).is_file() for name in NAMES):
            raise
        raise InvalidInput(error.message, field="file", hint=_known(client)) from error
    return Meant(prefix=read(path, stage, whole=False).content.prefix, file=path, stage=stage)


def _known(client: Client) -> str:
    """Say which projects there are on the server."""
    names = [each["prefix"] for each in client.pages("projects")]
    if not names:
        return "the server has no project either; begin with: parkade init DIR"
    more = ", ..." if len(names) > _NAMED else ""
    return f"name a project with --project: {', '.join(names[:_NAMED])}{more}"
