"""Commands on models: test, pack, push, create, ls, show, rm."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from parkade.apps import settings
from parkade.apps.cli import aims, cases, endpointcases, options, render, views
from parkade.apps.cli.session import connect
from parkade.domain import names
from parkade.domain.errors import Conflict, InvalidInput
from parkade.runtime import packing

app = typer.Typer(no_args_is_help=True, help="Test, pack, store and register models.")

_PIECE = 1 << 20
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The model folder.")]


@app.command("test")
def run_cases(
    folder: Folder,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="Environment of its container; repeatable."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint", "-e", metavar="E", help="Ask this endpoint, each variant of it."
        ),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="V", help="With --endpoint: this variant or component alone; repeatable."
        ),
    ] = None,
    target_model: Annotated[
        str, typer.Option(metavar="M", help="With --endpoint: a model of a multi-model endpoint.")
    ] = "",
    *,
    as_json: Annotated[
        bool, options.flag("--json", help="With --endpoint: print JSON instead of a table.")
    ] = False,
) -> None:
    """Run a model folder's own cases, without a server or against an endpoint.

    [dim]Example:[/dim] parkade model test examples/text-classification --endpoint text
    """
    if endpoint is None:
        if variant or target_model or as_json:
            raise InvalidInput(
                "--variant, --target-model and --json go with --endpoint",
                field="endpoint",
                hint="name the endpoint that runs the model: --endpoint NAME",
            )
        _run_here(folder, env or [])
        return
    if env:
        raise InvalidInput(
            "--env is for cases that run here; an endpoint has the environment of its models",
            field="env",
            hint="leave it out, or leave --endpoint out",
        )
    asked = cases.of_folder(folder)
    with connect() as client:
        places = aims.all_of(
            client, options.endpoint_name(endpoint), variant or (), model=target_model
        )
        results = list(endpointcases.run(client, asked, places))
    if as_json:
        render.machine(endpointcases.document(results))
    else:
        render.show(endpointcases.table(results))
    _require_none_differs(
        [f"{each.outcome.case.id} at {each.part}" for each in results if not each.outcome.passed],
        len(results),
        "answers",
    )


def _run_here(folder: Path, env: list[str]) -> None:
    results = []
    for result in cases.run(folder, options.environment(env), settings.server_settings().cache):
        render.case(result)
        results.append(result)
    _require_none_differs(
        [each.case.id for each in results if not each.passed], len(results), "cases"
    )


def _require_none_differs(differ: list[str], whole: int, noun: str) -> None:
    if differ:
        raise Conflict(f"{len(differ)} of {whole} {noun} differ: {', '.join(differ)}")
    render.note(f"{whole} {noun}, all as expected")


@app.command()
def pack(
    folder: Folder,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The archive to write.")
    ] = Path("model.tar.gz"),
) -> None:
    """Pack a model folder; the same files give the same bytes.

    [dim]Example:[/dim] parkade model pack examples/text-classification -o model.tar.gz
    """
    packed = packing.pack(folder, output)
    render.say(f"{packed.path}: {len(packed.members)} files, {packed.size:,} bytes")


@app.command()
def push(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A packed model.")],
    address: Annotated[str, typer.Argument(metavar="s3://BUCKET/KEY", help="Where to store it.")],
) -> None:
    """Store a packed model where the server plays S3.

    [dim]Example:[/dim] parkade model push model.tar.gz s3://models/text/model.tar.gz
    """
    bucket, key = names.s3_address(address, field="address")
    with _opened(file) as source, connect() as client:
        size = file.stat().st_size
        with render.transfer(file.name, size) as count:
            stored = client.upload(bucket, key, _pieces(source, count), size)
    render.say(f"s3://{stored['bucket']}/{stored['key']}: {stored['size']:,} bytes")


@app.command()
def create(
    name: options.Model,
    image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE",
            help="Container image; its name chooses the container: pytorch-inference.",
        ),
    ],
    data: Annotated[
        str, typer.Option(metavar="s3://BUCKET/KEY", help="The packed model.", show_default=False)
    ] = "",
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="Environment of its containers; repeatable."),
    ] = None,
) -> None:
    """Register a model: an image, with packed data and an environment.

    [dim]Example:[/dim] parkade model create text --image pytorch-inference --data s3://models/text.tar.gz
    """
    body = {
        "name": name,
        "image": image,
        "data_url": data,
        "environment": options.environment(env or []),
    }
    with connect() as client:
        model = client.post("models", body=body)
    render.say(f"{model['name']}: created")


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the models.

    [dim]Example:[/dim] parkade model ls
    """
    with connect() as client:
        models = client.pages("models")
    if as_json:
        render.machine(models)
    elif models:
        rows = ((each["name"], each["image"], each["data_url"] or "-") for each in models)
        render.show(views.listing(("Model", "Image", "Data"), rows))
    else:
        render.note("No models; begin with: parkade model pack DIR")


@app.command()
def show(name: options.Model, *, as_json: options.Json = False) -> None:
    """Show one model with its environment.

    [dim]Example:[/dim] parkade model show text
    """
    with connect() as client:
        model = client.get("models", name)
    if as_json:
        render.machine(model)
    else:
        render.show(views.model(model))


@app.command()
def rm(name: options.Model) -> None:
    """Remove a model; its packed data stays.

    [dim]Example:[/dim] parkade model rm text
    """
    with connect() as client:
        client.delete("models", name)
    render.say(f"{name}: removed")


def _opened(file: Path) -> BinaryIO:
    try:
        if file.exists() and not file.is_file():
            raise InvalidInput(f"{file} is not a file", field="file", hint="give a packed model")
        return file.open("rb")
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read: {error.strerror}",
            field="file",
            hint="pack a model with: parkade model pack DIR",
        ) from error


def _pieces(source: BinaryIO, count: Callable[[int], None]) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece
        count(len(piece))
