"""The forms of executions: Step Functions' own, as the seed's API passes them through."""

import json
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from parkade.apps.api.schemas.form import Form, View

if TYPE_CHECKING:
    from parkade.ports.executions import Execution


#: Answers are spelt as Step Functions spells them.
_STEP_FUNCTIONS = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class ExecutionForm(Form):
    """An invocation to be carried out in the background."""

    endpointname: str = Field(examples=["demo-Falcon40B-Endpoint"])
    body: JsonValue = Field(
        description="What the endpoint gets: a text as it is, anything else as JSON.",
        examples=[{"inputs": "Write a haiku"}],
    )

    def text(self) -> str:
        """Return the body that the endpoint gets."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


class DescribeForm(Form):
    """Asks how an execution went."""

    model_config = ConfigDict(alias_generator=to_camel)

    execution_arn: str


class StartedView(View):
    """An execution that was begun. Instants are seconds since 1970."""

    model_config = _STEP_FUNCTIONS

    execution_arn: str
    start_date: float

    @classmethod
    def of(cls, execution: "Execution") -> "StartedView":
        """Write an execution that has just begun."""
        return cls(execution_arn=execution.arn, start_date=execution.started_at.timestamp())


class ExecutionView(View):
    """How an execution went; `output` only where it succeeded, `error` and `cause` where not."""

    model_config = _STEP_FUNCTIONS

    execution_arn: str
    status: str = Field(
        description="RUNNING, SUCCEEDED, FAILED or TIMED_OUT.", examples=["SUCCEEDED"]
    )
    start_date: float
    stop_date: float | None = None
    input: str = Field(description="What it was started with, as a JSON text.")
    output: str | None = Field(
        None,
        description="The endpoint's answer, inside a JSON text.",
        examples=['{"Body": "[{\\"generated_text\\": \\"...\\"}]"}'],
    )
    error: str | None = None
    cause: str | None = None

    @classmethod
    def of(cls, execution: "Execution") -> "ExecutionView":
        """Write an execution as Step Functions describes one."""
        given = {"endpointname": execution.endpoint_name, "body": execution.body}
        stopped = execution.stopped_at
        return cls(
            execution_arn=execution.arn,
            status=execution.status,
            start_date=execution.started_at.timestamp(),
            stop_date=stopped.timestamp() if stopped else None,
            input=json.dumps(given),
            output=execution.output or None,
            error=execution.error or None,
            cause=execution.cause or None,
        )
