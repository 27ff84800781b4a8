"""Sleep as people see it and ask for it: how an endpoint sleeps, and that it is to now."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain import price
from parkade.domain.endpoint import TRANSIENT, ObservedEndpoint
from parkade.domain.errors import Conflict, EndpointBusy, ParkadeError
from parkade.domain.price import Sum
from parkade.services.contention import contended
from parkade.services.resting import asleep_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from parkade.domain.idle import Use
    from parkade.domain.lease import Lease
    from parkade.domain.terms import Sleep, Wake
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.usage import Usage
    from parkade.services.terms import TermsBook

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """How an endpoint sleeps, as far as that is settled and true now."""

    lease: Lease
    sleep: Sleep | None
    wake: Wake | None
    #: For how long it has been asleep; None: it is not.
    asleep_for: timedelta | None
    #: What its instances would have cost meanwhile; None: it is awake, or that cannot be told.
    saved: Sum | None


class Sleeping:
    """Tells of sleep, and puts to sleep at once. `changed` is called after every write."""

    def __init__(
        self,
        *,
        terms: TermsBook,
        book: LeaseBook,
        hosting: Hosting,
        usage: Usage | None,
        clock: Clock,
        hourly: Callable[[str, str], Sum],
        changed: Callable[[], None],
    ) -> None:
        """Take the ports; without `usage` it is not known what is under way.

        `hourly` tells what an endpoint costs an hour with a config.
        """
        self._hourly = hourly
        self._terms = terms
        self._book = book
        self._hosting = hosting
        self._usage = usage
        self._clock = clock
        self._changed = changed

    def look(self, endpoint_name: str) -> Bed:
        """Return how it sleeps. Raises LeaseNotFound and Unreadable."""
        lease = self._book.get(endpoint_name)
        terms = self._terms.get(endpoint_name)
        since, now = lease.asleep_at, self._clock.now()
        asleep_for = None if since is None or lease.over(now) else now - since
        return Bed(
            lease=lease,
            sleep=terms.sleep if terms else None,
            wake=terms.wake if terms else None,
            asleep_for=asleep_for,
            saved=None if asleep_for is None else self._saved(lease, asleep_for),
        )

    def _saved(self, lease: Lease, span: timedelta) -> Sum | None:
        try:
            hourly = self._hourly(lease.endpoint_name, lease.config_name)
        except ParkadeError as error:
            name = lease.endpoint_name
            logger.warning("what the sleep of %s saves cannot be told: %s", name, error.message)
            return None
        return Sum(usd=price.cost(hourly.usd, span), unpriced=hourly.unpriced)

    @contended
    def now(self, endpoint_name: str, *, actor: str) -> Lease:
        """Put it to sleep now; return its lease, unchanged where it is asleep already.

        Raises LeaseNotFound; Conflict where its lease is over, where it does not run or is used,
        and where that is not known; EndpointBusy while it is on its way to another status.
        """
        lease, now = self._book.get(endpoint_name), self._clock.now()
        if lease.over(now):
            raise Conflict(
                f"the lease of {endpoint_name!r} is over ({lease.reason_over()}): nothing runs",
                hint=f"see: parkade show {endpoint_name}",
            )
        if lease.asleep_at is not None:
            return lease
        self._require_idle(endpoint_name, self._hosting.endpoints(), now)
        terms = self._terms.get(endpoint_name)
        pauses = terms is not None and terms.sleep is not None and terms.sleep.pauses
        asleep = leases.asleep(lease, now, pauses=pauses)
        reason = f"{actor} put it to sleep"
        stored = self._book.put(asleep, asleep_event(asleep, actor, reason, now))
        self._changed()
        return stored

    def _require_idle(
        self, name: str, endpoints: Mapping[str, ObservedEndpoint], now: datetime
    ) -> None:
        seen = endpoints.get(name)
        if seen is not None and (seen.status in TRANSIENT or seen.changing):
            raise EndpointBusy(
                f"{name!r} is on its way to another status ({seen.status}), and does not sleep now",
                hint="wait until it is InService",
            )
        if seen is None:
            raise Conflict(f"nothing runs of {name!r}", hint=f"see: parkade show {name}")
        use = self._usage.uses([name], now)[name] if self._usage else None
        if (why := _under_way(use)) is not None:
            raise Conflict(
                f"{name!r} does not sleep now: {why}",
                hint=f"repeat it when they are answered: parkade sleep {name} --now",
            )


def _under_way(use: Use | None) -> str | None:
    """Return what is under way, or that it is not known; None: nothing is."""
    if use is None or use.in_flight is None or use.backlog is None:
        return "it is not known how many requests are under way"
    for number, words in ((use.in_flight, "under way"), (use.backlog, "waiting")):
        if number:
            return f"{number} request{'s' if number > 1 else ''} {words}"
    return None
