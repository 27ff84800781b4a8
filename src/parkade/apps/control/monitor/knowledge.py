"""Since when no invocation can have gone uncounted.

All invocations are known while every gateway there is reports. What breaks that is a hole, and
knowledge begins anew behind it:

    a gateway is gone without its last message: it took counts with it that nobody has
    the clock of leases was set: what it says of the time between is not true
    control comes back, and the gateways that it knew do not, or the clock was set meanwhile

Control's own absence is none: gateways keep what they count until it is back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Seconds by which the clocks may differ before one counts as set.
JUMP = 5.0
#: Seconds of real time after which a gateway that is silent, or away, counts as lost.
PATIENCE = 10.0
#: Seconds of real time, and periods of reporting, for which the last report is as good as new.
STALE_SECONDS, STALE_PERIODS = 5.0, 5
#: By how much the newest stored point may be older than the last count: a minute has a point of
#: zero once the next one has begun.
LAG = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a control process leaves to the next."""

    #: Since when all was known.
    known_since: datetime
    #: The ids of gateways that had not taken leave.
    gateways: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant on both clocks: that of leases, and seconds of real time that nobody sets."""

    now: datetime
    tick: float


@dataclass(slots=True)
class _Gateway:
    #: When it was heard last, or, being away, when that was noticed.
    tick: float
    connected: bool = False
    #: Whether it is one that the former control process knew and this one has not heard yet.
    expected: bool = False


@dataclass(slots=True)
class Knowledge:
    """Keeps `known_since`; is told what gateways say, and the time, again and again."""

    #: Seconds of the lease clock in one of real time, and of real time between two reports.
    scale: float
    period: float
    last: Instant
    known_since: datetime
    #: The newest point that was stored before this process began.
    stored: datetime | None = None
    #: How often the clock of leases was set.
    jumps: int = 0
    _gateways: dict[str, _Gateway] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        at: Instant,
        remembered: Remembered | None,
        *,
        scale: float,
        period: float,
        stored: datetime | None,
    ) -> Knowledge:
        """Go on from what the process before knew, if its gateways come back."""
        known = cls(scale=scale, period=period, last=at, known_since=at.now, stored=stored)
        if remembered is not None and stored is not None and remembered.gateways:
            known.known_since = min(remembered.known_since, at.now)
            known._gateways = {
                each: _Gateway(at.tick, expected=True) for each in remembered.gateways
            }
        return known

    @property
    def remembered(self) -> Remembered:
        """What the next control process has to know."""
        return Remembered(known_since=self.known_since, gateways=frozenset(self._gateways))

    def pass_time(self, at: Instant) -> None:
        """Know what time it is, and whether the clock of leases was set."""
        passed = (at.now - self.last.now).total_seconds()
        expected = (at.tick - self.last.tick) * self.scale
        jumped = abs(passed - expected) > JUMP * max(1.0, self.scale)
        self.last = at
        if jumped:
            self.jumps += 1
            self.known_since = at.now
        for name, gateway in tuple(self._gateways.items()):
            if not gateway.connected and at.tick - gateway.tick > PATIENCE:
                self._lose(name)

    def serving(self, at: Instant) -> None:
        """Know that gateways can be heard from now on; nobody is late for what took until then."""
        for gateway in self._gateways.values():
            if gateway.expected:
                gateway.tick = at.tick
        self.pass_time(at)

    def joined(self, gateway: str, at: Instant) -> None:
        """Know that a gateway is there, and counts; it has yet to report."""
        self.pass_time(at)
        self._gateways.setdefault(gateway, _Gateway(at.tick)).tick = at.tick

    def heard(self, gateway: str, at: Instant, silence: float | None) -> None:
        """Know that a gateway has reported; `silence`: for how long nobody had taken its counts."""
        self.pass_time(at)
        known = self._gateways.get(gateway)
        if known is not None and known.expected and not self._covers(at, silence):
            self.known_since = at.now
        self._gateways[gateway] = _Gateway(at.tick, connected=True)

    def left(self, gateway: str, at: Instant, *, last: bool) -> None:
        """Know that a gateway has gone from the link, with its `last` message or without."""
        self.pass_time(at)
        if last:
            self._gateways.pop(gateway, None)
        elif gateway in self._gateways:
            self._gateways[gateway] = _Gateway(at.tick)

    def lose(self, at: Instant) -> None:
        """Know that something that was counted is lost."""
        self.pass_time(at)
        self.known_since = at.now

    def missing(self, at: Instant) -> str:
        """Return why the counts of now are not known; empty where they are."""
        self.pass_time(at)
        if not any(each.connected for each in self._gateways.values()):
            return "no gateway reports"
        stale = max(STALE_SECONDS, STALE_PERIODS * self.period)
        for each in self._gateways.values():
            if not each.connected:
                return "a gateway has yet to report what it has counted"
            if at.tick - each.tick > stale:
                return f"a gateway has not reported for {at.tick - each.tick:.0f} s"
        return ""

    def _covers(self, at: Instant, silence: float | None) -> bool:
        """Tell whether a gateway's silence is all of the time that there was no control."""
        if silence is None or self.stored is None:
            return False
        slack = timedelta(seconds=JUMP * max(1.0, self.scale))
        counted = at.now - timedelta(seconds=silence * self.scale)
        return self.stored - slack <= counted <= self.stored + LAG + slack

    def _lose(self, gateway: str) -> None:
        del self._gateways[gateway]
        self.known_since = self.last.now
