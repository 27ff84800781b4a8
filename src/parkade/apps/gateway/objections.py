"""Why a request does not fit the endpoint that it was sent to: validation errors, and throttling.

Texts of SageMaker's own are kept where they have been seen; the others name what was asked, what
is there instead, and which header to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.gateway.answers import Answer, error, render

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes of a request to a serverless variant: 4 MB; that these are of 1,048,576 is unverified.
SERVERLESS_BODY = 4_194_304
#: What SageMaker says of a component without copies; only its end has been seen (unverified).
NO_CAPACITY = "Inference Component {} has no capacity to process this request: it has no copies."

COMPONENT_MISSING = render(
    400,
    {
        "ErrorCode": "INFERENCE_COMPONENT_NAME_MISSING",
        "Message": "Inference Component Name header is required for endpoints to which you plan to "
        "deploy inference components. Name one in X-Amzn-SageMaker-Inference-Component "
        "(boto3: InferenceComponentName).",
    },
    x_amzn_ErrorType="ValidationError",
)


def invalid(message: str) -> Answer:
    """Say that the request cannot be carried out as it is."""
    return error(400, "ValidationError", message)


def unknown_variant(name: str, endpoint: str) -> Answer:
    """Say that the target variant is none of the endpoint's."""
    return invalid(f"Variant {name} of endpoint {endpoint} not found.")


def only_asynchronous(endpoint: str) -> Answer:
    """Say that the endpoint takes asynchronous invocations alone."""
    return invalid(
        f"Endpoint {endpoint} has an AsyncInferenceConfig and takes asynchronous invocations only. "
        f"Use InvokeEndpointAsync (POST /endpoints/{endpoint}/async-invocations)."
    )


def no_explainer(endpoint: str) -> Answer:
    """Say that explanations cannot be had."""
    return invalid(
        f"EnableExplanations was given, but endpoint {endpoint} has no explainer. Leave out the "
        "header X-Amzn-SageMaker-Enable-Explanations."
    )


def unknown_component(name: str, endpoint: str) -> Answer:
    """Say that the inference component is none of the endpoint's."""
    return invalid(f"Inference Component {name} of endpoint {endpoint} not found.")


def no_components(name: str, endpoint: str) -> Answer:
    """Say that an inference component was named where there are none."""
    return invalid(
        f"Inference Component {name} was asked for, but endpoint {endpoint} hosts models by its "
        "variants. Leave out the header X-Amzn-SageMaker-Inference-Component."
    )


def no_capacity(component: str) -> Answer:
    """Say that an inference component is scaled to zero."""
    return invalid(NO_CAPACITY.format(component))


def not_multi_model(model: str, endpoint: str) -> Answer:
    """Say that a model was named where there is one alone."""
    return invalid(
        f"Target model {model} was asked for, but endpoint {endpoint} is not a multi-model "
        "endpoint. Leave out the header X-Amzn-SageMaker-Target-Model."
    )


def unknown_container(hostname: str, endpoint: str, known: Iterable[str]) -> Answer:
    """Say that direct invocation needs the hostname of one of the containers."""
    what = f"has no container {hostname}" if hostname else "is configured for direct invocation"
    return invalid(
        f"Endpoint {endpoint} {what}: name one of its containers in the header "
        f"X-Amzn-SageMaker-Target-Container-Hostname: {', '.join(known)}."
    )


def not_direct(hostname: str, endpoint: str) -> Answer:
    """Say that a container was named where none can be chosen."""
    return invalid(
        f"Container {hostname} was asked for, but endpoint {endpoint} is not configured for direct "
        "invocation. Leave out the header X-Amzn-SageMaker-Target-Container-Hostname."
    )


def serverless_body(variant: str) -> Answer:
    """Say that the body is over the limit of serverless variants."""
    return error(
        413,
        "RequestEntityTooLargeException",
        f"HTTP content length exceeded {SERVERLESS_BODY} bytes, the limit of serverless variants "
        f"such as {variant}.",
    )


def concurrency_reached(variant: str, endpoint: str, most: int) -> Answer:
    """Say that a serverless variant has as many requests as it may have."""
    return error(
        429,
        "ThrottlingException",
        f"Variant {variant} of endpoint {endpoint} has reached its maximum concurrency of {most} "
        "requests. Ask again, or raise MaxConcurrency in its ServerlessConfig.",
        Retry_After="1",
    )


def session_gone(session: str, endpoint: str) -> Answer:
    """Say that the instance that held a session is no longer there."""
    return invalid(
        f"Session {session} of endpoint {endpoint} is closed: the instance that held it is gone. "
        "Open a new one with the session id NEW_SESSION."
    )


def session_busy(session: str) -> Answer:
    """Say that the instance that holds a session is full, or accepts no connections."""
    return error(
        503,
        "ServiceUnavailable",
        f"The instance that holds session {session} is busy, or on its way back. Ask again.",
        Retry_After="1",
    )


def not_ready(endpoint: str, seconds: float) -> Answer:
    """Say that an endpoint had no instance at all for as long as a request may wait."""
    return error(
        429,
        "ModelNotReadyException",
        f"Endpoint {endpoint} is still getting ready: it had no instance within {seconds:g} s. "
        f"Ask again; if this lasts, see: parkade logs {endpoint}.",
        Retry_After="1",
    )
