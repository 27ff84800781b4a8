"""Takes one application of a project from step to step.

A step is stored as begun, and its part as made by the project, before its keeper is asked; and what
came of it before the next is begun. A step that control went in the middle of is done again with
the same errand, which is harmless. What is temporary is tried again after a pause, visibly; what is
not fails the application: what was done stays done, and applying again goes on from there.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.deploy.retries import RETRIES, TEMPORARY
from parkade.domain.deploy.steps import Outcome
from parkade.domain.errors import Conflict, EndpointBusy, ParkadeError, Unreadable, VersionConflict
from parkade.domain.project import contents
from parkade.domain.project.application import Purpose, Status
from parkade.domain.project.difference import Verb
from parkade.domain.project.record import Made
from parkade.domain.spans import duration
from parkade.services.projects import ending, events
from parkade.services.projects.keeper import Errand, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.project.application import Application, Step
    from parkade.domain.project.record import Record
    from parkade.services.projects.desk import Desk
    from parkade.services.projects.keeper import Keeper

logger = logging.getLogger(__name__)

#: How long what goes may take to be gone, and what is busy to be free.
PATIENCE = timedelta(minutes=60)
#: What is waited for is looked at again so often, should nobody say that anything has changed.
AGAIN = timedelta(seconds=30)


class Walk:
    """Carries applications out. What it knows is what is stored."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def advance(self, application_id: str) -> datetime | None:
        """Do one thing for the application; return when to come again at the latest.

        That is at once where it may go on, and None where it is over.
        """
        desk, now = self._desk, self._desk.now()
        application = desk.store.application(application_id)
        if application.over:
            return None
        try:
            due: list[datetime] = []
            for number in application.open_steps():
                until = self._continue(application, number)
                if until is None:
                    return now
                due.append(until)
            if not application.failed and not application.cancelled_by:
                following = application.following()
                if following is not None:
                    self._begin(application, following)
                    return now
            if due:
                return min(due)
            self._end(application)
        except VersionConflict:
            pass  # somebody else has written: it is read again
        return now

    def _begin(self, application: Application, number: int) -> None:
        """Store that a step is begun."""
        step = replace(application.steps[number], started_at=self._desk.now())
        self._desk.store.put(application.with_step(number, step))

    def _claimed(self, application: Application, step: Step) -> Record | None:
        """Return the record with the part as made by this application; None: it says so already.

        Raises Conflict where something has come to be of its name since the difference was made.
        """
        record = self._desk.store.get(application.prefix)
        held = record.find(step.ref)
        if held is not None and held.application == application.id:
            return None
        adopted = step.verb is Verb.CHANGE
        if held is None and not adopted and self._keeper(step).found(step.name) is not None:
            raise Conflict(
                f"it is there by now, and the project {record.prefix} has not made it",
                hint="apply again, to see the difference to what is there now",
            )
        made = Made(ref=step.ref, key=step.key, application=application.id)
        return replace(record, made=record.with_made(made))

    def _continue(self, application: Application, number: int) -> datetime | None:
        """Do what is to be done for a step under way; None: something was, else when to look."""
        step = application.steps[number]
        until = step.paused_until
        if until is not None and application.cancelled_by and not step.asked:
            self._fail(application, number, f"called off; {step.retries[-1].error}")
            return None
        if until is not None and self._desk.now() < until:
            return until
        try:
            return self._carry_on(application, number)
        except VersionConflict:
            raise
        except EndpointBusy as error:
            return self._wait(application, number, error.message)
        except TEMPORARY as error:
            return self._retry(application, number, error)
        except ParkadeError as error:
            self._fail(application, number, said(error))
        except Exception as error:
            # A bug must not take control down with it each time that this is resumed.
            logger.exception("application %s: %s", application.id, step.ref)
            text = f"a fault of Parkade's own: {type(error).__name__}: {error}"
            self._fail(application, number, text)
        return None

    def _carry_on(self, application: Application, number: int) -> datetime | None:
        step = application.steps[number]
        keeper, errand = self._keeper(step), _errand(application, number)
        if not step.asked:
            if step.removes:
                keeper.remove(step.name, errand)
            elif (claimed := self._claimed(application, step)) is not None:
                self._desk.store.put(application, claimed)
                return None
            else:
                keeper.put(application.part(step), errand)
            self._desk.store.put(application.with_step(number, replace(step, asked=True)))
            return None
        if step.removes:
            if keeper.found(step.name) is None:
                self._removed(application, number)
                return None
            return self._wait(application, number, "it is going")
        part = application.part(step)
        if application.cancelled_by and not step.called_off:
            keeper.call_off(part, errand)
            self._desk.store.put(application.with_step(number, replace(step, called_off=True)))
            return None
        progress = keeper.progress(part, errand)
        if progress.stage is Stage.UNDER_WAY:
            return self._wait(application, number, progress.text, patience=None)
        if progress.stage is Stage.FAILED:
            self._fail(application, number, progress.text)
            return None
        self._made(application, number, progress.text)
        return None

    def _made(self, application: Application, number: int, text: str) -> None:
        """Store that a part is made, with what it was made of."""
        step = application.steps[number]
        record = self._desk.store.get(application.prefix)
        content = contents.fingerprint(application.part(step).content)
        made = Made(ref=step.ref, key=step.key, application=application.id, content=content)
        self._store_step(
            application,
            number,
            replace(step, outcome=Outcome.DONE, text=text),
            replace(record, made=record.with_made(made)),
        )

    def _removed(self, application: Application, number: int) -> None:
        """Store that a part is gone, and no longer the project's."""
        step = application.steps[number]
        record = self._desk.store.get(application.prefix)
        self._store_step(
            application,
            number,
            replace(step, outcome=Outcome.DONE, text="it is gone"),
            replace(record, made=record.without([step.ref])),
        )

    def _fail(self, application: Application, number: int, why: str) -> None:
        """End a step as failed; the application ends when no other step is under way."""
        step = application.steps[number]
        failed = replace(step, outcome=Outcome.FAILED, text=why)
        self._store_step(application, number, failed, self._released(application, step))

    def _released(self, application: Application, step: Step) -> Record | None:
        """Return the record without a part whose making was refused, with nothing there.

        What others make under its name from now on is theirs.
        """
        if step.asked or step.verb not in {Verb.CREATE, Verb.REPLACE}:
            return None
        try:
            record = self._desk.store.get(application.prefix)
            made = record.find(step.ref)
            if made is None or made.content or made.application != application.id:
                return None
            if self._keeper(step).found(step.name) is not None:
                return None
        except ParkadeError as error:
            logger.warning("%s may be half made: %s", step.ref, error.message)
            return None
        return replace(record, made=record.without([step.ref]))

    def _store_step(
        self, application: Application, number: int, step: Step, record: Record | None
    ) -> None:
        now = self._desk.now()
        stored = replace(step, ended_at=now)
        text = f"{step.verb} {step.ref}: {step.text or step.outcome}"
        event = events.event(application, "step", text, now, step=stored)
        self._desk.store.put(application.with_step(number, stored), record, event)

    def _wait(
        self,
        application: Application,
        number: int,
        text: str,
        patience: timedelta | None = PATIENCE,
    ) -> datetime | None:
        """Store what a step waits for, for as long as it may."""
        step, now = application.steps[number], self._desk.now()
        begun = step.started_at or now
        if patience is not None and now >= begun + patience:
            self._fail(application, number, f"{text}, after {duration(patience)}")
            return None
        if step.text != text:
            self._desk.store.put(application.with_step(number, replace(step, text=text)))
            return None
        return now + AGAIN

    def _retry(self, application: Application, number: int, error: Exception) -> datetime | None:
        step, now = application.steps[number], self._desk.now()
        pause = RETRIES.pause(len(step.retries), error)
        if pause is None:
            tried = len(step.retries) + 1
            self._fail(application, number, f"{said(error)} (tried {tried} times)")
            return None
        retried = application.retried(number, said(error), pause, now)
        text = f"{step.verb} {step.ref}: {said(error)}; tried again in {duration(pause)}"
        event = events.event(retried, "retried", text, now, step=retried.steps[number])
        self._desk.store.put(retried, event=event)
        return None

    def _end(self, application: Application) -> None:
        """Store how it ended, told before: a notice that is lost is worse than one told twice."""
        desk, now = self._desk, self._desk.now()
        over = replace(ending.ended(application), ended_at=now)
        record: Record | None = None
        if over.status is Status.SUCCEEDED and over.purpose is not Purpose.DESTROY:
            try:
                record = ending.settled(desk.store.get(over.prefix), over)
            except Unreadable as error:
                over = replace(over, status=Status.FAILED, reason=said(error))
        text = ending.told(over)
        ending.tell(over, desk)
        event = events.event(over, ending.verb(over), text, now)
        if over.status is Status.SUCCEEDED and over.purpose is Purpose.DESTROY:
            desk.store.close(over, event)
        else:
            desk.store.put(over, record, event)

    def _keeper(self, step: Step) -> Keeper:
        return self._desk.keepers.of(step.kind)


def _errand(application: Application, number: int) -> Errand:
    return Errand(
        id=application.errand_id(number), project=application.prefix, actor=application.actor
    )


def said(error: Exception) -> str:
    """Say what is wrong, and what to do about it."""
    if isinstance(error, ParkadeError):
        return f"{error.message}. {error.hint}" if error.hint else error.message
    return str(error)
