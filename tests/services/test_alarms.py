"""Alarms are put, looked at when they are due, and told of once."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.topics import MemoryTopics
from parkade.domain.alarm import OWN, Missing, State
from parkade.domain.errors import (
    AlarmNotFound,
    Forbidden,
    InvalidInput,
    ResourceLimitExceeded,
    Unavailable,
    Unreadable,
)
from parkade.domain.metricquery import Query
from parkade.domain.points import Points
from parkade.domain.series import Aggregate
from parkade.domain.statistics import begin
from parkade.ports.events import EventQuery
from parkade.ports.metrics import Sample
from parkade.services.alarmactions import AlarmActions
from parkade.services.alarms import Alarms, Subject, endpoint_of, subjects
from parkade.services.alarmwatch import AlarmWatch
from parkade.services.metricqueries import MetricQueries
from parkade.services.metrics import MOST_POINTS
from tests.builders import NOW, a_query, an_alarm, minutes, seconds

TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"


class World:
    """A store of measurements, one of alarms, a topic, and a clock that is moved."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryAlarmStore(self.history)
        self.metrics = MemoryMetricStore()
        self.topics = MemoryTopics()
        self.whole = None
        self.restart()

    def restart(self):
        """Begin a process on what is stored."""
        self.actions = AlarmActions(
            self.topics,
            self.history,
            self.clock,
            region=lambda: "us-east-1",
            account="000000000000",
        )
        self.alarms = Alarms(self.store, clock=self.clock, told=self.actions.tell)
        self.watch = AlarmWatch(
            self.alarms,
            self.metrics,
            MetricQueries(self.metrics),
            self.history,
            whole=lambda: self.whole,
        )

    def put(self, *args, **changes):
        changes.setdefault("configured_at", self.clock.now())
        return self.alarms.put(an_alarm(*args, **changes), "ann")

    def measure(self, value, *, at=None, query=None, seconds=60):
        series = (query or a_query()).measured.series
        at = begin(at or self.clock.now(), seconds)
        self.metrics.add([Sample(series=series, at=at, value=Aggregate.of(value), seconds=seconds)])

    def minute(self, *given):
        """Let minutes pass in each of which a value, or None, was measured; look after each."""
        for value in given:
            if value is not None:
                self.measure(value)
            self.clock.advance(minutes(1))
            self.look()

    def look(self):
        return self.watch.look(self.clock.now() + seconds(5))

    def state(self, name="busy"):
        return self.store.get(name).standing.state

    def kinds(self, *kinds):
        return [each.kind for each in self.history.read(EventQuery(kinds=kinds or ("alarm.",)))]

    def sent(self):
        """What the topic was told, once all of it is."""
        self.actions.close()
        return [json.loads(text) for _, text in self.topics.messages]


@pytest.fixture
def world():
    return World()


def test_an_alarm_begins_unchecked_and_is_raised_after_its_periods(world):
    world.put()
    assert world.state() is State.INSUFFICIENT_DATA
    world.minute(5)
    assert world.state() is State.INSUFFICIENT_DATA
    world.minute(5)
    assert world.state() is State.INSUFFICIENT_DATA
    world.minute(5)
    assert world.state() is State.ALARM
    world.minute(0, 0)
    assert world.state() is State.OK


def test_a_change_is_one_event_with_eventbridges_detail(world):
    world.put(periods=1)
    world.minute(5, 5, 5)
    (event,) = world.history.read(EventQuery(kinds=("alarm.changed",)))
    assert event.endpoint_name == "falcon"
    assert event.data["name"] == "busy"
    assert event.data["alarm"]["state"]["value"] == "ALARM"
    assert event.data["alarm"]["previousState"]["value"] == "INSUFFICIENT_DATA"


def test_topics_of_the_new_state_are_told_once(world):
    world.put(periods=1, alarm_actions=(TOPIC,), ok_actions=(TOPIC,))
    world.minute(5, 5, 0, 0)
    assert [each["NewStateValue"] for each in world.sent()] == ["ALARM", "OK"]
    assert world.kinds("alarm.told") == ["alarm.told"] * 2


def test_disabled_actions_tell_nobody_and_the_state_changes_all_the_same(world):
    world.put(periods=1, alarm_actions=(TOPIC,))
    world.alarms.enable_actions(["busy", "none"], "ann", enabled=False)
    world.minute(5)
    assert world.state() is State.ALARM
    assert world.sent() == []


def test_after_a_restart_nobody_is_told_again(world):
    world.put(periods=1, alarm_actions=(TOPIC,))
    world.minute(5)
    world.sent()
    world.restart()
    world.look()
    world.minute(5)
    assert len(world.sent()) == 1
    assert world.kinds("alarm.changed") == ["alarm.changed"]


def test_a_topic_that_takes_nothing_is_written_down(world):
    world.topics.broken = True
    world.put(periods=1, alarm_actions=(TOPIC,))
    world.minute(5)
    world.sent()
    (event,) = world.history.read(EventQuery(kinds=("alarm.untold",)))
    assert "takes no message" in event.reason
    assert world.state() is State.ALARM


def test_a_history_that_takes_nothing_for_a_while_keeps_no_later_message(world, monkeypatch):
    append = world.history.append

    def full(event):
        if event.kind == "alarm.told" and not world.topics.messages[1:]:
            raise ResourceLimitExceeded("the disk is full")
        return append(event)

    monkeypatch.setattr(world.history, "append", full)
    world.put(periods=1, alarm_actions=(TOPIC,), ok_actions=(TOPIC,))
    world.minute(5, 0)
    assert [each["NewStateValue"] for each in world.sent()] == ["ALARM", "OK"]
    assert world.kinds("alarm.told") == ["alarm.told"]


def test_a_change_that_cannot_be_stored_is_told_to_nobody_and_comes_again(world, monkeypatch):
    world.put(periods=1, alarm_actions=(TOPIC,))

    def full(*_):
        raise ResourceLimitExceeded("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "put", full)
        world.minute(5)
    assert world.state() is State.INSUFFICIENT_DATA
    assert world.watch.troubles == {"busy": "the disk is full"}
    world.minute(5)
    assert world.state() is State.ALARM
    assert len(world.sent()) == 1


def test_a_point_of_a_period_that_is_not_over_counts_for_nothing(world):
    world.put(periods=1, missing=Missing.NOT_BREACHING)
    world.measure(5)
    world.look()
    assert world.state() is State.OK
    world.clock.advance(seconds(55))
    world.look()
    assert world.state() is State.OK


def test_alarms_of_ten_seconds_are_looked_at_each_ten(world):
    query = a_query(period=10)
    world.put(periods=2, queries=(query,))
    for value in (5, 5):
        world.measure(value, query=query, seconds=10)
        world.clock.advance(seconds(10))
        due = world.look()
    assert world.state() is State.ALARM
    assert due == world.clock.now() + seconds(15)


def test_an_alarm_on_an_expression_is_evaluated(world):
    other = a_query("b", variant="green", returned=False)
    total = Query(id="e", expression="FILL(a, 0) + FILL(b, 0)")
    queries = (a_query("a", returned=False), other, total)
    world.put(periods=1, queries=queries, threshold=8.0, plain=False)
    world.measure(5)
    world.measure(4, query=other)
    world.clock.advance(minutes(1))
    world.look()
    assert world.state() is State.ALARM


def test_what_cannot_be_read_changes_no_state_and_is_written_down_once(world, monkeypatch):
    world.put(periods=1)
    world.minute(5)

    def broken(*_):
        raise Unavailable("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.metrics, "points", broken)
        world.minute(None, None)
        assert world.watch.troubles == {"busy": "the disk is away"}
    assert world.state() is State.ALARM
    assert world.kinds("alarm.unknown") == ["alarm.unknown"]
    world.minute(0, 0)
    assert world.watch.troubles == {}
    assert world.state() is State.OK


def test_a_fault_of_ours_in_one_alarm_is_no_other_alarms(world, monkeypatch):
    world.put("good", periods=1)
    world.put("bad", periods=1, queries=(a_query(endpoint="flan", statistic="p99"),))
    queries = (a_query(endpoint="flan", returned=False), Query(id="e", expression="m1 / 2"))
    world.put("worse", periods=1, queries=queries, plain=False)

    def faulty(*_):
        raise TypeError("a bug")

    monkeypatch.setattr(MetricQueries, "answer", faulty)
    monkeypatch.setattr(Points, "percentiles", faulty)
    world.minute(5)
    assert world.state("good") is State.ALARM
    assert "fault in Parkade" in world.watch.troubles["bad"]
    assert "fault in Parkade" in world.watch.troubles["worse"]


def test_a_damaged_alarm_hides_no_other(world):
    world.put("bad", periods=1)
    world.put("good", periods=1)
    world.store.damage("bad", "it is torn")
    world.minute(5)
    assert world.state("good") is State.ALARM
    assert world.kinds("alarm.unknown") == ["alarm.unknown"]
    with pytest.raises(Unreadable):
        world.alarms.get("bad")
    world.alarms.remove(["bad"], "ann")
    world.minute(5)
    assert world.watch.troubles == {}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_makes_no_alarm_wait(world, hours):
    world.put(periods=1)
    world.measure(0, at=NOW)
    world.watch.look(NOW + minutes(1) + seconds(5))
    assert world.state() is State.OK
    then = NOW + timedelta(hours=hours)
    world.measure(5, at=then)
    due = world.watch.look(then + minutes(1) + seconds(5))
    assert world.state() is State.ALARM
    assert due < then + minutes(2)


def test_putting_an_alarm_again_keeps_its_state_and_its_tags(world):
    world.put(periods=1, tags={"a": "b"})
    world.minute(5)
    world.put(periods=2, tags={"c": "d"})
    alarm = world.alarms.get("busy")
    assert (alarm.standing.state, alarm.tags, alarm.rule.periods) == (State.ALARM, {"a": "b"}, 2)


def test_an_alarm_that_is_put_is_looked_at_at_once(world):
    world.minute(5)
    world.put(periods=1)
    world.look()
    assert world.state() is State.ALARM
    world.alarms.remove(["busy"], "ann")
    world.clock.advance(seconds(1))
    world.put(periods=1)
    world.look()
    assert world.state() is State.ALARM


def test_a_state_that_is_set_holds_until_the_alarm_is_looked_at(world):
    world.put(periods=1, alarm_actions=(TOPIC,))
    world.minute(0)
    world.alarms.set_state("busy", State.ALARM, "a rehearsal", "", "ann")
    assert world.state() is State.ALARM
    world.minute(0)
    assert world.state() is State.OK
    (told,) = world.sent()
    assert told["NewStateReason"] == "a rehearsal"
    with pytest.raises(AlarmNotFound):
        world.alarms.set_state("none", State.OK, "", "", "ann")


@pytest.mark.parametrize(
    "queries",
    [
        (a_query(), a_query("m2")),
        (a_query(returned=False),),
        (Query(id="e", expression="TIME_SERIES(1)"),),
        (Query(id="e", expression="x + 1"),),
    ],
    ids=["two returned", "none returned", "no metric", "unknown id"],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(world, queries):
    with pytest.raises(InvalidInput):
        world.put(queries=queries)
    assert world.alarms.all().records == ()


def test_parkades_own_alarms_are_nobodys_to_change_or_remove(world):
    own = an_alarm("parkade-idle/falcon", owner=OWN, endpoint_name="falcon")
    world.alarms.put(own, OWN)
    world.put("mine")
    with pytest.raises(Forbidden, match="Parkade's own"):
        world.put("parkade-idle/falcon")
    with pytest.raises(Forbidden, match="Parkade's own"):
        world.alarms.remove(["mine", "parkade-idle/falcon"], "ann")
    assert len(world.alarms.all().records) == 2


def test_what_an_alarm_is_on(world):
    two = (a_query("a", returned=False), a_query("b", variant="green", returned=False))
    alarm = an_alarm(queries=(*two, Query(id="e", expression="a + b")))
    assert subjects(alarm) == (
        Subject(endpoint_name="falcon", variant_name="blue"),
        Subject(endpoint_name="falcon", variant_name="green"),
    )
    assert endpoint_of(alarm) == "falcon"
    other = replace(alarm, queries=(a_query("a"), a_query("b", endpoint="flan", returned=False)))
    assert endpoint_of(other) == ""


def test_points_of_hundreds_of_alarms_are_read_at_once(world, monkeypatch):
    for number in range(300):
        world.put(f"alarm-{number:03}", periods=1 + number % 2)
    readings = []
    points = world.metrics.points
    monkeypatch.setattr(
        world.metrics, "points", lambda *args: readings.append(args) or points(*args)
    )
    world.minute(5, 5)
    assert {each.standing.state for each in world.alarms.all().records} == {State.ALARM}
    assert len(readings) == 4  # of each minute: one for each length of what is evaluated


def test_days_of_hundreds_of_alarms_are_read_in_parts(world, monkeypatch):
    for number in range(100):
        query = a_query(endpoint=f"endpoint-{number:02}")
        world.put(f"alarm-{number:02}", periods=1440, datapoints=1, queries=(query,))
    world.measure(5, query=a_query(endpoint="endpoint-99"))
    asked = []
    points = world.metrics.points
    monkeypatch.setattr(
        world.metrics, "points", lambda *args: asked.append(len(args[0])) or points(*args)
    )
    world.minute(None)
    assert sum(asked) == 100
    assert max(asked) * 1442 <= MOST_POINTS
    assert world.state("alarm-98") is State.INSUFFICIENT_DATA
    assert world.state("alarm-99") is State.ALARM


def test_what_is_stored_as_a_whole_is_not_waited_for(world):
    world.put(periods=1)
    world.measure(5)
    world.whole = NOW + minutes(1)
    due = world.watch.look(NOW + minutes(1) + seconds(1))
    assert world.state() is State.ALARM
    assert due == NOW + minutes(1) + seconds(15)


def test_a_period_that_is_not_stored_as_a_whole_is_waited_for(world):
    world.put(periods=1)
    world.measure(5)
    world.whole = NOW + seconds(59)
    due = world.watch.look(NOW + minutes(1) + seconds(4))
    assert world.state() is State.INSUFFICIENT_DATA
    assert due == NOW + minutes(1) + seconds(5)
    world.watch.look(due)
    assert world.state() is State.ALARM


def test_what_was_stored_before_the_clock_was_set_back_says_nothing_of_now(world):
    world.put(periods=1)
    world.measure(5)
    world.whole = NOW + timedelta(hours=1)
    world.watch.look(NOW + minutes(1) + seconds(4))
    assert world.state() is State.INSUFFICIENT_DATA
