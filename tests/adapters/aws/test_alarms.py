"""Alarms of CloudWatch's: as they were put, states that somebody decides, and what they are made of."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from parkade.adapters.aws.cloudwatch import forms
from parkade.adapters.aws.cloudwatch.alarms import CloudWatchAlarms
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.domain.alarm import OWN, Comparison, Missing, Rule, State
from parkade.domain.errors import (
    AlarmNotFound,
    Conflict,
    Forbidden,
    Throttled,
    Unreadable,
    VersionConflict,
)
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import SAGEMAKER, Series
from parkade.ports.events import EventQuery
from parkade.services.alarms import Alarms, endpoint_of, subjects, words
from tests.apart import Apart
from tests.builders import NOW, a_query, an_alarm, an_event
from tests.stubbed import stubbed

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


@pytest.fixture(scope="module")
def apart(aws_config, aws):
    return Apart(aws_config, aws)


@pytest.fixture
def cloud(apart):
    account, history = apart.account(), MemoryHistory()
    return SimpleNamespace(
        account=account,
        store=CloudWatchAlarms(account, history),
        history=history,
        client=account.client("cloudwatch"),
    )


@pytest.fixture
def told(aws):
    """A store whose CloudWatch answers what a test says, and what it was asked for."""
    with stubbed(aws, "cloudwatch") as (stub, asked):
        yield CloudWatchAlarms(aws, MemoryHistory()), stub, asked


def as_put(alarm, stored):
    """An alarm with what CloudWatch decides by itself."""
    return replace(
        alarm,
        standing=stored.standing,
        configured_at=stored.configured_at,
        version=stored.version,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"queries": (a_query("m1", unit="Count"),), "description": "ü", "owner": "ann"},
        {
            "queries": (
                Query(
                    id="m1",
                    measured=Measured(
                        series=Series.of("Team/App", "Latency"), period=300, statistic="p99.9"
                    ),
                ),
            )
        },
        {
            "plain": False,
            "queries": (
                a_query("a", returned=False),
                Query(id="e", expression="a * 2", label="twice", period=60),
            ),
        },
        {
            "periods": 5,
            "datapoints": 2,
            "missing": Missing.BREACHING,
            "ok_actions": (TOPIC,),
            "alarm_actions": (TOPIC, f"{TOPIC}2"),
            "insufficient_data_actions": (TOPIC,),
            "actions_enabled": False,
            "tags": {"team": "blue"},
        },
    ],
    ids=["plain", "unit", "percentile", "math", "actions"],
)
def test_every_field_comes_back(cloud, changes):
    alarm = an_alarm("a/b c", **changes)
    stored = cloud.store.put(alarm)
    assert stored == as_put(alarm, stored)
    assert stored.version > 0
    (listed,) = cloud.store.all().records
    assert replace(listed, tags=stored.tags, owner=stored.owner) == stored


def test_what_is_there_is_changed_and_its_tags_with_it(cloud):
    first = cloud.store.put(an_alarm(tags={"team": "blue", "cost": "1"}))
    second = cloud.store.put(
        replace(first, description="new", tags={"team": "red"}, alarm_actions=(TOPIC,))
    )
    assert (second.description, dict(second.tags), second.alarm_actions) == (
        "new", {"team": "red"}, (TOPIC,),
    )  # fmt: skip
    (listed,) = cloud.store.all().records
    assert dict(cloud.store.put(replace(listed, description="newer")).tags) == {"team": "red"}


def test_a_version_that_was_not_read_is_not_written_over(cloud):
    first = cloud.store.put(an_alarm())
    second = cloud.store.put(replace(first, description="new"))
    assert second.version != first.version
    for stale in (first, an_alarm()):
        with pytest.raises(VersionConflict):
            cloud.store.put(stale, an_event())
    assert cloud.store.get("busy") == second
    assert list(cloud.history.read(EventQuery())) == []


def test_a_state_that_was_decided_on_is_set(cloud):
    stored = cloud.store.put(an_alarm())
    now = datetime(2026, 3, 1, tzinfo=UTC)
    changed = cloud.store.put(stored.saying(State.ALARM, "because", '{"version": "1.0"}', now))
    standing = cloud.store.get("busy").standing
    assert (standing.state, standing.reason, standing.data) == (
        State.ALARM, "because", '{"version": "1.0"}',
    )  # fmt: skip
    assert changed.rule == stored.rule


def test_the_services_put_set_and_remove_alarms(cloud):
    alarms = Alarms(cloud.store, clock=ManualClock(NOW))
    alarms.put(an_alarm(owner="ann", alarm_actions=(TOPIC,)), "ann")
    alarms.set_state("busy", State.ALARM, "because", "", "ann")
    assert alarms.get("busy").standing.state is State.ALARM
    alarms.put(an_alarm(owner="ann", description="new"), "ann")
    alarms.enable_actions(["busy", "none"], "ann", enabled=False)
    alarms.retag("busy", lambda tags: {**tags, "team": "blue"})
    found = alarms.get("busy")
    assert (found.description, found.actions_enabled, dict(found.tags), found.owner) == (
        "new", False, {"team": "blue"}, "ann",
    )  # fmt: skip
    alarms.remove(["busy", "none"], "ann")
    assert alarms.all().records == ()
    assert [each.kind for each in cloud.history.read(EventQuery())] == [
        "alarm.put", "alarm.changed", "alarm.put", "alarm.put", "alarm.removed",
    ]  # fmt: skip


def test_all_alarms_are_read_page_by_page(cloud):
    for number in range(60):
        cloud.client.put_metric_alarm(**forms.request(an_alarm(f"busy-{number:03}")))
    names = [each.name for each in cloud.store.all().records]
    assert names == [f"busy-{number:03}" for number in range(60)]


def test_alarms_that_parkade_has_no_words_for_hide_no_others(told):
    store, stub, _ = told
    band = {**shown(an_alarm("band")), "ComparisonOperator": "LessThanLowerThreshold"}
    del band["Threshold"]
    prom = {**shown(an_alarm("prom"))}
    del prom["MetricName"]
    several = {**shown(an_alarm("several")), "Metrics": [{"Id": "e", "Expression": "SELECT 1"}]}
    given = [shown(an_alarm("good")), band, prom, several]
    stub.add_response("describe_alarms", {"MetricAlarms": given})
    found = store.all()
    assert [each.name for each in found.records] == ["good"]
    assert set(found.unreadable) == {"band", "prom", "several"}
    assert "LessThanLowerThreshold" in found.unreadable["band"]
    stub.add_response("describe_alarms", {"MetricAlarms": [band]})
    stub.add_response("list_tags_for_resource", {})
    with pytest.raises(Unreadable, match="band"):
        store.get("band")


def shown(alarm, state="OK"):
    """What DescribeAlarms tells of an alarm."""
    return {
        **forms.request(alarm),
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{alarm.name}",
        "AlarmConfigurationUpdatedTimestamp": NOW,
        "StateUpdatedTimestamp": NOW,
        "StateValue": state,
        "StateReason": "because",
    }


#: One that is on both variants of an endpoint.
IDLE = {
    "AlarmName": "parkade-idle/falcon",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:parkade-idle/falcon",
    "AlarmRule": 'ALARM("parkade-idle/falcon/blue") AND ALARM("parkade-idle/falcon/green")',
    "AlarmConfigurationUpdatedTimestamp": NOW,
    "StateUpdatedTimestamp": NOW,
    "StateTransitionedTimestamp": NOW,
    "StateValue": "ALARM",
    "StateReason": "both are",
}


def a_part(variant):
    query = a_query("m1", variant=variant)
    return an_alarm(
        f"parkade-idle/falcon/{variant}",
        queries=(query,),
        periods=3,
    )


def check_idle(alarm):
    assert (alarm.name, alarm.owner, alarm.endpoint_name, alarm.own) == (
        "parkade-idle/falcon", OWN, "falcon", True,
    )  # fmt: skip
    assert [each.variant_name for each in subjects(alarm)] == ["blue", "green"]
    assert endpoint_of(alarm) == "falcon"
    assert alarm.standing.state is State.ALARM
    assert alarm.rule == Rule(
        comparison=Comparison.AT_LEAST, threshold=1.0, periods=1, datapoints=1
    )
    assert words(alarm).startswith('ALARM("parkade-idle/falcon/blue") AND ')


def test_an_alarm_that_is_made_of_others_is_on_what_they_are_on(told):
    store, stub, asked = told
    children = [shown(a_part("blue")), shown(a_part("green"))]
    other = shown(an_alarm("other"))
    stub.add_response(
        "describe_alarms", {"MetricAlarms": [*children, other], "CompositeAlarms": [IDLE]}
    )
    found = store.all()
    assert [each.name for each in found.records] == [
        "other", "parkade-idle/falcon", "parkade-idle/falcon/blue", "parkade-idle/falcon/green",
    ]  # fmt: skip
    check_idle(found.records[1])
    assert all(each.own == each.name.startswith("parkade-idle/") for each in found.records)
    assert asked[0]["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
    stub.add_response("describe_alarms", {"CompositeAlarms": [IDLE]})
    stub.add_response(
        "list_tags_for_resource",
        {"Tags": [{"Key": "parkade:owner", "Value": OWN}, {"Key": "team", "Value": "blue"}]},
    )
    brief = [{name: each[name] for name in ("AlarmName", "StateValue")} for each in children]
    unknown = {"AlarmName": "band", "StateValue": "OK"}
    stub.add_response("describe_alarms", {"MetricAlarms": [brief[0], unknown], "NextToken": "next"})
    stub.add_response("describe_alarms", {"MetricAlarms": brief[1:]})
    banded = {**shown(an_alarm("band")), "ComparisonOperator": "LessThanLowerThreshold"}
    stub.add_response("describe_alarms", {"MetricAlarms": [*children, banded]})
    found = store.get("parkade-idle/falcon")
    check_idle(found)
    assert dict(found.tags) == {"team": "blue"}
    # CloudWatch takes nothing else beside it, and tells little more than names.
    assert [each.keys() for each in asked[3:5]] == [
        {"ChildrenOfAlarmName"},
        {"ChildrenOfAlarmName", "NextToken"},
    ]
    assert asked[5]["AlarmNames"] == [
        "parkade-idle/falcon/blue", "band", "parkade-idle/falcon/green",
    ]  # fmt: skip


def test_an_alarm_that_is_made_of_others_is_changed_where_it_was_made(told):
    store, stub, _ = told
    stub.add_response("describe_alarms", {"CompositeAlarms": [IDLE]})
    with pytest.raises(Conflict, match="made of other alarms"):
        store.put(an_alarm("parkade-idle/falcon"))


@pytest.mark.parametrize(
    ("code", "error"), [("Throttling", Throttled), ("AccessDenied", Forbidden)]
)
def test_refusals_are_told_apart(told, code, error):
    store, stub, _ = told
    for ask in (
        store.all,
        lambda: store.get("busy"),
        lambda: store.put(an_alarm()),
        lambda: store.remove("busy", an_event()),
    ):
        stub.add_client_error("describe_alarms", code, "no")
        with pytest.raises(error, match=code):
            ask()
    stub.add_response("describe_alarms", {})
    stub.add_client_error("put_metric_alarm", code, "no")
    with pytest.raises(error, match=code):
        store.put(an_alarm(), an_event())


def test_what_is_not_there_is_not_found(told):
    store, stub, _ = told
    stub.add_response("describe_alarms", {"MetricAlarms": [shown(an_alarm("busy-2"))]})
    with pytest.raises(AlarmNotFound):
        store.get("busy")


def test_an_alarm_is_on_what_cloudwatch_calls_it():
    """The request is one of CloudWatch's own shape: a plain alarm has no Metrics."""
    request = forms.request(an_alarm())
    assert request["Namespace"] == SAGEMAKER
    assert "Metrics" not in request
    assert "ExtendedStatistic" not in request
