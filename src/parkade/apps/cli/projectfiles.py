"""Commands on the file of a project: schema, import, init."""

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from parkade.apps import settings
from parkade.apps.cli import options, render
from parkade.apps.projectfile.problem import BadFile
from parkade.domain.errors import AlreadyExists, InvalidInput
from parkade.domain.names import suggestion


def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there; else it is printed."),
    ] = None,
) -> None:
    """Print the JSON Schema of parkade.yaml, for editors that complete and check.

    [dim]Example:[/dim] parkade schema -o parkade.schema.json
    """
    # Its sections take a while to make; other commands need not wait for them.
    from parkade.apps.projectfile.schema import schema as made  # noqa: PLC0415

    if output is None:
        render.machine(made())
    else:
        write(output, json.dumps(made(), indent=2) + "\n", force=True)
        render.note(f"{output}: begin a file with: # yaml-language-server: $schema={output}")


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An app-config.json, or a configs.json.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ] = Path("parkade.yaml"),
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FOLDER",
            help="The folder of a model's files, from where the output is; repeatable. It plays a "
            "JumpStart model on one machine.",
        ),
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=IMAGE", help="The image of a model that --model names; repeatable."
        ),
    ] = None,
    *,
    force: Annotated[bool, options.flag("--force", help="Replace the output.")] = False,
) -> None:
    """Turn a project of stacks, or an endpoint manager's models, into parkade.yaml.

    What could not be carried over is told, line by line.

    [dim]Example:[/dim] parkade import config/app-config.json
    """
    from parkade.apps.projectfile.importing import conversion  # noqa: PLC0415
    from parkade.apps.projectfile.importing.carried import Surroundings  # noqa: PLC0415

    if output.suffix not in {".yaml", ".yml"}:
        raise InvalidInput(
            f"{output} is not the name of a YAML file",
            field="output",
            hint="YAML is what is written: name it parkade.yaml",
        )
    target = output.absolute().parent
    folders, images = _pairs(model, "--model"), _pairs(image, "--image")
    for name in images:
        if name not in folders:
            raise InvalidInput(
                f"--image names {name!r}, and --model does not",
                field="image",
                hint=f"add --model {name}=FOLDER",
            )
    root = file.absolute().parent
    around = Surroundings(
        root=root.parent if root.name == "config" else root,
        target=target,
        folders=folders,
        images=images,
    )
    carried, told = conversion.convert(file, around)
    _require_known(folders, carried.keys("models"))
    write(output, conversion.written(carried, file.name), force=force)
    for each in told:
        render.note(str(each))
    for line in _wrong(output):
        render.note(f"to be corrected: {line}")
    counts = {noun: len(carried.keys(noun)) for noun in ("models", "endpoints", "routes")}
    told_of = [f"{n} {noun if n > 1 else noun[:-1]}" for noun, n in counts.items() if n]
    render.say(f"{output}: {', '.join(told_of) or 'nothing to serve'}")
    render.note("See what would be done with: parkade apply --dry-run")


def _wrong(file: Path) -> tuple[str, ...]:
    """Return what keeps a file from being applied: what the other tool took, and is none here."""
    from parkade.apps.projectfile import reading  # noqa: PLC0415

    try:
        reading.read(file, stage=None, environment=settings.variables())
    except BadFile as error:
        return error.lines
    return ()


def _require_known(named: Iterable[str], models: Sequence[str]) -> None:
    for name in named:
        if name not in models:
            raise InvalidInput(
                f"--model names {name!r}, which the file does not have",
                field="model",
                hint=suggestion(name, models) or f"there are {', '.join(models) or 'none'}",
            )


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new, or empty.")],
) -> None:
    """Make a new project from the sample, ready to be applied.

    [dim]Example:[/dim] parkade init my-project
    """
    from parkade.apps.cli import starter  # noqa: PLC0415

    cache = settings.server_settings().cache
    with render.working("Making the project") as tell:
        name = starter.make(folder, cache, tell)
    render.say(f"{folder}: the project {name}, with two models")
    render.note(f"begin with: cd {shlex.quote(str(folder))} && parkade apply")


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for each in given or ():
        name, _, value = each.partition("=")
        if not name or not value:
            raise InvalidInput(
                f"{option} {each!r} is not NAME=VALUE",
                field=option.lstrip("-"),
                hint=f"write {option} NAME=...",
            )
        pairs[name] = value
    return pairs


def write(path: Path, text: str, *, force: bool) -> None:
    """Write a file. Raises AlreadyExists for one that is there, unless it is forced."""
    if path.exists() and not force:
        raise AlreadyExists(
            f"{path} is there already", hint="name another with --output, or add --force"
        )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}", field="output", hint="name another"
        ) from error
