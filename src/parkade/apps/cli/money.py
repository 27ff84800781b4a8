"""The commands on money: cost, prices, budget."""

from typing import Annotated

import typer

from parkade.adapters.system.clock import SystemClock
from parkade.apps.cli import clouds, moneyviews, options, render
from parkade.apps.cli.client import Refused
from parkade.apps.cli.session import connect
from parkade.domain import names
from parkade.domain.budget import Per, WhenSpent
from parkade.services.costs import By

prices_app = typer.Typer(
    help="What instances cost an hour: list it, fetch AWS's prices.",
    invoke_without_command=True,
    rich_markup_mode="rich",
)
budget_app = typer.Typer(
    help="What owners may spend: set, ls, rm.", no_args_is_help=True, rich_markup_mode="rich"
)

Owner = Annotated[
    str,
    typer.Argument(
        metavar="OWNER",
        help="Who buys leases.",
        callback=lambda text: names.owner_name(text, field="OWNER"),
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TYPE]...", help="Instance types; else all that have a price."),
]


def cost(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Only this endpoint.")
    ] = None,
    *,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="Only this owner.")] = None,
    since: Annotated[
        str,
        typer.Option(metavar="SPAN", help="How far back: 90m, 12h or 7d; or an instant."),
    ] = "7d",
    by: Annotated[By, typer.Option(help="What is added up.")] = By.ENDPOINT,
    as_csv: Annotated[bool, options.flag("--csv", help="Print CSV.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show what endpoints cost, used and idle, and what was saved by not being always on.

    [dim]Examples:[/dim]
    parkade cost --since 30d --by owner
    parkade cost text --by day --csv > text.csv
    """
    asked = {"endpoint": endpoint, "owner": owner, "since": since, "by": by.value}
    with connect() as client:
        if as_csv:
            headers = {"Accept": "text/csv"}
            with client.lines("cost", headers=headers, format="csv", **asked) as lines:
                for line in lines:
                    render.line(line)
            return
        bill = client.get("cost", **asked)
    if as_json:
        render.machine(bill)
    elif bill["lines"]:
        render.show(moneyviews.Bill(bill))
    else:
        render.note(f"Nothing ran since {moneyviews.since(bill)}.")
    if bill["problem"] and not as_json:
        render.note(f"The last seconds are missing: {bill['problem']}")


@prices_app.callback()
def prices(context: typer.Context) -> None:
    """List what instances cost an hour, or fetch AWS's prices.

    [dim]Examples:[/dim]
    parkade prices ls ml.g5.xlarge ml.g5.12xlarge
    parkade prices update --region eu-central-1
    """
    if context.invoked_subcommand is None:
        list_prices()


@prices_app.command("ls")
def list_prices(types: Types = None, *, as_json: options.Json = False) -> None:
    """List prices, with where they are from and as of when.

    [dim]Example:[/dim] parkade prices ls ml.g5.xlarge
    """
    with connect() as client:
        listing = client.get("prices", type=types or None)
    if as_json:
        render.machine(listing)
        return
    if listing["prices"]:
        render.show(moneyviews.prices(listing))
    else:
        render.note(f"No price of {listing['region']} is known; see: parkade prices update")
    if listing["problem"]:
        render.note(f"The list that was fetched is passed over: {listing['problem']}")


@prices_app.command("update")
def update_prices(
    *,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="REGION", help="An AWS region; else the server's.", show_default=False
        ),
    ] = None,
) -> None:
    """Fetch prices from AWS, with the credentials of this shell.

    [dim]Example:[/dim] AWS_PROFILE=work parkade prices update
    """
    # AWS's client takes a while to load; other commands need not wait for it.
    from parkade.adapters.aws.prices import AwsPriceOffice  # noqa: PLC0415

    office = AwsPriceOffice(profile=clouds.chosen().profile)
    with connect() as client:
        before = client.get("prices")
        wanted = region or before["region"]
        with render.working(f"asking {office.name} for {wanted}"):
            found = office.hosting(wanted)
        today = SystemClock().now().date()
        body = {
            "dated": today.isoformat(),
            "origin": f"{office.name}, {wanted}, on demand, hosting, fetched {today}",
            "prices": {name: str(hourly) for name, hourly in sorted(found.items())},
        }
        client.put("prices", wanted, body=body)
    changed = ""
    if wanted == before["region"]:
        known = {each["instance_type"]: each["usd_per_hour"] for each in before["prices"]}
        changed = f", {moneyviews.differing(known, found)} of them new or changed"
    render.say(f"{len(found)} prices of {wanted} as of {today}{changed}")


@budget_app.command("set")
def set_budget(
    owner: Owner,
    usd: Annotated[float, typer.Argument(metavar="USD", min=0, help="US dollars in each period.")],
    *,
    per: Annotated[Per, typer.Option(help="The period; weeks begin on Monday.")] = Per.WEEK,
    then: Annotated[
        WhenSpent,
        typer.Option(
            help="When it is used up: tell the owner; grant no new time; or end leases as well."
        ),
    ] = WhenSpent.REFUSE,
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Where days begin, such as Europe/Berlin.")
    ] = "UTC",
) -> None:
    """Set what an owner may spend. It counts at once.

    [dim]Example:[/dim] parkade budget set ann 50 --per week --then stop
    """
    body = {"usd": str(usd), "per": per.value, "then": then.value, "zone": zone}
    with connect() as client:
        standing = client.put("budgets", owner, body=body)
    render.say(moneyviews.standing(standing))


@budget_app.command("ls")
def list_budgets(*, as_json: options.Json = False) -> None:
    """List budgets: what is spent, reserved and left of each.

    [dim]Example:[/dim] parkade budget ls
    """
    with connect() as client:
        listing = client.get("budgets")
    if as_json:
        render.machine(listing)
        return
    if listing["budgets"]:
        render.show(moneyviews.Budgets(listing["budgets"]))
    elif not listing["unreadable"]:
        render.note("Nobody has a budget; set one with: parkade budget set OWNER 50 --per week")
    for owner, why in listing["unreadable"].items():
        render.note(f"{owner} gets no new time: {why}; set it anew: parkade budget set {owner} USD")


@budget_app.command("rm")
def remove_budget(owner: Owner) -> None:
    """Remove an owner's budget.

    [dim]Example:[/dim] parkade budget rm ann
    """
    with connect() as client:
        client.delete("budgets", owner)
        try:
            standing = client.get("budgets", owner)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            render.say(f"{owner}: may spend without limit")
        else:
            render.say(f"{owner}: back to everybody's; {moneyviews.standing(standing)}")
