"""Why an endpoint runs, or does not: what the plan would do now, and what was done last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain import ladder
from parkade.domain.errors import EndpointNotFound
from parkade.domain.plan import plan
from parkade.domain.standing import standing, unlimited, unmeasured
from parkade.ports.events import EventQuery
from parkade.ports.leases import Shelf
from parkade.services.idling import NOTICED, STOPPED
from parkade.services.resting import ASLEEP, AWAKE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.actions import Action
    from parkade.domain.event import Event
    from parkade.domain.idle import Use
    from parkade.domain.ladder import Step, Watch
    from parkade.domain.lease import LeaseRules
    from parkade.domain.standing import Expected, Refusal, Standing
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.usage import Usage
    from parkade.services.circumstances import Around

#: What was decided about an endpoint, rather than done by people.
_DECISIONS = (
    "lease.ended", "lease.removed", "lease.warned", "lease.restored", "lease.recreated",
    NOTICED, STOPPED, ASLEEP, AWAKE, "endpoint.use_unknown", "endpoint.restored",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """All that is known of the reasons of one endpoint."""

    endpoint_name: str
    now: datetime
    #: How it stands; None: nothing runs, and no lease says that it should.
    standing: Standing | None
    #: What a sweep would do about it now.
    actions: tuple[Action, ...]
    #: When time alone can change that.
    next_at: datetime | None
    #: What the maintainer remembers; None: it is not watched.
    watch: Watch | None
    #: What of its tags or terms cannot be used.
    unusable: str
    #: Where it stands on the ladder; None: it is not watched, or not in service.
    step: Step | None
    use: Use | None
    #: The last decision about it, with the evidence it was made on.
    decision: Event | None


class Whys:
    """Tells why."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        hosting: Hosting,
        history: History,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        around: Around,
        usage: Usage | None,
        expected: Expected = unmeasured,
        refusal: Refusal = unlimited,
    ) -> None:
        self._book = book
        self._hosting = hosting
        self._history = history
        self._clock = clock
        self._rules = rules
        self._around = around
        self._usage = usage
        self._expected = expected
        self._refusal = refusal

    def of(self, endpoint_name: str) -> Why:
        """Return why this endpoint is as it is. Raises EndpointNotFound."""
        name, now = endpoint_name, self._clock.now()
        shelf, endpoints = self._book.all(), self._hosting.endpoints()
        lease = next((each for each in shelf.leases if each.endpoint_name == name), None)
        seen = endpoints.get(name)
        decision = self._decision(name)
        if decision is None and not (lease or seen or name in shelf.unreadable):
            raise EndpointNotFound(
                f"there is no endpoint {name!r}, and nothing was decided about one",
                hint="see what there is: parkade ls",
            )
        around = self._around(now, shelf, endpoints)
        own = Shelf(
            (lease,) if lease else (),
            {name: shelf.unreadable[name]} if name in shelf.unreadable else {},
        )
        decided = plan(
            now,
            own.leases,
            {name: seen} if seen else {},
            self._rules(),
            unreadable=own.unreadable,
            around=replace(
                around,
                bookings={k: v for k, v in around.bookings.items() if k == name},
                unusable={k: v for k, v in around.unusable.items() if k == name},
            ),
        )
        use, watch = around.uses.get(name), around.watches.get(name)
        step = ladder.climb(now, watch, use) if watch and use and seen else None
        return Why(
            endpoint_name=name,
            now=now,
            standing=standing(
                lease,
                seen,
                now,
                expected=self._expected,
                terms=around.terms.get(name),
                refusal=self._refusal,
            ),
            actions=decided.actions,
            next_at=decided.next_at,
            watch=watch,
            unusable=around.unusable.get(name, ""),
            step=step,
            use=use or (self._use(name, now) if seen else None),
            decision=decision,
        )

    def _use(self, endpoint_name: str, now: datetime) -> Use | None:
        """Return the use of an endpoint that no decision asked for."""
        if self._usage is None:
            return None
        return self._usage.uses((endpoint_name,), now).get(endpoint_name)

    def _decision(self, endpoint_name: str) -> Event | None:
        query = EventQuery(endpoint_name=endpoint_name, kinds=_DECISIONS, limit=1)
        return next(iter(self._history.latest(query)), None)
