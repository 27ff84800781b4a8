"""The functions of an assembly, as their templates have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.aws.physical import name_of
from tests.aws.runtime_api import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws.template import Assembly, Resource


def specs(assembly: Assembly) -> Iterator[Spec]:
    """Give what is run here: Parkade's functions, and not the CDK's own, which are Node's."""
    for resource in assembly.resources("AWS::Lambda::Function"):
        given = resource.properties
        if given.get("Runtime", "").startswith("python") and "Handler" in given:
            yield _spec(assembly, resource, given)


def _spec(assembly: Assembly, resource: Resource, given: dict[str, Any]) -> Spec:
    arn = resource.get("Arn")
    retries = 2
    for other in assembly.resources("AWS::Lambda::EventInvokeConfig"):
        if other.properties["FunctionName"] in {name_of(resource), arn}:
            retries = int(other.properties.get("MaximumRetryAttempts", 2))
    return Spec(
        name=name_of(resource),
        handler=given["Handler"],
        code=assembly.asset(given["Code"]["S3Key"]),
        arn=arn,
        environment={
            name: str(value)
            for name, value in given.get("Environment", {}).get("Variables", {}).items()
        },
        timeout=float(given.get("Timeout", 3)),
        memory=int(given.get("MemorySize", 128)),
        reserved=given.get("ReservedConcurrentExecutions"),
        dead_letters=given.get("DeadLetterConfig", {}).get("TargetArn"),
        retries=retries,
        role=given["Role"],
        json_logs=given.get("LoggingConfig", {}).get("LogFormat") == "JSON",
    )
