"""The one decision: which endpoints to start, stop, recreate, and whom to tell.

`plan` is pure and the only place where starting and stopping is decided. The sweep of the
control process, the precise timer, `parkade plan` and the Lambda sweep all call it.

It is careful in both directions: a lease that is over never keeps its endpoint (money), and an
endpoint is touched only where a readable lease says so, or the maintainer that its owner asked
for (work). What is on its way somewhere else (Creating, Updating, Deleting) is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain import coins, ladder, sleeping
from parkade.domain.actions import Action, ActionKind, NoticeKind, Plan
from parkade.domain.budget import WhenSpent
from parkade.domain.circumstances import Circumstances
from parkade.domain.endpoint import TRANSIENT, EndpointStatus, ObservedEndpoint
from parkade.domain.ladder import Rung
from parkade.domain.lease import EndReason, Lease, LeaseRules, unsaid, warnings_ahead
from parkade.domain.sleeping import Move
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from parkade.domain.actions import DueCoin


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
    around: Circumstances | None = None,
) -> Plan:
    """Decide for every lease, for every endpoint without one, and for what cannot be read.

    `unreadable` maps endpoint names whose lease cannot be understood to the reason; these are
    reported and otherwise left alone, whatever hosting says of them.
    """
    unreadable = unreadable or {}
    around = around or Circumstances()
    steps: list[_Step] = []
    instants: list[datetime] = []
    leased = set(unreadable)
    for lease in sorted(leases, key=lambda lease: lease.endpoint_name):
        name = lease.endpoint_name
        leased.add(name)
        due = _due(now, name, lease, rules, around)
        coin = _coin(name, lease, due)
        instants += due.ahead
        steps += [_Step(_notify(name, notice, text, lease)) for notice, text in due.notices]
        if lease.over(now):
            over = _over(now, lease, endpoints.get(name), around)
            pays = coin is not None and not _in_the_way(endpoints.get(name), due.coin)
            steps += [coin, *_unless_paid(over)] if coin and pays else [over]
            continue
        steps += _valid(now, lease, endpoints.get(name), rules, around, due.opens)
        if steps[-1].action.kind is ActionKind.STOP:
            continue
        steps += [coin] if coin else []
        steps += [_Step(each) for each in _warnings_due(now, lease, rules)]
        instants += warnings_ahead(lease, now, rules)
    steps += [
        _Step(_notify(name, NoticeKind.UNREADABLE, f"its lease cannot be read ({why}); left alone"))
        for name, why in sorted(unreadable.items())
    ]
    steps += [
        _Step(_notify(name, NoticeKind.UNUSABLE, why))
        for name, why in sorted(around.unusable.items())
    ]
    for name in sorted((endpoints.keys() | around.bookings.keys()) - leased):
        due = _due(now, name, None, rules, around)
        coin = _coin(name, None, due)
        instants += due.ahead
        steps += [coin] if coin else _unleased(now, endpoints.get(name), rules, around)
    instants += [step.next_at for step in steps if step.next_at]
    return Plan(
        now=now,
        actions=tuple(step.action for step in steps),
        next_at=min(instants, default=None),
    )


def _over(
    now: datetime, lease: Lease, seen: ObservedEndpoint | None, around: Circumstances
) -> _Step:
    why = _why_over(now, lease)
    busy = seen is not None and not seen.stoppable
    if lease.ended is None:
        # Closed even where nothing can be deleted now, so that the book tells the end in time;
        # the sweep that sees the endpoint at rest then stops it.
        deletes = seen is not None and not busy
        return _Step(_stop(lease, why, lease.reason_over(), deletes=deletes))
    if seen is None:
        return _bygone(now, lease, why, around)
    if busy:
        return _Step(_nothing(lease, f"{why}; waiting while it is {seen.status}"))
    return _Step(_stop(lease, why, lease.ended))


def _bygone(now: datetime, lease: Lease, why: str, around: Circumstances) -> _Step:
    """Nothing runs any more; a lease that idleness ended goes in time, where that is wished for."""
    watch = around.watches.get(lease.endpoint_name)
    after = watch.rules.delete_after if watch else None
    if after is None or lease.ended is not EndReason.IDLE or lease.ended_at is None:
        return _Step(_nothing(lease, f"{why}; nothing runs"))
    due = lease.ended_at + after
    if now < due:
        return _Step(_nothing(lease, f"{why}; its lease goes in {duration(due - now)}"), due)
    return _Step(_act(ActionKind.REMOVE, lease, f"{why}, which is {duration(after)} or more"))


def _valid(
    now: datetime,
    lease: Lease,
    seen: ObservedEndpoint | None,
    rules: LeaseRules,
    around: Circumstances,
    opening: str,
) -> list[_Step]:
    """Return what is done about a lease that has time left: a stop is the last, or alone."""
    spent = around.overspent.get(lease.owner)
    if spent is not None and spent.then is WhenSpent.STOP:
        deletes = seen is not None and seen.stoppable
        return [_Step(_stop(lease, spent.reason, EndReason.BUDGET, deletes=deletes))]
    idle = _idle(now, lease.endpoint_name, lease, seen, around)
    if any(step.action.kind is ActionKind.STOP for step in idle):
        return idle
    steps = _run_or_rest(now, lease, seen, rules, around, opening)
    if spent is not None and spent.then is WhenSpent.WARN:
        steps += [_Step(_notify(lease.endpoint_name, NoticeKind.BUDGET, spent.reason, lease))]
    return [*steps, *idle]


def _run_or_rest(
    now: datetime,
    lease: Lease,
    seen: ObservedEndpoint | None,
    rules: LeaseRules,
    around: Circumstances,
    opening: str,
) -> list[_Step]:
    """Return what is done so that it runs, or sleeps; what sleeps is looked after no further."""
    name = lease.endpoint_name
    use, terms = around.uses.get(name), around.terms.get(name)
    settled = terms.sleep if terms else None
    if lease.asleep_at is not None:
        found = sleeping.asleep(now, lease, seen, use, opening)
        return [_rest(found, lease, seen, pauses=lease.paused_at is not None)]
    running = _running(now, lease, seen, rules)
    if seen is None or seen.status is not EndpointStatus.IN_SERVICE:
        return [running]
    step = sleeping.awake(now, settled, seen, use, around.watches.get(name))
    if step is None:
        return [running]
    rest = _rest(step, lease, seen, pauses=settled is not None and settled.pauses)
    return [rest] if seen.asleep else [running, rest]


def _rest(
    step: sleeping.Step, lease: Lease, seen: ObservedEndpoint | None, *, pauses: bool
) -> _Step:
    # A paused lease runs out at no instant.
    runs_out = None if lease.paused_at else lease.expires_at
    next_at = min((each for each in (step.next_at, runs_out) if each), default=None)
    if step.move is Move.STAY:
        return _Step(replace(_nothing(lease, step.reason), evidence=step.evidence), next_at)
    sleeps = step.move is Move.SLEEP
    act = replace(
        _act(ActionKind.SLEEP if sleeps else ActionKind.WAKE, lease, step.reason),
        evidence=step.evidence,
        pauses=sleeps and pauses,
        # What is not there any more is woken by making it.
        config_name=lease.config_name if not sleeps and seen is None else "",
    )
    return _Step(act, next_at)


def _idle(
    now: datetime,
    name: str,
    lease: Lease | None,
    seen: ObservedEndpoint | None,
    around: Circumstances,
) -> list[_Step]:
    """Return what the maintainer's ladder says, for an endpoint in service that it watches."""
    watch, use = around.watches.get(name), around.uses.get(name)
    if watch is None or use is None:
        return []
    if seen is None or seen.status is not EndpointStatus.IN_SERVICE or seen.asleep:
        return []  # what sleeps costs nothing
    if watch.created_at != seen.created_at:  # it is of an earlier endpoint of the name
        return []
    step = ladder.climb(now, watch, use)
    if step.rung is Rung.STOP:
        action = Action(
            kind=ActionKind.STOP,
            endpoint_name=name,
            reason=step.reason,
            lease=lease,
            ends=EndReason.IDLE,
            deletes=True,
        )
    elif step.rung is Rung.NOTICE:
        action = _notify(name, NoticeKind.IDLE, step.reason, lease)
    elif step.rung is Rung.UNKNOWN:
        action = _notify(name, NoticeKind.UNKNOWN, step.reason, lease)
    else:
        action = Action(
            kind=ActionKind.NOTHING, endpoint_name=name, reason=step.reason, lease=lease
        )
    return [_Step(replace(action, evidence=step.evidence), step.next_at)]


def _running(
    now: datetime, lease: Lease, seen: ObservedEndpoint | None, rules: LeaseRules
) -> _Step:
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


def _unleased(
    now: datetime, seen: ObservedEndpoint | None, rules: LeaseRules, around: Circumstances
) -> list[_Step]:
    """Say that no lease pays for it, or give it one; only the maintainer stops it."""
    if seen is None or seen.status is EndpointStatus.DELETING:
        return []
    idle = _idle(now, seen.name, None, seen, around)
    if any(step.action.kind is ActionKind.STOP for step in idle):
        return idle
    return [_Step(_unmetered(seen, rules)), *idle]


def _unmetered(seen: ObservedEndpoint, rules: LeaseRules) -> Action:
    why = f"no lease pays for it (made {_text(seen.created_at)})"
    if not rules.adopts or not seen.config_name:  # without one it could not be started again
        return _notify(seen.name, NoticeKind.UNMETERED, why)
    return Action(
        kind=ActionKind.ADOPT,
        endpoint_name=seen.name,
        reason=f"{why}; it is given {duration(rules.initial)}",
        config_name=seen.config_name,
    )


def _due(
    now: datetime, name: str, lease: Lease | None, rules: LeaseRules, around: Circumstances
) -> coins.Due:
    return coins.due(
        now,
        lease,
        terms=around.terms.get(name),
        bookings=around.bookings.get(name, ()),
        leads=around.leads,
        use=around.uses.get(name),
        rules=rules,
    )


def _coin(name: str, lease: Lease | None, due: coins.Due) -> _Step | None:
    """Return the payment that is due without a person."""
    if due.coin is None:
        return None
    return _Step(
        Action(
            kind=ActionKind.PAY,
            endpoint_name=name,
            reason=due.coin.reason,
            lease=lease,
            coin=due.coin,
        )
    )


def _in_the_way(seen: ObservedEndpoint | None, coin: DueCoin | None) -> bool:
    """Tell whether what still runs is to go before a booking of another config begins."""
    return bool(seen and coin and coin.config_name and seen.config_name != coin.config_name)


def _unless_paid(over: _Step) -> list[_Step]:
    """Return the stop that stands behind a payment, and is overtaken by it unless it is refused."""
    if over.action.kind is not ActionKind.STOP:
        return []
    reason = f"{over.action.reason}, if it is not paid for"
    return [replace(over, action=replace(over.action, reason=reason))]


def _warnings_due(now: datetime, lease: Lease, rules: LeaseRules) -> list[Action]:
    """Say the most urgent warning that is due; the ones it overtakes need no saying."""
    due = [before for before in unsaid(lease, rules) if lease.time_left(now) <= before]
    if not due or lease.paused_at is not None:  # no time passes for it
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
