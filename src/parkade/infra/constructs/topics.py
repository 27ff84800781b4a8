"""Topics: spoken to over TLS only, and encrypted with a key that those who publish may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

if TYPE_CHECKING:
    from parkade.infra.stack import ParkadeStack

#: AWS's own services that tell people of something by a topic.
_SERVICES = ("budgets", "cloudwatch", "events", "sagemaker")
_USE = ["kms:Decrypt", "kms:GenerateDataKey"]


def notices(stack: ParkadeStack, construct_id: str) -> sns.Topic:
    """Return a topic for people.

    Its key is the account's own, since AWS's key for SNS lets no alarm publish. Roles of the account
    use it through SNS alone: they need no permission beside `sns:Publish`.
    """
    key = kms.Key(
        stack,
        f"{construct_id}Key",
        description=f"{stack.estate.prefix}: {construct_id}",
        enable_key_rotation=True,
        removal_policy=stack.removal,
    )
    topic = sns.Topic(
        stack,
        construct_id,
        display_name=f"Parkade {stack.estate.prefix}"[:100],
        master_key=key,
        enforce_ssl=True,
    )
    services = [iam.ServicePrincipal(f"{each}.amazonaws.com") for each in _SERVICES]
    own: dict[str, object] = {"StringEquals": {"aws:SourceAccount": stack.account}}
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Services",
            principals=list(services),
            actions=_USE,
            resources=["*"],  # of a key's policy: the key
            conditions=own,
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ThroughTheTopic",
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
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Services",
            principals=list(services),
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=own,
        )
    )
    return topic
