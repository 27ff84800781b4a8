"""Topics' names, and the envelope of a message: that of SNS's HTTP notifications, unsigned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from datetime import datetime

#: SNS's names of topics.
_NAME = re.compile(r"[a-zA-Z0-9_\-]{1,256}(\.fifo)?")


def topic_name(topic_arn: str) -> str:
    """Return the last part of the ARN, or the plain name. Raises InvalidInput."""
    name = topic_arn.rpartition(":")[2]
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{topic_arn[:256]!r} is not the ARN of a topic",
            field="topic",
            hint="write one such as arn:aws:sns:us-east-1:000000000000:results",
        )
    return name


def envelope(message_id: str, topic_arn: str, message: str, now: datetime) -> dict[str, str]:
    """Return the message with what a receiver is told about it."""
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic_arn,
        "Message": message,
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
    }
