"""The maintainer in a whole small world: watched, told, stopped, removed; and saved."""

from dataclasses import replace

import pytest

from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ResourceLimitExceeded
from parkade.domain.idle import IdleRules
from parkade.domain.lease import EndReason
from parkade.domain.terms import Terms
from parkade.domain.watching import Watched
from parkade.ports.catalog import Tagged
from tests.builders import (
    NOW,
    a_config,
    a_model,
    a_reading,
    an_endpoint,
    an_event,
    minutes,
    seconds,
    some_opting,
    some_use,
)
from tests.services.faults import Crash, Fault
from tests.services.world import World

STOP_AT = NOW + minutes(20)
UNKNOWN = some_use(a_reading(quiet_since=None, why="no point since 11:00"))


def a_world(*, leased=True, tagged=True, **rules):
    """A world with `falcon` in service since NOW."""
    world = World(**rules)
    if leased:
        world.running(amount=600)
    else:
        world.hosting.place(an_endpoint())
    if tagged:
        world.tag()
    return world


def told(world, kind):
    return [notice for notice in world.notices.told if notice.kind is kind]


def test_what_nobody_uses_is_told_and_then_stopped_on_time():
    world = a_world()
    world.sweep_at(STOP_AT)
    lease = world.book.get("falcon")
    assert (lease.ended, lease.ended_at) == (EndReason.IDLE, STOP_AT)
    assert world.status() is EndpointStatus.DELETING
    assert [event.at - NOW for event in world.events("falcon", "endpoint.idle")] == [minutes(15)]
    assert world.kinds()[-4:] == ["watch.begun", "endpoint.idle", "lease.ended", "stop.begun"]


def test_the_stop_stores_its_evidence_and_the_time_given_up():
    world = a_world()
    world.sweep_at(STOP_AT)
    [event] = world.events("falcon", "lease.ended")
    assert event.data["ended"] == "idle"
    assert event.data["minutes_given_up"] == 580
    assert event.data["evidence"]["opted_in_by"] == "tag auto-maintain=true"
    assert event.data["evidence"]["use"]["series"][0]["newest_point"]
    [notice] = told(world, NoticeKind.IDLE)[1:]
    assert "parkade undo falcon" in notice.text


def test_the_notice_says_why_what_follows_and_how_to_keep_it():
    world = a_world()
    world.sweep_at(NOW + minutes(16))
    [notice] = told(world, NoticeKind.IDLE)
    assert notice.owner == "ann"
    assert notice.text == (
        "idle for 10 min: 2 windows of 5 min without use; it is stopped in 5 min unless it is "
        "used; to keep it: parkade snooze falcon; after the stop parkade extend falcon "
        "--minutes 30 starts it again"
    )
    world.sweep = world.a_sweep()  # as after a restart
    world.sweep_at(NOW + minutes(19))
    assert len(told(world, NoticeKind.IDLE)) == 1


def test_an_endpoint_without_a_lease_is_deleted_once_with_its_evidence_and_its_tags():
    world = a_world(leased=False)
    world.catalog.add_model(a_model(), an_event())
    world.catalog.add_config(a_config(), an_event())
    world.hosting.refuse("delete", "falcon", ResourceLimitExceeded("throttled"))
    world.sweep_at(STOP_AT + minutes(2))
    world.hosting.refuse("delete", "falcon", None)
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    [event] = world.events("falcon", "endpoint.idle_stopped")
    assert event.at == STOP_AT
    assert event.data["evidence"]["windows"] == 3
    assert event.data["left_over"] == {"configs": ["falcon-config"], "models": ["falcon-model"]}
    notice = told(world, NoticeKind.IDLE)[-1]
    assert "parkade undo falcon" in notice.text
    assert "left over, and kept: endpoint config falcon-config, model falcon-model" in notice.text
    assert world.catalog.tags("endpoint", "falcon") == {}
    world.rest()
    assert world.watches.all().records == ()


def test_a_stop_that_failed_and_was_overtaken_by_use_is_told_anew_when_it_comes_again():
    world = a_world(leased=False)
    world.hosting.refuse("delete", "falcon", ResourceLimitExceeded("throttled"))
    world.sweep_at(STOP_AT)
    world.hosting.refuse("delete", "falcon", None)
    again = STOP_AT + minutes(1)
    world.usage.told["falcon"] = some_use(a_reading(quiet_since=again))
    world.sweep_at(again + minutes(14))
    assert world.status() is EndpointStatus.IN_SERVICE
    world.sweep_at(again + minutes(15))
    assert world.status() is EndpointStatus.DELETING
    stops = world.events("falcon", "endpoint.idle_stopped")
    assert [event.at for event in stops] == [STOP_AT, again + minutes(15)]


def test_the_tags_of_a_leased_endpoint_stay_through_its_stop_and_it_is_watched_again():
    world = a_world()
    world.sweep_at(STOP_AT)
    world.rest()
    world.meter.start("falcon", amount=minutes(600), actor="ann")
    world.rest()
    world.sweep_at(STOP_AT + minutes(20))
    assert world.book.get("falcon").ended_at == STOP_AT + minutes(20)


@pytest.mark.parametrize("leased", [True, False])
@pytest.mark.parametrize(
    "use",
    [
        UNKNOWN,
        some_use(a_reading("blue"), a_reading("green", quiet_since=None, why="5", used=True)),
        some_use(a_reading("blue"), a_reading("green", quiet_since=NOW + minutes(19))),
        some_use(in_flight=1),
        some_use(in_flight=None),
        some_use(backlog=1),
        some_use(readings=()),
    ],
)
def test_any_use_and_any_want_of_knowledge_keeps_it(leased, use):
    world = a_world(leased=leased)
    world.usage.told["falcon"] = use
    world.sweep_at(STOP_AT)
    assert world.status() is EndpointStatus.IN_SERVICE


def test_removing_the_tag_in_the_last_instant_saves_it():
    world = a_world()
    world.sweep_at(STOP_AT - seconds(1))
    world.untag()
    world.sweep_at(STOP_AT + minutes(60))
    assert world.status() is EndpointStatus.IN_SERVICE
    assert [event.kind for event in world.events("falcon", "watch.ended")] == ["watch.ended"]
    world.tag()
    world.sweep_at(STOP_AT + minutes(60 + 14))
    assert world.status() is EndpointStatus.IN_SERVICE
    world.sweep_at(STOP_AT + minutes(60 + 15))
    assert world.status() is EndpointStatus.DELETING


class Meanwhile:
    """A port behind which something happens between the decision and the act."""

    def __init__(self, port, method, happens):
        self._port = port
        self._method = method
        self._happens = happens
        self._calls = 0

    def __getattr__(self, name):
        bound = getattr(self._port, name)
        if name != self._method:
            return bound

        def call(*arguments, **keywords):
            self._calls += 1
            if self._calls == 2:  # the second look
                self._happens()
            return bound(*arguments, **keywords)

        return call


@pytest.mark.parametrize("leased", [True, False])
@pytest.mark.parametrize(
    "what", ["tag removed", "terms", "used", "unknown", "updated", "gone", "coin"]
)
def test_what_happens_between_the_decision_and_the_stop_saves_it(leased, what):
    world = a_world(leased=leased)
    world.sweep_at(STOP_AT - seconds(1))
    world.clock.set(STOP_AT)

    def happens():
        if what == "tag removed":
            world.untag()
        elif what == "terms" and leased:
            world.terms.put(Terms(endpoint_name="falcon", maintain=False), "ann")
        elif what == "used":
            world.usage.told["falcon"] = some_use(in_flight=1)
        elif what == "unknown":
            world.usage.told["falcon"] = UNKNOWN
        elif what == "updated":
            world.hosting.enter("falcon", EndpointStatus.UPDATING)
        elif what == "coin" and leased:
            world.meter.extend("falcon", minutes(5), actor="ann")
        elif what == "coin":
            world.add()
        else:
            world.hosting.vanish("falcon")

    hosting = Meanwhile(world.hosting, "endpoints", happens)
    world.a_sweep(hosting=hosting).run()
    assert ("delete", "falcon") not in world.hosting.calls
    if leased:
        assert world.book.get("falcon").ended is None
    assert world.events("falcon", "endpoint.idle_stopped", "lease.ended") == []


def test_a_coin_between_the_decision_and_the_stop_saves_it():
    world = a_world()
    world.sweep_at(STOP_AT - seconds(1))
    world.clock.set(STOP_AT)
    pay = lambda: world.meter.extend("falcon", minutes(5), actor="ann")  # noqa: E731
    world.a_sweep(hosting=Meanwhile(world.hosting, "endpoints", pay)).run()
    assert world.book.get("falcon").ended is None


@pytest.mark.parametrize("status", [EndpointStatus.UPDATING, EndpointStatus.SYSTEM_UPDATING])
def test_an_update_is_waited_for_and_does_not_begin_anew(status):
    world = a_world()
    world.sweep_at(NOW + minutes(19))
    world.hosting.enter("falcon", status)
    world.sweep_at(STOP_AT)
    assert world.status() is status
    world.clock.set(STOP_AT + seconds(5))
    world.hosting.settle("falcon")
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING


def test_other_timers_begin_the_windows_anew():
    world = a_world()
    world.sweep_at(NOW + minutes(19))
    world.tag(stop_after="2")
    world.sweep_at(NOW + minutes(28))
    assert world.status() is EndpointStatus.IN_SERVICE
    world.sweep_at(NOW + minutes(29))
    assert world.status() is EndpointStatus.DELETING
    [change] = world.events("falcon", "watch.changed")
    assert change.reason == "its windows begin anew, by other rules"


def test_a_timer_that_cannot_be_read_is_told_once_and_stops_nothing():
    world = a_world()
    world.tag(window="soon")
    world.sweep_at(STOP_AT + minutes(60))
    assert world.status() is EndpointStatus.IN_SERVICE
    [notice] = told(world, NoticeKind.UNUSABLE)
    assert "auto-maintain.window=soon" in notice.text
    world.tag(window="1m")
    world.sweep_at(STOP_AT + minutes(70))
    assert world.status() is EndpointStatus.DELETING


@pytest.mark.parametrize("damaged", ["terms", "watch", "tags"])
def test_what_cannot_be_read_leaves_it_alone_keeps_its_memory_and_is_told_once(damaged):
    world = a_world()
    world.sweep_at(NOW + minutes(19))
    if damaged == "terms":
        world.terms_store.damage("falcon", "it is torn")
    elif damaged == "tags":
        world.catalog.tagged = lambda _kind: Tagged({}, {"falcon": "it is torn"})
    else:
        world.watches.damage("falcon", "it is torn")
    world.sweep_at(STOP_AT + minutes(5))
    assert world.status() is EndpointStatus.IN_SERVICE
    [notice] = told(world, NoticeKind.UNUSABLE)
    assert "it is torn; it is left alone" in notice.text
    assert world.events("falcon", "watch.ended") == []


def test_terms_that_cannot_be_read_are_told_where_nothing_is_watched_too():
    world = a_world(tagged=False)
    world.opting = some_opting(watched=Watched.NONE)
    world.terms.put(Terms(endpoint_name="falcon", schedule="sun 09:00-23:00 UTC"), "ann")
    world.terms_store.damage("falcon", "it is torn")
    world.sweep_at(NOW + minutes(5))
    [notice] = told(world, NoticeKind.UNUSABLE)
    assert "it is torn" in notice.text


def test_what_is_not_known_is_told_once_while_it_lasts():
    world = a_world()
    world.usage.told["falcon"] = UNKNOWN
    world.sweep_at(NOW + minutes(4))
    assert told(world, NoticeKind.UNKNOWN) == []
    world.sweep_at(NOW + minutes(60))
    assert len(told(world, NoticeKind.UNKNOWN)) == 1
    [event] = world.events("falcon", "endpoint.use_unknown")
    assert event.at == NOW + minutes(5)
    assert event.data["evidence"]["series"][0]["why"] == "no point since 11:00"
    world.usage.told["falcon"] = some_use(a_reading(quiet_since=NOW + minutes(60)))
    world.sweep.run()
    assert world.kinds()[-1] == "endpoint.use_known"
    world.usage.told["falcon"] = UNKNOWN
    world.sweep_at(NOW + minutes(70))
    assert len(told(world, NoticeKind.UNKNOWN)) == 2


def test_a_moment_of_not_knowing_is_no_news():
    world = a_world()
    world.sweep.run()
    before = world.kinds()
    world.usage.told["falcon"] = UNKNOWN
    world.sweep.run()
    del world.usage.told["falcon"]
    world.clock.advance(seconds(20))
    world.sweep.run()
    assert world.kinds() == before


def test_terms_opt_in_and_out_whatever_the_tags_say():
    world = a_world(tagged=False)
    own = IdleRules(grace=minutes(1), window=minutes(1), stop_after=2)
    world.terms.put(Terms(endpoint_name="falcon", maintain=True, idle=own), "ann")
    world.sweep_at(NOW + minutes(3))
    assert world.status() is EndpointStatus.DELETING
    world = a_world()
    world.terms.put(Terms(endpoint_name="falcon", maintain=False), "ann")
    world.sweep_at(NOW + minutes(600) - seconds(1))
    assert world.status() is EndpointStatus.IN_SERVICE


def test_a_server_can_watch_everything_or_nothing():
    world = a_world(tagged=False)
    world.opting = some_opting(watched=Watched.ALL)
    world.terms.put(
        Terms(endpoint_name="falcon", maintain=False, idle=IdleRules(stop_after=None)), "ann"
    )
    world.sweep_at(STOP_AT)
    assert world.status() is EndpointStatus.DELETING
    world = a_world()
    world.opting = some_opting(watched=Watched.NONE)
    world.sweep_at(STOP_AT + minutes(60))
    assert world.status() is EndpointStatus.IN_SERVICE


def test_in_time_the_lease_goes_too_and_what_is_left_over_is_told_and_kept():
    world = a_world()
    world.catalog.add_model(a_model(), an_event())
    world.catalog.add_config(a_config(), an_event())
    world.tag(delete_after="2h")
    world.sweep_at(STOP_AT)
    world.settle_all()
    world.sweep_at(STOP_AT + minutes(120) - seconds(1))
    assert world.book.get("falcon").ended is EndReason.IDLE
    world.sweep_at(STOP_AT + minutes(120))
    assert world.book.all().leases == ()
    [event] = world.events("falcon", "lease.removed")
    assert event.data["left_over"]["configs"] == ["falcon-config"]
    assert "kept: endpoint config falcon-config" in told(world, NoticeKind.IDLE)[-1].text
    assert world.catalog.config("falcon-config")
    assert world.catalog.tags("endpoint", "falcon") == {}
    world.rest()
    assert world.watches.all().records == ()


def test_a_lease_that_a_person_stopped_does_not_go():
    world = a_world()
    world.tag(delete_after="0s")
    world.sweep.run()
    world.meter.stop("falcon", actor="ann")
    world.sweep_at(NOW + minutes(600))
    assert world.book.get("falcon").ended is EndReason.STOPPED


def test_the_plan_changes_nothing():
    world = a_world()
    events = world.kinds()
    assert ActionKind.STOP not in {each.kind for each in world.sweep.plan().actions}
    assert world.watches.all().records == ()
    world.clock.set(STOP_AT)
    world.sweep.plan()
    assert world.kinds() == events


@pytest.mark.parametrize("leased", [True, False])
@pytest.mark.parametrize("step", range(40))
def test_invariant_5_a_crash_at_any_step_is_repaired_and_nobody_is_told_twice(leased, step):
    world = a_world(leased=leased)
    world.sweep_at(NOW + minutes(15) - seconds(1))
    for instant in (NOW + minutes(15), STOP_AT):
        world.clock.set(instant)
        fault = Fault(step, Crash(), after=True)
        names = ("book", "hosting", "history", "notices", "clock")
        ports = {name: fault.wrap(name, getattr(world, name)) for name in names}
        try:
            world.a_sweep(**ports).run()
        except Crash:
            world.sweep.run()
    world.rest()
    assert world.status() is None
    notices = [notice.text for notice in told(world, NoticeKind.IDLE)]
    assert len(notices) == len(set(notices)) <= 2
    stops = world.events("falcon", "endpoint.idle_stopped", "lease.ended")
    assert len(stops) == 1
    assert stops[0].data["evidence"]["windows"] == 3


def test_one_endpoint_that_fails_does_not_keep_another_from_being_stopped():
    world = a_world()
    world.add("ant", 600)
    world.sweep.run()
    world.hosting.settle("ant")
    world.tag("ant")
    world.watches.damage("ant", "it is torn")
    world.sweep_at(STOP_AT)
    assert world.status("ant") is EndpointStatus.IN_SERVICE
    assert world.status("falcon") is EndpointStatus.DELETING


def test_a_watch_that_changed_meanwhile_is_seen_again():
    world = a_world()
    world.sweep.run()
    [watch] = world.watches.all().records
    world.clock.set(NOW + minutes(15))
    snoozed = replace(watch, snoozed_at=NOW, snoozed_until=STOP_AT)

    def use(_):
        if world.watches.get("falcon") == watch:
            world.watches.put(snoozed, None, before=watch)
        return some_use()

    world.usage.told["falcon"] = use
    world.sweep.run()
    assert told(world, NoticeKind.IDLE) == []
    assert world.watches.get("falcon") == snoozed
    world.sweep_at(STOP_AT + minutes(15) - seconds(1))
    assert world.status() is EndpointStatus.IN_SERVICE
