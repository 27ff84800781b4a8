"""What a project needs from whoever keeps the parts of one kind: models, endpoints, routes ..."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json
    from parkade.domain.price import Sum
    from parkade.domain.project.part import Kind, Part
    from parkade.domain.project.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """On whose behalf a part is made, changed or removed."""

    #: The same each time that one step of one application is done again.
    id: str
    #: The prefix of the project.
    project: str
    actor: str


class Stage(StrEnum):
    """How far a part has come."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a part has come, for people; of one that failed, why."""

    stage: Stage
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a part stands, as `parkade status` tells it."""

    #: One word: `running`, `asleep`, `expired`, `OK`, `there`, `missing` ...
    state: str
    #: A line for people; empty: the word says it all.
    text: str = ""
    #: Whether somebody should look at it.
    troubled: bool = False


class Keeper(Protocol):
    """Keeps the parts of one kind.

    `put` and `remove` can be done again and again with the same errand: a process that was killed
    anywhere does its last step once more. None of them waits.
    """

    kind: Kind

    def check(self, part: Part, project: Project) -> None:
        """Raise InvalidInput for content that can never be made here. Changes nothing."""
        ...

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return the content as it is now, whoever made it; None: there is none of this name."""
        ...

    def settled(self, part: Part, found: Mapping[str, Json] | None) -> Mapping[str, Json]:
        """Return what `found` would tell once the part is made; equal contents are no difference.

        Defaults are filled in. What is to go on as it is, since scaling or people have changed it
        in the meantime, is taken from `found`.
        """
        ...

    def hourly(self, content: Mapping[str, Json], project: Project) -> Sum:
        """Return what an hour of it costs while it runs; the project's own prices go first."""
        ...

    def instances(self, content: Mapping[str, Json]) -> int:
        """Return how many instances it has at most, as far as its scaling may take it."""
        ...

    def stays(self, content: Mapping[str, Json]) -> Sequence[str]:
        """Return what stays where it is once it is removed, a line for people each."""
        ...

    def put(self, part: Part, errand: Errand) -> None:
        """Make the part, or begin to make it, as its content says, over what is there."""
        ...

    def progress(self, part: Part, errand: Errand) -> Progress:
        """Tell how far that errand's `put` has come."""
        ...

    def call_off(self, part: Part, errand: Errand) -> None:
        """Have that errand's `put` stop where it can be; `progress` tells what becomes of it."""
        ...

    def remove(self, name: str, errand: Errand) -> None:
        """Remove it, or begin to: `found` says when it is gone. One that is not there is no error."""
        ...

    def condition(self, part: Part) -> Condition:
        """Tell how it stands."""
        ...
