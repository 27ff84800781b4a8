"""The steps that carry changes out: what is wanted first, then what goes, the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.project.application import Step
from parkade.domain.project.difference import Verb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.domain.project.difference import Change


def steps_of(changes: Iterable[Change]) -> tuple[Step, ...]:
    """Return the steps in their order: old models go after the endpoints use the new ones."""
    making: list[Step] = []
    going: list[Step] = []
    for change in changes:
        if change.verb is Verb.REMOVE:
            going.append(_step(change, Verb.REMOVE, change.name))
            continue
        making.append(_step(change, change.verb, change.name))
        going += [_step(change, Verb.REMOVE, former) for former in change.formers]
    return (
        *sorted(making, key=lambda step: step.kind.order),
        *sorted(going, key=lambda step: -step.kind.order),
    )


def _step(change: Change, verb: Verb, name: str) -> Step:
    return Step(verb=verb, kind=change.kind, name=name, key=change.key)
