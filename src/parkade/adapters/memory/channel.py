"""A channel to a receiver in a list, which answers as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.ports.channels import Message


class MemoryChannel:
    """The channel port; `taken` holds what was delivered, `refuses` may raise Undelivered."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.refuses: Callable[[Message], None] = lambda _: None

    def deliver(self, message: Message) -> None:
        """Keep the message, unless it is refused."""
        self.refuses(message)
        self.taken.append(message)
