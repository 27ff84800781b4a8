"""Commands on projects that the server has: destroy, status, and projects ls, history, cancel ..."""

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parkade.apps.cli import apply as applying
from parkade.apps.cli import applywait, meant, options, projectviews, render
from parkade.apps.cli.client import Client, Refused
from parkade.apps.cli.projectviews import File
from parkade.apps.cli.session import connect
from parkade.domain.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from parkade.apps.cli.meant import Meant

app = typer.Typer(no_args_is_help=True, help="See and steer what `parkade apply` made.")


def destroy(
    *,
    file: meant.File = None,
    project: meant.Project = None,
    stage: meant.Stage = None,
    yes: applying.Yes = False,
    no_wait: applying.NoWait = False,
    as_json: options.Json = False,
) -> None:
    """Remove all that a project made, and only that, running endpoints included.

    It shows what goes and what stays, and asks. Captured data stays.

    [dim]Example:[/dim] parkade destroy --stage demo
    """
    with connect() as client:
        prefix = meant.meant(client, file=file, project=project, stage=stage).prefix
        applying.wait_for_others(client, prefix, wait=not no_wait)
        difference = client.delete("projects", prefix, dry_run=True)
        question = f"Remove all of this, and forget {prefix},"
        applying.settle_on(client, difference, question, yes=yes, as_json=as_json)
        begun = client.delete(
            "projects", prefix, plan=difference["plan_id"], request_key=uuid.uuid4().hex
        )
        applying.follow(client, begun, difference, no_wait=no_wait, as_json=as_json)
        if not as_json:
            for each in difference["stays"]:
                render.note(f"stays: {each}")


def status(
    *,
    file: meant.File = None,
    project: meant.Project = None,
    stage: meant.Stage = None,
    as_json: options.Json = False,
) -> None:
    """Show every part of a project with its state, on one page.

    With a file, it says too whether file and server differ.

    [dim]Example:[/dim] parkade status --stage prod
    """
    with connect() as client:
        chosen = meant.meant(client, file=file, project=project, stage=stage)
        view = _status(client, chosen)
        beside = _beside(client, chosen)
        if as_json:
            render.machine(view | _file_json(beside))
        else:
            render.show(projectviews.status(view, client.url, beside))


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the projects of the server.

    [dim]Example:[/dim] parkade projects ls
    """
    with connect() as client:
        found, unreadable = _pages(client)
    if as_json:
        render.machine(found)
    elif found:
        render.show(projectviews.projects(found))
    elif not unreadable:
        render.note("No projects; begin with: parkade init DIR")
    for prefix, why in unreadable.items():
        render.note(f"{prefix}: {why}")


@app.command()
def history(
    *,
    file: meant.File = None,
    project: meant.Project = None,
    stage: meant.Stage = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="How many at most.")
    ] = 20,
    as_json: options.Json = False,
) -> None:
    """List what was applied of a project, the newest first; of one that is gone, too.

    [dim]Example:[/dim] parkade projects history --project TextDemo
    """
    with connect() as client:
        prefix = meant.meant(client, file=file, project=project, stage=stage).prefix
        page = client.get("projects", prefix, "applications", limit=limit)
    if as_json:
        render.machine(page["applications"])
        return
    render.show(projectviews.applications(page["applications"]))
    for application, why in page["unreadable"].items():
        render.note(f"{application}: {why}")


@app.command()
def cancel(
    *,
    file: meant.File = None,
    project: meant.Project = None,
    stage: meant.Stage = None,
    no_wait: applying.NoWait = False,
) -> None:
    """Call off what is being applied: no further step is begun, what was done stays.

    [dim]Example:[/dim] parkade projects cancel --project TextDemo
    """
    with connect() as client:
        prefix = meant.meant(client, file=file, project=project, stage=stage).prefix
        last = client.get("projects", prefix)["application"]
        if last is None or last["status"] != "running":
            raise Conflict(
                f"nothing of {prefix} is being applied",
                hint=f"see what was: parkade projects history --project {prefix}",
            )
        client.post("projects", prefix, "applications", last["id"], "cancel")
        if not no_wait:
            applywait.until_over(client, prefix, last["id"])
    told = "is being called off" if no_wait else "is called off; what was done stays"
    render.say(f"{prefix}: {last['id']} {told}")


@app.command()
def rollback(
    *,
    file: meant.File = None,
    project: meant.Project = None,
    stage: meant.Stage = None,
    no_wait: applying.NoWait = False,
    as_json: options.Json = False,
) -> None:
    """Apply the document before: the last that stood and is not wanted now.

    [dim]Example:[/dim] parkade projects rollback --project TextDemo
    """
    with connect() as client:
        prefix = meant.meant(client, file=file, project=project, stage=stage).prefix
        applying.wait_for_others(client, prefix, wait=not no_wait)
        begun = client.post("projects", prefix, "rollback", key=uuid.uuid4().hex)
        steps = {"changes": begun["steps"]}
        applying.follow(client, begun, steps, no_wait=no_wait, as_json=as_json)


def _status(client: Client, chosen: "Meant") -> dict[str, Any]:
    try:
        view: dict[str, Any] = client.get("projects", chosen.prefix, "status")
    except Refused as refusal:
        if refusal.code == "project_not_found" and chosen.file is not None:
            refusal.hint = (
                f"nothing of {chosen.file.name} was applied yet; begin with: parkade apply"
            )
        raise
    return view


def _pages(client: Client) -> tuple[list[Any], dict[str, str]]:
    """Return all projects, and those that cannot be read with the reason."""
    found = client.pages("projects")
    return found, client.get("projects", limit=1)["unreadable"]


def _beside(client: Client, chosen: "Meant") -> File | None:
    """Tell how the file stands to what is on the server; what is wrong with it hides nothing else."""
    if chosen.file is None:
        return None
    # What reads files takes a while to load; other commands need not wait for it.
    from parkade.apps.cli import wanted as wanting  # noqa: PLC0415

    name = chosen.file.name
    try:
        wanted = wanting.Wanted.of(meant.read(chosen.file, chosen.stage))
        return File(name=name, difference=wanting.difference(client, wanted))
    except (InvalidInput, Refused) as error:
        return File(name=name, trouble=error.message)


def _file_json(beside: File | None) -> dict[str, Any]:
    if beside is None:
        return {"file": None}
    return {
        "file": {"name": beside.name, "trouble": beside.trouble, "difference": beside.difference}
    }
