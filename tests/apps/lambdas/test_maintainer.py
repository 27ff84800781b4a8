"""The maintainer's steps: alarms of those who opted in, and the ladder's word on each of them."""

import pytest

from parkade.apps.lambdas.maintainer import TURNS, Maintaining, Means
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InvalidInput, Throttled
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, minutes, seconds, some_use
from tests.services.world import World

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:parkade-idle/falcon"


class Alarms:
    """Alarms in memory: the rules of each endpoint's, and whose an ARN is."""

    def __init__(self):
        self.put_for = {}
        self.deleted = []
        self.owners = {ARN: "falcon", f"{ARN}/blue": "falcon"}
        self.refusing = set()

    def put(self, watch):
        if watch.endpoint_name in self.refusing:
            raise Throttled("too many", retry_after=seconds(1))
        self.put_for[watch.endpoint_name] = watch.rules

    def delete(self, endpoint_name):
        self.deleted.append(endpoint_name)
        self.put_for.pop(endpoint_name, None)

    def names(self):
        return list(self.put_for)

    def owner(self, alarm_arn):
        return self.owners.get(alarm_arn, "")


class Stage:
    def __init__(self):
        self.world = World()
        self.alarms = Alarms()
        self.function = Maintaining(
            Means(
                sweep=lambda _: self.world.a_sweep(),
                watches=self.world.watches,
                hosting=self.world.hosting,
                alarms=self.alarms,
                clock=self.world.clock,
            )
        )

    def unleased(self, name="falcon", **tags):
        """An endpoint in service that opted in, and has no lease."""
        self.world.tag(name, **tags)
        self.world.hosting.create(name, "falcon-config")
        self.world.hosting.settle(name)

    def do(self, what, left=60, **given):
        return self.function({"do": what, **given}, a_call(left))

    def changed(self, status="IN_SERVICE", name="falcon", tags=None):
        detail = {"EndpointName": name, "EndpointStatus": status, "Tags": tags or {}}
        event = {"detail-type": "SageMaker Endpoint State Change", "detail": detail}
        return self.do("understand", event=event)

    def alarmed(self, arn=ARN, value="ALARM"):
        event = {
            "detail-type": "CloudWatch Alarm State Change",
            "resources": [arn],
            "detail": {"alarmName": arn.rpartition(":")[2], "state": {"value": value}},
        }
        return self.do("understand", event=event)

    def look(self, turn=0):
        return self.do("look", endpoint_name="falcon", alarm=ARN, turn=turn)

    def sweep_to(self, instant):
        self.world.clock.set(instant)
        self.world.sweep.run()


@pytest.fixture
def stage():
    return Stage()


@pytest.mark.parametrize("tags", [{}, [], {"auto-maintain": "true"}, [{"Key": "a", "Value": "b"}]])
def test_an_endpoint_in_service_that_opted_in_waits_out_its_grace(stage, tags):
    stage.unleased(grace="10m")
    told = stage.changed(tags=tags)
    assert told["do"] == "watch"
    assert told["until"] == "2026-03-01T12:10:00Z"
    assert stage.do("watch", endpoint_name="falcon", turn=0)["waits"] is False
    assert "falcon" in stage.alarms.put_for


def test_the_same_event_later_does_not_start_the_grace_over(stage):
    stage.unleased(grace="10m")
    first = stage.changed()
    stage.world.clock.advance(minutes(4))
    assert stage.changed()["until"] == first["until"]
    stage.world.clock.advance(minutes(20))
    assert stage.changed()["until"] == "2026-03-01T12:24:00Z"  # it is over: at once


def test_who_did_not_opt_in_has_no_alarms_and_those_there_were_go(stage):
    stage.unleased()
    stage.world.untag()
    assert stage.changed() == {"do": "forget", "endpoint_name": "falcon"}
    stage.do("forget", endpoint_name="falcon")
    assert stage.alarms.deleted == ["falcon"]


def test_a_tag_that_was_removed_while_the_grace_ran_stops_it(stage):
    stage.unleased()
    stage.changed()
    stage.world.untag()
    told = stage.do("watch", endpoint_name="falcon", turn=0)
    assert told["why"] == "it is not to be watched any more"
    assert stage.alarms.put_for == {}


@pytest.mark.parametrize("status", ["DELETED", "DELETING"])
def test_the_alarms_of_what_is_gone_go_with_it(stage, status):
    assert stage.changed(status) == {"do": "forget", "endpoint_name": "falcon"}


@pytest.mark.parametrize(
    "event",
    [
        {"detail-type": "SageMaker Endpoint State Change",
         "detail": {"EndpointName": "falcon", "EndpointStatus": "FAILED"}},
        {"detail-type": "Something Else", "detail": {}},
    ],
)  # fmt: skip
def test_what_is_no_concern_of_the_maintainer_is_left_alone(stage, event):
    assert stage.do("understand", event=event)["do"] == "nothing"


@pytest.mark.parametrize("event", [{}, None, {"detail-type": "Scheduled Event"}])
def test_a_day_that_is_over_has_all_of_them_looked_at(stage, event):
    assert stage.do("understand", event=event) == {"do": "all", "after": ""}


def test_an_alarm_counts_where_its_tags_say_whose_it_is_and_for_the_whole_alone(stage):
    stage.unleased()
    assert stage.alarmed()["do"] == "look"
    assert stage.alarmed(value="OK")["do"] == "nothing"
    assert stage.alarmed(f"{ARN}/blue")["do"] == "nothing"
    somebodys = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:falcon"
    assert stage.alarmed(somebodys)["do"] == "nothing"


def test_an_alarm_leads_to_notice_and_deletion_as_the_ladder_says(stage):
    stage.unleased(grace="0m", window="5m", notice_after="1", stop_after="2")
    stage.sweep_to(NOW)
    stage.world.clock.set(NOW + minutes(5))
    told = stage.look()
    assert told["waits"] is True
    assert told["until"] == "2026-03-01T12:10:00Z"
    assert stage.world.events("falcon", "endpoint.idle")
    stage.world.clock.set(NOW + minutes(10))
    told = stage.look(told["turn"])
    assert told["waits"] is False
    assert stage.world.status() is EndpointStatus.DELETING
    assert stage.world.events("falcon", "endpoint.idle_stopped")


def test_what_is_used_is_not_stopped_whatever_the_alarm_says(stage):
    stage.unleased(grace="0m", window="5m", notice_after="1", stop_after="2")
    stage.sweep_to(NOW)
    stage.world.usage.told["falcon"] = some_use(in_flight=1)
    stage.world.clock.set(NOW + minutes(30))
    assert stage.look()["waits"] is False
    assert stage.world.status() is EndpointStatus.IN_SERVICE


def test_a_tag_that_was_removed_saves_it_and_its_alarms_go(stage):
    stage.unleased(grace="0m", window="5m", notice_after="1", stop_after="2")
    stage.sweep_to(NOW)
    stage.world.untag()
    stage.world.clock.set(NOW + minutes(30))
    told = stage.look()
    assert told["waits"] is False
    assert stage.world.status() is EndpointStatus.IN_SERVICE
    assert stage.alarms.deleted == ["falcon"]


def test_looking_again_has_an_end(stage):
    stage.unleased(grace="0m", window="5m", notice_after="1", stop_after="100")
    stage.sweep_to(NOW)
    stage.world.clock.set(NOW + minutes(5))
    assert stage.look(TURNS - 2)["waits"] is True
    assert stage.look(TURNS - 1)["waits"] is False


def test_the_daily_run_picks_up_what_was_there_before_and_drops_what_left(stage):
    for name in ("falcon", "flan", "other"):
        stage.unleased(name)
    stage.world.untag("other")
    stage.sweep_to(NOW)
    assert stage.do("all", after="")["waits"] is False
    assert set(stage.alarms.put_for) == {"falcon", "flan"}
    stage.world.untag("flan")
    stage.world.hosting.delete("falcon")
    stage.world.hosting.settle("falcon")
    stage.sweep_to(NOW + minutes(1))
    stage.do("all", after="")
    assert stage.alarms.deleted == ["falcon", "flan"]


def test_the_daily_run_goes_on_where_time_ran_short_and_one_failure_stops_no_other(stage):
    names = ["a", "b", "c"]
    for name in names:
        stage.unleased(name)
    stage.sweep_to(NOW)
    stage.alarms.refusing = {"b"}
    asked = iter([60, 1])
    told = stage.do("all", left=lambda: next(asked), after="")
    assert told == {"waits": True, "after": "b"}
    assert stage.do("all", after=told["after"])["why"] == "all are seen to"
    assert set(stage.alarms.put_for) == {"a", "c"}
    assert "b" in stage.do("all", after="")["why"]


def test_each_step_of_the_daily_run_comes_further_however_late_it_is(stage):
    for name in ("a", "b"):
        stage.unleased(name)
    stage.sweep_to(NOW)
    assert stage.do("all", left=lambda: 0, after="") == {"waits": True, "after": "a"}
    assert stage.do("all", left=lambda: 0, after="a")["waits"] is False
    assert set(stage.alarms.put_for) == {"a", "b"}


def test_a_step_that_there_is_none_of_is_refused(stage):
    with pytest.raises(InvalidInput, match="no step 'dance'"):
        stage.do("dance")
