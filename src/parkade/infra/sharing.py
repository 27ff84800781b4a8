"""Parameters by which stacks share names and ARNs.

A stack that reads one takes its value at deployment, so that stacks do not hold on to each other as
exports do; one whose maker is not deployed fails at once, with the parameter's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ssm as ssm

from parkade.apps.cloud.parameters import Shared, parameter_name

if TYPE_CHECKING:
    from parkade.infra.stack import ParkadeStack


def publish(stack: ParkadeStack, shared: Shared | str, value: str) -> None:
    """Write a value for other stacks."""
    name = parameter_name(stack.estate.prefix, shared)
    title = "".join(word.capitalize() for word in shared.replace("/", "-").split("-"))
    ssm.StringParameter(stack, f"Shared{title}", parameter_name=name, string_value=value)


def shared(stack: ParkadeStack, shared: Shared | str) -> str:
    """Return a value that another stack wrote, known once this one is deployed."""
    return ssm.StringParameter.value_for_string_parameter(
        stack, parameter_name(stack.estate.prefix, shared)
    )
