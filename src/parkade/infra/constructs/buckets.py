"""Buckets: encrypted, spoken to over TLS only, closed to the public, with versions and access logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from parkade.infra import checks

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

    from parkade.infra.stack import ParkadeStack

#: Days that access logs, former versions, and parts of uploads that broke off are kept.
_LOG_DAYS, _FORMER_DAYS, _PART_DAYS = 90, 30, 7
_LOGS = "AccessLogs"
#: Older versions of TLS are refused.
_TLS = 1.2


def bucket(
    stack: ParkadeStack,
    construct_id: str,
    *,
    name: str | None = None,
    days: int | None = None,
    key: kms.IKey | None = None,
) -> s3.Bucket:
    """Return a bucket; `days` is how long objects are kept, and None for ever.

    Without a key, objects are encrypted with S3's own.
    """
    return s3.Bucket(
        stack,
        construct_id,
        bucket_name=name,
        versioned=True,
        server_access_logs_bucket=_logs(stack),
        server_access_logs_prefix=f"{name or construct_id}/",
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=cdk.Duration.days(days) if days else None,
                noncurrent_version_expiration=cdk.Duration.days(_FORMER_DAYS),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(_PART_DAYS),
            )
        ],
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=True if key else None,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        minimum_tls_version=_TLS,
        removal_policy=stack.removal,
        auto_delete_objects=not stack.estate.options.retains,
    )


def _logs(stack: ParkadeStack) -> s3.Bucket:
    """Return the bucket that a stack's others write access logs to."""
    found = stack.node.try_find_child(_LOGS)
    if isinstance(found, s3.Bucket):
        return found
    made = s3.Bucket(
        stack,
        _LOGS,
        lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(_LOG_DAYS))],
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        minimum_tls_version=_TLS,
        removal_policy=stack.removal,
        auto_delete_objects=not stack.estate.options.retains,
    )
    checks.acknowledge(made, "S1", "it is itself where access logs go")
    return made
