"""The contract of the alarm store."""

from dataclasses import replace

import pytest

from parkade.domain.alarm import Missing, State
from parkade.domain.errors import AlarmNotFound, Unreadable, VersionConflict
from parkade.domain.metricquery import Query
from parkade.ports.events import EventQuery
from tests.builders import NOW, a_query, an_alarm, an_event, minutes


def test_every_field_comes_back(store):
    alarm = an_alarm(
        "a/b c",
        periods=5,
        datapoints=2,
        missing=Missing.BREACHING,
        ignore_few_samples=True,
        queries=(a_query("a", returned=False, unit="Count"), Query(id="e", expression="a * 2")),
        description="ü",
        actions_enabled=False,
        ok_actions=("arn:aws:sns:us-east-1:000000000000:a",),
        alarm_actions=("arn:aws:sns:us-east-1:000000000000:b",),
        insufficient_data_actions=("arn:aws:sns:us-east-1:000000000000:c",),
        plain=False,
        tags={"team": "blue"},
        owner="ann",
        endpoint_name="falcon",
    ).saying(State.ALARM, "because", '{"version": "1.0"}', NOW + minutes(1))
    stored = store.alarms.put(alarm)
    assert stored == replace(alarm, version=1)
    assert store.alarms.get("a/b c") == stored


def test_get_raises_alarm_not_found(store):
    with pytest.raises(AlarmNotFound, match="none"):
        store.alarms.get("none")


def test_all_are_in_the_order_of_names(store):
    for name in ("b", "a", "c"):
        store.alarms.put(an_alarm(name))
    assert [each.name for each in store.alarms.all().records] == ["a", "b", "c"]


def test_put_stores_over_the_version_that_was_read_and_no_other(store):
    first = store.alarms.put(an_alarm())
    second = store.alarms.put(replace(first, description="new"))
    assert second.version == 2
    for stale in (first, an_alarm()):
        with pytest.raises(VersionConflict):
            store.alarms.put(stale, an_event())
    assert store.alarms.get("busy") == second
    assert list(store.history.read(EventQuery())) == []


def test_the_event_is_stored_with_the_alarm(store):
    store.alarms.put(an_alarm(), an_event(kind="alarm.put"))
    store.alarms.remove("busy", an_event(kind="alarm.removed"))
    assert [each.kind for each in store.history.read(EventQuery())] == [
        "alarm.put",
        "alarm.removed",
    ]


def test_what_is_not_there_cannot_be_removed(store):
    with pytest.raises(AlarmNotFound):
        store.alarms.remove("none", an_event())
    assert list(store.history.read(EventQuery())) == []


def test_a_damaged_alarm_hides_no_other_and_is_mended_by_putting_it_anew(store):
    store.alarms.put(an_alarm("bad"))
    store.alarms.put(an_alarm("good"))
    store.damage_alarm("bad")
    found = store.alarms.all()
    assert [each.name for each in found.records] == ["good"]
    assert list(found.unreadable) == ["bad"]
    with pytest.raises(Unreadable, match="bad"):
        store.alarms.get("bad")
    assert store.alarms.put(an_alarm("bad")).version == 1
    assert store.alarms.get("bad").name == "bad"


def test_a_damaged_alarm_can_be_removed(store):
    store.alarms.put(an_alarm())
    store.damage_alarm("busy")
    store.alarms.remove("busy", an_event())
    assert store.alarms.all().records == ()
    assert store.alarms.all().unreadable == {}
