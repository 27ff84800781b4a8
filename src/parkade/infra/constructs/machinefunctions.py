"""Functions that a state machine asks for each of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.cloud.parameters import Shared
from parkade.infra import sharing
from parkade.infra.constructs import duties
from parkade.infra.constructs.functions import Function
from parkade.infra.constructs.machines import Machine

if TYPE_CHECKING:
    from parkade.infra.stack import ParkadeStack


def step_function(
    stack: ParkadeStack, construct_id: str, *, handler: str, about: str, timeout: int
) -> Function:
    """Return a function that decides by what is stored, and stores: notices are told of from there."""
    made = Function(
        stack,
        construct_id,
        handler=handler,
        about=about,
        environment={
            "PARKADE_TABLE": sharing.shared(stack, Shared.TABLE),
            "PARKADE_SWEEP": sharing.shared(stack, Shared.SWEEP_NAME),
        },
        timeout=timeout,
    )
    duties.records(made.grants, sharing.shared(stack, Shared.TABLE_ARN))
    duties.running(made.grants)
    made.grants.functions(sharing.shared(stack, Shared.SWEEP))
    return made


def machine_of(
    stack: ParkadeStack,
    construct_id: str,
    function: Function,
    *,
    definition: str,
    function_variable: str,
    about: str,
    name: str | None = None,
) -> Machine:
    """Return the machine that asks the function, and tells the topic of notices where it fails."""
    topic = sharing.shared(stack, Shared.TOPIC)
    machine = Machine(
        stack,
        construct_id,
        definition=definition,
        about=about,
        substitutions={function_variable: function.arn, "TopicArn": topic},
        name=name,
    )
    machine.grants.functions(function.arn)
    machine.grants.publishing(topic)
    return machine
