"""Queues of what could not be delivered: encrypted, spoken to over TLS only, kept for two weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

from parkade.infra import checks

if TYPE_CHECKING:
    from constructs import Construct


def dead_letters(scope: Construct, construct_id: str = "DeadLetters") -> sqs.Queue:
    """Return a queue for what nobody took."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
    )
    checks.acknowledge(queue, "SQS3", "it is itself where undelivered events go")
    return queue
