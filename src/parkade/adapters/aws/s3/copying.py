"""Copies of objects that S3 makes by itself: nothing of them comes here, however large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from parkade.adapters.aws.refusals import calling, code_of
from parkade.adapters.aws.s3.infos import SUM, members
from parkade.domain import names
from parkade.domain.errors import ObjectNotFound, ParkadeError

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

#: bytes. What is larger than a part is copied in parts, side by side; S3 copies 5 GB at once at most.
_PART = 256 * 1024**2
_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})


def copy(account: Account, source: str, target: str, digest: str) -> bool:
    """Have `target` be a copy of `source`, whose SHA-256 is `digest`; tell whether it was not yet.

    Both are s3:// addresses. Raises ObjectNotFound, and what `calling` raises.
    """
    from_bucket, from_key = names.s3_address(source, field="source")
    bucket, key = names.s3_address(target, field="target")
    client = account.client("s3")

    def meaning(code: str, _text: str) -> ParkadeError | None:
        if code not in _ABSENT:
            return None
        return ObjectNotFound(
            f"{source} cannot be copied to {target}: one of the two is not there",
            hint="deploy the stack again; look whether its bucket was removed by hand",
        )

    with calling(f"{target} cannot be written", meaning):
        try:
            head = client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) not in _ABSENT:
                raise
        else:
            if head["Metadata"].get(SUM) == digest:
                return False
        # Functions that copy nothing start without it.
        from s3transfer.manager import TransferConfig, TransferManager  # noqa: PLC0415

        config = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        with TransferManager(client, config) as manager:
            manager.copy(
                {"Bucket": from_bucket, "Key": from_key},
                bucket,
                key,
                extra_args={**members({}, digest), "MetadataDirective": "REPLACE"},
            ).result()
    return True
