"""Replays the requests to one endpoint under one rule, with the meter's own decision.

What is started and stopped, and when, `plan` says, and what sleeps and wakes: it is asked whenever
the time comes that it names itself, and whenever something happens that it did not know of. Here is
only what surrounds it: an endpoint that takes its time to start, a person whose request met it
stopped and who comes back to pay, and a clock that jumps from one event to the next.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.circumstances import Circumstances
from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.idle import Reading, Use
from parkade.domain.ladder import Watch
from parkade.domain.lease import EndReason, LeaseRules
from parkade.domain.plan import plan
from parkade.domain.series import SAGEMAKER, Series
from parkade.domain.simulation.outcome import Outcome
from parkade.domain.terms import Sleep, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from parkade.domain.actions import Action
    from parkade.domain.lease import Lease
    from parkade.domain.simulation.rule import Rule
    from parkade.domain.simulation.traffic import Period, Traffic

_FOR_EVER = timedelta(days=365 * 100)
#: Nothing fails here, nobody is warned, and how far ahead one may pay is not what is asked.
_RULES = LeaseRules(max_ahead=timedelta(days=365 * 100), initial=timedelta(minutes=30), warnings=())
_CONFIG = "config"
_OWNER = "owner"
#: A decision settles in a few rounds (pay, start, wait); more would be a bug of the plan.
_ROUNDS = 10


def replay(name: str, traffic: Traffic, rule: Rule, period: Period) -> Outcome:
    """Return what the rule would have come to for this endpoint.

    Without a lease to pay for it, it runs from the beginning; else nothing runs then.
    """
    return _Replay(name, traffic.within(period), rule, period).run()


class _Replay:
    """One endpoint on its way through time."""

    def __init__(self, name: str, traffic: Traffic, rule: Rule, period: Period) -> None:
        self._name, self._traffic, self._rule = name, traffic, rule
        self._now = self._begin = period.start
        self._end = period.end
        self._next = 0  # the burst that comes next
        self._seen: ObservedEndpoint | None = None
        self._watch: Watch | None = None
        self._lease = self._first_lease(period)
        #: When something is due; None: nothing of the kind.
        self._ready_at: datetime | None = None
        self._pays_at: datetime | None = None
        self._plans_at: datetime | None = period.start
        #: The first request of those that still wait for it to serve.
        self._waits_since: datetime | None = None
        self._up = self._longest = timedelta(0)
        self._unanswered = False
        self._counts: Counter[str] = Counter()
        self._terms = Terms(
            endpoint_name=name,
            maintain=rule.idle is not None,
            idle=rule.idle,
            keep=rule.keep,
            schedule=rule.schedule,
            sleep=None if rule.sleep is None else Sleep(after=rule.sleep),
        )
        self._series = Series.of(SAGEMAKER, "Invocations", EndpointName=name)
        if rule.always:
            self._serve(self._began(EndpointStatus.IN_SERVICE))

    def _first_lease(self, period: Period) -> Lease:
        """Return the lease it begins with: for all the time, or one that is just over."""
        begun = period.start if self._rule.always else period.start - timedelta(minutes=1)
        amount = period.length if self._rule.always else timedelta(minutes=1)
        return leases.grant(
            endpoint_name=self._name,
            config_name=_CONFIG,
            owner=_OWNER,
            amount=amount,
            now=begun,
            rules=_RULES,
        )

    def run(self) -> Outcome:
        """Go from event to event until the end."""
        while self._now < self._end:
            self._happen()
            self._pass(min((*self._ahead(), self._end)))
        if self._waits_since is not None:
            self._waited(unanswered=True)
        return Outcome(
            up=self._up,
            longest_wait=self._longest,
            unanswered=self._unanswered,
            **self._counts,
        )

    def _ahead(self) -> Iterator[datetime]:
        """Give the instants at which something happens next."""
        for due in (self._ready_at, self._pays_at, self._plans_at):
            if due is not None:
                yield due
        request = self._traffic.at(self._next)
        if request is not None and self._stirs:
            yield request

    def _happen(self) -> None:
        """Do what is due now."""
        if self._due(self._ready_at):
            self._arrive()
        if self._due(self._pays_at):
            self._pay()
        if self._due(self._plans_at):
            self._decide()
        if self._stirs and self._due(self._traffic.at(self._next)):
            self._stir()

    def _due(self, instant: datetime | None) -> bool:
        return instant is not None and instant <= self._now

    def _pass(self, until: datetime) -> None:
        """Let time go by in which nothing changes: all requests meet the same."""
        if self._seen is not None and not self._seen.asleep:
            self._up += until - self._now
        self._meet(max(self._next, self._traffic.before(until)))
        self._now = until

    def _meet(self, last: int) -> None:
        """Count the requests up to before burst `last` as what they meet now."""
        count = self._traffic.between(self._next, last)
        if self._serving:
            self._counts["served"] += count
        elif last > self._next:
            self._waits_since = self._waits_since or self._traffic.at(self._next)
            if self._ready_at is not None:
                self._counts["waking"] += count
            else:
                self._counts["stopped"] += count
        self._next = last

    @property
    def _serving(self) -> bool:
        """Whether requests are answered at once."""
        return (
            self._seen is not None
            and self._seen.status is EndpointStatus.IN_SERVICE
            and not self._seen.asleep
        )

    @property
    def _stirs(self) -> bool:
        """Whether the next request changes anything."""
        if self._seen is not None:
            return self._seen.asleep
        return self._rule.lease is not None and self._pays_at is None

    def _stir(self) -> None:
        """Take the request that wakes the endpoint, or after which somebody pays."""
        if self._seen is not None:
            self._lease = leases.wanted(self._lease, self._now)
            self._decide()
        else:
            self._pays_at = self._now + self._rule.back
        self._meet(self._next + 1)

    def _arrive(self) -> None:
        """Serve from now on: it has started, or woken up."""
        self._ready_at = None
        if self._seen is not None and self._seen.status is not EndpointStatus.IN_SERVICE:
            self._serve(self._seen)
            self._plans_at = self._now
        if self._waits_since is not None:
            self._waited(unanswered=False)

    def _serve(self, seen: ObservedEndpoint) -> None:
        self._seen = replace(
            seen,
            status=EndpointStatus.IN_SERVICE,
            changed_at=self._now,
            awake_since=self._now,
            healthy=1,
        )
        if self._rule.idle is not None:
            self._watch = Watch(
                endpoint_name=self._name,
                created_at=seen.created_at,
                in_service_at=self._now,
                since=self._now,
                rules=self._rule.idle,
                by="the rule",
            )

    def _waited(self, *, unanswered: bool) -> None:
        """Somebody waited until now, or still does."""
        waited = self._now - self._waits_since if self._waits_since else timedelta(0)
        self._waits_since = None
        if waited > self._longest:
            self._longest, self._unanswered = waited, unanswered

    def _pay(self) -> None:
        """Put in the coin, unless it has been paid for meanwhile."""
        self._pays_at = None
        if self._rule.lease is not None and self._lease.over(self._now):
            self._lease = leases.extend(self._lease, self._rule.lease, self._now, _RULES)
            self._counts["coins"] += 1
            self._plans_at = self._now

    def _decide(self) -> None:
        """Ask the plan, and do what it says, until it says no more."""
        for _ in range(_ROUNDS):
            decided = plan(
                self._now,
                (self._lease,),
                {self._name: self._seen} if self._seen else {},
                _RULES,
                around=self._around(),
            )
            done = [self._act(action) for action in decided.acts]
            if not any(done):
                break
        else:
            raise AssertionError(f"the plan of {self._rule.name!r} never settles: {decided.acts}")
        self._plans_at = decided.next_at
        busy_until = self._traffic.busy_until(self._next)
        watched = self._watch or self._terms.sleep
        if watched and busy_until and busy_until > self._now:  # it begins to be idle then
            self._plans_at = min(busy_until, decided.next_at or busy_until)

    def _around(self) -> Circumstances:
        return Circumstances(
            uses={self._name: self._use()},
            watches={self._name: self._watch} if self._watch else {},
            terms={self._name: self._terms},
            leads={_CONFIG: self._rule.start},
        )

    def _use(self) -> Use:
        busy_until = self._traffic.busy_until(self._next)
        busy = busy_until is not None and busy_until > self._now
        reading = Reading(
            series=self._series,
            quiet_since=None if busy else busy_until or self._begin,
            newest=self._now,
            why="requests are under way" if busy else "",
            used=busy,
        )
        used_at = self._traffic.at(self._next - 1) if self._next else None
        return Use(readings=(reading,), in_flight=0, backlog=0, used_at=used_at)

    def _act(self, action: Action) -> bool:
        """Do what the plan says; return whether it changed anything."""
        if action.lease is not self._lease:
            return False  # overtaken by an action before it, as a lost compare-and-set is
        if action.kind is ActionKind.START:
            self._seen = self._began(EndpointStatus.CREATING)
            self._ready_at = self._now + self._rule.start
            self._counts["starts"] += 1
        elif action.kind is ActionKind.STOP and action.ends is not None:
            self._stop(action.ends, deletes=action.deletes)
        elif action.kind is ActionKind.PAY and action.coin is not None:
            self._lease = leases.paid(self._lease, action.coin.until, self._now, _RULES)
            self._counts["by_itself"] += 1
        elif action.kind is ActionKind.SLEEP and self._seen is not None:
            self._lease = leases.asleep(self._lease, self._now, pauses=action.pauses)
            self._seen = replace(self._seen, asleep=True, healthy=0)
        elif action.kind is ActionKind.WAKE and self._seen is not None:
            self._lease = leases.awake(self._lease, self._now)
            coming = EndpointStatus.SYSTEM_UPDATING
            self._seen = replace(self._seen, asleep=False, status=coming, changed_at=self._now)
            self._ready_at = self._now + self._rule.start
        elif action.notice is NoticeKind.IDLE and self._watch is not None:
            self._watch = replace(self._watch, noticed_at=self._now)
        else:
            return False
        return True

    def _began(self, status: EndpointStatus) -> ObservedEndpoint:
        return ObservedEndpoint(
            name=self._name,
            status=status,
            config_name=_CONFIG,
            created_at=self._now,
            changed_at=self._now,
            wanted=1,
        )

    def _stop(self, reason: EndReason, *, deletes: bool) -> None:
        self._lease = leases.end(self._lease, reason, self._now)
        if not deletes:
            return  # it is starting: the plan stops it once it has
        self._seen = self._watch = self._ready_at = None
        if reason is EndReason.IDLE:
            self._counts["idle_stops"] += 1
