"""What the functions that sweep have in common: a sweep with a time limit, and the timers of leases."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from parkade.domain.errors import ParkadeError
from parkade.services.crews import Several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from parkade.domain.lease import Lease

logger = logging.getLogger(__name__)

#: Endpoints that are seen to at a time. SageMaker's control plane takes some calls a second of each
#: kind, and botocore's adaptive clients slow down where it says so.
HANDS = 16
#: Kept for the end of a function's time: what is under way ends, and what is left is told.
RESERVE = timedelta(seconds=10)


class Timers(Protocol):
    """Has the end of each lease waited for."""

    def missing(self, leases: Iterable[Lease], now: datetime) -> Sequence[Lease]:
        """Return the leases that run, and of whose timers nothing is known; the soonest first."""
        ...

    def wait_for(self, lease: Lease) -> None:
        """Have the end of the lease waited for; can be repeated."""
        ...


class NoTimers:
    """Waits for nothing: the minute's sweep is enough."""

    def missing(self, leases: Iterable[Lease], now: datetime) -> Sequence[Lease]:  # noqa: ARG002
        """Return none."""
        return ()

    def wait_for(self, lease: Lease) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Tells when it is too late to begin anything more."""

    left: Callable[[], timedelta]
    reserve: timedelta = RESERVE

    def __call__(self) -> bool:
        """Tell it."""
        return self.left() < self.reserve


def crew(late: Callable[[], bool]) -> Several:
    """Return who carries a sweep out."""
    return Several(HANDS, late)


def see_to_timers(
    timers: Timers, leases: Sequence[Lease], late: Callable[[], bool], pool: Executor
) -> int:
    """Begin these timers, until it is late; return how many could not be, or were left.

    The next sweep begins them, and stops in time what had none.
    """

    def begin(lease: Lease) -> bool:
        if late():
            return False
        try:
            timers.wait_for(lease)
        except ParkadeError as error:
            # A timer is exact; without one the minute's sweep ends the lease all the same.
            logger.warning("the end of %s is not waited for: %s", lease.endpoint_name, error)
            return False
        return True

    return sum(not begun for begun in pool.map(begin, leases))
