"""One attempt at a step of an application: what its keeper is asked, and what that comes to.

Nothing is stored here. What fails the step is raised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain.errors import Conflict
from parkade.domain.project.difference import Verb
from parkade.domain.project.record import Made
from parkade.services.projects.keeper import Errand, Stage

if TYPE_CHECKING:
    from parkade.domain.project.application import Application, Step
    from parkade.domain.project.record import Record
    from parkade.services.projects.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The part is to be written down as the project's before it is made."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The keeper was asked for something: the step as it is now."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The part is not what it is to be yet; it is looked at again when anything has changed."""

    text: str
    #: Whether its keeper sees to it that this has an end.
    endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The part is what it is to be, or gone."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The keeper says that it came to nothing."""

    text: str


Attempt = Claims | Asked | Waits | Done | Failed


def attempt(application: Application, number: int, desk: Desk) -> Attempt:
    """Do the next thing for a step that is under way. Raises what the keeper raises."""
    step = application.steps[number]
    keeper = desk.keepers.of(step.kind)
    errand = Errand(
        id=application.errand_id(number), project=application.prefix, actor=application.actor
    )
    if step.removes:
        if not step.asked:
            keeper.remove(step.name, errand)
            return Asked(step=replace(step, asked=True))
        if keeper.found(step.name) is not None:
            return Waits(text="it is going")
        return Done(text="it is gone")
    part = application.part(step)
    if not step.asked:
        claimed = _claimed(application, step, desk)
        if claimed is not None:
            return Claims(record=claimed)
        keeper.put(part, errand)
        return Asked(step=replace(step, asked=True))
    if application.cancelled_by and not step.called_off:
        keeper.call_off(part, errand)
        return Asked(step=replace(step, called_off=True))
    progress = keeper.progress(part, errand)
    match progress.stage:
        case Stage.UNDER_WAY:
            return Waits(text=progress.text, endless=True)
        case Stage.DONE:
            return Done(text=progress.text)
        case Stage.FAILED:
            return Failed(text=progress.text)


def _claimed(application: Application, step: Step, desk: Desk) -> Record | None:
    """Return the record with the part as made by this application; None: it says so already.

    Raises Conflict where something has come to be of its name since the difference was made.
    """
    record = desk.store.get(application.prefix)
    held = record.find(step.ref)
    if held is not None and held.application == application.id:
        return None
    adopted = step.verb is Verb.CHANGE
    if held is None and not adopted and desk.keepers.of(step.kind).found(step.name) is not None:
        raise Conflict(
            f"it is there by now, and the project {record.prefix} has not made it",
            hint="apply again, to see the difference to what is there now",
        )
    made = Made(ref=step.ref, key=step.key, application=application.id)
    return replace(record, made=record.with_made(made))
