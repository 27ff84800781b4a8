"""Looks at what is there, through the keepers, and has it compared with what is wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.project import comparing
from parkade.domain.project.comparing import Leftover, Sight
from parkade.domain.project.difference import Difference, Problem
from parkade.domain.project.project import Project
from parkade.domain.project.secrets import secret_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.project.part import Part, Ref
    from parkade.domain.project.record import Made, Record
    from parkade.services.projects.desk import Desk


class Planning:
    """Reads, and changes nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def difference(self, project: Project, record: Record | None, *, adopt: bool) -> Difference:
        """Return what makes the project out of what is there.

        What cannot be seen or can never be made is a problem, and nothing is said of its changes.
        """
        owners = self._desk.store.owners()
        sights: list[Sight] = []
        problems = _namesakes(project, record)
        for part in project.parts:
            try:
                sights.append(self._sight(part, project, record, owners))
            except ParkadeError as error:
                problems.append(_problem(error, part.ref))
        leftovers: list[Leftover] = []
        wanted = {part.ref for part in project.parts}
        for made in record.made if record else ():
            if made.ref not in wanted:
                try:
                    leftovers.append(self._leftover(made, project))
                except ParkadeError as error:
                    problems.append(_problem(error, made.ref))
        documents = [project.document]
        if record is not None:
            former = (record.wanted, record.applied, record.former)
            documents += [each.document for each in former if each is not None]
        found = comparing.compare(
            project, sights, leftovers, adopt=adopt, secrets=secret_members(*documents)
        )
        return replace(found, problems=(*problems, *found.problems))

    def removal(self, record: Record) -> Difference:
        """Return what destroying the project removes. Raises what the keepers raise.

        All of it, or nothing: what cannot be seen is not forgotten.
        """
        project = record.wanted or record.applied or _nothing(record)
        return comparing.remove(
            record.prefix, [self._leftover(made, project) for made in record.made]
        )

    def _sight(
        self, part: Part, project: Project, record: Record | None, owners: Mapping[Ref, str]
    ) -> Sight:
        keeper = self._desk.keepers.of(part.kind)
        keeper.check(part, project)
        found = keeper.found(part.name)
        settled = keeper.settled(part, found)
        owner = owners.get(part.ref, "")
        return Sight(
            part=part,
            found=found,
            settled=settled,
            hourly_before=None if found is None else keeper.hourly(found, project),
            hourly_after=keeper.hourly(settled, project),
            instances=keeper.instances(settled),
            made=record.find(part.ref) if record else None,
            other=owner if owner != project.prefix else "",
        )

    def _leftover(self, made: Made, project: Project) -> Leftover:
        keeper = self._desk.keepers.of(made.ref.kind)
        found = keeper.found(made.ref.name)
        if found is None:
            return Leftover(made=made, found=None, hourly=None)
        return Leftover(
            made=made,
            found=found,
            hourly=keeper.hourly(found, project),
            stays=tuple(keeper.stays(found)),
        )


def _namesakes(project: Project, record: Record | None) -> list[Problem]:
    """Return why it cannot be applied over another project whose names begin the same."""
    if record is None or (record.name, record.stage) == (project.name, project.stage):
        return []
    at = f" at stage {record.stage}" if record.stage else ""
    problem = Problem(
        message=f"the names of project {record.name}{at} begin with {record.prefix} as well",
        hint="give this project or its stage another name; or destroy that one",
    )
    return [problem]


def _nothing(record: Record) -> Project:
    return Project(name=record.name, stage=record.stage)


def _problem(error: ParkadeError, ref: Ref) -> Problem:
    return Problem(
        message=error.message,
        hint=error.hint,
        kind=ref.kind,
        name=ref.name,
        field=error.field if isinstance(error, InvalidInput) else "",
    )
