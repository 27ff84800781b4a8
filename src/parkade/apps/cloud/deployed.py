"""What of Parkade is deployed in an account: found by the parameters that the stacks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.aws import parameters
from parkade.apps.cloud.parameters import ROOT, Shared
from parkade.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The stacks of one project, by what they told."""

    #: The project's prefix.
    prefix: str
    told: Mapping[str, str]

    def value(self, shared: Shared) -> str:
        """Return what was told; empty where the stack that tells it is not deployed."""
        return self.told.get(shared, "")


def find(account: Account, prefix: str | None) -> Deployed | None:
    """Return the project whose Meter is meant; None where the account has none in its region.

    Raises NotFound for a prefix that has none, and InvalidInput where there are several and none
    is named.
    """
    if prefix is not None:
        found = Deployed(prefix=prefix, told=dict(_below(account, f"{ROOT}/{prefix}")))
        if not found.value(Shared.TABLE):
            raise NotFound(
                f"project {prefix!r} has no Meter in region {account.region}",
                hint="deploy it: parkade cloud deploy; or leave --stacks out",
            )
        return found
    projects: dict[str, dict[str, str]] = {}
    for name, value in _below(account, ROOT):
        project, _, end = name.partition("/")
        projects.setdefault(project, {})[end] = value
    meters = sorted(each for each, told in projects.items() if Shared.TABLE in told)
    if len(meters) > 1:
        raise InvalidInput(
            f"region {account.region} has the Meters of {', '.join(meters)}",
            field="stacks",
            hint=f"say which is meant: --stacks {meters[0]}, or PARKADE_STACKS",
        )
    return Deployed(prefix=meters[0], told=projects[meters[0]]) if meters else None


def _below(account: Account, path: str) -> list[tuple[str, str]]:
    found = parameters.below(account, path)
    return [(name.removeprefix(f"{path}/"), value) for name, value in found]
