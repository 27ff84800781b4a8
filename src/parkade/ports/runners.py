"""Runs of testers, away from whoever asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json
    from parkade.domain.tester.course import Course
    from parkade.domain.tester.measures import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be asked, as Parkade's own."""

    path: str
    headers: Mapping[str, str]
    #: The text of its cases; see `domain.cases`.
    cases: str
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it."""

    passed: bool
    summary: str
    #: `Report.written`.
    report: Mapping[str, Json]
    measures: Sequence[Measure]


class Runner(Protocol):
    """Carries runs out, each apart from the others and from whoever waits for it."""

    async def run(self, job: Job) -> Done:
        """Return what came of the run once it is over.

        Raises Unavailable where it could not be carried out. Cancelled, it leaves nothing running.
        """
        ...
