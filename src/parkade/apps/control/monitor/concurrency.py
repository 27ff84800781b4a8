"""How many requests are under way at a time, for each instance or copy, in periods of ten seconds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from parkade.domain.series import Aggregate, Unit
from parkade.domain.statistics import begin
from parkade.ports.metrics import FINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.apps.control.monitor.collector import Collector
    from parkade.apps.control.monitor.subjects import Subject

_NAMES = {False: "ConcurrentRequestsPerModel", True: "ConcurrentRequestsPerCopy"}


class Concurrency:
    """Looks once a second; what was seen in a period is added at its end."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._period: datetime | None = None
        self._seen: dict[Subject, Aggregate] = {}

    def sample(self, collector: Collector, subjects: Iterable[Subject], now: datetime) -> None:
        """Look at what gateways say is under way."""
        period = begin(now, FINE)
        if self._period is not None and period != self._period:
            self._accounts.defer(partial(_tell, self._accounts, self._seen, self._period))
            self._seen = {}
        self._period = period
        for each in subjects:
            if each.asynchronous or not each.serving:
                continue
            number = collector.in_flight(each.endpoint_name).get(each.key, 0)
            seen = Aggregate.of(number / max(1, each.instances))
            before = self._seen.get(each)
            self._seen[each] = seen if before is None else before.plus(seen)


def _tell(accounts: Accounts, found: Mapping[Subject, Aggregate], period: datetime) -> None:
    for subject, seen in found.items():
        series = subject.series(_NAMES[subject.component])
        accounts.add(series, period, seen, unit=Unit.COUNT, seconds=FINE)
