"""What a stack costs while nobody uses it: counted in its synthesized template.

Every type of resource is either counted here or said to cost nothing by being there. Of a type that
is neither, that is told: it is never taken for free.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from parkade.infra.costs.lines import SECONDS, Line, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Resource: TypeAlias = "Mapping[str, Any]"
Resources: TypeAlias = "Mapping[str, Resource]"

#: GB that a table is taken to hold: what a fleet of some tens of endpoints spends is kept for 400 days.
STORED = Decimal("0.1")
#: MB that a function has where its template does not say.
_MEMORY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a stack costs a month at rest."""

    lines: tuple[Line, ...]
    #: Instances that run although nobody asks for it: type and number, of endpoints without a lease.
    instances: Mapping[str, int]
    #: Types of resources of which nothing is known here.
    unknown: tuple[str, ...]


def of(template: Mapping[str, Any]) -> Rest:
    """Return what the resources of a template cost."""
    resources: Resources = template["Resources"]
    lines: list[Line] = []
    instances: Counter[str] = Counter()
    unknown = set()
    for each in resources.values():
        kind = each["Type"]
        if kind == _ENDPOINT:
            instances.update(_instances(each, resources))
        elif kind in _COUNTED:
            lines += _COUNTED[kind](each.get("Properties", {}), resources)
        elif kind not in NOTHING and not kind.startswith("Custom::"):
            unknown.add(kind)
    return Rest(
        lines=tuple(_together(lines)), instances=dict(instances), unknown=tuple(sorted(unknown))
    )


def _together(lines: list[Line]) -> Iterator[Line]:
    """Add up what is alike."""
    found: dict[tuple[str, str], Decimal] = {}
    for each in lines:
        key = each.price, each.what
        found[key] = found.get(key, Decimal(0)) + each.count
    for (price, what), count in found.items():
        yield Line(price=price, count=count, what=what)


def _one(price: str) -> Callable[[Resource, Resources], Iterator[Line]]:
    def count(_properties: Resource, _resources: Resources) -> Iterator[Line]:
        yield line(price, 1)

    return count


def _alarm(properties: Resource, _resources: Resources) -> Iterator[Line]:
    """Count the metrics of an alarm; one on a formula has several."""
    metrics = [each for each in properties.get("Metrics", ()) if "MetricStat" in each]
    yield line("cloudwatch.alarm", max(1, len(metrics)))


def _table(properties: Resource, _resources: Resources) -> Iterator[Line]:
    yield line("dynamodb.stored", STORED, "tables")
    recovery = properties.get("PointInTimeRecoverySpecification", {})
    if recovery.get("PointInTimeRecoveryEnabled"):
        yield line("dynamodb.recovery", STORED, "tables")


def _policy(properties: Resource, _resources: Resources) -> Iterator[Line]:
    """Count the alarms that Application Auto Scaling makes: for too much use, and for too little."""
    if properties.get("PolicyType") == "TargetTrackingScaling":
        yield line("cloudwatch.alarm", 2)


def _version(properties: Resource, resources: Resources) -> Iterator[Line]:
    """Count the snapshot of a version that is started from one; it is kept all the time."""
    function = _meant(properties["FunctionName"], resources)
    told = function.get("Properties", {})
    if told.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        gigabytes = Decimal(told.get("MemorySize", _MEMORY)) / 1024
        yield line("lambda.snapshot", gigabytes * SECONDS)


def _instances(endpoint: Resource, resources: Resources) -> Counter[str]:
    """Count the instances that an endpoint begins with, by their types."""
    named = endpoint["Properties"]["EndpointConfigName"]
    config = _meant(named, resources, name="EndpointConfigName")
    properties = config.get("Properties", {})
    found: Counter[str] = Counter()
    for part in ("ProductionVariants", "ShadowProductionVariants"):
        for each in properties.get(part, ()):
            if "InstanceType" in each:  # else it is serverless, and costs by its requests
                found[str(each["InstanceType"])] += int(each.get("InitialInstanceCount", 1))
    return found


def _meant(named: Any, resources: Resources, *, name: str = "") -> Resource:
    """Return the resource that a value refers to, or that has this name; empty: it is elsewhere."""
    if isinstance(named, dict):
        logical = named.get("Ref") or named.get("Fn::GetAtt", [""])[0]
        return resources.get(str(logical), {})
    for each in resources.values():
        if name and each.get("Properties", {}).get(name) == named and each["Type"] != _ENDPOINT:
            return each
    return {}


_ENDPOINT = "AWS::SageMaker::Endpoint"
_COUNTED: Mapping[str, Callable[[Resource, Resources], Iterator[Line]]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _one("cloudwatch.composite"),
    "AWS::CloudWatch::Dashboard": _one("cloudwatch.dashboard"),
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Key": _one("kms.key"),
    "AWS::Lambda::Version": _version,
    "AWS::SecretsManager::Secret": _one("secrets.secret"),
}
_USED = "by its use"
_FILLED = "by what is in it"
_FREE = "nothing"
#: What costs nothing by being there, and what it costs by.
NOTHING: Mapping[str, str] = {
    "AWS::ApiGateway::Account": _FREE,
    "AWS::ApiGateway::ApiKey": _FREE,
    "AWS::ApiGateway::Authorizer": _FREE,
    "AWS::ApiGateway::Deployment": _FREE,
    "AWS::ApiGateway::GatewayResponse": _FREE,
    "AWS::ApiGateway::Method": _USED,
    "AWS::ApiGateway::Model": _FREE,
    "AWS::ApiGateway::RequestValidator": _FREE,
    "AWS::ApiGateway::Resource": _FREE,
    "AWS::ApiGateway::RestApi": _USED,
    "AWS::ApiGateway::Stage": _USED,
    "AWS::ApiGateway::UsagePlan": _FREE,
    "AWS::ApiGateway::UsagePlanKey": _FREE,
    "AWS::ApplicationAutoScaling::ScalableTarget": _FREE,
    "AWS::Budgets::Budget": _FREE,
    "AWS::CDK::Metadata": _FREE,
    "AWS::CodeBuild::Project": _USED,
    "AWS::CodePipeline::Pipeline": _USED,
    "AWS::Events::EventBus": _USED,
    "AWS::Events::Rule": _USED,
    "AWS::IAM::Policy": _FREE,
    "AWS::IAM::Role": _FREE,
    "AWS::Lambda::Alias": _FREE,
    "AWS::Lambda::EventInvokeConfig": _FREE,
    "AWS::Lambda::EventSourceMapping": _FREE,
    "AWS::Lambda::Function": _USED,
    "AWS::Lambda::LayerVersion": _FREE,
    "AWS::Lambda::Permission": _FREE,
    "AWS::Logs::LogGroup": _FILLED,
    "AWS::S3::Bucket": _FILLED,
    "AWS::S3::BucketPolicy": _FREE,
    "AWS::SNS::Subscription": _USED,
    "AWS::SNS::Topic": _USED,
    "AWS::SNS::TopicPolicy": _FREE,
    "AWS::SQS::Queue": _USED,
    "AWS::SQS::QueuePolicy": _FREE,
    "AWS::SSM::Parameter": _FREE,
    "AWS::SageMaker::EndpointConfig": _FREE,
    "AWS::SageMaker::Model": _FREE,
    "AWS::Scheduler::Schedule": _USED,
    "AWS::StepFunctions::StateMachine": _USED,
}
