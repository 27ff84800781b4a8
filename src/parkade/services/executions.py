"""Executions: invocations that outlast an API gateway's patience.

Their words are those of Step Functions, which the seed's API passed through. An execution is
stored before it begins and after it ended, so that one that a crash cut short is begun again at
the next start: an invocation may reach the model more than once, an answer is never lost.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import ExecutionNotFound, InvalidInput, TooLarge, Unavailable
from parkade.domain.token import Role
from parkade.ports.executions import Execution, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from parkade.domain.token import Token
    from parkade.ports.clock import Clock
    from parkade.ports.executions import ExecutionStore
    from parkade.ports.invoker import Answer, Invoker

#: As for every invocation.
BODY_LIMIT = 6_291_456
#: How often an execution is begun before it counts as failed.
ATTEMPTS = 3

_ARN = "arn:aws:states:local:000000000000:execution:parkade:"
#: How Step Functions names the errors of the SageMaker runtime.
ERRORS = {
    400: "SageMakerRuntime.ValidationErrorException",
    424: "SageMakerRuntime.ModelErrorException",
    429: "SageMakerRuntime.ModelNotReadyException",
    500: "SageMakerRuntime.InternalFailureException",
    503: "SageMakerRuntime.ServiceUnavailableException",
}
#: From SageMaker's text for an invocation over its time limit.
TIMED_OUT = "invocation timed out"


class Executions:
    """Starts, runs and describes executions. `clock` tells real time."""

    def __init__(self, store: ExecutionStore, invoker: Invoker, *, clock: Clock) -> None:
        self._store = store
        self._invoker = invoker
        self._clock = clock

    def start(self, endpoint_name: str, body: str, *, token_name: str) -> Execution:
        """Store a new execution as RUNNING; `run` is what carries it out."""
        names.endpoint_name(endpoint_name, field="endpointname")
        try:
            size = len(body.encode())
        except UnicodeEncodeError as error:
            raise InvalidInput(f"body is no text: {error}", field="body") from error
        if size > BODY_LIMIT:
            raise TooLarge(f"body has {size} bytes", hint=f"at most {BODY_LIMIT} are carried")
        execution = Execution(
            arn=_ARN + str(uuid.uuid4()),
            token_name=token_name,
            endpoint_name=endpoint_name,
            body=body,
            status=ExecutionStatus.RUNNING,
            started_at=self._clock.now(),
        )
        self._store.put(execution)
        return execution

    def describe(self, arn: str, *, token: Token) -> Execution:
        """Return the execution to whoever started it, and to operators.

        Raises ExecutionNotFound for everybody else, as if there were none.
        """
        execution = self._store.get(arn)
        if execution.token_name != token.name and not token.role.includes(Role.OPERATOR):
            raise ExecutionNotFound(f"there is no execution {arn!r}")
        return execution

    async def run(self, arn: str) -> Execution:
        """Carry the execution out and store its outcome; one that has ended is left as it is.

        A data plane that cannot be reached (it is being restarted) is tried again.
        """
        execution = self._store.get(arn)
        while execution.status is ExecutionStatus.RUNNING:
            execution = replace(execution, attempts=execution.attempts + 1)
            self._store.put(execution)
            execution = await self._attempt(execution)
        return execution

    def unfinished(self) -> Sequence[Execution]:
        """Return what a crash cut short, to be run again; gives up what was begun too often."""
        again = []
        for execution in self._store.running():
            if execution.attempts < ATTEMPTS:
                again.append(execution)
            else:
                self._fail(execution, "States.Runtime", f"begun {execution.attempts} times in vain")
        return again

    def forget(self, older_than: timedelta) -> int:
        """Delete executions that stopped longer ago than that; return how many."""
        return self._store.forget(self._clock.now() - older_than)

    async def _attempt(self, execution: Execution) -> Execution:
        try:
            answer = await self._invoker.invoke(
                execution.endpoint_name, execution.body.encode(), "application/json"
            )
        except Unavailable as error:
            if execution.attempts >= ATTEMPTS:
                return self._fail(execution, ERRORS[503], error.message)
            await self._clock.sleep_until(self._clock.now() + error.retry_after)
            return execution
        except Exception as error:
            # A bug is not hidden, but whoever asks for the outcome shall not wait for ever.
            self._fail(execution, "States.Runtime", f"{type(error).__name__}: {error}")
            raise
        return self._ended(execution, answer)

    def _ended(self, execution: Execution, answer: Answer) -> Execution:
        text = answer.body.decode(errors="replace")
        if not answer.ok:
            timed_out = answer.status == 424 and TIMED_OUT in text
            status = ExecutionStatus.TIMED_OUT if timed_out else ExecutionStatus.FAILED
            error = ERRORS.get(answer.status, f"SageMakerRuntime.{answer.status}")
            return self._fail(execution, error, text, status)
        output = json.dumps({"Body": text, "ContentType": answer.content_type})
        return self._stopped(replace(execution, status=ExecutionStatus.SUCCEEDED, output=output))

    def _fail(
        self,
        execution: Execution,
        error: str,
        cause: str,
        status: ExecutionStatus = ExecutionStatus.FAILED,
    ) -> Execution:
        return self._stopped(replace(execution, status=status, error=error, cause=cause))

    def _stopped(self, execution: Execution) -> Execution:
        stopped = replace(execution, stopped_at=self._clock.now())
        self._store.put(stopped)
        return stopped
