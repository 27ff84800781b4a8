"""How an asynchronous invocation ended, in the words of SageMaker's notifications.

The form for success is in the developer guide; that for failures, and the answer's own form
within a notification, are not documented word for word (unverified).
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from parkade.ports.backlog import RequestStatus

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.ports.backlog import AsyncRequest

#: Of an answer that comes along with its notification, in bytes. Unverified: SNS takes 256 KB.
INCLUDED_LIMIT = 128_000


def notification(request: AsyncRequest, region: str, answer: bytes | None) -> str:
    """Return the message; `answer` is what is to come along with it."""
    finished = request.finished_at or request.received_at
    content: dict[str, Any] = {
        "awsRegion": region,
        "eventTime": _instant(finished),
        "receivedTime": _instant(request.received_at),
        "invocationStatus": str(request.status),
        "requestParameters": _present(
            {
                "contentType": request.content_type,
                "accept": request.accept,
                "customAttributes": request.custom_attributes,
                "endpointName": request.endpoint_name,
                "inputLocation": request.input_location,
            }
        ),
        "responseParameters": _present(
            {
                "contentType": request.answer_type,
                "outputLocation": request.output_location,
            }
        ),
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if request.status is RequestStatus.FAILED:
        content["failureReason"] = request.failure
        content["responseParameters"] = _present({"outputLocation": request.failure_location})
    if answer is not None:
        content["responseBody"] = {
            "content": base64.b64encode(answer).decode("ascii"),
            "encoding": "BASE64",
        }
    return json.dumps(content)


def _present(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"
