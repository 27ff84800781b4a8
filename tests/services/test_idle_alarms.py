"""Each endpoint that the maintainer watches has an alarm that shows what it sees; it goes with it."""

from dataclasses import replace

import pytest

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.watches import MemoryWatchStore
from parkade.domain.alarm import State
from parkade.domain.idle import IdleRules
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.events import EventQuery
from parkade.ports.metrics import Sample
from parkade.services.alarms import Alarms
from parkade.services.alarmwatch import AlarmWatch
from parkade.services.idlealarms import IdleAlarms
from parkade.services.metricqueries import MetricQueries
from tests.builders import NOW, a_watch, minutes, seconds

BLUE, GREEN = (
    Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName=name)
    for name in ("blue", "green")
)
SERIES = {"falcon": (BLUE, GREEN)}


class World:
    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryAlarmStore(self.history)
        self.watches = MemoryWatchStore(self.history)
        self.metrics = MemoryMetricStore()
        self.alarms = Alarms(self.store, clock=self.clock)
        self.idle = IdleAlarms(self.alarms, self.watches, self.clock)
        self.watch = AlarmWatch(
            self.alarms, self.metrics, MetricQueries(self.metrics), self.history
        )

    def remember(self, **changes):
        watch = a_watch(**changes)
        self.watches.put(watch, None, before=self.watches.get(watch.endpoint_name))
        return watch

    def names(self):
        return [each.name for each in self.store.all().records]

    def run(self, count, **told):
        """Let minutes pass in which these were measured, and look."""
        series = {"blue": BLUE, "green": GREEN}
        for _ in range(count):
            at = self.clock.now()
            self.metrics.add([
                Sample(series=series[name], at=at, value=Aggregate.of(value))
                for name, value in told.items()
            ])  # fmt: skip
            self.clock.advance(minutes(1))
            self.watch.look(self.clock.now() + seconds(5))

    def state(self):
        return self.store.get("parkade-idle/falcon").standing.state


@pytest.fixture
def world():
    made = World()
    made.remember()
    made.idle.follow(SERIES)
    return made


def test_a_watched_endpoint_has_an_alarm_of_parkades_own(world):
    (alarm,) = world.store.all().records
    assert alarm.name == "parkade-idle/falcon"
    assert alarm.own
    assert alarm.endpoint_name == "falcon"
    assert (alarm.period, alarm.rule.periods, alarm.rule.datapoints) == (300, 3, 3)


def test_it_is_raised_when_no_variant_was_used_for_all_windows(world):
    world.run(14, blue=0, green=0)
    assert world.state() is not State.ALARM
    world.run(2, blue=0, green=0)
    assert world.state() is State.ALARM


def test_any_use_of_any_variant_keeps_it_ok(world):
    world.run(7, blue=0, green=0)
    world.run(1, blue=0, green=1)
    world.run(8, blue=0, green=0)
    assert world.state() is State.OK


def test_what_is_not_known_counts_as_busy(world):
    world.run(16, blue=0)
    assert world.state() is State.OK


def test_following_again_writes_nothing(world):
    before = world.store.get("parkade-idle/falcon")
    world.idle.follow(SERIES)
    assert world.store.get("parkade-idle/falcon") == before
    assert len(world.history.read(EventQuery(kinds=("alarm.",)))) == 1


def test_it_follows_the_rules_and_the_variants(world):
    world.run(16, blue=0, green=0)
    world.remember(rules=IdleRules(window=minutes(1), stop_after=2))
    world.idle.follow({"falcon": (BLUE,)})
    alarm = world.store.get("parkade-idle/falcon")
    assert (alarm.period, alarm.rule.periods) == (60, 2)
    assert [q.measured.series for q in alarm.queries if q.measured] == [BLUE]
    assert alarm.standing.state is State.ALARM


@pytest.mark.parametrize(
    ("window", "count", "period", "periods"),
    [(seconds(90), 3, 60, 5), (minutes(5), 1, 300, 1), (minutes(2880), 3, 60, 1440)],
)
def test_windows_that_no_series_is_told_for_are_told_by_the_minute(
    world, window, count, period, periods
):
    world.remember(rules=IdleRules(window=window, stop_after=count))
    world.idle.follow(SERIES)
    alarm = world.store.get("parkade-idle/falcon")
    assert (alarm.period, alarm.rule.periods) == (period, periods)


def test_it_goes_with_the_endpoint(world):
    world.idle.follow({})
    assert world.names() == []


def test_it_goes_with_the_watch(world):
    world.watches.remove(world.watches.get("falcon"), None)
    world.idle.follow(SERIES)
    assert world.names() == []


def test_an_endpoint_that_is_never_stopped_nor_noticed_has_none(world):
    world.remember(rules=IdleRules(stop_after=None, notice_after=None))
    world.idle.follow(SERIES)
    assert world.names() == []


def test_one_that_is_noticed_alone_has_one(world):
    world.remember(rules=IdleRules(stop_after=None, notice_after=2))
    world.idle.follow(SERIES)
    assert world.store.get("parkade-idle/falcon").rule.periods == 2


def test_alarms_of_people_are_left_alone(world):
    own = world.store.get("parkade-idle/falcon")
    mine = replace(own, name="falcon", owner="ann", endpoint_name="", version=0)
    world.alarms.put(mine, "ann")
    world.idle.follow({})
    assert world.names() == ["falcon"]


def test_a_watch_that_cannot_be_read_keeps_its_alarm(world):
    world.watches.damage("falcon", "it is torn")
    world.idle.follow({})
    assert world.names() == ["parkade-idle/falcon"]
