"""Tables: of the shape that the adapters read and write, encrypted, and restorable to any second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.shape import Shape
    from parkade.infra.stack import ParkadeStack


def table(
    stack: ParkadeStack, construct_id: str, shape: Shape, *, stream: bool = False
) -> dynamodb.Table:
    """Return a table of a shape; with a stream of what is written where somebody reads it."""
    made = dynamodb.Table(
        stack,
        construct_id,
        partition_key=_text(shape.partition),
        sort_key=_text(shape.sort) if shape.sort else None,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.AWS_MANAGED,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=shape.goes_at,
        stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
        removal_policy=stack.removal,
    )
    for index in shape.indexes:
        made.add_global_secondary_index(
            index_name=index.name,
            partition_key=_text(index.partition),
            sort_key=_text(index.sort),
            projection_type=dynamodb.ProjectionType.ALL,
        )
    return made


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
