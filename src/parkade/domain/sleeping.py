"""Whether an endpoint whose lease has time left sleeps, wakes, or stays as it is.

    awake       so long without use          -> sleep: the lease is marked, then the workers leave
    asleep      asked for, or its time has
                come (office hours, booking) -> wake: the mark goes, then the workers come

The lease says which it is to be, and the endpoint is made to follow. So a crash between the mark
and the act is made up for, but for what was used in between: that is not put to sleep any more.
What is on its way elsewhere is waited for, and what is not known counts as use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.endpoint import TRANSIENT, EndpointStatus, ObservedEndpoint
from parkade.domain.event import Json, written
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from parkade.domain.idle import Use
    from parkade.domain.ladder import Watch
    from parkade.domain.lease import Lease
    from parkade.domain.terms import Sleep


#: What gateways tell of use comes each second.
_SOON = timedelta(seconds=1)


class Move(StrEnum):
    """What is to be done about sleep."""

    SLEEP = "sleep"
    WAKE = "wake"
    STAY = "stay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done, and why. `next_at`: when time alone changes it."""

    move: Move
    reason: str
    next_at: datetime | None = None
    #: What falling asleep was decided on.
    evidence: Json = None


def asleep(
    now: datetime, lease: Lease, seen: ObservedEndpoint | None, use: Use | None, opening: str
) -> Step:
    """Return what is done about an endpoint whose lease says that it sleeps.

    `opening` tells why it is to be warm by now although nobody asked; empty: it is not.
    """
    since = lease.asleep_at or now
    told = f"asleep for {duration(max(timedelta(0), now - since))}"
    wanted = opening or (lease.wanted_at and f"asked for at {_clock(lease.wanted_at)}") or ""
    if seen is None:
        return _stay(told) if not wanted else Step(move=Move.WAKE, reason=f"{told}; {wanted}")
    if not wanted and _started(seen, since):
        return Step(move=Move.WAKE, reason=f"{told}, and somebody has started it since")
    if seen.status in TRANSIENT or seen.changing:
        return _stay(f"{told}; waiting while {_on_its_way(seen)}", wanted)
    if wanted:
        return Step(move=Move.WAKE, reason=f"{told}; {wanted}")
    if seen.asleep or seen.status is not EndpointStatus.IN_SERVICE:
        return _stay(told)
    return _still_awake(now, use)


def _still_awake(now: datetime, use: Use | None) -> Step:
    """Return what is done where the lease was marked and the endpoint has not followed yet."""
    if use is None or use.in_flight is None or use.backlog is None:
        return Step(
            move=Move.STAY,
            reason="it is to sleep, and it is not known whether it is used; waiting",
            next_at=now + _SOON,
        )
    if use.in_flight or use.backlog:
        return Step(
            move=Move.WAKE,
            reason=f"it was to sleep, and is used: {use.why_not}",
        )
    evidence: dict[str, Json] = {"decided_at": written(now), "use": use.evidence()}
    return Step(
        move=Move.SLEEP, reason="it is to sleep, and nothing is under way", evidence=evidence
    )


def awake(
    now: datetime, sleep: Sleep | None, seen: ObservedEndpoint, use: Use | None, watch: Watch | None
) -> Step | None:
    """Return what is done about an endpoint in service whose lease says that it runs.

    None: nothing is settled about sleep. A snooze of the maintainer's `watch` postpones this, too.
    """
    if seen.asleep:
        if seen.changing:
            return _stay(f"it is to run; waiting while {_on_its_way(seen)}")
        return Step(move=Move.WAKE, reason="it sleeps, and is to run")
    if sleep is None or sleep.after is None:
        return None
    if seen.changing:
        return _stay(f"it does not sleep while {_on_its_way(seen)}")
    if use is None:
        return _stay("whether it is idle is not known, so it does not sleep")
    quiet_since = use.quiet_since
    if quiet_since is None:
        return Step(
            move=Move.STAY, reason=f"it does not sleep: {use.why_not}", evidence=use.evidence()
        )
    idle_since = max([
        quiet_since,
        seen.awake_since or seen.changed_at,
        *([sleep.since] if sleep.since else []),
        *([watch.snoozed_until] if watch and watch.snoozed_until else []),
    ])  # fmt: skip
    due = idle_since + sleep.after
    evidence: dict[str, Json] = {
        "idle_since": written(idle_since),
        "sleeps_at": written(due),
        "use": use.evidence(),
    }
    if now < due:
        return Step(
            move=Move.STAY,
            reason=f"it sleeps in {duration(due - now)} if it is not used",
            next_at=due,
            evidence=evidence,
        )
    return Step(
        move=Move.SLEEP,
        reason=f"without use for {duration(now - idle_since)}",
        evidence=evidence,
    )


def _started(seen: ObservedEndpoint, since: datetime) -> bool:
    """Tell whether it came to run after its lease was marked, and not by that lease."""
    if seen.asleep or seen.status in {EndpointStatus.DELETING, EndpointStatus.FAILED}:
        return False
    return seen.created_at > since or (seen.awake_since is not None and seen.awake_since > since)


def _on_its_way(seen: ObservedEndpoint) -> str:
    if seen.status in TRANSIENT:
        return f"it is {seen.status}"
    return "an inference component of it is on its way"


def _stay(reason: str, wanted: str = "") -> Step:
    return Step(move=Move.STAY, reason=f"{reason}; {wanted}" if wanted else reason)


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S} UTC"
