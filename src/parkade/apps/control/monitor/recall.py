"""Reading, after a restart, since when everything was without use."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.apps.control.monitor.quiet import MINUTE, minute
from parkade.domain.errors import ParkadeError
from parkade.domain.series import SAGEMAKER
from parkade.ports import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from parkade.apps.control.monitor.collector import Collector
    from parkade.apps.control.monitor.subjects import Subject
    from parkade.ports.metrics import MetricStore

logger = logging.getLogger(__name__)

#: How far is looked back: idle times that are longer are told as that long.
HORIZON = timedelta(hours=6)
#: Series that are read at once, so that others get at the store between.
_TOGETHER = 50
#: The series that tell of use.
_USE = ("Invocations", "InvocationsProcesssed")


def newest(store: MetricStore) -> datetime | None:
    """Return the newest stored point that tells of use, or of none. Blocking."""
    known = [each for name in _USE for each in store.known(SAGEMAKER, name)]
    return max((each.newest for each in known), default=None)


async def recall(
    collector: Collector, store: MetricStore, stored: datetime | None, now: datetime
) -> bool:
    """Take up what is stored of all that has not been; tell whether that went well."""
    subjects = [
        each
        for subjects in collector.subjects.all().values()
        for each in subjects
        if each.key in collector.quiet and collector.quiet[each.key].unread
    ]
    start, end = minute(now) - HORIZON, minute(now) + MINUTE
    whole = True
    for some in _batches(subjects, _TOGETHER):
        wanted = [each.use for each in some]
        try:
            found = await asyncio.to_thread(store.points, wanted, start, end, metrics.MINUTE)
        except ParkadeError as error:
            logger.warning("what was measured before cannot be read: %s", error.message)
            for each in some:
                collector.unread(each.key, error.message)
            whole = False
            continue
        for each in some:
            if (damage := found.unreadable.get(each.use)) is not None:
                collector.unread(each.key, damage.message)
                whole = False
            elif (quiet := collector.quiet.get(each.key)) is not None:
                quiet.recall(found[each.use], stored, now)
    return whole


def _batches(subjects: Sequence[Subject], size: int) -> Iterator[Sequence[Subject]]:
    for begin in range(0, len(subjects), size):
        yield subjects[begin : begin + size]
