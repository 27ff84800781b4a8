"""Commands on objects, the folder that plays S3: ls, cp, rm."""

from typing import Annotated, Any

import typer

from parkade.apps.cli import addresses, copying, options, render, views
from parkade.apps.cli.addresses import PIPE, Copy, Remote
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput

app = typer.Typer(no_args_is_help=True, help="List, copy and remove objects: s3://BUCKET/KEY.")

#: As much of a name stands beside the bar.
_TITLE = 30
_HELP = "A file, a folder, s3://BUCKET/KEY, or - ."


@app.command()
def ls(
    address: Annotated[
        str,
        typer.Argument(
            metavar="[s3://BUCKET[/PREFIX]]",
            help="What to list; else the buckets.",
            show_default=False,
        ),
    ] = "",
    *,
    recursive: Annotated[
        bool, options.flag("--recursive", "-r", help="Every object, not folder by folder.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List buckets, or what is in one.

    [dim]Example:[/dim] parkade objects ls s3://models/text/
    """
    place = addresses.remote(address) if address else None
    with connect() as client:
        if place is None:
            _list_buckets(client, as_json=as_json)
        else:
            _list_objects(client, place, recursive=recursive, as_json=as_json)


@app.command()
def cp(
    source: Annotated[str, typer.Argument(metavar="SRC", help=_HELP)],
    target: Annotated[str, typer.Argument(metavar="DST", help=_HELP)],
    *,
    recursive: Annotated[
        bool, options.flag("--recursive", "-r", help="A folder with all that is in it.")
    ] = False,
) -> None:
    """Copy files to objects, objects to files, or objects to objects.

    A name that ends in a slash is a folder, and what is copied into it keeps its name.

    [dim]Example:[/dim] parkade objects cp model.tar.gz s3://models/text/
    """
    with connect() as client:
        planned = addresses.copies(
            client, addresses.end(source), addresses.end(target), recursive=recursive
        )
        known = [each.size for each in planned if each.size is not None]
        whole = sum(known) if len(known) == len(planned) else None
        with render.transfer(_title(planned), whole) as count:
            for each in planned:
                copying.copy(client, each, count)
    if recursive:
        render.say(f"{target}: {_counted(len(planned), 'file')}, {views.size(whole or 0)}")
    elif target != PIPE:
        beside = f": {views.size(whole)}" if whole is not None else ": stored"
        render.say(f"{planned[0].target}{beside}")


@app.command()
def rm(
    address: Annotated[str, typer.Argument(metavar="s3://BUCKET[/KEY]", help="What to remove.")],
    *,
    recursive: Annotated[
        bool,
        options.flag(
            "--recursive", "-r", help="Everything in the folder, or the bucket with all in it."
        ),
    ] = False,
) -> None:
    """Remove an object, or with --recursive a folder or a bucket.

    [dim]Example:[/dim] parkade objects rm s3://models/text/model.tar.gz
    """
    place = addresses.remote(address, whole=not recursive)
    with connect() as client:
        if recursive:
            found = addresses.objects(client, Remote(place.bucket, addresses.folder_of(place.key)))
            if place.key and not found:
                raise InvalidInput(
                    f"there is nothing below {place}",
                    field="address",
                    hint="leave --recursive out for one object",
                )
        else:
            found = [addresses.one(client, place)]
        with render.working(f"Removing {_counted(len(found), 'object')}") as tell:
            for number, each in enumerate(found, 1):
                client.delete("objects", each["bucket"], *each["key"].split("/"))
                if render.interactive():
                    tell(f"Removing {number} of {_counted(len(found), 'object')}")
        if recursive and not place.key:
            client.delete("objects", place.bucket)
    whole = sum(each["size"] for each in found)
    if recursive:
        render.say(f"{place}: {_counted(len(found), 'object')} removed, {views.size(whole)}")
    else:
        render.say(f"{place}: removed")


def _list_buckets(client: Client, *, as_json: bool) -> None:
    found = addresses.buckets(client)
    if as_json:
        render.machine(found)
    elif found:
        rows = ((f"s3://{each['name']}", views.instant(each["modified_at"])) for each in found)
        render.show(views.listing(("Bucket", "Changed"), rows))
    else:
        render.note("No buckets; putting an object makes one: parkade objects cp FILE s3://BUCKET/")


def _list_objects(client: Client, place: Remote, *, recursive: bool, as_json: bool) -> None:
    found: list[dict[str, Any]] = []
    folders: list[str] = []
    for page in addresses.listed(client, place, delimiter=None if recursive else "/"):
        found += page["objects"]
        folders += page["prefixes"]
    if as_json:
        render.machine({"objects": found, "prefixes": folders})
    elif found or folders:
        render.show(views.objects(found, folders))
        whole = views.size(sum(each["size"] for each in found))
        parts = [f"{_counted(len(found), 'object')}, {whole}"] if found else []
        parts += [_counted(len(folders), "folder")] if folders else []
        render.note(" and ".join(parts))
    else:
        addresses.require_bucket(client, place.bucket)
        render.note(f"Nothing begins with {place}")


def _title(planned: list[Copy]) -> str:
    if len(planned) > 1:
        return _counted(len(planned), "file")
    source = planned[0].source if planned else ""
    name = str(source).rpartition("/")[2] if source != PIPE else "standard input"
    return name if len(name) <= _TITLE else f"{name[: _TITLE - 1]}…"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
