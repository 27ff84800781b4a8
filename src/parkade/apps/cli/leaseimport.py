"""`parkade leases import`: takes over leases that another system keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from parkade.apps.cli import clouds, options, render, views
from parkade.apps.cli.client import Refused
from parkade.apps.cli.session import connect
from parkade.domain import names
from parkade.domain.event import written

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.seedimports import BoughtLease, Unusable
    from parkade.apps.cli.client import Client

app = typer.Typer(no_args_is_help=True, help="Take leases over from another system.")

#: Refusals that are no matter of one lease: nothing else would be taken either.
_OF_ALL = frozenset({401, 403})


class Source(StrEnum):
    """Where leases are taken over from."""

    SSM = "ssm"


class Outcome(StrEnum):
    """What became of one lease."""

    ADDED = "added"
    OVER = "added as over"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNUSABLE = "unusable"

    @property
    def taken(self) -> bool:
        """Whether the lease is Parkade's now."""
        return self in {Outcome.ADDED, Outcome.OVER, Outcome.UNCHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one parameter, for people and as JSON."""

    parameter: str
    outcome: Outcome
    reason: str = ""
    endpoint_name: str = ""
    config_name: str = ""
    expires_at: str = ""
    removed: bool = False

    def row(self) -> tuple[str, ...]:
        """Return the row of a table."""
        until = views.instant(self.expires_at) if self.expires_at else ""
        words = [f"{self.outcome}: {self.reason}" if self.reason else str(self.outcome)]
        words += ["parameter removed"] if self.removed else []
        return self.endpoint_name or self.parameter, self.config_name, until, "; ".join(words)


def _prefix(text: str) -> str:
    return "/" + text.strip("/")


@app.command("import")
def take(
    source: Annotated[
        Source, typer.Option("--from", help="ssm: parameters of the original endpoint manager.")
    ],
    prefix: Annotated[
        str,
        typer.Option(metavar="PATH", callback=_prefix, help="The path that the parameters are in."),
    ] = "/sagemaker/endpoint/expiry",
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="AWS region; else AWS's own settings.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Profile of AWS's configuration.")
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who pays; else the token's name.", show_default=False),
    ] = None,
    *,
    remove: Annotated[
        bool,
        options.flag("--remove", help="Remove each parameter whose lease is Parkade's now."),
    ] = False,
    dry_run: Annotated[
        bool, options.flag("--dry-run", help="Change nothing: tell what would become of each.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Take leases over, each with its expiry; one that is over is kept as over.

    It can be repeated: a lease that is known is left as it is.

    [dim]Example:[/dim] parkade leases import --from ssm --dry-run
    """
    # A service description of botocore takes a while to load; other commands need not wait for it.
    from parkade.adapters.aws import seedimports  # noqa: PLC0415
    from parkade.adapters.aws.account import Account  # noqa: PLC0415

    buyer = None if owner is None else names.buyer_name(owner)
    choice = clouds.chosen()
    account = Account(region=region or choice.region, profile=profile or choice.profile)
    with render.working(f"reading the parameters below {prefix}"):
        found = list(seedimports.leases(account, prefix))
    if not found:
        render.note(f"There is no parameter below {prefix} in {account.region} ({source})")
        return
    with connect() as client, render.working("taking leases over") as tell:
        told: list[Told] = []
        for number, each in enumerate(found, 1):
            tell(f"taking leases over: {number} of {len(found)}")
            told.append(_take(client, account, each, buyer, remove=remove, dry_run=dry_run))
    if as_json:
        render.machine([asdict(each) for each in told])
    else:
        render.show(
            views.listing(
                ("Endpoint", "Config", "Expires", "What became of it"),
                [each.row() for each in told],
            )
        )
    if dry_run:
        render.note("Nothing was changed; leave --dry-run out to take them over")
    if not all(each.outcome.taken for each in told):
        raise typer.Exit(1)


def _take(
    client: Client,
    account: Account,
    lease: BoughtLease | Unusable,
    owner: str | None,
    *,
    remove: bool,
    dry_run: bool,
) -> Told:
    from parkade.adapters.aws import seedimports  # noqa: PLC0415

    if isinstance(lease, seedimports.Unusable):
        return Told(parameter=lease.place, outcome=Outcome.UNUSABLE, reason=lease.why)
    outcome, reason = _add(client, lease, owner, dry_run=dry_run)
    removed = False
    if remove and not dry_run and outcome.taken:
        removed = seedimports.forget(account, lease)
        if not removed:
            reason = "its parameter was written meanwhile, and stays; import again"
    return Told(
        parameter=lease.parameter,
        outcome=outcome,
        reason=reason,
        endpoint_name=lease.endpoint_name,
        config_name=lease.config_name,
        expires_at=written(lease.expires_at),
        removed=removed,
    )


def _add(
    client: Client, lease: BoughtLease, owner: str | None, *, dry_run: bool
) -> tuple[Outcome, str]:
    body = options.given(
        config_name=lease.config_name, expires_at=written(lease.expires_at), owner=owner
    )
    try:
        answer = client.put("leases", lease.endpoint_name, body=body, dry_run=dry_run or None)
    except Refused as refusal:
        if refusal.passing or refusal.status in _OF_ALL:
            raise
        if refusal.code == "already_exists":
            return _known(client, lease)
        return Outcome.REFUSED, refusal.message
    # A rehearsal answers with the price of what has time left.
    return (Outcome.OVER if answer.get("ended") else Outcome.ADDED), ""


def _known(client: Client, lease: BoughtLease) -> tuple[Outcome, str]:
    held = client.get("leases", lease.endpoint_name)
    if held["config_name"] != lease.config_name:
        return Outcome.REFUSED, f"it has a lease already, for {held['config_name']}"
    return Outcome.UNCHANGED, f"it has a lease until {views.instant(held['expires_at'])}"
