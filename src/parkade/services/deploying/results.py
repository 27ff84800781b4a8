"""What an attempt at a step comes to. What makes a deployment fail is raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.deploy.steps import Outcome

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The step is at its end."""

    deployment: Deployment
    text: str
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What it is about to do is to be stored before it does it."""

    deployment: Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Something else has to happen first; it is looked at again when anything has changed."""

    text: str


Result = Ended | Noted | Waits


def skipped(deployment: Deployment, text: str) -> Ended:
    """Return that there was nothing to do."""
    return Ended(deployment=deployment, text=text, outcome=Outcome.SKIPPED)


def undone_in_part(deployment: Deployment, text: str) -> Ended:
    """Return that an undoing step could not do all, which stops no other."""
    return Ended(deployment=deployment, text=text, outcome=Outcome.FAILED)
