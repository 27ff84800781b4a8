"""What keepers have in common whose parts are made at once and run nothing: most are of this kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.price import EMPTY, Sum
from parkade.services.projects.keeper import Errand, Progress, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project


class AtOnce:
    """The half of the keeper protocol that is the same for all parts that are there at once."""

    def hourly(self, content: Mapping[str, Json], project: Project) -> Sum:  # noqa: ARG002  the protocol's
        """Return that it costs nothing by itself."""
        return EMPTY

    def instances(self, content: Mapping[str, Json]) -> int:  # noqa: ARG002  the protocol's
        """Return that it has no instances."""
        return 0

    def stays(self, content: Mapping[str, Json]) -> Sequence[str]:  # noqa: ARG002  the protocol's
        """Return that nothing stays of it."""
        return ()

    def progress(self, part: Part, errand: Errand) -> Progress:  # noqa: ARG002  the protocol's
        """Tell that it is made, since `put` has returned."""
        return Progress(stage=Stage.DONE)

    def call_off(self, part: Part, errand: Errand) -> None:
        """Leave it: it is made already."""
