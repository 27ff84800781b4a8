"""The command audit: what is left over, missing, or paid for by nobody."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect
from parkade.domain.audit.finding import Mending
from parkade.domain.errors import InvalidInput
from parkade.domain.price import CURRENCY


def audit(
    *,
    fix: Annotated[
        bool, options.flag("--fix", help="Put right what is safe: shows it first, and asks.")
    ] = False,
    unused: Annotated[
        bool, options.flag("--unused", help="With --fix: delete unused configs and models, too.")
    ] = False,
    yes: Annotated[bool, options.flag("--yes", "-y", help="With --fix: do not ask.")] = False,
    check: Annotated[
        bool, options.flag("--check", help="Exit with status 1 where anything is found.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Find endpoints without a lease, leases without an endpoint, and what outlived both.

    [dim]Example:[/dim] parkade audit --fix --unused
    """
    _refuse_mixtures(fix=fix, unused=unused, yes=yes, as_json=as_json)
    with connect() as client:
        found = client.get("audit")["findings"]
        wanted = _mendable(found, unused=unused) if fix else []
        if not as_json:
            _show(found)
        mended = []
        if wanted and (yes or _agreed(wanted)):
            ids = [each["id"] for each in wanted]
            mended = client.post("audit", "fix", body={"ids": ids})["mended"]
    if as_json:
        render.machine({"findings": found, "mended": mended} if fix else found)
    else:
        _tell(found, wanted, mended, fix=fix)
    if check and len(found) > sum(each["done"] for each in mended):
        raise typer.Exit(1)


def _refuse_mixtures(*, fix: bool, unused: bool, yes: bool, as_json: bool) -> None:
    for name, given in (("unused", unused), ("yes", yes)):
        if given and not fix:
            raise InvalidInput(f"--{name} goes with --fix", field=name, hint="add --fix")
    if as_json and fix and not yes:
        raise InvalidInput("--json cannot ask", field="json", hint="add --yes")


def _tell(
    found: list[dict[str, Any]],
    wanted: list[dict[str, Any]],
    mended: list[dict[str, Any]],
    *,
    fix: bool,
) -> None:
    for each in mended:
        render.say(f"{each['id']}: {each['text']}{': done' if each['done'] else ''}")
    if fix and found and not wanted:
        render.note("Nothing of this can be put right without a person.")


def _show(found: list[dict[str, Any]]) -> None:
    if not found:
        render.note("Nothing is left over, missing, or paid for by nobody.")
    for each in found:
        render.show(_finding(each))


def _finding(view: dict[str, Any]) -> RenderableType:
    facts = [f"since {views.instant(view['since'])}"] if view["since"] else []
    if view["hourly_usd"] is not None:
        facts.append(f"{view['hourly_usd']:g} {CURRENCY} an hour")
    if view["unpriced"]:
        facts.append(f"unpriced: {', '.join(view['unpriced'])}")
    if view["mending"] == Mending.FIX:
        facts.append("--fix mends it")
    elif view["mending"] == Mending.FIX_UNUSED:
        facts.append("--fix --unused mends it")
    heading = Text.assemble((view["kind"], "cyan"), " ", (view["name"], "bold"))
    about = Text.assemble(
        view["text"],
        "\n",
        (view["hint"], "green"),
        *([(f"\n{'; '.join(facts)}", "dim")] if facts else []),
    )
    return Group(heading, Padding(about, (0, 0, 0, 2), expand=False))


def _mendable(found: list[dict[str, Any]], *, unused: bool) -> list[dict[str, Any]]:
    wanted = {Mending.FIX, Mending.FIX_UNUSED} if unused else {Mending.FIX}
    return [each for each in found if each["mending"] in wanted]


def _agreed(wanted: list[dict[str, Any]]) -> bool:
    """Show what would be done, and ask."""
    render.show("")
    render.show(
        views.listing(
            ("What", "Name", "To be done"),
            ((each["kind"], each["name"], each["mends"]) for each in wanted),
        )
    )
    return typer.confirm(f"Do {'this' if len(wanted) == 1 else f'these {len(wanted)}'}?")
