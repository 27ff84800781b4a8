"""Notices as events of the history, from where the outbox delivers them to whoever wants them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.domain.actions import NoticeKind
from parkade.domain.event import METER, PROJECT, Event, Json, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.ports.events import History
    from parkade.ports.notices import Notice

logger = logging.getLogger(__name__)

#: Notices whose reader may want to add time.
_EXTENDABLE = frozenset({NoticeKind.EXPIRY, NoticeKind.IDLE})


class RecordedNotices:
    """The notices port. `link` gives a link that extends an endpoint; an empty text: there is none."""

    def __init__(self, history: History, link: Callable[[str], str] = lambda _: "") -> None:
        self._history = history
        self._link = link

    def tell(self, notice: Notice) -> None:
        """Append the notice as an event of kind `notice.<kind>`, and log it."""
        logger.info("notice to %s: %s: %s", notice.owner, notice.endpoint_name, notice.text)
        data: dict[str, Json] = {
            "notice": notice.kind,
            "text": notice.text,
            "owner": notice.owner,
            "expires_at": written(notice.expires_at) if notice.expires_at else None,
        }
        link = notice.link
        if not link and notice.endpoint_name and notice.kind in _EXTENDABLE:
            link = self._link(notice.endpoint_name)
        if link:
            data["link"] = link
        if notice.project:
            data[PROJECT] = notice.project
        self._history.append(
            Event(
                at=notice.at,
                kind=f"notice.{notice.kind}",
                actor=METER,
                reason=notice.text,
                endpoint_name=notice.endpoint_name,
                owner=notice.owner,
                data=data,
            )
        )
