"""Keeps the testers of projects.

The token that a file names for its tester is for whoever runs it from outside; the server asks as
Parkade's own, and keeps none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import TesterNotFound
from parkade.domain.project.part import Kind
from parkade.domain.tester import order
from parkade.domain.tester.tester import Verdict
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.services.projects.keeper import Errand
    from parkade.services.testers import Testers

_TOKEN = "token"  # noqa: S105  the member's name
_TROUBLED = frozenset({Verdict.FAILED, Verdict.BROKEN})


class TesterKeeper(AtOnce):
    """The keeper of testers."""

    kind = Kind.TESTER

    def __init__(self, testers: Testers) -> None:
        self._testers = testers

    def check(self, part: Part, project: Project) -> None:  # noqa: ARG002  the protocol's
        """Raise InvalidInput for one that cannot be, naming the member."""
        names.endpoint_name(part.name, field="name")
        order.read(_content(part))

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return its content as it is now."""
        try:
            return self._testers.get(name).content
        except TesterNotFound:
            return None

    def settled(
        self,
        part: Part,
        found: Mapping[str, Json] | None,  # noqa: ARG002  nobody else changes a tester
    ) -> Mapping[str, Json]:
        """Return its content with every member."""
        return order.settled(_content(part))

    def put(self, part: Part, errand: Errand) -> None:
        """Set the tester; what is known of its runs stays."""
        self._testers.put(part.name, _content(part), actor=errand.actor)

    def remove(self, name: str, errand: Errand) -> None:
        """Remove it; what is under way is not recorded any more."""
        try:
            self._testers.remove(name, actor=errand.actor)
        except TesterNotFound:
            return  # it is not there, as was asked

    def condition(self, part: Part) -> Condition:
        """Tell how its last run went."""
        try:
            tester = self._testers.get(part.name)
        except TesterNotFound:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        newest = tester.skipped or tester.last
        if newest is None:
            schedule = part.content.get("schedule")
            return Condition(state="ready", text=f"it has not run yet; {schedule or 'on request'}")
        return Condition(
            state=str(newest.verdict),
            text=f"{newest.reason}, at {newest.ended_at:%Y-%m-%d %H:%M} UTC",
            troubled=newest.verdict in _TROUBLED,
        )


def _content(part: Part) -> Mapping[str, Json]:
    return {name: value for name, value in part.content.items() if name != _TOKEN}
