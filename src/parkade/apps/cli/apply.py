"""`parkade apply`: shows how a file differs from what runs, asks, and makes it so."""

import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parkade.apps import settings
from parkade.apps.cli import applicationviews, applywait, differenceviews, meant, options, render
from parkade.apps.cli.client import Client, Refused
from parkade.apps.cli.deploywait import INTERRUPTED
from parkade.apps.cli.session import connect
from parkade.domain.errors import Conflict, InvalidInput, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.cli.wanted import Wanted

Yes = Annotated[bool, options.flag("--yes", "-y", help="Do not ask.")]
NoWait = Annotated[
    bool, options.flag("--no-wait", help="Wait for nothing: neither for others nor for the end.")
]


class Unfit(ParkadeError):
    """A project would not be applied, and nothing of it was begun."""


def apply(
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    dry_run: Annotated[
        bool, options.flag("--dry-run", help="Show the difference; change nothing.")
    ] = False,
    yes: Yes = False,
    adopt: Annotated[
        bool, options.flag("--adopt", help="Take over what others made under its names.")
    ] = False,
    no_wait: NoWait = False,
    as_json: options.Json = False,
) -> None:
    """Make what runs what the project's file says.

    It shows each change with the price of a month, and asks. Where nothing differs, nothing is done.
    What is in the file is told in docs/serving.md.

    [dim]Example:[/dim] parkade apply --stage prod --dry-run
    """
    # What reads files takes a while to load; other commands need not wait for it.
    from parkade.apps.cli import wanted as wanting  # noqa: PLC0415

    wanted = wanting.Wanted.of(meant.read(file, stage))
    for each in wanted.left_out:
        render.note(f"left out here: {each}")
    prefix = wanted.content.prefix
    with connect() as client:
        if not dry_run:
            wait_for_others(client, prefix, wait=not no_wait)
        difference = wanting.difference(client, wanted, adopt=adopt)
        if dry_run:
            _rehearse(difference, as_json=as_json)
            return
        if not difference["changes"] and not difference["problems"]:
            _keep(client, wanted, as_json=as_json)
            return
        count = len(difference["changes"])
        what = "this change" if count == 1 else f"these {count} changes"
        settle_on(client, difference, f"Apply {what}", yes=yes, as_json=as_json)
        _store(client, wanted)
        begun = client.post(
            "projects",
            body=wanted.document.sent(),
            plan=difference["plan_id"],
            adopt=adopt,
            key=uuid.uuid4().hex,
        )
        follow(client, begun, difference, no_wait=no_wait, as_json=as_json)
        if not as_json and not no_wait:
            for path in wanted.content.routes:
                render.note(f"call it: POST {client.url}{path}")


def wait_for_others(client: Client, prefix: str, *, wait: bool) -> None:
    """Wait for the end of what is being applied. Raises Conflict where that is not wanted."""
    try:
        running = client.get("projects", prefix)["application"]
    except Refused as refusal:
        if refusal.code != "project_not_found":
            raise
        return
    if running is None or running["status"] != "running":
        return
    told = (
        f"{applicationviews.purpose(running)} {running['id']} of {prefix} by {running['actor']} is "
        "under way"
    )
    if not wait:
        raise Conflict(told, hint="leave out --no-wait to wait for its end")
    render.note(f"{told}; waiting for its end")
    applywait.until_over(client, prefix, running["id"])


def settle_on(
    client: Client, difference: dict[str, Any], question: str, *, yes: bool, as_json: bool
) -> None:
    """Show a difference, and go on only if that is fine.

    Raises Unfit for what would be refused, and InvalidInput where nobody can be asked.
    """
    if not as_json:
        render.show(differenceviews.difference(difference))
    elif not yes:
        render.aside(differenceviews.difference(difference))
    if difference["problems"]:
        raise _unfit(difference)
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(
            "there is no terminal to ask on, and nothing was changed",
            field="yes",
            hint="look at the difference with --dry-run, then give --yes",
        )
    typer.confirm(f"{question} at {client.url}?", abort=True, err=True)


def follow(
    client: Client,
    begun: dict[str, Any],
    difference: dict[str, Any],
    *,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Look on until an application is over; the exit status says how it ended."""
    prefix = begun["project"]
    view = begun if no_wait else applywait.until_over(client, prefix, begun["id"])
    if as_json:
        render.machine({"changes": difference["changes"], "application": view})
    if no_wait:
        if not as_json:
            render.say(
                f"{prefix}: {applicationviews.purpose(view)} {view['id']} has begun; look on: "
                f"parkade status --project {prefix}"
            )
        return
    applywait.require_success(view)
    if not as_json:
        count = len(difference["changes"])
        told = "1 change is made" if count == 1 else f"{count} changes are made"
        render.say(f"{prefix}: {told}, after {applicationviews.took(view)} ({view['id']})")


def _rehearse(difference: dict[str, Any], *, as_json: bool) -> None:
    nothing = not difference["changes"] and not difference["problems"]
    if as_json:
        render.machine({"changes": []} if nothing else difference)
    elif nothing:
        render.say(_same(difference["project"]))
    else:
        render.show(differenceviews.difference(difference))
    if difference["problems"]:
        raise typer.Exit(1)


def _same(prefix: str) -> str:
    return f"{prefix}: nothing differs"


def _keep(client: Client, wanted: "Wanted", *, as_json: bool) -> None:
    """Say that nothing differs; have the server keep what of the file is no part of anything.

    An archive that somebody removed is stored again.
    """
    _store(client, wanted)
    if not _kept(client, wanted):
        client.post("projects", body=wanted.document.sent(), key=uuid.uuid4().hex)
    if as_json:
        render.machine({"changes": []})
    else:
        render.say(_same(wanted.content.prefix))


def _kept(client: Client, wanted: "Wanted") -> bool:
    """Tell whether the server has this document as one that was applied."""
    try:
        view = client.get("projects", wanted.content.prefix)
    except Refused as refusal:
        if refusal.code != "project_not_found":
            raise
        return False
    last = view["application"]
    applied = last is not None and last["status"] == "succeeded"
    return applied and bool(view["document"] == wanted.document.remembered())


def _store(client: Client, wanted: "Wanted") -> None:
    """Store the archives that are not there yet."""
    from parkade.apps.cli import archives  # noqa: PLC0415  as above

    with _uninterrupted():
        for each in archives.missing(client, wanted.archives):
            archives.store(client, each, settings.server_settings().cache)


@contextmanager
def _uninterrupted() -> "Iterator[None]":
    """Say what Ctrl-C leaves: nothing is applied before all is stored."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        render.note("nothing was applied; what is stored already is not stored again")
        raise typer.Exit(INTERRUPTED) from interrupt


def _unfit(difference: dict[str, Any]) -> Unfit:
    message, hint = differenceviews.sentence(difference["problems"])
    return Unfit(f"{difference['project']}: {message}", hint=hint)
