"""Topics: where word of asynchronous invocations goes; what plays SNS."""

from __future__ import annotations

from typing import Protocol


class Topics(Protocol):
    """Delivers messages to topics. Blocking, as long as a receiver may take."""

    def publish(self, topic_arn: str, message: str) -> None:
        """Deliver the message; raises InvalidInput for what is no topic, else Unavailable."""
        ...
