"""Serving projects: shown as a difference, applied part by part, resumable; destroyed, forgotten.

An application is a stored record; what carries it out is a task that can end at any moment, with its
process, and that the next process begins again. Of one project one application is running.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    ApplicationNotFound,
    Conflict,
    InUse,
    InvalidInput,
    ParkadeError,
    ProjectNotFound,
    Unreadable,
)
from parkade.domain.project.application import Application, Purpose, Status
from parkade.domain.project.part import Part
from parkade.domain.project.record import Record
from parkade.services.contention import contended
from parkade.services.keys import identifier
from parkade.services.projects import ending, events
from parkade.services.projects.keeper import Condition
from parkade.services.projects.planning import Planning
from parkade.services.projects.steps import steps_of
from parkade.services.projects.walk import Walk
from parkade.services.runners import Runners

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from parkade.domain.project.difference import Difference
    from parkade.domain.project.project import Project
    from parkade.ports.catalog import Listing
    from parkade.services.projects.desk import Desk

logger = logging.getLogger(__name__)


class Projects:
    """Plans projects, and applies them in the background. For one event loop."""

    def __init__(
        self,
        desk: Desk,
        *,
        spawn: Callable[[Coroutine[object, object, object]], None],
        changed: Callable[[], None],
    ) -> None:
        """Take what it works with; `spawn` runs a task, `changed` is called after every write."""
        self._desk = desk
        self._planning = Planning(desk)
        self._changed = changed
        self._runners = Runners(
            Walk(desk).advance,
            noun="application",
            gone=ApplicationNotFound,
            clock=desk.clock,
            spawn=spawn,
            changed=changed,
        )

    def plan(self, project: Project, actor: str, *, adopt: bool = False) -> Difference:
        """Return what applying the project would do, and what is wrong with it; changes nothing.

        What is there and was not made by this project is a problem, unless it is adopted. Raises
        Unreadable where the project's record is damaged.
        """
        del actor  # whoever may see the project sees all of the difference
        return self._planning.difference(project, self._known(project.prefix), adopt=adopt)

    def apply(
        self,
        project: Project,
        actor: str,
        *,
        plan_id: str | None = None,
        adopt: bool = False,
        key: str | None = None,
    ) -> Application:
        """Begin to make what is there what the project says; returns at once.

        Where nothing differs, the application that is returned is over already. A `key` (of the
        actor) makes a request that is repeated count once: its application is returned, however it
        stands.

        Raises Conflict where the changes are no longer those of `plan_id`, InUse where an
        application of the project is running, and InvalidInput or Conflict for the problems that
        the plan would show.
        """
        return self._begin(project, actor, Purpose.APPLY, plan_id=plan_id, adopt=adopt, key=key)

    def roll_back(self, prefix: str, actor: str, *, key: str | None = None) -> Application:
        """Begin to apply the document before: the last that stood and is not wanted now.

        Raises ProjectNotFound, Conflict where there is none, and what `apply` raises.
        """
        if key is not None and (made := self._repeated(identifier(actor, key))) is not None:
            if (made.prefix, made.purpose) != (prefix, Purpose.ROLL_BACK):
                raise _used(made)
            return made
        record = self.get(prefix)
        if record.before is None:
            raise Conflict(
                f"project {prefix} has no document before this one",
                hint="roll back once a second document was applied; or destroy the project",
            )
        return self._begin(record.before, actor, Purpose.ROLL_BACK, key=key)

    def destroy_plan(self, prefix: str) -> Difference:
        """Return what destroying the project would remove, and what stays; changes nothing.

        Raises ProjectNotFound or Unreadable.
        """
        return self._planning.removal(self.get(prefix))

    def destroy(
        self, prefix: str, actor: str, *, plan_id: str | None = None, key: str | None = None
    ) -> Application:
        """Begin to remove all that the project made, and only that, and to forget it.

        Returns at once. Raises ProjectNotFound, InUse, and Conflict as `apply` does.
        """
        request = identifier(actor, key)
        if key is not None and (made := self._repeated(request)) is not None:
            if (made.prefix, made.purpose) != (prefix, Purpose.DESTROY):
                raise _used(made)
            return made
        self._require_alone(prefix)
        record = self.get(prefix)
        difference = self._planning.removal(record)
        _require_unchanged(difference, plan_id)
        now = self._desk.now()
        application = Application(
            id=request,
            prefix=prefix,
            purpose=Purpose.DESTROY,
            actor=actor,
            project=None,
            plan_id=difference.plan_id,
            steps=steps_of(difference.changes),
            status=Status.RUNNING,
            begun_at=now,
            stays=difference.stays,
        )
        return self._store(application, replace(record, wanted=None, application=request))

    def get(self, prefix: str) -> Record:
        """Return what is remembered of the project. Raises ProjectNotFound or Unreadable."""
        return self._desk.store.get(prefix)

    def all(self) -> Listing[Record]:
        """Return all projects by their prefix, unreadable ones apart."""
        return self._desk.store.all()

    def application(self, application_id: str) -> Application:
        """Return the application. Raises ApplicationNotFound or Unreadable."""
        return self._desk.store.application(application_id)

    def applications(self, prefix: str | None = None) -> Listing[Application]:
        """Return the applications, oldest first: all, or a project's, one that is forgotten too."""
        return self._desk.store.applications(prefix)

    def conditions(self, prefix: str) -> list[tuple[Part, Condition]]:
        """Tell how each part of the project stands, in the order in which they are made.

        Those too that it made and that are no longer wanted. Raises ProjectNotFound, Unreadable.
        """
        record = self.get(prefix)
        parts = record.wanted.parts if record.wanted else ()
        told = [(part, self._condition(part)) for part in parts]
        wanted = {part.ref for part in parts}
        for made in record.made:
            if made.ref not in wanted:
                left = Part(kind=made.ref.kind, name=made.ref.name, key=made.key, content={})
                why = "it is no longer wanted, and was not removed yet"
                told.append((left, Condition(state="left over", text=why, troubled=True)))
        return sorted(told, key=lambda each: each[0].kind.order)

    @contended
    def cancel(self, application_id: str, actor: str) -> Application | None:
        """Call it off: no further step is begun; what was done stays done.

        Deployments that it began are called off. Asked again, it goes on with that. Raises
        ApplicationNotFound, and Conflict where it is over. One that cannot be read is forgotten,
        None, so that the project can be applied again.
        """
        try:
            application = self.application(application_id)
        except Unreadable as error:
            self._desk.store.remove(
                application_id, events.forgotten(application_id, error, actor, self._desk.now())
            )
            self._changed()
            return None
        if application.cancelled_by:
            return application
        if application.over:
            raise Conflict(
                f"application {application_id} of project {application.prefix} is over "
                f"({application.status}), and cannot be called off",
                hint="what it did is taken back by rolling back",
            )
        called_off = replace(application, cancelled_by=actor)
        event = events.event(
            called_off, "called_off", f"{actor} called it off", self._desk.now(), actor=actor
        )
        stored = self._desk.store.put(called_off, event=event)
        self._runners.carry_out(application_id)
        self._changed()
        return stored

    def start(self) -> None:
        """Go on with every application that is running, as a process does that has just begun."""
        running = self._desk.store.running()
        for application in running.records:
            self._runners.carry_out(application.id)
        for application_id, why in running.unreadable.items():
            logger.error("application %s is not resumed: %s", application_id, why)

    def nudge(self) -> None:
        """Have all applications look again: something has changed."""
        self._runners.nudge()

    def _begin(
        self,
        project: Project,
        actor: str,
        purpose: Purpose,
        *,
        plan_id: str | None = None,
        adopt: bool = False,
        key: str | None = None,
    ) -> Application:
        prefix, request = project.prefix, identifier(actor, key)
        if key is not None and (made := self._repeated(request)) is not None:
            if (made.purpose, made.digest) != (purpose, project.digest):
                raise _used(made)
            return made
        self._require_alone(prefix)
        known = self._known(prefix)
        difference = self._planning.difference(project, known, adopt=adopt)
        _require_unchanged(difference, plan_id)
        _require_sound(difference)
        record = known or Record(
            prefix=prefix, name=project.name, stage=project.stage, wanted=project
        )
        application = Application(
            id=request,
            prefix=prefix,
            purpose=purpose,
            actor=actor,
            project=project,
            digest=project.digest,
            plan_id=difference.plan_id,
            steps=steps_of(difference.changes),
            status=Status.RUNNING,
            begun_at=self._desk.now(),
            stays=difference.stays,
        )
        return self._store(application, replace(record, wanted=project, application=request))

    def _store(self, application: Application, record: Record) -> Application:
        """Store it as begun, or as done where there is nothing to do, and have it carried out."""
        if application.steps or application.project is None:
            text = ending.planned(application)
            event = events.event(application, "begun", text, application.begun_at)
            stored = self._desk.store.put(application, record, event)
            self._runners.carry_out(stored.id)
        else:
            done = replace(application, status=Status.SUCCEEDED, ended_at=application.begun_at)
            stored = self._desk.store.put(replace(done, project=None), ending.settled(record, done))
        self._changed()
        return stored

    def _require_alone(self, prefix: str) -> None:
        """Refuse at once what the store would refuse, before a half-made project is compared."""
        for running in self._desk.store.running().records:
            if running.prefix == prefix:
                raise InUse(
                    f"project {prefix} is being applied by {running.id}, begun by {running.actor}",
                    hint="wait until it is over, or call it off",
                )

    def _known(self, prefix: str) -> Record | None:
        try:
            return self.get(prefix)
        except ProjectNotFound:
            return None

    def _condition(self, part: Part) -> Condition:
        try:
            return self._desk.keepers.of(part.kind).condition(part)
        except ParkadeError as error:
            return Condition(state="unreadable", text=error.message, troubled=True)

    def _repeated(self, application_id: str) -> Application | None:
        """Return the application that an earlier request with the same key made."""
        try:
            return self.application(application_id)
        except ApplicationNotFound:
            return None


def _used(made: Application) -> Conflict:
    return Conflict(
        f"the Idempotency-Key was used for another application, {made.id} of project {made.prefix}",
        hint="use a new key for a new request",
    )


def _require_unchanged(difference: Difference, plan_id: str | None) -> None:
    if plan_id is not None and plan_id != difference.plan_id:
        raise Conflict(
            f"what is there has changed since plan {plan_id} of project {difference.prefix} was "
            f"shown; it would be {difference.plan_id} now",
            hint="look at the difference again, and apply that",
        )


def _require_sound(difference: Difference) -> None:
    if not difference.problems:
        return
    message = "; ".join(problem.message for problem in difference.problems)
    first = difference.problems[0]
    if first.field:
        raise InvalidInput(message, field=first.field, hint=first.hint)
    raise Conflict(message, hint=first.hint)
