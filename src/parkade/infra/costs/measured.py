"""What was measured here, and not on AWS: what a sweep asks, and what the life of a lease asks.

`tests/apps/lambdas/test_sweep_calls.py` counts all of it anew, but for processor time, over moto and
a SageMaker of the tests, and fails where it is not what stands here: write down what it found, then `make docs`. Units are computed there from the
sizes of items, by DynamoDB's rules.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What one call of the sweep asks, in a minute in which nothing happens."""

    #: Endpoints that run, each of one variant and with a lease that nobody watches for idleness.
    endpoints: int
    #: Requests to all services together.
    requests: float
    #: Units of DynamoDB.
    reads: float
    writes: float
    #: Series that are asked for in GetMetricData.
    series: float
    #: Processor seconds of a process that is warm: those of the thread that sweeps.
    processor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What one lease asks from its purchase to its end, beside the minutes in which it runs."""

    reads: float
    writes: float
    #: Events that are written down, each of which goes to the bus.
    events: float
    #: Executions of the timer that are begun.
    timers: float


NONE = Minute(endpoints=0, requests=14, reads=9.5, writes=2, series=0, processor=0.02)
TEN = Minute(endpoints=10, requests=24, reads=37, writes=10, series=20, processor=0.06)
LIFE = Life(reads=34, writes=44, events=7, timers=1)
#: Figures that each sweep tells as metrics, and bytes of the line that tells them.
FIGURES, LINE = 7, 530
#: Processor seconds of a whole cold start, up to the first answer: bench/coldstart.py.
COLD_TIMER, COLD_NOTICES = 0.65, 0.24
