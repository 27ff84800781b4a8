"""`parkade token import`: has pass codes of another system accepted here; only hashes are kept."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from parkade.apps import settings
from parkade.apps.cli import clouds, options, render, tokens, views
from parkade.apps.cli.client import Refused
from parkade.apps.cli.session import connect
from parkade.domain.errors import AlreadyExists, InvalidInput
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from parkade.adapters.aws.seedimports import PassCode, Unusable
    from parkade.apps.cli.client import Client
    from parkade.apps.cli.clouds import Choice
    from parkade.services.tokens import Tokens

    #: Has a pass code accepted, by a name that is numbered where it has none of its own. Returns
    #: the token's name, whether it was made now, and whether it is revoked.
    Desk: TypeAlias = Callable[[PassCode, str], tuple[str, bool, bool]]

#: Refusals that are a matter of one pass code.
_OF_ONE = frozenset({400, 409, 422})


class Outcome(StrEnum):
    """What became of one pass code."""

    MADE = "made"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one item, for people and as JSON; never the pass code."""

    item: str
    outcome: Outcome
    name: str = ""
    reason: str = ""

    def row(self) -> tuple[str, str]:
        """Return the row of a table."""
        words = f"{self.outcome}: {self.reason}" if self.reason else str(self.outcome)
        return self.name or self.item, words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rights:
    """What the tokens may do, and for how long."""

    role: Role
    endpoints: tuple[str, ...]
    lifetime: timedelta | None


def take(
    table: Annotated[str, typer.Option(metavar="TABLE", help="DynamoDB table of the pass codes.")],
    role: Annotated[
        Role, typer.Option(help="What they may do; the original's may invoke and extend.")
    ] = Role.OPERATOR,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Endpoint they may invoke; repeatable; else all."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="30d|12h|90m", help="When they expire; else never.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What they are called, with a number: NAME-1; else the table's name.",
            show_default=False,
        ),
    ] = None,
    name_attribute: Annotated[
        str,
        typer.Option(metavar="ATTRIBUTE", help="Attribute of an item that names its token."),
    ] = "",
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="AWS region; else AWS's own settings.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Profile of AWS's configuration.")
    ] = None,
    *,
    as_json: options.Json = False,
    state: options.State = None,
) -> None:
    """Take pass codes over from a table with the attribute `token`; only hashes are stored.

    It can be repeated: a pass code that is known is left as it is.

    [dim]Example:[/dim] parkade token import --table auth --role operator
    """
    # A service description of botocore takes a while to load; other commands need not wait for it.
    from parkade.adapters.aws import seedimports  # noqa: PLC0415
    from parkade.adapters.aws.account import Account  # noqa: PLC0415

    lifetime = options.lifetime(expires) if expires is not None else None
    choice = clouds.chosen()
    account = Account(region=region or choice.region, profile=profile or choice.profile)
    found = list(seedimports.pass_codes(account, table, name_attribute))
    if not found:
        render.note(f"The table {table} in {account.region} has no items")
        return
    rights = _Rights(role=role, endpoints=tuple(endpoint or ()), lifetime=lifetime)
    with _desk(choice, state, rights) as desk:
        told = [_take(desk, each, name or table) for each in found]
    if as_json:
        render.machine([asdict(each) for each in told])
    else:
        render.show(views.listing(("Token", "What became of it"), map(Told.row, told)))
    if any(each.outcome is Outcome.REFUSED for each in told):
        raise typer.Exit(1)


@contextmanager
def _desk(choice: Choice, state: Path | None, rights: _Rights) -> Iterator[Desk]:
    """Give what takes pass codes: of the state folder, or of an account."""
    if choice.cloud is clouds.Cloud.AWS:
        with connect() as client:
            yield partial(_by_api, client, rights)
        return
    paths = settings.state_paths(state)
    with tokens.opened(paths) as local:
        yield partial(_locally, local, rights)
    tokens.nudge(paths)


def _locally(local: Tokens, rights: _Rights, code: PassCode, name: str) -> tuple[str, bool, bool]:
    token, made = local.take_over(
        code.secret,
        name=code.name or name,
        numbered=not code.name,
        role=rights.role,
        endpoints=rights.endpoints,
        lifetime=rights.lifetime,
        actor=tokens.ACTOR,
    )
    return token.name, made, token.revoked_at is not None


def _by_api(client: Client, rights: _Rights, code: PassCode, name: str) -> tuple[str, bool, bool]:
    body = options.given(
        secret=code.secret,
        name=code.name or name,
        numbered=not code.name,
        role=rights.role,
        endpoints=list(rights.endpoints),
        expires_days=rights.lifetime and rights.lifetime / timedelta(days=1),
    )
    token = client.post("tokens", "import", body=body)
    return token["name"], token["made"], token["revoked_at"] is not None


def _take(desk: Desk, code: PassCode | Unusable, name: str) -> Told:
    # Here by its name: the module is loaded by now.
    from parkade.adapters.aws.seedimports import Unusable  # noqa: PLC0415

    if isinstance(code, Unusable):
        return Told(item=code.place, outcome=Outcome.REFUSED, reason=code.why)
    try:
        known, made, revoked = desk(code, name)
    except (AlreadyExists, InvalidInput) as error:
        return Told(item=code.place, outcome=Outcome.REFUSED, reason=error.message)
    except Refused as refusal:
        if refusal.status not in _OF_ONE:
            raise
        return Told(item=code.place, outcome=Outcome.REFUSED, reason=refusal.message)
    outcome = Outcome.MADE if made else Outcome.UNCHANGED
    reason = "it was revoked here, and stays so" if revoked else ""
    return Told(item=code.place, name=known, outcome=outcome, reason=reason)
