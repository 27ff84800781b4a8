"""What every synthesis is checked by: the AwsSolutions rules, and the CDK's own validator as errors.

A finding that is right as it is gets acknowledged where it is made, with its reason; any other stops
the synthesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import cdk_nag

if TYPE_CHECKING:
    from constructs import IConstruct

#: Turns the findings of the CDK's validator into errors. The validator itself takes seconds, and is
#: switched off as a whole by CDK_VALIDATION=false.
STRICT = {"@aws-cdk/core:validateAgainstDefaultRules": True}
_PACK = "AwsSolutions"


def checked(app: cdk.App) -> cdk.App:
    """Add the rules to an application."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    return app


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Say why a finding of a rule, such as `SQS3`, is right on a construct and on all inside it."""
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id=f"{_PACK}::{_PACK}-{rule}", reason=reason)
    )


def acknowledge_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Say why a role may do something to resources that are not named one by one."""
    text = spelt(cdk.Stack.of(construct).resolve(resource))
    acknowledge(construct, f"IAM5[Resource::{text}]", reason)


def spelt(resolved: Any) -> str:
    """Write a value of a template as the rules name it in their findings: `<Table.Arn>/index/*`."""
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    if "Fn::GetAtt" in resolved:
        return f"<{'.'.join(resolved['Fn::GetAtt'])}>"
    separator, parts = resolved["Fn::Join"]
    return str(separator).join(spelt(part) for part in parts)
