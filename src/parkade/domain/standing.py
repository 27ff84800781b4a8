"""How an endpoint stands, in one word with its reason: what people and callers are told.

The gateway's 503, the API's status and the CLI's column all say what this says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, overload

from parkade.domain.endpoint import SERVING, EndpointStatus, ObservedEndpoint
from parkade.domain.errors import BudgetExceeded
from parkade.domain.lease import EndReason, Lease
from parkade.domain.waking import wakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.errors import ParkadeError
    from parkade.domain.terms import Terms


class State(StrEnum):
    """What an endpoint is doing, seen by whoever wants to use it."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    ASLEEP = "asleep"
    EXPIRED = "expired"
    STOPPED = "stopped"
    IDLE = "idle"
    BUDGET = "budget"
    FAILED = "failed"


#: An endpoint is expected to answer this long after it was started, before anything is known.
START_ESTIMATE = timedelta(seconds=5)
#: Where only a person can bring an endpoint back, a client need not ask often.
OVER_ESTIMATE = timedelta(minutes=1)

_OVER = {
    EndReason.EXPIRED: State.EXPIRED,
    EndReason.STOPPED: State.STOPPED,
    EndReason.IDLE: State.IDLE,
    EndReason.BUDGET: State.BUDGET,
    EndReason.FAILED: State.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """State, the reason as a caller gets it, what to do about it, and when to ask again."""

    state: State
    #: `running`, `starting`, `asleep`, `expired`, `stopped`, `idle`, `failed: <FailureReason>`,
    #: `over budget` where a request would wake it if its owner's budget paid for that ...
    reason: str
    hint: str = ""
    retry_after: timedelta = timedelta(0)
    #: While it starts: when it will answer, by what starts of its config were measured to take.
    expected_at: datetime | None = None
    #: Whether a request starts it; it is asked for by `services.waking`.
    wakes: bool = False
    #: How long callers who say nothing of it are held until it answers, as its owner settled.
    hold: timedelta = timedelta(0)


#: Returns how long starts of an endpoint config take, as measured; None: it was never started.
Expected: TypeAlias = "Callable[[str], timedelta | None]"


#: Returns why the time is not paid for that a request would buy; None: nothing is in its way.
Refusal: TypeAlias = "Callable[[Lease, Terms | None], ParkadeError | None]"


def told_at(instant: datetime) -> datetime:
    """Return the instant as callers are told it: in whole seconds, and never too early."""
    whole = instant.replace(microsecond=0)
    return whole if whole == instant else whole + timedelta(seconds=1)


def expecting(at: datetime) -> str:
    """Return the hint for callers of what is being started, and is expected by then."""
    return f"it is being started, and expected by {told_at(at):%H:%M:%S} UTC; ask again then"


def unmeasured(config_name: str) -> timedelta | None:  # noqa: ARG001
    """Know nothing of starts."""
    return None


def unlimited(lease: Lease, terms: Terms | None) -> ParkadeError | None:  # noqa: ARG001
    """Refuse nobody."""
    return None


@overload
def standing(
    lease: Lease,
    seen: ObservedEndpoint | None,
    now: datetime,
    *,
    expected: Expected = ...,
    terms: Terms | None = ...,
    refusal: Refusal = ...,
) -> Standing: ...
@overload
def standing(
    lease: Lease | None,
    seen: ObservedEndpoint | None,
    now: datetime,
    *,
    expected: Expected = ...,
    terms: Terms | None = ...,
    refusal: Refusal = ...,
) -> Standing | None: ...
def standing(
    lease: Lease | None,
    seen: ObservedEndpoint | None,
    now: datetime,
    *,
    expected: Expected = unmeasured,
    terms: Terms | None = None,
    refusal: Refusal = unlimited,
) -> Standing | None:
    """Return how the endpoint stands; None where there is neither a lease nor an endpoint.

    Without `terms` nothing is known of what its owner settled about sleep and wake. A request for
    what is over wakes it unless `refusal` says why that is not paid for.
    """
    found = _standing(lease, seen, now, expected, terms, refusal)
    if found is None or terms is None or terms.sleep is None:
        return found
    comes = found.wakes or found.state is State.STARTING
    return replace(found, hold=terms.sleep.hold) if comes else found


def _standing(
    lease: Lease | None,
    seen: ObservedEndpoint | None,
    now: datetime,
    expected: Expected,
    terms: Terms | None,
    refusal: Refusal,
) -> Standing | None:
    if lease is not None and lease.over(now):
        return _over(lease, now, expected, terms, refusal)
    if lease is not None and lease.asleep_at is not None:
        return _asleep(lease, expected)
    if seen is None:
        return _waiting(lease, now, expected) if lease is not None else None
    # What sleeps under a lease that is to run is woken as soon as it has come to rest.
    if seen.status is EndpointStatus.DELETING or seen.asleep:
        if lease is not None and seen.asleep and lease.refused_at is not None:
            return _not_woken(lease)
        if lease is not None:
            return _waiting(lease, now, expected)
        state = State.ASLEEP if seen.asleep else State.STOPPING
        return Standing(state=state, reason=str(state), retry_after=OVER_ESTIMATE)
    return _seen(lease, seen, now, expected)


def _seen(
    lease: Lease | None, seen: ObservedEndpoint, now: datetime, expected: Expected
) -> Standing:
    if seen.status is EndpointStatus.FAILED:
        return _failed(seen.name, seen.failure_reason, leased=lease is not None)
    if seen.status is EndpointStatus.OUT_OF_SERVICE:
        return _failed(seen.name, "OutOfService, which only a person can mend", leased=False)
    # What hosts components alone is awake once these have come.
    waking = seen.status is EndpointStatus.SYSTEM_UPDATING and seen.changing
    if seen.status in SERVING and (seen.healthy or not (seen.wanted or waking)):
        return Standing(state=State.RUNNING, reason="running")
    if seen.status is EndpointStatus.CREATING:
        return _starting(seen.created_at, now, expected(seen.config_name))
    if seen.status is EndpointStatus.SYSTEM_UPDATING and seen.awake_since is not None:
        return _starting(seen.awake_since, now, expected(seen.config_name))
    return _starting(now, now, None)


def _asleep(lease: Lease, expected: Expected) -> Standing:
    span, name = expected(lease.config_name), lease.endpoint_name
    return Standing(
        state=State.ASLEEP,
        reason="asleep",
        hint=f"a request wakes it, and so does: parkade wake {name}",
        retry_after=START_ESTIMATE if span is None else span,
        wakes=True,
    )


def _over(
    lease: Lease, now: datetime, expected: Expected, terms: Terms | None, refusal: Refusal
) -> Standing:
    reason = lease.reason_over()
    state = _OVER[reason]
    name = lease.endpoint_name
    failure = lease.failure or "no reason given"
    text = f"failed: {failure}" if reason is EndReason.FAILED else str(state)
    if wakes(lease, terms, now):
        if (refused := refusal(lease, terms)) is not None:
            return _unpaid(name, state, text, refused)
        span = expected(lease.config_name)
        return Standing(
            state=state,
            reason=text,
            hint=f"a request wakes it, and so does: parkade wake {name}",
            retry_after=START_ESTIMATE if span is None else span,
            wakes=True,
        )
    return Standing(
        state=state,
        reason=text,
        hint=f"start it with: parkade start {name}, or POST /endpoint-expiry "
        f'{{"EndpointName": "{name}", "minutes": 30}}',
        retry_after=OVER_ESTIMATE,
    )


def _unpaid(name: str, state: State, text: str, refused: ParkadeError) -> Standing:
    # What the budget says is its owner's to know; callers may be anybody.
    exceeded = isinstance(refused, BudgetExceeded)
    return Standing(
        state=state,
        reason="over budget" if exceeded else text,
        hint=f"{'no more' if exceeded else 'no'} time is paid for by the budget of its owner, who "
        f"sees why with: parkade wake {name}",
        retry_after=OVER_ESTIMATE,
    )


def _waiting(lease: Lease, now: datetime, expected: Expected) -> Standing:
    """Return how a lease stands whose endpoint is to be made."""
    if lease.refused_at is not None:
        return _failed(lease.endpoint_name, lease.failure, leased=True)
    return _starting(now, now, expected(lease.config_name))


def _not_woken(lease: Lease) -> Standing:
    """Return how one stands that could not be woken; who waits for it goes on waiting."""
    return Standing(
        state=State.STARTING,
        reason="starting",
        hint=f"it could not be woken yet, and is tried again: {lease.failure}",
        retry_after=START_ESTIMATE,
    )


def _starting(since: datetime, now: datetime, span: timedelta | None) -> Standing:
    """Return how an endpoint stands that takes this span to start, as far as that is known."""
    at = None if span is None else since + span
    if at is None or at <= now:  # it takes longer than it used to
        hint = "it is being started; ask again"
        return Standing(
            state=State.STARTING, reason="starting", hint=hint, retry_after=START_ESTIMATE
        )
    return Standing(
        state=State.STARTING,
        reason="starting",
        hint=expecting(at),
        retry_after=at - now,
        expected_at=at,
    )


def _failed(name: str, failure: str, *, leased: bool) -> Standing:
    again = "it is tried again; " if leased else ""
    return Standing(
        state=State.FAILED,
        reason=f"failed: {failure or 'no reason given'}",
        hint=f"{again}see: parkade logs {name}",
        retry_after=OVER_ESTIMATE,
    )
