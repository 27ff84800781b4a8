"""Channels: how a message gets to a subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.domain.event import Event, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event on its way to one subscriber."""

    #: The same for every attempt, so that whoever gets it twice can tell.
    id: str
    event: Event
    #: The event in the subscriber's shape.
    content: Mapping[str, Json]
    #: When this attempt is made, real time.
    sent_at: datetime


class Channel(Protocol):
    """Carries messages to one receiver."""

    def deliver(self, message: Message) -> None:
        """Return once the receiver has taken the message; blocking, for a bounded time.

        Raises Undelivered, which says why, and whether trying again can help. The message never
        holds a secret.
        """
        ...
