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
from parkade.domain.errors import (
    EndpointBusy,
    InUse,
    ParkadeError,
    Unreadable,
    VersionConflict,
)
from parkade.domain.project import contents
from parkade.domain.project.application import Purpose, Status
from parkade.domain.project.difference import Verb
from parkade.domain.project.record import Made
from parkade.domain.spans import duration
from parkade.services.projects import ending, events
from parkade.services.projects.attempts import (
    Asked,
    Attempt,
    Claims,
    Done,
    Failed,
    Waits,
    attempt,
)

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.project.application import Application, Step
    from parkade.domain.project.record import Record
    from parkade.services.projects.desk import Desk

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
            result = attempt(application, number, self._desk)
        except TEMPORARY as error:
            if application.cancelled_by and not step.asked:
                self._fail(application, number, f"called off; {said(error)}")
                return None
            if isinstance(error, EndpointBusy):
                return self._wait(application, number, Waits(text=error.message))
            return self._retry(application, number, error)
        except ParkadeError as error:
            self._fail(application, number, said(error))
        except Exception as error:
            # A bug must not take control down with it each time that this is resumed.
            logger.exception("application %s: %s", application.id, step.ref)
            text = f"a fault of Parkade's own: {type(error).__name__}: {error}"
            self._fail(application, number, text)
        else:
            return self._take(application, number, result)
        return None

    def _take(self, application: Application, number: int, result: Attempt) -> datetime | None:
        """Store what an attempt came to; None: it may go on, else when to look again."""
        step = application.steps[number]
        match result:
            case Claims(record=record):
                self._claim(application, number, record)
            case Asked(step=asked):
                self._desk.store.put(application.with_step(number, asked))
            case Waits():
                return self._wait(application, number, result)
            case Failed(text=text):
                self._fail(application, number, text)
            case Done(text=text):
                done = replace(step, outcome=Outcome.DONE, text=text)
                made = self._removed if step.removes else self._made
                self._store_step(application, number, done, made(application, step))
        return None

    def _claim(self, application: Application, number: int, record: Record) -> None:
        try:
            self._desk.store.put(application, record)
        except InUse as error:
            # Another project has made a part of this name in the meantime.
            self._fail(application, number, said(error))

    def _made(self, application: Application, step: Step) -> Record:
        """Return the record with what a part was made of."""
        record = self._desk.store.get(application.prefix)
        content = contents.fingerprint(application.part(step).content)
        made = Made(ref=step.ref, key=step.key, application=application.id, content=content)
        return replace(record, made=record.with_made(made))

    def _removed(self, application: Application, step: Step) -> Record:
        """Return the record without a part that is gone."""
        record = self._desk.store.get(application.prefix)
        return replace(record, made=record.without([step.ref]))

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
            if self._desk.keepers.of(step.kind).found(step.name) is not None:
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

    def _wait(self, application: Application, number: int, waits: Waits) -> datetime | None:
        """Store what a step waits for, for as long as it may."""
        step, now, text = application.steps[number], self._desk.now(), waits.text
        begun = step.started_at or now
        if not waits.endless and now >= begun + PATIENCE:
            self._fail(application, number, f"{text}, after {duration(PATIENCE)}")
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
        # What it came to is the record's; of what it was to be, secrets included, no copy stays.
        over = replace(over, project=None)
        text = ending.told(over)
        ending.tell(over, desk)
        event = events.event(over, ending.verb(over), text, now)
        if over.status is Status.SUCCEEDED and over.purpose is Purpose.DESTROY:
            desk.store.close(over, event)
        else:
            desk.store.put(over, record, event)


def said(error: Exception) -> str:
    """Say what is wrong, and what to do about it."""
    if isinstance(error, ParkadeError):
        return f"{error.message}. {error.hint}" if error.hint else error.message
    return str(error)
