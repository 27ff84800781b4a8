"""Which cloud a command is meant for: the server that is found here, or an AWS account."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


class Cloud(StrEnum):
    """Where endpoints run."""

    EMBEDDED = "embedded"
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line says of it."""

    cloud: Cloud = Cloud.EMBEDDED
    region: str | None = None
    profile: str | None = None
    #: The prefix of the project whose stacks are meant, where an account has several.
    stacks: str | None = None


CloudOption = Annotated[
    Cloud,
    typer.Option(
        "--cloud",
        envvar="PARKADE_CLOUD",
        help="Where endpoints run: a Parkade server, or an AWS account with your own credentials.",
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region", metavar="REGION", help="With --cloud aws: the region; else AWS's own settings."
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="With --cloud aws: the profile of AWS's configuration."
    ),
]
StacksOption = Annotated[
    str | None,
    typer.Option(
        "--stacks",
        metavar="PREFIX",
        envvar="PARKADE_STACKS",
        help="With --cloud aws: the project whose Meter is meant, where there are several.",
    ),
]


#: What the command line of this process says.
_CHOICE: ContextVar[Choice] = ContextVar("choice", default=Choice())  # noqa: B039  it is frozen


def choose(choice: Choice) -> None:
    """Take what the command line says."""
    _CHOICE.set(choice)


def chosen() -> Choice:
    """Return what the command line says; outside of one, the embedded cloud."""
    return _CHOICE.get()
