"""The steps of a deployment, and which of them is next: pure, by what is stored of the former ones.

Forward: look, config, scaling off, bring up, wait, check, scaling on, settle, tidy, notify. Once a
step has failed, or the deployment was cancelled, those that undo what was begun follow, and the
word about it is the last in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class StepKind(StrEnum):
    """What a deployment does."""

    #: See what there is: the endpoint, its counts, its lease; one that is asleep is woken.
    LOOK = "look"
    #: Make the endpoint config.
    CONFIG = "config"
    #: Suspend the scaling of the variants that run.
    SCALING_OFF = "scaling_off"
    #: Create or update the endpoint: buy its lease, or its time, where it is metered.
    BRING_UP = "bring_up"
    #: Wait until it is in service, or has failed.
    WAIT = "wait"
    #: Make sure that it is the new config that serves.
    CHECK = "check"
    #: Put scaling on for every variant.
    SCALING_ON = "scaling_on"
    #: Tags and sleep, as ordered.
    SETTLE = "settle"
    #: Remove old configs of earlier deployments.
    TIDY = "tidy"
    #: Undo: bring back what served before, or remove what was created.
    ROLL_BACK = "roll_back"
    #: Undo: put the former scaling back.
    SCALING_BACK = "scaling_back"
    #: Undo: remove the endpoint config that was made.
    CLEAN_UP = "clean_up"
    #: Tell how it ended.
    NOTIFY = "notify"


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    #: There was nothing to do.
    SKIPPED = "skipped"
    FAILED = "failed"


FORWARD = (
    StepKind.LOOK,
    StepKind.CONFIG,
    StepKind.SCALING_OFF,
    StepKind.BRING_UP,
    StepKind.WAIT,
    StepKind.CHECK,
    StepKind.SCALING_ON,
    StepKind.SETTLE,
    StepKind.TIDY,
    StepKind.NOTIFY,
)
#: What undoes which step, where that was begun, in this order.
BACKWARD = {
    StepKind.ROLL_BACK: StepKind.BRING_UP,
    StepKind.SCALING_BACK: StepKind.SCALING_OFF,
    StepKind.CLEAN_UP: StepKind.CONFIG,
}
#: From here on the new config is what serves, for good, whatever becomes of them.
_SETTLED = frozenset({StepKind.TIDY, StepKind.NOTIFY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A temporary error that a step met, and how long it then paused."""

    at: datetime
    error: str
    pause: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that was begun. Without an outcome it is under way, or was when control went."""

    kind: StepKind
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    #: What came of it, or what it waits for, for people.
    text: str = ""
    retries: tuple[Retry, ...] = ()


def following(steps: Sequence[Step]) -> StepKind | None:
    """Return the step to begin, or to take up again; None: all is done."""
    if steps and steps[-1].outcome is None:
        return steps[-1].kind
    return next(iter(coming(steps)), None)


def coming(steps: Sequence[Step]) -> tuple[StepKind, ...]:
    """Return the steps that follow those that were begun, unless one fails."""
    begun = {step.kind for step in steps}
    if failed(steps) is None:
        return tuple(kind for kind in FORWARD if kind not in begun)
    undoing = (kind for kind, undone in BACKWARD.items() if undone in begun)
    return tuple(kind for kind in (*undoing, StepKind.NOTIFY) if kind not in begun)


def failed(steps: Sequence[Step]) -> Step | None:
    """Return the step that made it fail, if one did."""
    harmless = BACKWARD.keys() | _SETTLED
    fatal = (step for step in steps if step.outcome is Outcome.FAILED)
    return next((step for step in fatal if step.kind not in harmless), None)


def stoppable(steps: Sequence[Step]) -> bool:
    """Tell whether it can still be called off: nothing has failed, and the end is not near."""
    return failed(steps) is None and following(steps) not in {None, *_SETTLED}
