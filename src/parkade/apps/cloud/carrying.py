"""Deployments that the deployer's state machine carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.stepfunctions import execution_name
from parkade.domain.errors import Conflict
from parkade.domain.event import written

if TYPE_CHECKING:
    from parkade.adapters.aws.stepfunctions import Machine
    from parkade.ports.clock import Clock


class MachineCarrier:
    """Begins an execution for whatever is to be carried out.

    Two executions of one deployment do no harm: each step is stored before the next, and what
    another has stored is not done again.
    """

    def __init__(self, machine: Machine, clock: Clock) -> None:
        self._machine = machine
        self._clock = clock

    def require_able(self) -> None:
        """Raise Conflict where the machine is not there."""
        if not self._machine.exists():
            raise Conflict(
                "nothing can be deployed through this API: the Deployer's stack is not there",
                hint="deploy it: parkade cloud deploy DeployerStack; or: parkade --cloud aws deploy",
            )

    def carry_out(self, record_id: str) -> None:
        """Begin an execution that goes on from where the deployment stands."""
        name = execution_name(record_id, written(self._clock.now()))
        self._machine.begin(name, {"resume": record_id})

    def nudge(self) -> None:
        """Do nothing: an execution looks again by itself."""
