"""Topics: spoken to over TLS only, and encrypted with a key that those who publish may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

if TYPE_CHECKING:
    from parkade.infra.stack import ParkadeStack

#: AWS's own services that tell people of something by a topic; rules of EventBridge beside them.
_SERVICES, _RULES = ("budgets", "cloudwatch", "sagemaker"), "events"
_KEY = "TopicsKey"
_USE = ["kms:Decrypt", "kms:GenerateDataKey"]


def notices(stack: ParkadeStack, construct_id: str) -> sns.Topic:
    """Return a topic for people, under the key of the stack's topics."""
    topic = sns.Topic(
        stack,
        construct_id,
        display_name=f"Parkade {stack.estate.prefix}"[:100],
        master_key=_key(stack),
        enforce_ssl=True,
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Services",
            principals=_principals(*_SERVICES, _RULES),
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=_own(stack),
        )
    )
    return topic


def _key(stack: ParkadeStack) -> kms.Key:
    """Return the key of a stack's topics.

    It is the account's own, since AWS's key for SNS lets no alarm publish. Roles of the account use it
    through SNS alone: they need no permission beside `sns:Publish`.
    """
    found = stack.node.try_find_child(_KEY)
    if isinstance(found, kms.Key):
        return found
    key = kms.Key(
        stack,
        _KEY,
        description=f"{stack.estate.prefix}: topics",
        enable_key_rotation=True,
        removal_policy=stack.removal,
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Services",
            principals=_principals(*_SERVICES),
            actions=_USE,
            resources=["*"],  # of a key's policy: the key
            conditions=_own(stack),
        )
    )
    # EventBridge does not say whose rule it is where it uses the key of a topic. Whose rules publish is
    # for the topic's own policy.
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Rules", principals=_principals(_RULES), actions=_USE, resources=["*"]
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ThroughTopics",
            principals=[iam.AnyPrincipal()],
            actions=_USE,
            resources=["*"],
            conditions={
                "StringEquals": {
                    "kms:CallerAccount": stack.account,
                    "kms:ViaService": f"sns.{stack.region}.amazonaws.com",
                }
            },
        )
    )
    return key


def _principals(*services: str) -> list[iam.IPrincipal]:
    return [iam.ServicePrincipal(f"{each}.amazonaws.com") for each in services]


def _own(stack: ParkadeStack) -> dict[str, object]:
    return {"StringEquals": {"aws:SourceAccount": stack.account}}
