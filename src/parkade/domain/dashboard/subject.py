"""What of a project is watched by its dashboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One endpoint of the project."""

    name: str
    #: All its variants, shadows too.
    variants: tuple[str, ...]
    asynchronous: bool = False
    #: Those of the variants that hold many models.
    multi_model: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One project, by the names that its parts have where they are."""

    prefix: str
    #: The project and the stage by themselves, which is what testers measure by.
    project: str
    stage: str = ""
    #: Paths.
    routes: tuple[str, ...] = ()
    endpoints: tuple[Watched, ...] = ()
    alarms: tuple[str, ...] = ()
    #: What the tester calls: `Route`, `Endpoint`; empty: there is none.
    tested: str = ""
    #: Owners of budgets that the project sets.
    owners: tuple[str, ...] = ()
