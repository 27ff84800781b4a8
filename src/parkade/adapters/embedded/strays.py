"""Processes of workers on this machine, as an audit looks for those that nobody owns."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil

from parkade.domain.audit.survey import Process
from parkade.runtime import leftovers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: A worker that nobody owns has so long to finish what it does.
_GRACE = timedelta(seconds=5)


def processes(state_id: str) -> list[Process]:
    """Return the workers of this state, with what they forked. Blocking; some milliseconds."""
    return list(_processes(state_id))


def _processes(state_id: str) -> Iterator[Process]:
    for each in leftovers.find(state_id):
        # Without an instance it prepares something, and is awaited by whoever began it.
        if not each.instance_id:
            continue
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended meanwhile
            yield Process(
                pid=each.process.pid,
                instance_id=each.instance_id,
                started_at=datetime.fromtimestamp(each.created, UTC),
                memory=each.process.memory_info().rss,
            )


async def end(state_id: str, instance_ids: Collection[str]) -> None:
    """End the workers of these instances, and return once they are gone."""
    await leftovers.clear(state_id, lambda each: each.instance_id in instance_ids, grace=_GRACE)
