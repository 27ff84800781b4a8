"""How an endpoint stands, in one word with its reason: what people and callers are told.

The gateway's 503, the API's status and the CLI's column all say what this says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, overload

from parkade.domain.endpoint import SERVING, EndpointStatus, ObservedEndpoint
from parkade.domain.lease import EndReason, Lease

if TYPE_CHECKING:
    from datetime import datetime


class State(StrEnum):
    """What an endpoint is doing, seen by whoever wants to use it."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
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
    #: `running`, `starting`, `expired`, `stopped`, `idle`, `failed: <FailureReason>` ...
    reason: str
    hint: str = ""
    retry_after: timedelta = timedelta(0)


@overload
def standing(lease: Lease, seen: ObservedEndpoint | None, now: datetime) -> Standing: ...
@overload
def standing(
    lease: Lease | None, seen: ObservedEndpoint | None, now: datetime
) -> Standing | None: ...
def standing(lease: Lease | None, seen: ObservedEndpoint | None, now: datetime) -> Standing | None:
    """Return how the endpoint stands; None where there is neither a lease nor an endpoint."""
    if lease is not None and lease.over(now):
        return _over(lease)
    if seen is None:
        return _starting(lease) if lease is not None else None
    if seen.status is EndpointStatus.FAILED:
        return _failed(seen.name, seen.failure_reason, leased=lease is not None)
    if seen.status is EndpointStatus.OUT_OF_SERVICE:
        return _failed(seen.name, "OutOfService, which only a person can mend", leased=False)
    if seen.status is EndpointStatus.DELETING:
        if lease is not None:
            return _starting(lease)
        return Standing(state=State.STOPPING, reason="stopping", retry_after=OVER_ESTIMATE)
    if seen.status in SERVING and (seen.healthy or not seen.wanted):
        return Standing(state=State.RUNNING, reason="running")
    return Standing(
        state=State.STARTING,
        reason="starting",
        hint="it is being started; ask again",
        retry_after=START_ESTIMATE,
    )


def _over(lease: Lease) -> Standing:
    reason = lease.reason_over()
    state = _OVER[reason]
    name = lease.endpoint_name
    failure = lease.failure or "no reason given"
    text = f"failed: {failure}" if reason is EndReason.FAILED else str(state)
    return Standing(
        state=state,
        reason=text,
        hint=f"start it with: parkade start {name}, or POST /endpoint-expiry "
        f'{{"EndpointName": "{name}", "minutes": 30}}',
        retry_after=OVER_ESTIMATE,
    )


def _starting(lease: Lease) -> Standing:
    if lease.refused_at is not None:
        return _failed(lease.endpoint_name, lease.failure, leased=True)
    return Standing(
        state=State.STARTING,
        reason="starting",
        hint="it is being started; ask again",
        retry_after=START_ESTIMATE,
    )


def _failed(name: str, failure: str, *, leased: bool) -> Standing:
    again = "it is tried again; " if leased else ""
    return Standing(
        state=State.FAILED,
        reason=f"failed: {failure or 'no reason given'}",
        hint=f"{again}see: parkade logs {name}",
        retry_after=OVER_ESTIMATE,
    )
