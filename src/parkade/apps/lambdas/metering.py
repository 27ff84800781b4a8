"""What the instances cost, written down by every sweep.

Which variants were used is asked of CloudWatch, once for all of them. A minute in which that is not
known counts as idle time, which costs the same.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from parkade.ports.machines import Machines
    from parkade.ports.usage import Usage
    from parkade.services.bookkeeping import Bookkeeper

logger = logging.getLogger(__name__)

#: A sweep comes each minute: what was used since the last one was used all of it.
SPAN = timedelta(minutes=1)
_VARIANT, _COMPONENT = "VariantName", "InferenceComponentName"


class Metering:
    """Meters all instances that there are."""

    def __init__(self, bookkeeper: Bookkeeper, machines: Machines, usage: Usage) -> None:
        """Take the ports."""
        self._bookkeeper = bookkeeper
        self._machines = machines
        self._usage = usage

    def __call__(self, now: datetime) -> None:
        """Write down what passed until now. What cannot be seen or stored is made up for later."""
        try:
            instances = self._machines.present()
            names = sorted({each.endpoint_name for each in instances})
            used = set(self._used(names, now))
        except ParkadeError as error:
            logger.warning("nothing is metered: %s", error)
            return
        self._bookkeeper.meter(now, SPAN, instances, used)

    def _used(self, names: list[str], now: datetime) -> Iterable[tuple[str, str]]:
        """Give the variants that are used, each with its endpoint."""
        if not names:
            return
        for name, use in self._usage.uses(names, now).items():
            for reading in use.readings:
                if not reading.used:
                    continue
                told = dict(reading.series.dimensions)
                part = told.get(_VARIANT) or told.get(_COMPONENT)
                if part:
                    yield name, self._machines.host_of(name, part)
