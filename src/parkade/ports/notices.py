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
    #: The project that it is about, by its prefix.
    project: str = ""
    expires_at: datetime | None = None
    #: A page on which its reader can do something about it; empty: whoever tells may find one.
    link: str = ""


class Notices(Protocol):
    """Carries notices outwards, in the order they were told."""

    def tell(self, notice: Notice) -> None:
        """Keep the notice, to be delivered from then on, through restarts as well.

        Never waits for a receiver and never raises for its faults; raises what a store raises
        that cannot be written.
        """
        ...
