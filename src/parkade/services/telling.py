"""Troubles that last are told once: an event and a notice when they begin, or change.

What has been told is read from the history, so that neither a restart nor a sweep that lives for
one pass only (a Lambda) says it again. The event is always written before the notice is told: a
crash in between loses a notice, never the record, and nobody is told twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice

if TYPE_CHECKING:
    from parkade.domain.actions import NoticeKind
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.events import History
    from parkade.ports.notices import Notices


class Teller:
    """Writes events and tells notices."""

    def __init__(self, history: History, notices: Notices) -> None:
        self._history = history
        self._notices = notices

    def record(self, event: Event) -> None:
        """Write an event that nobody needs to hear of."""
        self._history.append(event)

    def once(
        self,
        event: Event,
        notice: NoticeKind,
        *,
        lease: Lease | None = None,
        until: tuple[str, ...] = (),
        text: str = "",
    ) -> bool:
        """Write and tell the event unless it has been; return whether it was news.

        It is news where the newest event of its kind, or of the kinds `until` that end the
        trouble, is another one or has another reason.
        """
        query = EventQuery(endpoint_name=event.endpoint_name, kinds=(event.kind, *until), limit=1)
        for last in self._history.latest(query):
            if (last.kind, last.reason) == (event.kind, event.reason):
                return False
        self._history.append(event)
        self.tell(event, notice, text or event.reason, lease)
        return True

    def tell(self, event: Event, notice: NoticeKind, text: str, lease: Lease | None = None) -> None:
        """Tell what an event that is written already says, to the lease's owner if there is one."""
        self._notices.tell(
            Notice(
                at=event.at,
                kind=notice,
                endpoint_name=event.endpoint_name,
                owner=lease.owner if lease else "",
                text=text,
                expires_at=lease.expiry(event.at) if lease else None,
            )
        )
