"""Topics in a list."""

from __future__ import annotations

from parkade.domain.errors import Unavailable


class MemoryTopics:
    """The topics port. `messages` are pairs of topic and message; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.broken = False

    def publish(self, topic_arn: str, message: str) -> None:
        """Keep the message."""
        if self.broken:
            raise Unavailable(f"topic {topic_arn!r} takes no message")
        self.messages.append((topic_arn, message))
