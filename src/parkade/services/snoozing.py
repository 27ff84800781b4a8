"""Snooze: the ladder rests for a while, once in an idle time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import ladder
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    Conflict,
    EndpointNotFound,
    InvalidInput,
    LeaseNotFound,
    ParkadeError,
)
from parkade.domain.event import Event, in_minutes, written
from parkade.domain.spans import duration
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from parkade.domain.ladder import Watch
    from parkade.domain.lease import LeaseRules
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.usage import Usage
    from parkade.ports.watches import WatchStore


class Snoozing:
    """Postpones the ladder. `changed` is called after that."""

    def __init__(
        self,
        *,
        watches: WatchStore,
        book: LeaseBook,
        hosting: Hosting,
        usage: Usage | None,
        clock: Clock,
        usual: Callable[[], timedelta],
        rules: Callable[[], LeaseRules],
        changed: Callable[[], None],
    ) -> None:
        """Take the ports; `usual` is how long a snooze lasts that names no time."""
        self._watches = watches
        self._book = book
        self._hosting = hosting
        self._usage = usage
        self._clock = clock
        self._usual = usual
        self._rules = rules
        self._changed = changed

    @contended
    def snooze(self, endpoint_name: str, amount: timedelta | None, *, actor: str) -> Watch:
        """Let the windows begin no earlier than after this time.

        Raises EndpointNotFound, Conflict where it is not watched or was snoozed in this idle time
        already, or does not run, and InvalidInput for more time than a lease can have.
        """
        watch = self._watched(endpoint_name)
        now, span = self._clock.now(), amount or self._usual()
        most = self._rules().max_ahead
        if span > most:
            raise InvalidInput(
                f"minutes {in_minutes(span):g} is more than {in_minutes(most):g}",
                field="minutes",
                hint="a snooze lasts no longer than a lease can (limits.max_minutes_ahead)",
            )
        use = self._usage.uses((endpoint_name,), now).get(endpoint_name) if self._usage else None
        snoozed = ladder.postponed(watch, use, now, now + span)
        event = Event(
            at=now,
            kind="watch.snoozed",
            actor=actor,
            reason=f"its windows begin in {duration(span)} at the earliest",
            endpoint_name=endpoint_name,
            data={"minutes": in_minutes(span), "until": written(now + span)},
        )
        self._watches.put(snoozed, event, before=watch)
        self._changed()
        return snoozed

    def _watched(self, endpoint_name: str) -> Watch:
        seen = self._hosting.endpoints().get(endpoint_name)
        if seen is None:
            raise self._absent(endpoint_name)
        watch = self._watches.get(endpoint_name)
        if watch is None or watch.created_at != seen.created_at:
            waits = seen.status is not EndpointStatus.IN_SERVICE
            why = f"it is {seen.status}" if waits else "it did not opt in"
            raise Conflict(
                f"the maintainer does not watch {endpoint_name!r} now: {why}",
                hint=f"nobody stops it for idleness; see: parkade why {endpoint_name}",
            )
        return watch

    def _absent(self, endpoint_name: str) -> ParkadeError:
        try:
            self._book.get(endpoint_name)
        except LeaseNotFound:
            return EndpointNotFound(
                f"there is no endpoint {endpoint_name!r}", hint="see what there is: parkade ls"
            )
        return Conflict(
            f"{endpoint_name!r} does not run, so that there is nothing to postpone",
            hint=f"see: parkade why {endpoint_name}",
        )
