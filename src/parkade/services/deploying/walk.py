"""Takes one deployment from step to step.

A step is stored as begun before anything is done for it, and its outcome before the next is begun;
a step that control went in the middle of is done again, which is harmless. What is temporary is
tried again after a pause; what is not makes the deployment fail, and the steps that undo follow.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.deploy.retries import RETRIES, TEMPORARY
from parkade.domain.deploy.steps import BACKWARD, Outcome, StepKind, stoppable
from parkade.domain.errors import ParkadeError, VersionConflict
from parkade.domain.event import Event, Json
from parkade.domain.spans import duration
from parkade.services.deploying import (
    configs,
    fleets,
    looking,
    scalings,
    settling,
    telling,
    tidying,
    turning,
)
from parkade.services.deploying.results import Ended, Noted, Result, Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.domain.deploy.deployment import Deployment
    from parkade.services.deploying.desk import Desk

logger = logging.getLogger(__name__)


#: What does which step.
_STEPS: Mapping[StepKind, Callable[[Deployment, Desk], Result]] = {
    StepKind.LOOK: looking.look,
    StepKind.CONFIG: configs.make,
    StepKind.SCALING_OFF: scalings.off,
    StepKind.BRING_UP: fleets.bring_up,
    StepKind.WAIT: fleets.wait,
    StepKind.CHECK: fleets.check,
    StepKind.SCALING_ON: scalings.on,
    StepKind.SETTLE: settling.settle,
    StepKind.TIDY: tidying.tidy,
    StepKind.ROLL_BACK: turning.roll_back,
    StepKind.SCALING_BACK: scalings.back,
    StepKind.CLEAN_UP: configs.clean_up,
    StepKind.NOTIFY: telling.notify,
}


class Walk:
    """Carries deployments out. What it knows is what is stored."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def advance(self, deployment_id: str) -> datetime | None:
        """Do one thing for the deployment; return when to come again at the latest.

        That is at once where it may go on, and None where it is over.
        """
        deployment = self._desk.deployments.get(deployment_id)
        kind, now = deployment.following, self._desk.now()
        if deployment.over or kind is None:
            return None
        try:
            if deployment.step is None:
                self._desk.deployments.put(deployment.stepping(kind, now))
                return now
            if deployment.cancelled_by and stoppable(deployment.steps):
                self._fail(deployment, f"{deployment.cancelled_by} called it off")
                return now
            if (until := deployment.paused_until) is not None and now < until:
                return until
            return self._try(deployment, kind)
        except VersionConflict:
            return now  # somebody else has written: it is read again

    def _try(self, deployment: Deployment, kind: StepKind) -> datetime:
        try:
            result = _STEPS[kind](deployment, self._desk)
        except TEMPORARY as error:
            return self._retry(deployment, error)
        except ParkadeError as error:
            self._fail(deployment, _said(error))
        except Exception as error:
            # A bug must not take control down with it each time that this is resumed.
            logger.exception("deployment %s: %s", deployment.id, kind)
            self._fail(deployment, f"a fault of Parkade's own: {type(error).__name__}: {error}")
        else:
            return self._take(deployment, kind, result)
        return self._desk.now()

    def _take(self, deployment: Deployment, kind: StepKind, result: Result) -> datetime:
        now = self._desk.now()
        match result:
            case Noted(deployment=noted):
                self._desk.deployments.put(noted)
                return now
            case Waits(text=text):
                return self._wait(deployment, text)
            case Ended(deployment=ended, text=text, outcome=outcome):
                stepped = ended.stepped(outcome, text, now)
                if kind is StepKind.NOTIFY:
                    status = telling.ending(stepped)
                    stepped = replace(stepped, status=status, ended_at=now)
                    self._store(stepped, f"deployment.{status}", text)
                else:
                    self._store(stepped, "deployment.step", f"{kind}: {text}")
                return now

    def _wait(self, deployment: Deployment, text: str) -> datetime:
        """Store what is waited for, as long as the order allows."""
        step, now = deployment.steps[-1], self._desk.now()
        until = step.started_at + deployment.order.max_wait
        if now >= until:
            limit = duration(deployment.order.max_wait)
            self._fail(deployment, f"{text}, after {limit} (maxWaitMinutes)")
            return now
        if step.text != text:
            self._desk.deployments.put(deployment.waiting(text))
        return until

    def _retry(self, deployment: Deployment, error: Exception) -> datetime:
        step, now = deployment.steps[-1], self._desk.now()
        pause = RETRIES.pause(len(step.retries), error)
        if pause is None:
            self._fail(deployment, f"{_said(error)} (tried {len(step.retries) + 1} times)")
            return now
        retried = deployment.retried(_said(error), pause, now)
        text = f"{step.kind}: {_said(error)}; tried again in {duration(pause)}"
        self._store(retried, "deployment.retried", text)
        return now + pause

    def _fail(self, deployment: Deployment, why: str) -> None:
        """End the step as failed; where it is not one that undoes, that is why the deployment fails."""
        kind, now = deployment.steps[-1].kind, self._desk.now()
        failed = deployment.stepped(Outcome.FAILED, why, now)
        if kind is StepKind.NOTIFY:
            status = telling.ending(failed)
            failed = replace(failed, status=status, ended_at=now)
            self._store(failed, f"deployment.{status}", f"it could not be told of: {why}")
            return
        if kind not in BACKWARD and kind is not StepKind.TIDY:
            failed = replace(failed, reason=f"{kind}: {why}")
        self._store(failed, "deployment.step", f"{kind} failed: {why}")

    def _store(self, deployment: Deployment, kind: str, reason: str) -> None:
        step = deployment.steps[-1]
        data: dict[str, Json] = {
            "deployment": deployment.id,
            "step": step.kind,
            "outcome": step.outcome,
            "status": deployment.status,
            "config_name": deployment.config_name,
        }
        event = Event(
            at=self._desk.now(),
            kind=kind,
            actor=deployment.actor,
            reason=reason,
            endpoint_name=deployment.endpoint_name,
            owner=deployment.owner,
            data=data,
        )
        self._desk.deployments.put(deployment, event)


def _said(error: Exception) -> str:
    if isinstance(error, ParkadeError):
        return f"{error.message}. {error.hint}" if error.hint else error.message
    return str(error)
