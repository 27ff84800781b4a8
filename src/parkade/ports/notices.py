"""Telling people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.actions import NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Word to a person: what is about to happen, or has."""

    at: datetime
    kind: NoticeKind
    endpoint_name: str
    owner: str
    text: str
    expires_at: datetime | None = None


class Notices(Protocol):
    """Carries notices outwards."""

    def tell(self, notice: Notice) -> None:
        """Take the notice; never waits for the receiver and never raises for its faults.

        Delivery that fails for good is written to the history as `notice.failed`.
        """
        ...
