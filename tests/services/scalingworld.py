"""What is scaled, in memory: capacities, measurements, alarms, and a clock that is moved."""

from datetime import timedelta

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.capacity import MemoryCapacity
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.scaling import MemoryScalingStore
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.target import Resource
from parkade.domain.series import Aggregate
from parkade.domain.statistics import begin
from parkade.ports.capacity import Readiness, Reading
from parkade.ports.events import EventQuery
from parkade.ports.metrics import Sample
from parkade.services.alarms import Alarms
from parkade.services.autoscaler import Autoscaler
from parkade.services.metricqueries import MetricQueries
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.scalingsight import Certain, Looking
from parkade.services.timetables import Timetables
from tests.builders import NOW, minutes

BUSY = Resource("falcon", "main")
OTHER = Resource("falcon", "other")
LATE = Resource("late", "main")
COPIES = Resource("parrot")
TRACKING = Tracking(target=600.0, metric=Predefined.INVOCATIONS_PER_INSTANCE)


class World:
    """A world of one endpoint with two variants, one that is asynchronous, and a component."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryScalingStore(self.history)
        self.capacity = MemoryCapacity(self.clock)
        self.metrics = MemoryMetricStore()
        self.alarm_store = MemoryAlarmStore(self.history)
        self.changes = 0
        #: Since when nothing was missed; None: measurements are not known now.
        self.known_since = NOW - timedelta(days=1)
        #: By how much what is stored is behind.
        self.behind = timedelta(0)
        for resource, floor in ((BUSY, 1), (OTHER, 1), (LATE, 0), (COPIES, 0)):
            self.have(resource, floor=floor)
        self.restart()

    def restart(self):
        """Begin a process on what is stored."""
        self.alarms = Alarms(self.alarm_store, clock=self.clock)
        self.queries = MetricQueries(self.metrics)
        self.scaling_alarms = ScalingAlarms(
            self.alarms,
            self.store,
            self.clock,
            endpoint_of=lambda policy: policy.resource.name,
            region=lambda: "us-east-1",
            account="000000000000",
        )
        self.moves = Moves(self.store, self.capacity, self.clock)
        self.scaling = Scaling(
            self.store,
            self.capacity,
            clock=self.clock,
            alarms=self.scaling_alarms,
            moves=self.moves,
            changed=self._changed,
        )
        self.timetables = Timetables(self.store, clock=self.clock)
        self.autoscaler = Autoscaler(
            self.store,
            self.capacity,
            looking=Looking(self.metrics, self.queries, self.scaling_alarms, self._certain),
            alarms=self.scaling_alarms,
            moves=self.moves,
            timetables=self.timetables,
            clock=self.clock,
        )

    def _changed(self):
        self.changes += 1

    def _certain(self):
        if self.known_since is None:
            return None
        return Certain(since=self.known_since, until=self.clock.now() - self.behind)

    # -- what there is ----------------------------------------------------------------------

    def have(self, resource, count=1, *, readiness=Readiness.READY, why="", **changes):
        self.capacity.put(
            Reading(
                resource=resource,
                endpoint_name=resource.name,
                readiness=readiness,
                current=count,
                desired=count,
                why=why,
                **{
                    "changed_at": NOW - timedelta(days=1),
                    "awake_since": NOW - timedelta(days=1),
                    **changes,
                },
            )
        )

    def desired(self, resource=BUSY):
        return self.capacity.read(resource).desired

    def register(self, resource=BUSY, least=1, most=4, **changes):
        return self.scaling.register(resource, "ann", least=least, most=most, **changes)

    def track(self, resource=BUSY, name="keep", tracking=TRACKING):
        return self.scaling.put_policy(resource, name, "ann", tracking=tracking)

    # -- what happens -------------------------------------------------------------------------

    def pass_minute(self, value=None, *, series=None):
        """Let a minute pass in which so much was measured of each; None: nothing."""
        at = begin(self.clock.now(), 60)
        if value is not None:
            series = series or TRACKING.queries(BUSY)[0].measured.series
            self.metrics.add([Sample(series=series, at=at, value=Aggregate.of(value))])
        self.clock.set(at + minutes(1))

    def pass_minutes(self, count, value=None, **options):
        for _ in range(count):
            self.pass_minute(value, **options)

    def look(self, only=None):
        readings = self.autoscaler.survey()
        thoughts = self.autoscaler.think(readings, only)
        self.autoscaler.act(thoughts)
        return {each.target.resource.id: each for each in thoughts}

    def reason(self, resource=BUSY):
        return self.moves.decisions[resource.id].reason

    def activities(self, resource=None):
        """The activities, the oldest first, as (status, what it was to do)."""
        found = self.scaling.activities(resource)[::-1]
        return [(each.status.value, each.description) for each in found]

    def kinds(self):
        return [each.kind for each in self.history.read(EventQuery(kinds=("scaling.",)))]
