"""`timer`: the look that a lease's state machine takes when its time is up.

It sweeps for one endpoint: the same decision as the minute's, within seconds of the expiry. It is a
function of its own since the minute's sweep runs once at a time; that both do the same is harmless.

    given     {"endpoint_name", "expires_at", "turn"}
    answered  the same, with `waits`: whether to come again at `expires_at`, and `why`
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.start import Function
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import LeaseNotFound
from parkade.domain.event import written
from parkade.domain.standing import told_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.lambdas.sweeping import Timers
    from parkade.apps.settings import FunctionSettings
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.services.sweep import Sweep

#: Between two looks at what could not be stopped yet.
_AGAIN = timedelta(seconds=10)
#: The least of a wait where one clock is ahead of the other.
_AT_ONCE = timedelta(seconds=1)
#: So many of them; then the minute's sweep alone goes on. It keeps an execution's history short.
TURNS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a look works with. Of other endpoints, `hosting` need not know."""

    sweep: Sweep
    book: LeaseBook
    hosting: Hosting
    timers: Timers
    clock: Clock


class Timer:
    """Answers one call. `means` are those for one endpoint, by its name."""

    def __init__(self, means: Callable[[str], Means]) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Look, and say whether to come again. Raises what the sweep could not do."""
        name, turn = str(event["endpoint_name"]), int(event.get("turn", 0))
        waited_for = datetime.fromisoformat(str(event["expires_at"]))
        means = self._means(name)
        report = means.sweep.run(concerns=lambda each: each == name)
        for failure in report.failed:
            raise failure.error
        return {"endpoint_name": name, **self._next(name, turn, waited_for, means)}

    def _next(self, name: str, turn: int, waited_for: datetime, means: Means) -> dict[str, Any]:
        try:
            lease = means.book.get(name)
        except LeaseNotFound:
            return _done("its lease was removed")
        now = means.clock.now()
        if not lease.over(now):
            if lease.paused_at is None and lease.expires_at <= waited_for and turn < TURNS:
                # It was waited for by a clock that is ahead of this one.
                again = max(lease.expires_at, now + _AT_ONCE)
                return _again(turn, again, "it is not yet time by the clock of this function")
            if lease.paused_at is None:
                # It was extended: that expiry has an execution of its own, from now on if not before.
                means.timers.wait_for(lease)
            return _done(f"its lease runs until {written(lease.expires_at)}")
        seen = means.hosting.endpoints().get(name)
        if seen is None or seen.status is EndpointStatus.DELETING:
            return _done(f"its lease is over ({lease.reason_over()}), and it is stopped")
        if turn >= TURNS:
            return _done(f"it is {seen.status}; the minute's sweep goes on")
        return _again(turn, now + _AGAIN, f"its lease is over, and it is still {seen.status}")


def _again(turn: int, at: datetime, why: str) -> dict[str, Any]:
    return {"waits": True, "turn": turn + 1, "expires_at": written(told_at(at)), "why": why}


def _done(why: str) -> dict[str, Any]:
    return {"waits": False, "why": why}


def _build(settings: FunctionSettings) -> Timer:
    from parkade.apps.lambdas.meterwork import Ground, Work  # noqa: PLC0415  at the first call

    work = Work(Ground.of(settings))

    def means(name: str) -> Means:
        one = Work(work.ground, one=name)
        return Means(
            sweep=one.sweep,
            book=one.book,
            hosting=one.hosting,
            timers=work.timers,
            clock=work.clock,
        )

    return Timer(means)


handler = Function(_build)
