"""Names and ARNs of resources, as CloudFormation gives them where nothing else has.

By type: which property has the name, what Ref gives, what ARN it has. A type that is not here is
asked for by nothing yet; `Unresolved` says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.aws.template import Resource


class Unresolved(Exception):
    """A template says something that cannot be made out here."""


_NAME, _ARN, _URL, _ID = "name", "arn", "url", "id"


@dataclass(frozen=True)
class _Kind:
    """How a type of resource is named."""

    #: The property that has the name, if it can be given.
    name: str | None = None
    #: What Ref gives.
    ref: str = _NAME
    #: The ARN: service and resource, with {name}. An empty service means: without account.
    arn: tuple[str, str] | None = None
    #: Attributes that are the name.
    same: tuple[str, ...] = ()


_KINDS = {
    "AWS::ApiGateway::Account": _Kind(ref=_ID),
    "AWS::ApiGateway::ApiKey": _Kind(ref=_ID, same=("APIKeyId",)),
    "AWS::ApiGateway::Authorizer": _Kind(ref=_ID, same=("AuthorizerId",)),
    "AWS::ApiGateway::Deployment": _Kind(ref=_ID, same=("DeploymentId",)),
    "AWS::ApiGateway::Model": _Kind("Name"),
    "AWS::ApiGateway::RequestValidator": _Kind(ref=_ID, same=("RequestValidatorId",)),
    "AWS::ApiGateway::Resource": _Kind(ref=_ID, same=("ResourceId",)),
    "AWS::ApiGateway::RestApi": _Kind(ref=_ID, same=("RestApiId",)),
    "AWS::ApiGateway::Stage": _Kind("StageName"),
    "AWS::ApiGateway::UsagePlan": _Kind(ref=_ID, same=("Id",)),
    "AWS::ApplicationAutoScaling::ScalableTarget": _Kind(ref=_ID),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _Kind("PolicyName"),
    "AWS::Budgets::Budget": _Kind(),
    "AWS::CloudWatch::Alarm": _Kind("AlarmName", arn=("cloudwatch", "alarm:{name}")),
    "AWS::CloudWatch::CompositeAlarm": _Kind("AlarmName", arn=("cloudwatch", "alarm:{name}")),
    "AWS::CloudWatch::Dashboard": _Kind("DashboardName"),
    "AWS::CodeBuild::Project": _Kind("Name", arn=("codebuild", "project/{name}")),
    "AWS::CodePipeline::Pipeline": _Kind("Name"),
    "AWS::DynamoDB::Table": _Kind("TableName", arn=("dynamodb", "table/{name}")),
    "AWS::DynamoDB::GlobalTable": _Kind("TableName", arn=("dynamodb", "table/{name}")),
    "AWS::ECR::Repository": _Kind("RepositoryName", arn=("ecr", "repository/{name}")),
    "AWS::Events::EventBus": _Kind("Name", arn=("events", "event-bus/{name}"), same=("Name",)),
    "AWS::Events::Rule": _Kind("Name", arn=("events", "rule/{name}")),
    "AWS::IAM::ManagedPolicy": _Kind("ManagedPolicyName"),
    "AWS::IAM::Policy": _Kind("PolicyName"),
    "AWS::IAM::Role": _Kind("RoleName", arn=("iam", "role/{name}")),
    "AWS::KMS::Key": _Kind(ref=_ID, arn=("kms", "key/{name}"), same=("KeyId",)),
    "AWS::Lambda::Function": _Kind("FunctionName", arn=("lambda", "function:{name}")),
    "AWS::Lambda::LayerVersion": _Kind("LayerName", ref=_ARN, arn=("lambda", "layer:{name}:1")),
    "AWS::Lambda::EventSourceMapping": _Kind(ref=_ID, same=("Id",)),
    "AWS::Logs::LogGroup": _Kind("LogGroupName", arn=("logs", "log-group:{name}:*")),
    "AWS::S3::Bucket": _Kind("BucketName", arn=("s3", "{name}")),
    "AWS::SNS::Topic": _Kind("TopicName", ref=_ARN, arn=("sns", "{name}"), same=("TopicName",)),
    "AWS::SQS::Queue": _Kind("QueueName", ref=_URL, arn=("sqs", "{name}"), same=("QueueName",)),
    "AWS::SSM::Parameter": _Kind("Name"),
    "AWS::SageMaker::Endpoint": _Kind(
        "EndpointName", ref=_ARN, arn=("sagemaker", "endpoint/{name}"), same=("EndpointName",)
    ),
    "AWS::SageMaker::EndpointConfig": _Kind(
        "EndpointConfigName",
        ref=_ARN,
        arn=("sagemaker", "endpoint-config/{name}"),
        same=("EndpointConfigName",),
    ),
    "AWS::SageMaker::Model": _Kind(
        "ModelName", ref=_ARN, arn=("sagemaker", "model/{name}"), same=("ModelName",)
    ),
    "AWS::SecretsManager::Secret": _Kind(
        "Name", ref=_ARN, arn=("secretsmanager", "secret:{name}"), same=("Name",)
    ),
    "AWS::StepFunctions::StateMachine": _Kind(
        "StateMachineName", ref=_ARN, arn=("states", "stateMachine:{name}"), same=("Name",)
    ),
}
#: Services whose ARNs have neither region nor account, or no region.
_GLOBAL = {"s3": "arn:aws:s3:::{}", "iam": "arn:aws:iam::{account}:{}"}


def _kind(resource: Resource) -> _Kind:
    found = _KINDS.get(resource.type)
    if found is None:
        raise Unresolved(
            f"{resource.stack.name}/{resource.id}: how a {resource.type} is named is not in "
            "tests/aws/physical.py"
        )
    return found


def name_of(resource: Resource) -> str:
    """Return its name: the given one, or one made of the stack and where it is in it."""
    kind = _kind(resource)
    given = resource.raw.get("Properties", {}).get(kind.name) if kind.name else None
    if given is not None:
        return str(resource.stack.value(given, f"{resource.stack.name}/{resource.id}"))
    made = hashlib.sha256(resource.id.encode()).hexdigest()[:8]
    if kind.ref == _ID:
        return made
    if resource.type == "AWS::S3::Bucket":
        return f"{resource.stack.name}-{resource.id}"[:50].lower() + f"-{made}"
    return f"{resource.stack.name}-{resource.id}"[:55] + f"-{made}"


def arn_of(resource: Resource) -> str:
    kind = _kind(resource)
    if kind.arn is None:
        raise Unresolved(f"{resource.stack.name}/{resource.id}: a {resource.type} has no ARN here")
    service, path = kind.arn
    path = path.format(name=name_of(resource))
    assembly = resource.stack.assembly
    if service in _GLOBAL:
        return _GLOBAL[service].format(path, account=assembly.account)
    return assembly.arn(service, path)


def reference(resource: Resource) -> str:
    """Return what Ref gives."""
    if resource.type in {"AWS::Lambda::Version", "AWS::Lambda::Alias"}:
        return _qualified(resource)
    if resource.type == "AWS::SNS::Subscription":
        return f"{resource.properties['TopicArn']}:0"
    if resource.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return f"{resource.stack.name}-{resource.id}"
    kind = _kind(resource)
    if kind.ref == _ARN:
        return arn_of(resource)
    return name_of(resource)


def _qualified(resource: Resource) -> str:
    properties = resource.raw["Properties"]
    named = str(resource.stack.value(properties["FunctionName"]))
    assembly = resource.stack.assembly
    arn = named if named.startswith("arn:") else assembly.arn("lambda", f"function:{named}")
    return f"{arn}:{properties.get('Name', '1')}"


def attribute(resource: Resource, wanted: str) -> Any:
    """Return what Fn::GetAtt gives."""
    if resource.type in {"AWS::Lambda::Version", "AWS::Lambda::Alias"}:
        return "1" if wanted == "Version" else _qualified(resource)
    kind = _kind(resource)
    name = name_of(resource)
    assembly = resource.stack.assembly
    if wanted in kind.same:
        return name
    if wanted in {"Arn", "TopicArn", "LayerVersionArn", "Id"} and kind.arn is not None:
        return arn_of(resource)
    special = {
        ("AWS::ApiGateway::RestApi", "RootResourceId"): f"{name}-root",
        ("AWS::S3::Bucket", "DomainName"): f"{name}.s3.amazonaws.com",
        ("AWS::S3::Bucket", "RegionalDomainName"): f"{name}.s3.{assembly.region}.amazonaws.com",
        ("AWS::IAM::Role", "RoleId"): f"AROA{name}",
    }
    if (resource.type, wanted) == ("AWS::SSM::Parameter", "Value"):
        return resource.properties["Value"]
    found = special.get((resource.type, wanted))
    if found is None:
        raise Unresolved(
            f"{resource.stack.name}/{resource.id}: what {wanted} of a {resource.type} is, is not "
            "in tests/aws/physical.py"
        )
    return found
