"""Files beside the database of leases: that one of them is gone is told, not taken for a first start.

Each is made anew where it is missing, and what it held is not there any more: a budget would count
from nothing, and nobody would know why.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.domain.actions import NoticeKind
from parkade.domain.errors import ParkadeError
from parkade.domain.event import METER, Event
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.adapters.sqlite.database import Database
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.notices import Notices

logger = logging.getLogger(__name__)

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
    reason = (
        f"{path.name} is gone from the state folder: {holds} before is not known any more, and it "
        "is begun anew"
    )
    event = Event(at=clock.now(), kind=MISSING, actor=METER, reason=reason)
    meta, key = SqliteMeta(database), f"file:{path.name}"
    try:
        if meta.get(key) is None:
            meta.put(key, "kept")
        elif not path.exists():
            logger.error("%s", reason)
            teller = Teller(history, notices)
            teller.record(event)
            teller.tell(event, NoticeKind.UNREADABLE, reason)
    except ParkadeError as error:
        # On a full disk the meter starts all the same.
        logger.warning("whether %s was here before is not known: %s", path.name, error.message)
