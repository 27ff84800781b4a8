"""How an application ends: what is remembered of its project, and who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.actions import NoticeKind
from parkade.domain.project import contents
from parkade.domain.project.application import Application, Purpose, Status
from parkade.domain.project.difference import Verb
from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.project.part import Part
    from parkade.domain.project.record import Made, Record
    from parkade.services.projects.desk import Desk

_KIND = f"notice.{NoticeKind.PROJECT}"


def settled(record: Record, application: Application) -> Record:
    """Return the project's record after it was wholly applied."""
    project = application.project
    if project is None:
        return record
    parts = {part.ref: part for part in project.parts}
    made = tuple(
        _made(each, parts[each.ref]) if each.ref in parts else each for each in record.made
    )
    former = record.former if record.applied == project else record.applied
    return replace(
        record,
        applied=project,
        former=former,
        made=made,
        applied_by=application.actor,
        applied_at=application.ended_at,
    )


def _made(held: Made, part: Part) -> Made:
    return replace(held, key=part.key, content=contents.fingerprint(part.content))


def ended(application: Application) -> Application:
    """Return an application none of whose steps is under way with how it ends, and why."""
    if application.cancelled_by and (application.remaining or application.failed):
        why = f"{application.cancelled_by} called it off"
        return replace(application, status=Status.CANCELLED, reason=why)
    if application.failed:
        why = "; ".join(f"{step.ref}: {step.text}" for step in application.failed)
        return replace(application, status=Status.FAILED, reason=why)
    return replace(application, status=Status.SUCCEEDED)


def tell(application: Application, desk: Desk) -> None:
    """Tell whoever began it how it ended, unless it was told before control went."""
    text = told(application)
    query = EventQuery(kinds=(_KIND,), since=application.begun_at, limit=100)
    if any(event.reason == text for event in desk.history.latest(query)):
        return
    desk.notices.tell(
        Notice(
            at=desk.now(),
            kind=NoticeKind.PROJECT,
            endpoint_name="",
            owner=application.actor,
            text=text,
            project=application.prefix,
        )
    )


def told(application: Application) -> str:
    """Say how it ended."""
    what = f"application {application.id} of project {application.prefix}"
    if application.status is Status.SUCCEEDED:
        stays = f"; what stays: {', '.join(application.stays)}" if application.stays else ""
        if application.purpose is Purpose.DESTROY:
            return f"{what}: all that it had made is removed{stays}"
        return f"{what} succeeded: {summary(application)}{stays}"
    left = len(application.remaining)
    after = f"; {left} of its steps were not begun" if left else ""
    return f"{what} {application.status}: {application.reason}{after}"


def planned(application: Application) -> str:
    """Say what it is going to do: `2 parts to create, 1 to change`."""
    return _counted(application, {verb: f"to {verb}" for verb in Verb})


def summary(application: Application) -> str:
    """Say what it did: `2 parts created, 1 changed`."""
    return _counted(application, {verb: f"{verb.removesuffix('e')}ed" for verb in Verb})


def _counted(application: Application, words: Mapping[Verb, str]) -> str:
    counted = {verb: sum(step.verb is verb for step in application.steps) for verb in words}
    said = [f"{count} {words[verb]}" for verb, count in counted.items() if count]
    if not said:
        return "nothing differs"
    first, _, word = said[0].partition(" ")
    parts = "part" if first == "1" else "parts"
    return ", ".join([f"{first} {parts} {word}", *said[1:]])


def verb(application: Application) -> str:
    """Return what the event of its end is called."""
    if application.status is not Status.SUCCEEDED:
        return application.status
    return "destroyed" if application.purpose is Purpose.DESTROY else "applied"
