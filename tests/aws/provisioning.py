"""Makes what a template describes in the stand-ins, from its resolved properties, by plain API calls.

First what has an identity that others refer to (topics, queues, secrets, tables, buckets,
parameters), then, in the order of what refers to what, what does something when it is made:
SageMaker's resources, scaling, alarms and custom resources. Roles and policies are read where they
are needed; log groups, dashboards and permissions to invoke have nothing to be made for.
"""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.aws.physical import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.aws.standins import Standins
    from tests.aws.template import Assembly, Resource, Stack


def provision(assembly: Assembly, standins: Standins, switchboard: str) -> None:
    """Publish assets, and make what others refer to."""
    published = list(assembly.published())
    for bucket in {bucket for bucket, _, _ in published}:
        standins.client("s3").create_bucket(Bucket=bucket)
    for bucket, key, path in published:
        standins.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    makers: dict[str, Callable[[Resource, Standins], None]] = {
        "AWS::SNS::Topic": _topic,
        "AWS::SQS::Queue": _queue,
        "AWS::SecretsManager::Secret": _secret,
        "AWS::DynamoDB::Table": _table,
        "AWS::S3::Bucket": _bucket,
    }
    for kind, make in makers.items():
        for resource in assembly.resources(kind):
            make(resource, standins)
    for resource in assembly.resources("AWS::SSM::Parameter"):
        given = resource.properties
        standins.client("ssm").put_parameter(
            Name=given["Name"], Value=given["Value"], Type=given["Type"]
        )
    for resource in assembly.resources("AWS::SNS::Subscription"):
        _subscription(resource, standins, switchboard)


def _topic(resource: Resource, standins: Standins) -> None:
    arn = standins.client("sns").create_topic(Name=name_of(resource))["TopicArn"]
    resource.stack.known[resource.id, "Ref"] = arn
    # An inbox, so that tests read what was published.
    queue = standins.client("sqs").create_queue(QueueName=f"inbox-{name_of(resource)}"[:80])
    attributes = standins.client("sqs").get_queue_attributes(
        QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"]
    )
    endpoint = attributes["Attributes"]["QueueArn"]
    standins.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)
    resource.stack.known[resource.id, "Inbox"] = queue["QueueUrl"]


def _queue(resource: Resource, standins: Standins) -> None:
    made = standins.client("sqs").create_queue(QueueName=name_of(resource)[:80])
    resource.stack.known[resource.id, "Ref"] = made["QueueUrl"]


def _secret(resource: Resource, standins: Standins) -> None:
    given = resource.properties
    text = given.get("SecretString")
    if text is None:
        length = given.get("GenerateSecretString", {}).get("PasswordLength", 32)
        letters = string.ascii_letters + string.digits
        text = "".join(secrets.choice(letters) for _ in range(length))
    made = standins.client("secretsmanager").create_secret(
        Name=name_of(resource), SecretString=text
    )
    resource.stack.known[resource.id, "Ref"] = made["ARN"]
    resource.stack.known[resource.id, "Id"] = made["ARN"]


def _table(resource: Resource, standins: Standins) -> None:
    given = resource.properties
    members = {
        name: given[name]
        for name in (
            "AttributeDefinitions",
            "BillingMode",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "LocalSecondaryIndexes",
        )
        if name in given
    }
    if stream := given.get("StreamSpecification"):
        members["StreamSpecification"] = {"StreamEnabled": True, **stream}
    made = standins.client("dynamodb").create_table(TableName=name_of(resource), **members)
    told = made["TableDescription"]
    resource.stack.known[resource.id, "StreamArn"] = told.get("LatestStreamArn")


def _bucket(resource: Resource, standins: Standins) -> None:
    standins.client("s3").create_bucket(Bucket=name_of(resource))


def _subscription(resource: Resource, standins: Standins, switchboard: str) -> None:
    given = resource.properties
    protocol, endpoint = given["Protocol"], given["Endpoint"]
    if protocol == "lambda":
        protocol, endpoint = "http", f"{switchboard}/notification/{quote(endpoint, safe='')}"
    standins.client("sns").subscribe(
        TopicArn=given["TopicArn"],
        Protocol=protocol,
        Endpoint=endpoint,
        Attributes={
            name: given[name]
            for name in ("FilterPolicy", "RawMessageDelivery")
            if isinstance(given.get(name), str)
        },
    )


def in_order(stack: Stack) -> Iterator[Resource]:
    """Give a stack's resources, each after those that it refers to or depends on."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[Resource]:
        if name in done or name not in stack.resources:
            return
        done.add(name)
        raw = stack.resources[name].raw
        depends = raw.get("DependsOn", [])
        for other in [*([depends] if isinstance(depends, str) else depends), *_named(raw)]:
            yield from visit(other)
        yield stack.resources[name]

    for name in list(stack.resources):
        yield from visit(name)


def _named(raw: Any) -> Iterator[str]:
    """Give the names that an expression refers to."""
    if isinstance(raw, list):
        for each in raw:
            yield from _named(each)
    elif isinstance(raw, dict):
        for name, given in raw.items():
            if name == "Ref":
                yield given
            elif name == "Fn::GetAtt":
                yield given[0] if isinstance(given, list) else given.split(".")[0]
            else:
                yield from _named(given)


def make(resource: Resource, standins: Standins) -> bool:
    """Make what does something when it is made; False: this does nothing."""
    calls: dict[str, tuple[str, str]] = {
        "AWS::SageMaker::Model": ("sagemaker", "create_model"),
        "AWS::SageMaker::EndpointConfig": ("sagemaker", "create_endpoint_config"),
        "AWS::SageMaker::Endpoint": ("sagemaker", "create_endpoint"),
        "AWS::ApplicationAutoScaling::ScalableTarget": (
            "application-autoscaling",
            "register_scalable_target",
        ),
        "AWS::ApplicationAutoScaling::ScalingPolicy": (
            "application-autoscaling",
            "put_scaling_policy",
        ),
        "AWS::CloudWatch::Alarm": ("cloudwatch", "put_metric_alarm"),
    }
    if resource.type not in calls:
        return False
    service, operation = calls[resource.type]
    client = standins.client(service)
    given = dict(resource.properties)
    shape = client.meta.service_model.operation_model(
        "".join(word.capitalize() for word in operation.split("_"))
    ).input_shape
    named = {"Model": "ModelName", "EndpointConfig": "EndpointConfigName"}
    named |= {"Endpoint": "EndpointName", "Alarm": "AlarmName"}
    name = named.get(resource.type.rsplit("::", 1)[1])
    if name:
        given.setdefault(name, name_of(resource))
    if resource.type.endswith("ScalingPolicy"):
        given = _of_target(resource, given)
    getattr(client, operation)(**_shaped(given, shape))
    return True


def _of_target(resource: Resource, given: dict[str, Any]) -> dict[str, Any]:
    """Return a policy with its target spelt out, as the API wants it."""
    wanted = given.pop("ScalingTargetId", None)
    for each in resource.stack.resources.values():
        if each.type.endswith("ScalableTarget") and each.ref == wanted:
            for name in ("ServiceNamespace", "ResourceId", "ScalableDimension"):
                given[name] = each.properties[name]
    return given


def _shaped(given: Any, shape: Any) -> Any:
    """Return what the API knows of a property: templates have more, and numbers as text."""
    if shape.type_name == "structure":
        return {
            name: _shaped(value, shape.members[name])
            for name, value in given.items()
            if name in shape.members
        }
    if shape.type_name == "list":
        return [_shaped(each, shape.member) for each in given]
    if shape.type_name == "map":
        return {name: str(value) for name, value in given.items()}
    if shape.type_name in {"integer", "long"}:
        return int(given)
    if shape.type_name in {"float", "double"}:
        return float(given)
    return given
