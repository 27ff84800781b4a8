"""Invocations passed through to the SageMaker runtime, with what their callers steer them by.

What the runtime refuses comes back as it answers it: its status, the name of its error, its body. A
request is sent once: a model may have done its work although no answer came.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from parkade.adapters.aws.refusals import calling, code_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account

_PREFIX = "X-Amzn-SageMaker-"
#: The parameters of InvokeEndpoint by the headers that they come in, in small letters.
PARAMETERS = {
    "content-type": "ContentType",
    "accept": "Accept",
} | {
    (_PREFIX + header).lower(): parameter
    for header, parameter in {
        "Custom-Attributes": "CustomAttributes",
        "Target-Model": "TargetModel",
        "Target-Variant": "TargetVariant",
        "Target-Container-Hostname": "TargetContainerHostname",
        "Inference-Id": "InferenceId",
        "Inference-Component": "InferenceComponentName",
        "Session-Id": "SessionId",
        "Enable-Explanations": "EnableExplanations",
    }.items()
}
#: Headers of answers by the members of botocore's.
_ANSWERED = {
    "ContentType": "Content-Type",
    "InvokedProductionVariant": "x-Amzn-Invoked-Production-Variant",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "NewSessionId": "X-Amzn-SageMaker-New-Session-Id",
    "ClosedSessionId": "X-Amzn-SageMaker-Closed-Session-Id",
}
_MODEL_ERROR = ("OriginalStatusCode", "OriginalMessage", "LogStreamArn")
_JSON = {"Content-Type": "application/json"}
_ERROR_TYPE = "x-amzn-ErrorType"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the runtime answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: The name of its error; empty: it is none.
    error: str = ""
    #: Its text.
    message: str = field(default="", repr=False)


class Passage:
    """Carries invocations, each of which may take so many seconds."""

    def __init__(self, account: Account, *, seconds: float) -> None:
        self._account = account
        self._seconds = seconds

    def invoke(self, endpoint_name: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the answer, the runtime's refusals included; `headers` are in small letters.

        Raises what `calling` raises where the runtime itself cannot be reached.
        """
        steering = {
            parameter: headers[name] for name, parameter in PARAMETERS.items() if name in headers
        }
        with calling(f"endpoint {endpoint_name!r} cannot be invoked"):
            client = self._account.client("sagemaker-runtime", within=self._seconds)
            try:
                answer = client.invoke_endpoint(EndpointName=endpoint_name, Body=body, **steering)
                return Reply(
                    status=int(answer["ResponseMetadata"]["HTTPStatusCode"]),
                    headers={
                        header: str(answer[member])
                        for member, header in _ANSWERED.items()
                        if answer.get(member)
                    },
                    body=answer["Body"].read(),
                )
            except ClientError as error:
                return _refusal(error)
            except ParamValidationError as error:
                return refused(400, "ValidationError", str(error))
            except ReadTimeoutError:
                return self._late(endpoint_name)

    def _late(self, endpoint_name: str) -> Reply:
        return refused(
            504,
            "ModelTimeout",
            f"Endpoint {endpoint_name} did not answer within {self._seconds:g} s, which is as long "
            "as this API waits. Use POST /startexecution, or an asynchronous endpoint.",
        )


def refused(status: int, error: str, message: str, **beside: object) -> Reply:
    """Return an error in the form of the runtime's own."""
    body: dict[str, Any] = {"Message": message, **beside}
    return Reply(
        status=status,
        headers={**_JSON, _ERROR_TYPE: error},
        body=json.dumps(body).encode(),
        error=error,
        message=message,
    )


def _refusal(error: ClientError) -> Reply:
    told = error.response
    status = int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    beside = {name: told[name] for name in _MODEL_ERROR if name in told}
    return refused(status, code_of(error), text_of(error), **beside)
