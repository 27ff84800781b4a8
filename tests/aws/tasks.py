"""What state machines and methods do in the name of their roles: calls of services, recorded.

A task names an integration: `lambda:invoke`, or a service's operation. What a service refuses has
the name that Step Functions gives it, the service's as Amazon's Java client spells it.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws.integrations import Reply
from tests.aws.machines import TaskFailed
from tests.aws.runtime_api import TooManyRequests
from tests.aws.standins import REGION
from tests.aws.template import Unresolved
from tests.aws.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.aws.machines import Task
    from tests.aws.standins import Standins
    from tests.aws.switchboard import Behind

_SDK = re.compile(r"arn:aws:states:::(?:aws-sdk:)?(?P<service>[a-z0-9-]+):(?P<action>\w+)")
#: Botocore's names of services that Step Functions calls otherwise.
_SERVICES = {"applicationautoscaling": "application-autoscaling", "sfn": "stepfunctions"}
_SERVICES |= {"eventbridge": "events", "sagemakerruntime": "sagemaker-runtime"}
#: How errors call a service; others by their name with a capital.
_CALLED = {"sagemaker": "SageMaker", "sns": "Sns", "cloudwatch": "CloudWatch"}
_CALLED |= {"dynamodb": "DynamoDb", "application-autoscaling": "ApplicationAutoScaling"}
_ENDPOINT = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations)")


class Tasks:
    """Does what roles do."""

    def __init__(self, standins: Standins, behind: Behind) -> None:
        self._standins = standins
        self._behind = behind
        self._clients: dict[tuple[str, str], Any] = {}
        self._making, self._recording = threading.Lock(), threading.Lock()

    def record(
        self, role: str, signing: str, operation: str, parameters: Mapping[str, Any]
    ) -> None:
        """Write a call down, as functions write down theirs."""
        name = role.rsplit("/", 1)[-1]
        line = {"role": role, "signing": signing, "operation": operation, "parameters": parameters}
        text = json.dumps(line, default=str) + "\n"
        with self._recording, (self._standins.calls / f"role-{name}").open("a") as file:
            file.write(text)

    def do(self, task: Task) -> Any:
        """Return a task's result. Raises TaskFailed."""
        role = task.machine.role
        if ":function:" in task.resource:
            return self._function(role, task.resource, task.input)["Payload"]
        if task.resource == "arn:aws:states:::lambda:invoke":
            return self._function(role, task.input["FunctionName"], task.input.get("Payload", {}))
        match = _SDK.fullmatch(task.resource)
        if match is None:
            raise Unresolved(f"{task.resource} is not carried out here")
        service = _SERVICES.get(match["service"], match["service"])
        if service in {"states", "stepfunctions"}:
            operation = match["action"][0].upper() + match["action"][1:]
            given = {name[0].lower() + name[1:]: each for name, each in task.input.items()}
            self.record(role, "states", operation, given)
            return self._behind.execution(operation, given)
        return self._service(role, service, match["action"], task.input)

    def _function(self, role: str, name: str, payload: Any) -> dict[str, Any]:
        self.record(role, "lambda", "Invoke", {"FunctionName": name})
        try:
            answer = self._behind.function(name).invoke(payload)
        except TooManyRequests as error:
            raise TaskFailed("Lambda.TooManyRequestsException", str(error)) from error
        if answer.failed:
            raise TaskFailed(answer.error_type, answer.payload.decode())
        return {"ExecutedVersion": "$LATEST", "Payload": answer.document, "StatusCode": 200}

    def _service(self, role: str, service: str, action: str, given: Mapping[str, Any]) -> Any:
        client = self._client(role, service)
        operation = action[0].upper() + action[1:]
        signing = client.meta.service_model.signing_name
        self.record(role, signing, operation, given)
        try:
            answer = getattr(client, xform_name(operation))(**given)
        except ClientError as error:
            code = error.response["Error"]["Code"].removesuffix("Exception")
            called = _CALLED.get(service, service.capitalize())
            name = f"{called}.{code}Exception"
            raise TaskFailed(name, error.response["Error"]["Message"]) from error
        answer.pop("ResponseMetadata", None)
        return json.loads(json.dumps(answer, default=_plain))

    def _client(self, role: str, service: str) -> Any:
        # Several tasks at once: a client that a second one replaced would never be closed.
        with self._making:
            if (role, service) not in self._clients:
                self._clients[role, service] = self._standins.session(role).client(
                    service,
                    endpoint_url=self._standins.url(service),
                    config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
                )
            return self._clients[role, service]

    def close(self) -> None:
        for each in self._clients.values():
            each.close()

    # -- methods -----------------------------------------------------------------------------

    def call(
        self,
        service: str,
        sub: str,
        role: str,
        verb: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        """Call a service as API Gateway does, with what a method made of its request."""
        if target.startswith("action:") and service == "states":
            given = json.loads(body)
            return self._executions(role, target.removeprefix("action:"), given)
        match = _ENDPOINT.fullmatch(target.partition("?")[0])
        if (service, sub) != ("sagemaker", "runtime") or match is None:
            raise Unresolved(f"methods that call {service} {target} are not carried out here")
        operation = "InvokeEndpoint" if match[2] == "invocations" else "InvokeEndpointAsync"
        self.record(role, "sagemaker", operation, {"EndpointName": match[1]})
        url = self._standins.url("sagemaker-runtime") + target
        request = AWSRequest(method=verb, url=url, data=body, headers=dict(headers))
        credentials = self._standins.session(role).get_credentials()
        SigV4Auth(credentials, "sagemaker", REGION).add_auth(request)
        answer = httpx.request(
            verb, url, content=body, headers=dict(request.headers), timeout=PATIENCE
        )
        pairs = [(name, value) for name, value in answer.headers.items() if name != "date"]
        return Reply(status=answer.status_code, headers=pairs, body=answer.content)

    def _executions(self, role: str, operation: str, given: Mapping[str, Any]) -> Reply:
        kind = [("Content-Type", "application/json")]
        try:
            told = self._behind.execution(operation, given)
        except TaskFailed as error:
            body = json.dumps({"__type": error.error, "message": error.cause})
            return Reply(status=400, headers=kind, body=body.encode())
        # What templates ask in vain is asked for in order to be refused.
        self.record(role, "states", operation, given)
        return Reply(status=200, headers=kind, body=json.dumps(told).encode())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
