"""`deployer`: the steps of a deployment, each a state of `deployer.asl.json`.

    first     {"order": the input of the execution, "execution": its name}
    then      {"deployment": ID, "step": what the state is called, "turn": how many there were}
    answered  {"deployment", "following", "over", "waits", "until", "turn", ...}

What is next is decided by what is stored: a state whose step is done already does nothing, and one
that was begun before is done again, which is harmless. An execution that broke off is gone on with by
another, whose input is {"resume": ID}.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from parkade.apps.lambdas.start import Function
from parkade.domain.deploy import payload
from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import InvalidInput
from parkade.domain.event import written
from parkade.domain.standing import told_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.deploy.order import Order
    from parkade.ports.clock import Clock

#: Who deploys by an execution that names nobody.
ACTOR = "deployer"
RESUME = "resume"
#: Pauses by the number of turns that there were: what takes long is looked at less often, so that a
#: day of waiting fits into an execution's history.
_PAUSES = ((60, timedelta(seconds=5)), (240, timedelta(seconds=20)))
_LONGEST_PAUSE = timedelta(minutes=1)
#: Kept of a function's time: a step is begun with more alone.
_RESERVE = timedelta(seconds=20)


class Deployments(Protocol):
    """Takes orders, and knows what became of them."""

    def begin(self, order: Order, actor: str, *, key: str | None = None) -> Deployment:
        """Store a new deployment; with a key, the one that was begun with it."""
        ...

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment. Raises DeploymentNotFound."""
        ...

    def resume(self, deployment_id: str, actor: str) -> Deployment:
        """Go on without the pause after a temporary error. Raises Conflict where it is over."""
        ...


class Advancing(Protocol):
    """Does one thing for a deployment."""

    def advance(self, deployment_id: str) -> datetime | None:
        """Do it; return when to come again, None where it is over."""
        ...


class Steps:
    """Answers one state."""

    def __init__(self, deployments: Deployments, walk: Advancing, clock: Clock) -> None:
        self._deployments = deployments
        self._walk = walk
        self._clock = clock

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Begin, or do a step. Raises what refuses the order."""
        if "deployment" in event:
            return self._step(
                str(event["deployment"]), str(event["step"]), int(event["turn"]) + 1, call
            )
        begun = self._begin(event["order"], str(event["execution"]))
        return self._told(begun, self._clock.now(), 0)

    def _begin(self, given: object, execution: str) -> Deployment:
        if isinstance(given, dict) and RESUME in given:
            if others := sorted(given.keys() - {RESUME}):
                raise InvalidInput(
                    f"{others[0]} stands beside {RESUME}, which goes on with an order as it is",
                    field=others[0],
                    hint=f'give {{"{RESUME}": ID}} alone',
                )
            held = self._deployments.get(str(given[RESUME]))
            return held if held.over else self._deployments.resume(held.id, ACTOR)
        return self._deployments.begin(payload.read(given), ACTOR, key=execution)

    def _step(self, deployment_id: str, step: str, turn: int, call: Call) -> dict[str, Any]:
        """Do what there is to do of the step, as far as time allows."""
        advanced = False
        while True:
            deployment, now = self._deployments.get(deployment_id), self._clock.now()
            if deployment.over or deployment.following != step or call.left() < _RESERVE:
                return self._told(deployment, now, turn, tells=advanced)
            until, advanced = self._walk.advance(deployment_id), True
            if until is not None and until > self._clock.now():
                return self._told(self._deployments.get(deployment_id), until, turn)

    def _told(
        self, deployment: Deployment, until: datetime, turn: int, *, tells: bool = False
    ) -> dict[str, Any]:
        """Say how it stands, and when to come again; `tells`: it is this call that ended it."""
        now = self._clock.now()
        told: dict[str, Any] = {
            "deployment": deployment.id,
            "endpointName": deployment.endpoint_name,
            "endpointConfigName": deployment.config_name,
            "status": deployment.status,
            "over": deployment.over,
            "waits": not deployment.over and until > now,
            "following": deployment.following or "",
            "turn": turn,
        }
        if deployment.over:
            why, steps = _why(deployment), _steps(deployment)
            return {**told, "reason": why, "steps": steps, "tells": tells}
        if told["waits"]:
            # That is the latest: in a process, whatever changes has it looked at sooner.
            told["until"] = written(told_at(min(until, now + _pause(turn))))
        return told


def _pause(turn: int) -> timedelta:
    return next((pause for turns, pause in _PAUSES if turn < turns), _LONGEST_PAUSE)


def _why(deployment: Deployment) -> str:
    if deployment.status is Status.SUCCEEDED:
        return f"{deployment.config_name} serves"
    return f"deployment {deployment.id} of {deployment.endpoint_name} {deployment.status}: " + (
        deployment.reason or "no reason given"
    )


def _steps(deployment: Deployment) -> list[dict[str, Any]]:
    return [
        {"step": step.kind, "outcome": step.outcome, "text": step.text} for step in deployment.steps
    ]


def _build(settings: FunctionSettings) -> Steps:
    from parkade.apps.lambdas.deploying import steps  # noqa: PLC0415  at the first call

    return steps(settings)


handler = Function(_build)
