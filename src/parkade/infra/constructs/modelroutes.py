"""Model routes: the paths of a project in front of its endpoints, each of one of three kinds.

lambda      a function passes the request through, streams of errors made plain
direct      API Gateway asks the SageMaker runtime itself: no function, no cold start
execution   an execution of a state machine, for answers that take longer than 29 s
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway

from parkade.infra.constructs import templates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_iam as iam

#: What of a request reaches the endpoint beside the body, by the runtime's names.
HEADERS = (
    "Content-Type",
    "Accept",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-Target-Model",
    "X-Amzn-SageMaker-Target-Variant",
    "X-Amzn-SageMaker-Target-Container-Hostname",
    "X-Amzn-SageMaker-Inference-Component",
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-Enable-Explanations",
    "X-Amzn-SageMaker-Session-Id",
)
#: The same of an asynchronous request, whose body is an object.
ASYNC_HEADERS = (
    "Content-Type",
    "Accept",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-InputLocation",
    "X-Amzn-SageMaker-RequestTTLSeconds",
    "X-Amzn-SageMaker-InvocationTimeoutSeconds",
)
#: What of an answer reaches the caller beside the body.
_ANSWERED = (
    "Content-Type",
    "x-Amzn-Invoked-Production-Variant",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-OutputLocation",
    "X-Amzn-SageMaker-FailureLocation",
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-New-Session-Id",
)
#: How the runtime refuses, by what of its statuses each stands for; no status is of two.
_STATUSES = {
    "400": r"4(?!03|04|24|29)\d{2}",
    "403": "403",
    "404": "404",
    "424": "424",
    "429": "429",
    "500": r"5(?!03|30)\d{2}",
    "503": "503",
    "530": "530",
}
_JSON = "application/json"


def invocation(
    endpoint_name: str, role: iam.IRole, *, asynchronous: bool
) -> apigateway.AwsIntegration:
    """Return the integration that asks the runtime itself."""
    path = "async-invocations" if asynchronous else "invocations"
    done = "202" if asynchronous else "200"
    return apigateway.AwsIntegration(
        service="runtime.sagemaker",
        path=f"endpoints/{endpoint_name}/{path}",
        integration_http_method="POST",
        options=apigateway.IntegrationOptions(
            credentials_role=role,
            passthrough_behavior=apigateway.PassthroughBehavior.WHEN_NO_MATCH,
            timeout=cdk.Duration.seconds(29),
            request_parameters={
                f"integration.request.header.{name}": f"method.request.header.{name}"
                for name in _headers(asynchronous=asynchronous)
            },
            integration_responses=[
                _answer(done),
                *(_answer(status, pattern=pattern) for status, pattern in _STATUSES.items()),
            ],
        ),
    )


def invoked(*, asynchronous: bool) -> dict[str, object]:
    """Return what a method of such an integration takes, and answers with."""
    done = "202" if asynchronous else "200"
    return {
        "request_parameters": {
            f"method.request.header.{name}": asynchronous and name.endswith("InputLocation")
            for name in _headers(asynchronous=asynchronous)
        },
        "method_responses": [
            apigateway.MethodResponse(
                status_code=status,
                response_parameters={f"method.response.header.{name}": False for name in _ANSWERED},
            )
            for status in (done, *_STATUSES)
        ],
    }


def execution(
    template: str, action: str, role: iam.IRole, *, refused: str
) -> apigateway.AwsIntegration:
    """Return the integration that starts or describes an execution; `refused` answers what fails."""
    return apigateway.AwsIntegration(
        service="states",
        action=action,
        integration_http_method="POST",
        options=apigateway.IntegrationOptions(
            credentials_role=role,
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_templates={_JSON: template},
            integration_responses=[
                apigateway.IntegrationResponse(
                    status_code="200", response_templates={_JSON: templates.PASSED}
                ),
                apigateway.IntegrationResponse(
                    status_code="400",
                    selection_pattern=r"4\d{2}",
                    response_templates={_JSON: refused},
                ),
                apigateway.IntegrationResponse(
                    status_code="503",
                    selection_pattern=r"5\d{2}",
                    response_templates={
                        _JSON: templates.refused(
                            "unavailable", "Step Functions did not answer", "try again"
                        )
                    },
                ),
            ],
        ),
    )


def answered(statuses: Iterable[str] = ("200", "400", "503")) -> list[apigateway.MethodResponse]:
    """Return the answers of a method that starts or describes an execution."""
    return [apigateway.MethodResponse(status_code=status) for status in statuses]


def _headers(*, asynchronous: bool) -> tuple[str, ...]:
    return ASYNC_HEADERS if asynchronous else HEADERS


def _answer(status: str, *, pattern: str | None = None) -> apigateway.IntegrationResponse:
    return apigateway.IntegrationResponse(
        status_code=status,
        selection_pattern=pattern,
        response_parameters={
            f"method.response.header.{name}": f"integration.response.header.{name}"
            for name in _ANSWERED
        },
    )
