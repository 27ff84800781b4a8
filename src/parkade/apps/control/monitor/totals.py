"""What was counted since the control process began: the counters of `/metrics`.

Gateways report deltas; here they are only ever added to, so that whoever scrapes sees numbers that
rise. They begin at zero with the process, which is what Prometheus expects of counters.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from parkade.domain.series import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from parkade.apps import link, linkcalls
    from parkade.services.sweep import SweepReport

#: Seconds of real time for which an endpoint that is gone keeps its counters: some scrapes.
LINGER = 900.0
#: Histograms of latencies end their buckets at these powers of two of a microsecond: 256 us to 67 s.
#: They are bounds of `domain.series` too, so that nothing is estimated. Those of routes are of a
#: millisecond.
POWERS = range(8, 27)
ROUTE_POWERS = range(-2, 17)
#: Seconds that the buckets of sweeps' durations end at.
SWEEPS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Distribution:
    """A histogram of latencies, and the powers of two that it is told by."""

    powers: range = POWERS
    total: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, spread: link.Spread) -> None:
        """Add what a gateway measured."""
        self.total += spread.total
        self.buckets.update(spread.buckets)

    def cumulative(self) -> list[int]:
        """Return how many took less than each of the bounds, and at last how many there are."""
        counts = []
        for power in self.powers:
            bound = power * STEPS
            counts.append(sum(n for number, n in self.buckets.items() if number < bound))
        return [*counts, self.buckets.total()]


@dataclass(slots=True)
class Traffic:
    """What one variant or inference component was asked for, and how it went."""

    component: bool = False
    invocations: int = 0
    #: By kind: `4xx` and `5xx` of the model, `no_capacity`, `not_ready`.
    errors: Counter[str] = field(default_factory=Counter)
    model_errors: int = 0
    retried: int = 0
    whole: Distribution = field(default_factory=Distribution)
    model: Distribution = field(default_factory=Distribution)
    overhead: Distribution = field(default_factory=Distribution)
    #: When it was last reported, in seconds of real time.
    heard: float = 0.0

    def add(self, used: link.Usage, heard: float) -> None:
        """Add a row of a gateway's report."""
        self.heard = heard
        self.component = used.component
        self.invocations += used.invocations
        self.model_errors += used.model_errors
        self.retried += used.retried
        for kind, number in (
            ("4xx", used.errors_4xx),
            ("5xx", used.errors_5xx),
            ("no_capacity", used.no_capacity),
            ("not_ready", used.not_ready),
        ):
            self.errors[kind] += number
        self.whole.add(used.whole)
        self.model.add(used.model)
        self.overhead.add(used.overhead)

    def copy(self) -> Traffic:
        """Return it as it is now."""
        return replace(
            self,
            errors=self.errors.copy(),
            whole=replace(self.whole, buckets=self.whole.buckets.copy()),
            model=replace(self.model, buckets=self.model.buckets.copy()),
            overhead=replace(self.overhead, buckets=self.overhead.buckets.copy()),
        )


@dataclass(slots=True)
class RouteTraffic:
    """What came by one route, and how it went."""

    #: By the class of the answer. A caller who went away before it counts as `2xx`: nothing failed.
    calls: Counter[str] = field(default_factory=Counter)
    latency: Distribution = field(default_factory=lambda: Distribution(ROUTE_POWERS))
    integration: Distribution = field(default_factory=lambda: Distribution(ROUTE_POWERS))

    def add(self, called: linkcalls.Calls) -> None:
        """Add what a gateway counted."""
        failed = called.errors_4xx + called.errors_5xx
        self.calls["2xx"] += called.calls - failed
        self.calls["4xx"] += called.errors_4xx
        self.calls["5xx"] += called.errors_5xx
        self.latency.add(called.latency)
        self.integration.add(called.integration)

    def copy(self) -> RouteTraffic:
        """Return it as it is now."""
        return RouteTraffic(
            calls=self.calls.copy(),
            latency=replace(self.latency, buckets=self.latency.buckets.copy()),
            integration=replace(self.integration, buckets=self.integration.buckets.copy()),
        )


@dataclass(slots=True)
class Sweeps:
    """How sweeps went."""

    seconds: float = 0.0
    #: By the place of the bound in SWEEPS that a duration is within; behind them: longer ones.
    durations: list[int] = field(default_factory=lambda: [0] * (len(SWEEPS) + 1))
    #: What was done, by kind of action, and what went wrong.
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    #: Sweeps that saw nothing.
    blind: int = 0

    def cumulative(self) -> list[int]:
        """Return how many took no longer than each of the bounds, and at last how many there are."""
        return list(accumulate(self.durations))


class Totals:
    """Adds up. Safe to use from several threads; `monotonic` gives seconds of real time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._traffic: dict[tuple[str, str], Traffic] = {}
        self._routes: dict[tuple[str, str], RouteTraffic] = {}
        self._sweeps = Sweeps()

    def report(self, usage: Mapping[str, Mapping[str, link.Usage]]) -> None:
        """Add what a gateway counted since its last report."""
        now = self._monotonic()
        with self._lock:
            for endpoint_name, variants in usage.items():
                for name, used in variants.items():
                    self._traffic.setdefault((endpoint_name, name), Traffic()).add(used, now)

    def called(self, calls: Iterable[linkcalls.Calls]) -> None:
        """Add what a gateway counted of routes since its last report."""
        with self._lock:
            for each in calls:
                key = (each.api, each.resource)
                self._routes.setdefault(key, RouteTraffic()).add(each)

    def routes(self) -> dict[tuple[str, str], RouteTraffic]:
        """Return the counts by API and resource; those of routes that are gone stay."""
        with self._lock:
            return {key: route.copy() for key, route in sorted(self._routes.items())}

    def swept(self, seconds: float, report: SweepReport | None) -> None:
        """Count a sweep; None: it could not look."""
        with self._lock:
            sweeps = self._sweeps
            sweeps.seconds += seconds
            sweeps.durations[bisect_left(SWEEPS, seconds)] += 1
            if report is None:
                sweeps.blind += 1
                return
            sweeps.done.update(each.kind.value for each in report.done)
            sweeps.failed.update(each.action.kind.value for each in report.failed)

    def traffic(self, there: Collection[str]) -> dict[tuple[str, str], Traffic]:
        """Return the counts by endpoint and variant; `there`: the endpoints that there are.

        Those of endpoints that are gone are forgotten after a while, or every name that ever was
        would be told for ever.
        """
        oldest = self._monotonic() - LINGER
        with self._lock:
            for key, traffic in tuple(self._traffic.items()):
                if key[0] not in there and traffic.heard < oldest:
                    del self._traffic[key]
            return {key: traffic.copy() for key, traffic in sorted(self._traffic.items())}

    def sweeps(self) -> Sweeps:
        """Return how sweeps went."""
        with self._lock:
            now = self._sweeps
            return replace(
                now, durations=[*now.durations], done=now.done.copy(), failed=now.failed.copy()
            )
