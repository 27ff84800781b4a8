"""The one decision: which endpoints to start, stop, recreate, and whom to tell.

`plan` is pure and the only place where starting and stopping is decided. The sweep of the
control process, the precise timer, `parkade plan` and the Lambda sweep all call it.

It is careful in both directions: a lease that is over never keeps its endpoint (money), and an
endpoint is touched only where a readable lease says so (work). What is on its way somewhere
else (Creating, Updating, Deleting) is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.endpoint import TRANSIENT, EndpointStatus, ObservedEndpoint
from parkade.domain.lease import EndReason, Lease, LeaseRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta


class ActionKind(StrEnum):
    """What a sweep can do about one endpoint."""

    START = "start"
    STOP = "stop"
    RECREATE = "recreate"
    ADOPT = "adopt"
    FOLLOW = "follow"
    NOTIFY = "notify"
    NOTHING = "nothing"


class NoticeKind(StrEnum):
    """What a notice is about."""

    EXPIRY = "expiry"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    UNMETERED = "unmetered"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, with its reason. `lease` is the version the decision was made on."""

    kind: ActionKind
    endpoint_name: str
    reason: str
    lease: Lease | None = None
    #: ADOPT: the endpoint config that the new lease is for; FOLLOW: that it is to name.
    config_name: str = ""
    #: STOP: the reason the lease is closed with.
    ends: EndReason | None = None
    #: STOP: whether there is an endpoint that can be deleted now.
    deletes: bool = False
    #: What hosting said when it failed, where that is why.
    failure: str = ""
    #: NOTIFY: what is told, and for expiry warnings how long before.
    notice: NoticeKind | None = None
    before: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sweep would do at `now`, and when looking again can change anything."""

    now: datetime
    actions: tuple[Action, ...]
    #: The next instant at which a decision is due by time alone; None: only on a change.
    next_at: datetime | None

    @property
    def acts(self) -> tuple[Action, ...]:
        """The actions that are more than looking on."""
        return tuple(a for a in self.actions if a.kind is not ActionKind.NOTHING)


@dataclass(frozen=True, slots=True)
class _Step:
    action: Action
    next_at: datetime | None = None


def plan(
    now: datetime,
    leases: Iterable[Lease],
    endpoints: Mapping[str, ObservedEndpoint],
    rules: LeaseRules,
    *,
    unreadable: Mapping[str, str] | None = None,
) -> Plan:
    """Decide for every lease, for every endpoint without one, and for what cannot be read.

    `unreadable` maps endpoint names whose lease cannot be understood to the reason; these are
    reported and otherwise left alone, whatever hosting says of them.
    """
    unreadable = unreadable or {}
    actions: list[Action] = []
    instants: list[datetime] = []
    leased = set(unreadable)
    for lease in sorted(leases, key=lambda lease: lease.endpoint_name):
        leased.add(lease.endpoint_name)
        step = _for_lease(now, lease, endpoints.get(lease.endpoint_name), rules)
        actions.append(step.action)
        instants += [step.next_at] if step.next_at else []
        if not lease.over(now) and step.action.kind is not ActionKind.STOP:
            actions += _warnings_due(now, lease, rules)
            instants += _warnings_ahead(now, lease, rules)
    actions += [
        _notify(name, NoticeKind.UNREADABLE, f"its lease cannot be read ({why}); left alone")
        for name, why in sorted(unreadable.items())
    ]
    actions += [
        _unmetered(seen, rules)
        for name, seen in sorted(endpoints.items())
        if name not in leased and seen.status is not EndpointStatus.DELETING
    ]
    return Plan(now=now, actions=tuple(actions), next_at=min(instants, default=None))


def _for_lease(
    now: datetime, lease: Lease, seen: ObservedEndpoint | None, rules: LeaseRules
) -> _Step:
    return _over(now, lease, seen) if lease.over(now) else _valid(now, lease, seen, rules)


def _over(now: datetime, lease: Lease, seen: ObservedEndpoint | None) -> _Step:
    why = _why_over(now, lease)
    busy = seen is not None and seen.status in TRANSIENT
    if lease.ended is None:
        # Closed even where nothing can be deleted now, so that the book tells the end in time;
        # the sweep that sees the endpoint at rest then stops it.
        deletes = seen is not None and not busy
        return _Step(_stop(lease, why, lease.reason_over(), deletes=deletes))
    if seen is None:
        return _Step(_nothing(lease, f"{why}; nothing runs"))
    if busy:
        return _Step(_nothing(lease, f"{why}; waiting while it is {seen.status}"))
    return _Step(_stop(lease, why, lease.ended))


def _valid(now: datetime, lease: Lease, seen: ObservedEndpoint | None, rules: LeaseRules) -> _Step:
    left = f"paid for {duration(lease.time_left(now))} more"
    if seen is None:
        if lease.refused_at is None:
            return _Step(_act(ActionKind.START, lease, left), lease.expires_at)
        return _again(now, lease, lease.refused_at, lease.failure, ActionKind.START, rules)
    if seen.status is EndpointStatus.FAILED:
        return _again(now, lease, seen.changed_at, seen.failure_reason, ActionKind.RECREATE, rules)
    if seen.status in TRANSIENT:
        return _Step(
            _nothing(lease, f"{left}; waiting while it is {seen.status}"), lease.expires_at
        )
    if seen.status is EndpointStatus.IN_SERVICE:
        return _Step(_in_service(lease, seen, left), lease.expires_at)
    stuck = f"it is {seen.status} since {_text(seen.changed_at)}, which only a person can mend"
    return _Step(_notify(lease.endpoint_name, NoticeKind.STUCK, stuck, lease), lease.expires_at)


def _in_service(lease: Lease, seen: ObservedEndpoint, left: str) -> Action:
    """Leave it alone; a lease whose endpoint was updated follows it, for the next start."""
    if seen.config_name in {"", lease.config_name}:
        return _nothing(lease, f"{left}; in service")
    why = f"{left}; it runs {seen.config_name} instead of {lease.config_name}"
    return replace(_act(ActionKind.FOLLOW, lease, why), config_name=seen.config_name)


def _again(
    now: datetime,
    lease: Lease,
    failed_at: datetime,
    failure: str,
    kind: ActionKind,
    rules: LeaseRules,
) -> _Step:
    """Try a failed start again after its backoff, or give the lease up."""
    why = failure or "no reason given"
    if lease.retries >= rules.max_retries:
        reason = f"failed after {lease.retries} recreations: {why}"
        deletes = kind is ActionKind.RECREATE
        stop = _stop(lease, reason, EndReason.FAILED, deletes=deletes)
        return _Step(replace(stop, failure=why), lease.expires_at)
    due = failed_at + rules.backoff(lease.retries)
    attempt = f"recreation {lease.retries + 1} of {rules.max_retries}"
    if now < due:
        wait = f"failed: {why}; {attempt} in {duration(due - now)}"
        return _Step(_nothing(lease, wait), min(due, lease.expires_at))
    act = _act(kind, lease, f"failed: {why}; {attempt}")
    return _Step(replace(act, failure=why), lease.expires_at)


def _unmetered(seen: ObservedEndpoint, rules: LeaseRules) -> Action:
    """Say that no lease pays for it, or give it one; it is never stopped for that."""
    why = f"no lease pays for it (made {_text(seen.created_at)})"
    if not rules.adopts or not seen.config_name:  # without one it could not be started again
        return _notify(seen.name, NoticeKind.UNMETERED, why)
    return Action(
        kind=ActionKind.ADOPT,
        endpoint_name=seen.name,
        reason=f"{why}; it is given {duration(rules.initial)}",
        config_name=seen.config_name,
    )


def _warnings_due(now: datetime, lease: Lease, rules: LeaseRules) -> list[Action]:
    """Say the most urgent warning that is due; the ones it overtakes need no saying."""
    due = [before for before in _unsaid(lease, rules) if lease.expires_at - before <= now]
    if not due:
        return []
    return [
        Action(
            kind=ActionKind.NOTIFY,
            endpoint_name=lease.endpoint_name,
            reason=f"{duration(lease.time_left(now))} left",
            lease=lease,
            notice=NoticeKind.EXPIRY,
            before=min(due),
        )
    ]


def _warnings_ahead(now: datetime, lease: Lease, rules: LeaseRules) -> list[datetime]:
    instants = [lease.expires_at - before for before in _unsaid(lease, rules)]
    return [instant for instant in instants if instant > now]


def _unsaid(lease: Lease, rules: LeaseRules) -> list[timedelta]:
    return [before for before in rules.warnings if before not in lease.warned]


def _why_over(now: datetime, lease: Lease) -> str:
    # An early end moves the expiry, so that this is when it was over, whenever it was closed.
    return f"{lease.reason_over()} {duration(now - lease.expires_at)} ago"


def _act(kind: ActionKind, lease: Lease, reason: str) -> Action:
    return Action(kind=kind, endpoint_name=lease.endpoint_name, reason=reason, lease=lease)


def _nothing(lease: Lease, reason: str) -> Action:
    return _act(ActionKind.NOTHING, lease, reason)


def _stop(lease: Lease, reason: str, ends: EndReason, *, deletes: bool = True) -> Action:
    return Action(
        kind=ActionKind.STOP,
        endpoint_name=lease.endpoint_name,
        reason=reason,
        lease=lease,
        ends=ends,
        deletes=deletes,
    )


def _notify(name: str, notice: NoticeKind, reason: str, lease: Lease | None = None) -> Action:
    return Action(
        kind=ActionKind.NOTIFY, endpoint_name=name, reason=reason, notice=notice, lease=lease
    )


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def duration(span: timedelta) -> str:
    """Write a duration for people: `0.2 s`, `42 s`, `9 min 58 s`, `3 h 5 min`, `2 d 4 h`."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, big, small, unit in (
        (86400, "d", "h", 3600),
        (3600, "h", "min", 60),
        (60, "min", "s", 1),
    ):
        if whole >= size:
            rest = whole % size // unit
            return f"{whole // size} {big} {rest} {small}" if rest else f"{whole // size} {big}"
    return f"{whole} s"
