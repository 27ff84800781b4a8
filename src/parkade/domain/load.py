"""Load in steps: which rate is tried next, by how the ones before went. Pure.

Rates rise by doubling until one does not hold, or the last that was asked for does; then the bounds
between the greatest that held and the least that did not are halved until they are close enough.

    from 10   10 ok   20 ok   40 ok   80 no   60 ok   70 no   65 ok   -> 65

A rate holds where the latency's quantile is within the target and no more requests than is allowed
come to an error, or to no answer while the step lasts. Where it does not, and the client itself sent
late, that is no finding about the server: the search ends there, and says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Json

#: The greatest rate that may be asked for: far beyond what one client can send.
MOST_RATE = 1_000_000.0
#: The client is the limit where so much of the target passes before it sends what is due.
_LAG_SHARE = 0.1
#: Milliseconds of lag that are within what any event loop has.
_LAG_MS = 5.0
_GROWTH = 2.0


class Held(StrEnum):
    """What a step found out about its rate."""

    YES = "yes"
    NO = "no"
    #: The client could not send that much.
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be found out."""

    target_ms: float
    #: Of latencies that is to be within the target: 0.99.
    share: float = 0.99
    #: Requests a second to begin with, and to end with at most.
    first: float = 1.0
    last: float = 1000.0
    #: How close the bounds are to come, as a share of the greater.
    precision: float = 0.05
    #: The share of answers that may be errors.
    errors: float = 0.0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("target_ms", self.target_ms, 3_600_000.0),
            ("from", self.first, MOST_RATE),
            ("to", self.last, MOST_RATE),
        ):
            if not math.isfinite(value) or not 0 < value <= most:
                raise InvalidInput(
                    f"{name} {value:g} is not possible",
                    field=name,
                    hint=f"give more than 0, at most {most:g}",
                )
        if self.first > self.last:
            raise InvalidInput(
                f"rates from {self.first:g} to {self.last:g} do not rise",
                field="from",
                hint="give a rate to begin with that is not more than the last",
            )
        for name, value, most in (
            ("quantile", self.share, 1.0),
            ("precision", self.precision, 1.0),
            ("errors", self.errors, 1.0),
        ):
            if not 0 <= value < most or (not value and name != "errors"):
                raise InvalidInput(f"{name} {value:g} is not possible", field=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured at one rate, after its warm-up. Times are milliseconds."""

    #: Requests a second that were due.
    rate: float
    sent: int
    #: Answers that came, of any status.
    answered: int
    errors: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    #: The quantile that is looked at; None: nothing was answered.
    latency: float | None
    #: How late requests left, against when they were due: the quantile 0.99.
    lag: float
    #: Why it was ended early; empty: it was not.
    ended: str = ""
    #: The first error, for people.
    trouble: str = ""

    @property
    def error_rate(self) -> float:
        """The share of requests that were answered with an error, or not at all."""
        return self.errors / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finding with what it says of its rate."""

    finding: Finding
    held: Held
    #: For people.
    reason: str


def judged(aim: Aim, finding: Finding) -> Judged:
    """Return what a finding says of its rate."""
    held, reason = _held(aim, finding)
    return Judged(finding=finding, held=held, reason=reason)


def _held(aim: Aim, found: Finding) -> tuple[Held, str]:
    if found.error_rate > aim.errors and not found.ended:
        told = f"{found.error_rate:.2%} errors"
        return Held.NO, f"{told}: {found.trouble}" if found.trouble else told
    if not found.ended and found.latency is not None and found.latency <= aim.target_ms:
        # However late the client was: that is in the latency.
        return Held.YES, f"{found.latency:.1f} ms"
    if found.lag > max(_LAG_MS, aim.target_ms * _LAG_SHARE):
        return Held.CLIENT, (
            f"the client sent {found.lag:.0f} ms late: it, or the machine, was the limit"
        )
    if found.ended or found.latency is None:
        return Held.NO, found.ended or "nothing was answered"
    return Held.NO, f"{found.latency:.1f} ms is more than {aim.target_ms:g} ms"


def following(aim: Aim, steps: Sequence[Judged]) -> float | None:
    """Return the rate to try next; None: the search is over."""
    if not steps:
        return aim.first
    if steps[-1].held is Held.CLIENT:
        return None
    low, high = bounds(steps)
    if high is None:
        return None if low is None or low >= aim.last else min(aim.last, low * _GROWTH)
    if low is None:
        # The first rate is too much already: nothing below it was asked for.
        return None
    if high - low <= high * aim.precision:
        return None
    return _plain((low + high) / 2, low, high)


def bounds(steps: Sequence[Judged]) -> tuple[float | None, float | None]:
    """Return the greatest rate that held below every one that did not, and the least that did not."""
    failed = [each.finding.rate for each in steps if each.held is Held.NO]
    high = min(failed, default=None)
    held = [
        each.finding.rate
        for each in steps
        if each.held is Held.YES and (high is None or each.finding.rate < high)
    ]
    return max(held, default=None), high


def greatest(steps: Sequence[Judged]) -> Judged | None:
    """Return the step of the greatest rate that holds; None: none did."""
    low, _ = bounds(steps)
    return next(
        (each for each in steps if each.held is Held.YES and each.finding.rate == low), None
    )


def verdict(aim: Aim, steps: Sequence[Judged]) -> str:
    """Say what was found, for people."""
    best, within = greatest(steps), f"within {aim.target_ms:g} ms"
    limit = next((each for each in steps if each.held is Held.CLIENT), None)
    if limit is not None:
        reached = f"at least {best.finding.rate:g}" if best else "it is not known how many"
        return f"{reached} requests a second {within}; at {limit.finding.rate:g} a second {limit.reason}"
    if best is None:
        why = f": {steps[0].reason}" if steps else ""
        return f"not even {aim.first:g} requests a second {within}{why}"
    told = f"{best.finding.rate:g} requests a second {within}"
    return f"{told}, the most that was asked for" if best.finding.rate >= aim.last else told


def _plain(rate: float, low: float, high: float) -> float:
    """Return a rate of few digits near this one, within the bounds."""
    for digits in (2, 3, 4):
        plain = float(f"{rate:.{digits}g}")
        if low < plain < high and abs(plain - rate) <= (high - low) / 4:
            return plain
    return rate


def written(step: Judged) -> dict[str, Json]:
    """Write a step as JSON."""
    found = step.finding
    return {
        "rate": found.rate,
        "holds": step.held is Held.YES,
        "client_limited": step.held is Held.CLIENT,
        "reason": step.reason,
        "sent": found.sent,
        "answered": found.answered,
        "errors": found.errors,
        "error_rate": found.error_rate,
        "p50_ms": found.p50,
        "p90_ms": found.p90,
        "p95_ms": found.p95,
        "p99_ms": found.p99,
        "latency_ms": found.latency,
        "lag_ms": found.lag,
    }
