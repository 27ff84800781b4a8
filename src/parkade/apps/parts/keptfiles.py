"""Files beside the database of leases: that one of them is gone is told, not taken for a first start.

Each is made anew where it is missing, and what it held is not there any more: a budget would count
from nothing, and nobody would know why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.domain.actions import NoticeKind
from parkade.domain.event import METER, Event
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.adapters.sqlite.database import Database
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.notices import Notices

MISSING = "store.missing"


def tell_missing(
    path: Path,
    holds: str,
    *,
    database: Database,
    history: History,
    notices: Notices,
    clock: Clock,
) -> None:
    """Tell people where a file that was here is gone; to be called before it is opened.

    `holds` says what of: `what was measured`.
    """
    meta, key = SqliteMeta(database), f"file:{path.name}"
    if meta.get(key) is None:
        meta.put(key, "kept")
        return
    if path.exists():
        return
    reason = (
        f"{path.name} is gone from the state folder: {holds} before is not known any more, and it "
        "is begun anew"
    )
    event = Event(at=clock.now(), kind=MISSING, actor=METER, reason=reason)
    teller = Teller(history, notices)
    teller.record(event)
    teller.tell(event, NoticeKind.UNREADABLE, reason)
