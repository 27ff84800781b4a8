"""The sweep: one pass over all leases that plans, then acts.

Each action stands alone: what goes wrong with one is recorded, told once, and tried again by the
next sweep, and the others go on. Every action begins with a compare-and-set write, or a second
look where there is nothing to write, so that a decision that has been overtaken is dropped; and
every step can be repeated, so that a crash between any two is repaired by the next sweep.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.actions import Action, ActionKind, NoticeKind, Plan
from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.errors import (
    EndpointBusy,
    LeaseNotFound,
    ParkadeError,
    Throttled,
    Unavailable,
    VersionConflict,
)
from parkade.domain.event import METER, Event, Json, in_minutes, written
from parkade.domain.lease import EndReason, Lease, LeaseRules
from parkade.domain.spans import duration
from parkade.services.acting import carry_out
from parkade.services.circumstances import Nothing
from parkade.services.closing import close
from parkade.services.crews import alone
from parkade.services.deciding import Deciding
from parkade.services.idling import KNOWN, Idling
from parkade.services.resting import mark
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.domain.circumstances import Circumstances
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.notices import Notices
    from parkade.services.circumstances import Around
    from parkade.services.crews import Crew
    from parkade.services.paying import Paying

logger = logging.getLogger(__name__)

#: Troubles that are told once until they change.
_LASTING = {
    NoticeKind.STUCK: ("endpoint.stuck", ()),
    NoticeKind.UNMETERED: ("endpoint.unmetered", ()),
    # Its reason names the period, so that it is told once in each.
    NoticeKind.BUDGET: ("budget.used_up", ()),
    NoticeKind.UNKNOWN: ("endpoint.use_unknown", (KNOWN, "watch.begun")),
    NoticeKind.LIMIT: ("lease.limit_reached", ()),
    NoticeKind.UNUSABLE: ("watch.unusable", ("watch.", "tags.changed", "terms.set")),
    # Whatever happens to the lease shows that it was readable in between.
    NoticeKind.UNREADABLE: ("lease.unreadable", ("lease.",)),
}
_RESTS = frozenset({ActionKind.SLEEP, ActionKind.WAKE})
#: After these a failure is a new one, even if it looks the same.
_FRESH_START = ("lease.added", "lease.extended", "lease.started", "lease.ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An action that went wrong."""

    action: Action
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What a sweep planned, did, and could not do.

    An action that was overtaken by another write, or told before, is in neither list.
    """

    plan: Plan
    done: tuple[Action, ...]
    failed: tuple[Failure, ...]
    #: What there was no time for; the next sweep decides on it again.
    left: tuple[Action, ...] = ()


def everything(endpoint_name: str) -> bool:  # noqa: ARG001
    """Be concerned with every endpoint."""
    return True


class Sweep:
    """Plans and acts for the whole book."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        hosting: Hosting,
        history: History,
        notices: Notices,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        idling: Idling,
        paying: Paying,
        around: Around | None = None,
    ) -> None:
        """Take the ports; `around` gives what decisions rest on beside leases and endpoints."""
        self._idling = idling
        self._paying = paying
        self._deciding = Deciding(book, around or Nothing(), clock=clock, rules=rules)
        self._book = book
        self._hosting = hosting
        self._teller = Teller(history, notices)
        self._clock = clock
        self._rules = rules
        self._blind = False

    def plan(self) -> Plan:
        """Return what a sweep would do now, of every lease; changes nothing."""
        return self._deciding.decide(self._hosting.endpoints, whole=True).plan

    def run(
        self, *, concerns: Callable[[str], bool] = everything, crew: Crew = alone
    ) -> SweepReport:
        """Do what the plan says, for the endpoints that it `concerns`, by their names.

        Where hosting cannot be seen nothing is done: that is told once while it lasts, and its
        Unavailable is raised again. What goes wrong with single actions is in the report.
        """
        decision = self._deciding.decide(self._watch)
        decided, around, endpoints = decision.plan, decision.around, decision.endpoints
        changes = [each for each in around.changes if concerns(each.endpoint_name)]
        self._idling.remember(decided.now, changes)
        done: list[Action] = []
        failed: list[Failure] = []

        def do(action: Action) -> None:
            try:
                if self._act(action, endpoints, around, decided.now):
                    done.append(action)
                    logger.info("%s %s: %s", action.kind, action.endpoint_name, action.reason)
            except (VersionConflict, LeaseNotFound) as lost:
                logger.info("%s %s was overtaken: %s", action.kind, action.endpoint_name, lost)
            except Exception as error:  # noqa: BLE001 - one action's bug must not stop the others
                failed.append(Failure(action=action, error=error))
                self._hear(action, error, decided.now)

        left = crew([each for each in decided.actions if concerns(each.endpoint_name)], do)
        return SweepReport(plan=decided, done=tuple(done), failed=tuple(failed), left=tuple(left))

    def _watch(self) -> Mapping[str, ObservedEndpoint]:
        """Look at the endpoints, and tell when they go out of sight and come back."""
        try:
            endpoints = self._hosting.endpoints()
        except Unavailable as error:
            if not self._blind:
                text = f"hosting cannot be seen, so nothing is started or stopped: {error.message}"
                event = _event(self._clock.now(), "hosting.unavailable", "", text)
                self._teller.record(event)
                self._teller.tell(event, NoticeKind.FAILED, text)
            self._blind = True
            raise
        if self._blind:
            self._teller.record(
                _event(self._clock.now(), "hosting.available", "", "hosting is seen again")
            )
        self._blind = False
        return endpoints

    def _act(
        self,
        action: Action,
        endpoints: Mapping[str, ObservedEndpoint],
        around: Circumstances,
        now: datetime,
    ) -> bool:
        """Carry the action out; return whether anything was done that was not done before."""
        seen = endpoints.get(action.endpoint_name)
        if action.kind is ActionKind.NOTHING:
            return self._forgive(action.lease, seen, now)
        if action.notice is NoticeKind.EXPIRY:
            self._warn(action, now)
            return True
        if action.notice is NoticeKind.IDLE:
            return self._idling.notice(action, around.watches.get(action.endpoint_name), now)
        if action.notice is not None:
            kind, until = _LASTING[action.notice]
            data = {} if action.evidence is None else {"evidence": action.evidence}
            event = _event(now, kind, action.endpoint_name, action.reason, data)
            return self._teller.once(event, action.notice, lease=action.lease, until=until)
        if action.kind is ActionKind.ADOPT:
            return self._adopt(action, now)
        if action.kind is ActionKind.FOLLOW and action.lease is not None:
            self._follow(action, action.lease, now)
            return True
        if action.kind is ActionKind.PAY:
            return self._paying.pay(action, now)
        if action.kind is ActionKind.REMOVE and action.lease is not None:
            self._idling.remove(action, action.lease, now)
            return True
        return self._move(action, seen, now)

    def _move(self, action: Action, seen: ObservedEndpoint | None, now: datetime) -> bool:
        """Start, stop or recreate the endpoint, put it to sleep or wake it."""
        ends_idle = action.ends is EndReason.IDLE and not (action.lease and action.lease.ended)
        by_idleness = ends_idle or action.kind is ActionKind.SLEEP
        if by_idleness and not self._idling.still_due(action):
            return False
        self._claim(action, now)
        if action.lease is None:
            self._idling.begin_stop(action, seen, now)
        carry_out(action, self._hosting)
        if action.lease is None:
            self._idling.end_stop(action)
        elif action.kind is not ActionKind.STOP or action.deletes:
            kind = f"{action.kind}.begun"
            self._teller.record(_event(now, kind, action.endpoint_name, action.reason))
        return True

    def _adopt(self, action: Action, now: datetime) -> bool:
        # With its lease it may have been removed since it was seen, and is not to come back.
        seen = self._hosting.endpoints().get(action.endpoint_name)
        if seen is None or seen.status is EndpointStatus.DELETING:
            return False
        rules = self._rules()
        lease = leases.grant(
            endpoint_name=action.endpoint_name,
            config_name=action.config_name,
            owner=METER,
            amount=rules.initial,
            now=now,
            rules=rules,
        )
        data: dict[str, Json] = {
            "minutes": in_minutes(rules.initial),
            "expires_at": written(lease.expires_at),
            "config_name": lease.config_name,
            "owner": METER,
        }
        event = _event(now, "lease.adopted", action.endpoint_name, action.reason, data)
        self._book.put(lease, event)
        return True

    def _follow(self, action: Action, lease: Lease, now: datetime) -> None:
        data: dict[str, Json] = {
            "config_name": action.config_name,
            "config_before": lease.config_name,
        }
        event = _event(now, "lease.reconfigured", lease.endpoint_name, action.reason, data)
        self._book.put(leases.reconfigured(lease, action.config_name), event)

    def _claim(self, action: Action, now: datetime) -> None:
        """Write the decision into the book before it is acted on.

        Raises VersionConflict or LeaseNotFound where it has been overtaken.
        """
        lease = action.lease
        if lease is None:
            return
        if action.kind in _RESTS and mark(action, lease, now, book=self._book):
            return
        if action.ends is not None and lease.ended is None:
            close(lease, action, action.ends, now, book=self._book, teller=self._teller)
        elif action.kind is ActionKind.RECREATE or _counts(action, lease):
            self._count(lease, action, now)
        elif self._book.get(lease.endpoint_name) != lease:
            raise VersionConflict(f"the lease of {lease.endpoint_name!r} was changed meanwhile")

    def _count(self, lease: Lease, action: Action, now: datetime) -> None:
        counted = leases.tried_again(lease, action.failure)
        data: dict[str, Json] = {"retries": counted.retries, "failure": action.failure}
        event = _event(now, "lease.recreated", lease.endpoint_name, action.reason, data)
        self._book.put(counted, event)

    def _warn(self, action: Action, now: datetime) -> None:
        """Mark the warning as said, then say it: a crash in between loses a notice only."""
        lease, before = action.lease, action.before
        if lease is None or before is None:
            return
        left = lease.time_left(now)
        data: dict[str, Json] = {
            "minutes_before": in_minutes(before),
            "minutes_left": in_minutes(left),
            "expires_at": written(lease.expires_at),
        }
        event = _event(now, "lease.warned", lease.endpoint_name, action.reason, data)
        self._book.put(leases.warned(lease, before, self._rules()), event)
        text = f"it stops in {duration(left)}; parkade extend {lease.endpoint_name} --minutes 30"
        self._teller.tell(event, NoticeKind.EXPIRY, text, lease)

    def _hear(self, action: Action, error: Exception, now: datetime) -> None:
        """Record what went wrong; the log tells it each time, people hear of it once."""
        known = isinstance(error, ParkadeError)
        logger.error(
            "%s %s failed: %s",
            action.kind,
            action.endpoint_name,
            error,
            exc_info=None if known else error,
        )
        try:
            if action.kind is ActionKind.START and known and not _passing(error):
                self._refuse(action.endpoint_name, str(error), now)
            else:
                self._tell_failure(action, error, now)
                if action.kind is ActionKind.WAKE and known and not _passing(error):
                    self._note_sleeper(action.endpoint_name, str(error), now)
        except Exception:
            logger.exception("the failure could not be recorded")

    def _note_sleeper(self, endpoint_name: str, failure: str, now: datetime) -> None:
        """Note why it could not be woken, for those who wait for it; it is tried on and on."""
        lease = self._book.get(endpoint_name)
        if lease.refused_at is None or lease.failure != failure:
            reason = f"hosting refused to wake it: {failure}"
            event = _event(now, "lease.refused", endpoint_name, reason)
            self._book.put(leases.refused(lease, failure, now), event)

    def _refuse(self, endpoint_name: str, failure: str, now: datetime) -> None:
        lease = self._book.get(endpoint_name)
        reason = f"hosting refused to start it: {failure}"
        event = _event(now, "lease.refused", endpoint_name, reason, {"retries": lease.retries})
        self._book.put(leases.refused(lease, failure, now), event)
        if lease.retries == 0:
            self._teller.tell(event, NoticeKind.FAILED, f"{reason}; it is tried again", lease)

    def _tell_failure(self, action: Action, error: Exception, now: datetime) -> None:
        # The reason is the same for each repetition; the error's own text need not be.
        what = "forgive" if action.kind is ActionKind.NOTHING else action.kind
        event = _event(
            now,
            f"{what}.failed",
            action.endpoint_name,
            f"it failed ({type(error).__name__}) and is tried again by every sweep",
            {"error": str(error), "planned": action.reason},
        )
        self._teller.once(
            event,
            NoticeKind.FAILED,
            lease=action.lease,
            until=(*_FRESH_START, f"{what}."),
            text=f"{what} failed and is tried again: {error}",
        )

    def _forgive(self, lease: Lease | None, seen: ObservedEndpoint | None, now: datetime) -> bool:
        """Forget earlier failures where the endpoint is in service again."""
        if lease is None or seen is None or seen.status is not EndpointStatus.IN_SERVICE:
            return False
        if lease.retries == 0 and lease.refused_at is None:
            return False
        event = _event(now, "lease.recovered", lease.endpoint_name, "its endpoint is in service")
        self._book.put(leases.recovered(lease), event)
        return True


def _counts(action: Action, lease: Lease) -> bool:
    """Tell whether it begins a start anew that was refused before."""
    return lease.refused_at is not None and action.kind is ActionKind.START


def _passing(error: Exception) -> bool:
    """Tell whether hosting may well do the same thing next time, without anybody's mending."""
    return isinstance(error, EndpointBusy | Throttled | Unavailable)


def _event(
    at: datetime,
    kind: str,
    endpoint_name: str,
    reason: str,
    data: Mapping[str, Json] | None = None,
) -> Event:
    return Event(
        at=at, kind=kind, actor=METER, reason=reason, endpoint_name=endpoint_name, data=data or {}
    )
