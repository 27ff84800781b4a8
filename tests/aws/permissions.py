"""What functions and machines did, against what their roles allow.

A call of a service is an action of IAM, named like its operation but for some; its resource is made
of its parameters where they tell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.aws import policies
from tests.aws.standins import arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.aws.application import Application

#: Operations whose actions are called otherwise.
_ACTIONS = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "CopyObject"): ("s3:PutObject",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "UploadPartCopy"): ("s3:PutObject",),
    ("sagemaker", "InvokeEndpointWithResponseStream"): ("sagemaker:InvokeEndpoint",),
    ("tagging", "GetResources"): ("tag:GetResources",),
}
#: Operations that IAM asks about twice: of the endpoint, and of the config that it is to run.
_OF_CONFIGS = {"CreateEndpoint", "UpdateEndpoint"}
#: Calls that need no permission at all.
_FREE = {"sts:GetCallerIdentity"}
#: What roles allow that no call shows here, with the reason.
NOT_SEEN = {
    "xray:PutTraceSegments": "Lambda's own daemon sends traces",
    "xray:PutTelemetryRecords": "Lambda's own daemon sends traces",
    "logs:*": "Lambda and Step Functions write logs by themselves",
    "xray:GetSampling*": "Step Functions asks for its own sampling",
    "sqs:*": "Lambda itself sends to dead letter queues",
    "iam:CreateServiceLinkedRole": "Application Auto Scaling makes its role at the first target",
    "application-autoscaling:PutScheduledAction": "no walk has scheduled scaling",
    "cloudwatch:PutMetricAlarm": "Application Auto Scaling asks for it in its caller's name",
    "cloudwatch:DeleteAlarms": "Application Auto Scaling asks for it in its caller's name",
    "sagemaker:*InferenceComponent*": "no walk has inference components; adapters' tests do",
    "application-autoscaling:DeleteScalingPolicy": "a deployment that takes scaling away",
    "application-autoscaling:DeregisterScalableTarget": "SageMaker asks for it where what it deletes is scaled",
    "cloudwatch:TagResource": "AWS asks for it where PutMetricAlarm has tags",
    "dynamodb:ConditionCheckItem": "transactions that depend on a record which they leave as it is",
    "dynamodb:UpdateItem": "transactions that change a part of a record",
    "s3:ListBucket": "with it S3 says that an object is not there, and without that it may not",
    "sagemaker:AddTags": "AWS asks for it where what is created has tags",
    "sagemaker:DeleteEndpointConfig": "a deployment's former config; the API's own route",
    "sagemaker:DeleteModel": "the API's own route",
    "sagemaker:DeleteTags": "tags of an endpoint that are taken away by a plan or the API",
    "sagemaker:ListInferenceComponents": "endpoints whose variants have no model of their own",
    "sagemaker:ListModels": "the API's own route",
    "sagemaker:UpdateEndpointWeightsAndCapacities": "a deployment of weights alone",
    "s3:AbortMultipartUpload": "large archives alone are copied in parts, and broken off",
    "dynamodb:GetShardIterator": "Lambda itself reads the stream",
    "dynamodb:GetRecords": "Lambda itself reads the stream",
    "dynamodb:DescribeStream": "Lambda itself reads the stream",
    "dynamodb:ListStreams": "Lambda itself reads the stream",
}
#: What some roles allow that the walks show of others alone: whose, what, and why it is needed.
_SCALED = (
    "what is scaled is asked for, kept and made again with an endpoint that is, and few walks scale"
)
_DUE = "whoever looks at an endpoint does what is due: walks show the sweep, the timer and the deployer do it"
_NUDGE = "a change is told to the sweep, which walks show of the API"
_SWEPT = "the sweep of one endpoint does what that of all does, where there is cause for it"
NOT_WALKED: dict[tuple[str, str], str] = {
    ("*", "application-autoscaling:*"): _SCALED,
    ("*", "cloudwatch:DescribeAlarms"): _SCALED,
    ("*", "sagemaker:CreateEndpoint"): _DUE,
    ("*", "sagemaker:DeleteEndpoint"): _DUE,
    ("*-StepsRole*", "lambda:InvokeFunction"): _NUDGE,
    ("*-InvokeRole*", "lambda:InvokeFunction"): _NUDGE,
    ("*-ExecutionRole*", "lambda:InvokeFunction"): _NUDGE,
    ("*-SweepRole*", "lambda:InvokeFunction"): "a sweep that had no time left calls itself",
    ("*-EndingRole*", "lambda:InvokeFunction"): "endpoints that take longer than a function lives",
    ("*-LeasingRole*", "lambda:InvokeFunction"): "endpoints that take longer than a function lives",
    (
        "*-SweepRole*",
        "sagemaker:DescribeModel",
    ): "the models of an endpoint that a sweep stops are kept",
    ("*-SweepRole*", "sagemaker:ListTags"): "the tags of an endpoint that a sweep stops are kept",
    ("*-LookRole*", "cloudwatch:GetMetricData"): _SWEPT,
    ("*-LookRole*", "tag:GetResources"): _SWEPT,
    ("*-LookRole*", "dynamodb:DeleteItem"): _SWEPT,
    ("*-LookRole*", "sagemaker:ListEndpoints"): _SWEPT,
    (
        "*-LookRole*",
        "states:StartExecution",
    ): "a lease that was extended is waited for anew by the sweep first",
    (
        "*-EndingRole*",
        "cloudwatch:GetMetricData",
    ): "an endpoint that is watched when the stack goes",
    ("*-EndingRole*", "tag:GetResources"): "an endpoint that is watched when the stack goes",
    ("*-LeasingRole*", "dynamodb:BatchGetItem"): "budgets with leases of several endpoints",
    (
        "*-LeasingRole*",
        "sagemaker:UpdateEndpoint",
    ): "a stack that is changed while its endpoint runs",
    (
        "*-DeployerStack-StepsRole*",
        "cloudwatch:GetMetricData",
    ): "an order that ends at a lease that use extends",
    ("*-DeployerStack-StepsRole*", "tag:GetResources"): "tags that an endpoint of the name left",
    (
        "*-DeployerStack-StepsRole*",
        "sagemaker:ListEndpoints",
    ): "an order whose lease is compared with what runs",
    ("*-MaintainerStack-MaintainerRole*", "sns:Publish"): "a walk down the ladder that fails",
    ("*-ManagementRole*", "dynamodb:BatchGetItem"): "budgets with leases of several endpoints",
    ("*-InvokeRole*", "sagemaker:DescribeEndpoint"): "a request for an endpoint that is not there",
    ("*-InvokeRole*", "dynamodb:*"): "a request that wakes an endpoint: functions' own tests",
    ("*-ExecutionRole*", "dynamodb:*"): "a request that wakes an endpoint: functions' own tests",
    ("*-ExecutionRole*", "s3:PutObject"): "answers that are too long for a state machine",
    (
        "*-ExecutionRole*",
        "sagemaker:DescribeEndpoint",
    ): "an execution of an endpoint that is not there",
}
#: Actions of a transaction are those of its parts.
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
_PARTS |= {"ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}


def actions(call: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Give the actions that a call is, each with its resource; None: it is not told."""
    signing, operation, given = call["signing"], call["operation"], call["parameters"]
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for each in given["TransactItems"]:
            for part, request in each.items():
                yield f"dynamodb:{_PARTS[part]}", arn("dynamodb", f"table/{request['TableName']}")
        return
    for action in _ACTIONS.get((signing, operation), (f"{_prefix(signing)}:{operation}",)):
        if action not in _FREE:
            yield action, _resource(signing, operation, given)
    if signing == "sagemaker" and operation in _OF_CONFIGS:
        config = given["EndpointConfigName"].lower()
        yield f"sagemaker:{operation}", arn("sagemaker", f"endpoint-config/{config}")


def _prefix(signing: str) -> str:
    return {"monitoring": "cloudwatch"}.get(signing, signing)


def _resource(signing: str, operation: str, given: Mapping[str, Any]) -> str | None:
    if signing == "dynamodb" and "TableName" in given:
        table = arn("dynamodb", f"table/{given['TableName']}")
        return f"{table}/index/{given['IndexName']}" if "IndexName" in given else table
    if signing == "sagemaker":
        for member, kind in (
            ("EndpointName", "endpoint"),
            ("EndpointConfigName", "endpoint-config"),
            ("ModelName", "model"),
        ):
            if member in given:
                return arn("sagemaker", f"{kind}/{given[member].lower()}")
        return str(given["ResourceArn"]).lower() if "ResourceArn" in given else None
    if signing == "lambda":
        name = given["FunctionName"]
        return name if name.startswith("arn:") else arn("lambda", f"function:{name}")
    if signing == "states":
        found = given.get("executionArn") or given.get("stateMachineArn")
        return str(found) if found else None
    if signing == "s3" and "Bucket" in given:
        key = given.get("Key")
        return f"arn:aws:s3:::{given['Bucket']}" + (f"/{key}" if key else "")
    for member in ("TopicArn", "SecretId"):
        if str(given.get(member, "")).startswith("arn:"):
            return str(given[member])
    return None


def statements(running: Application, role: str) -> list[dict[str, Any]]:
    """Return all that a role, by its ARN, is allowed or denied."""
    found: list[dict[str, Any]] = []
    for resource in running.assembly.resources("AWS::IAM::Role"):
        if resource.get("Arn") == role:
            for policy in resource.properties.get("Policies", ()):
                found += policies.listed(policy["PolicyDocument"]["Statement"])
            for policy in resource.stack.resources.values():
                given = policy.properties if policy.type == "AWS::IAM::Policy" else {}
                if resource.ref in given.get("Roles", ()):
                    found += policies.listed(given["PolicyDocument"]["Statement"])
    return found


def used(running: Application) -> dict[str, set[tuple[str, str | None]]]:
    """Return what each role, by its ARN, was used for."""
    roles = {name: str(each.spec.role) for name, each in running.functions.items()}
    found: dict[str, set[tuple[str, str | None]]] = {}
    for call in running.standins.recorded():
        role = call.get("role") or roles[call["function"]]
        found.setdefault(role, set()).update(actions(call))
    return found


def lacking(running: Application) -> list[str]:
    """Return what was done without being allowed."""
    found = []
    for role, done in used(running).items():
        allowed = statements(running, role)
        found += [
            f"{role.rsplit('/', 1)[1]} is not allowed {action} on {resource}"
            for action, resource in sorted(done, key=str)
            if policies.verdict(allowed, action, resource) != policies.ALLOWED
        ]
    return found


def unused(running: Application) -> list[str]:
    """Return the actions that a role allows and never used, by role, but for those that have a reason."""
    done = used(running)
    found = []
    for role in sorted(_roles(running)):
        name, own = _called(role), {action for action, _ in done.get(role, ())}
        found += [
            f"{name} allows {action}, which was never used"
            for action in _allowed(running, role)
            if not any(policies.matches(action, each, cased=False) for each in own)
            and not any(policies.matches(each, action) for each in NOT_SEEN)
            and not any(
                policies.matches(whom, name) and policies.matches(what, action)
                for whom, what in NOT_WALKED
            )
        ]
    return found


def _allowed(running: Application, role: str) -> list[str]:
    return sorted({
        action
        for statement in statements(running, role)
        if statement["Effect"] == "Allow"
        for action in policies.listed(statement.get("Action", []))
    })  # fmt: skip


def _called(role: str) -> str:
    """Return what a role is called in its template: its name without what makes it unique."""
    return role.rsplit("/", 1)[1]


def _roles(running: Application) -> set[str]:
    machines = running.assembly.resources("AWS::StepFunctions::StateMachine")
    return {str(each.spec.role) for each in running.functions.values()} | {
        each.properties["RoleArn"] for each in machines
    }
