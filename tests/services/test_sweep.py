"""The sweep: each action, each failure, and each failure only once told."""

import logging
from dataclasses import replace

import pytest

from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    ConfigNotFound,
    EndpointBusy,
    ResourceLimitExceeded,
    Unavailable,
)
from parkade.domain.lease import EndReason
from tests.builders import NOW, an_endpoint, an_event, minutes, seconds
from tests.services.world import World


def test_a_coin_starts_and_an_expiry_stops():
    world = World()
    world.running(amount=30)
    assert world.status() is EndpointStatus.IN_SERVICE
    world.clock.advance(minutes(30))
    report = world.sweep.run()
    assert [action.reason for action in report.done] == ["expired 0.0 s ago"]
    assert report.plan.next_at is None
    assert world.status() is EndpointStatus.DELETING
    assert world.book.get("falcon").ended is EndReason.EXPIRED
    assert world.kinds() == ["lease.added", "start.begun", "lease.ended", "stop.begun"]
    assert [(n.kind, n.owner) for n in world.notices.told] == [(NoticeKind.EXPIRY, "ann")]


def test_every_event_of_the_sweep_says_who_when_and_why():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    world.sweep.run()
    for event in world.events("falcon")[1:]:
        assert event.actor == "meter"
        assert event.reason
        assert event.at in {NOW, NOW + minutes(30)}
    ended = world.events("falcon", "lease.ended")[0]
    assert ended.data["minutes_given_up"] == 0
    assert ended.data["ended"] == "expired"


def test_a_coin_after_the_end_brings_the_endpoint_back():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    world.rest()
    world.meter.extend("falcon", minutes(10), actor="ann")
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE


def test_a_lease_follows_its_endpoint_to_another_config_and_starts_it_with_that():
    world = World()
    world.running(amount=30)
    world.hosting.place(replace(world.hosting.endpoints()["falcon"], config_name="other-config"))
    world.rest()
    assert world.book.get("falcon").config_name == "other-config"
    [event] = world.events("falcon", "lease.reconfigured")
    assert event.data == {"config_name": "other-config", "config_before": "falcon-config"}
    before = world.events()
    world.rest()
    assert world.events() == before


def test_the_plan_changes_nothing():
    world = World()
    world.add()
    assert [action.kind for action in world.sweep.plan().acts] == [ActionKind.START]
    assert world.hosting.calls == []
    assert world.kinds() == ["lease.added"]


def test_invariant_5_a_second_sweep_does_nothing_new():
    world = World()
    world.running(amount=30)
    world.add("flan")
    world.hosting.place(an_endpoint(name="wild"))
    world.clock.advance(minutes(29))
    assert world.sweep.run().done
    before = (world.hosting.calls[:], world.events(), world.notices.told[:], world.book.all())
    for sweep in (world.sweep, world.a_sweep()):
        report = sweep.run()
        assert (report.done, report.failed) == ((), ())
    assert (world.hosting.calls, world.events(), world.notices.told, world.book.all()) == before


def test_an_endpoint_on_its_way_is_stopped_when_it_has_arrived():
    world = World()
    world.add(amount=1)
    world.sweep.run()
    world.clock.advance(minutes(1))
    world.sweep.run()
    assert world.book.get("falcon").ended is EndReason.EXPIRED
    assert world.hosting.calls == [("create", "falcon")]
    world.hosting.settle("falcon")
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING


def test_invariant_1_a_failed_stop_is_retried_by_every_sweep_and_told_once():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    world.hosting.refuse("delete", "falcon", Unavailable("no route to hosting"))
    for _ in range(3):
        report = world.sweep.run()
        assert [str(failure.error) for failure in report.failed] == ["no route to hosting"]
        world.clock.advance(minutes(1))
    assert world.hosting.calls.count(("delete", "falcon")) == 3
    (event,) = world.events("falcon", "stop.failed")
    assert event.data["error"] == "no route to hosting"
    told = [notice for notice in world.notices.told if notice.kind is NoticeKind.FAILED]
    assert [notice.text for notice in told] == [
        "stop failed and is tried again: no route to hosting"
    ]

    world.hosting.refuse("delete", "falcon", None)
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    assert world.kinds()[-1] == "stop.begun"


def test_a_failed_stop_is_not_told_again_after_a_restart():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    world.hosting.refuse("delete", "falcon", Unavailable("no route to hosting"))
    world.sweep.run()
    world.a_sweep().run()
    assert len(world.events("falcon", "stop.failed")) == 1


def test_a_stop_that_fails_for_a_later_lease_is_told_again():
    world = World()
    world.hosting.refuse("delete", "falcon", Unavailable("no route to hosting"))
    world.running(amount=30)
    for _ in range(2):
        world.clock.advance(minutes(30))
        world.sweep.run()
        world.sweep.run()
        world.meter.extend("falcon", minutes(30), actor="ann")
    assert len(world.events("falcon", "stop.failed")) == 2


def test_a_bug_in_one_action_stops_no_other_and_is_seen(caplog):
    world = World()
    for name in ("ant", "bee", "cat"):
        world.running(name, amount=30)
    world.clock.advance(minutes(30))
    bug = ZeroDivisionError("division by zero")
    world.hosting.refuse("delete", "bee", bug)
    report = world.sweep.run()
    assert [action.endpoint_name for action in report.done] == ["ant", "cat"]
    assert [(f.action.endpoint_name, f.error) for f in report.failed] == [("bee", bug)]
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.exc_info[1] is bug
    assert len(world.events("bee", "stop.failed")) == 1
    world.hosting.refuse("delete", "bee", None)
    world.rest()
    assert world.hosting.endpoints() == {}


def test_a_refused_start_is_recorded_on_the_lease_and_tried_again_after_its_backoff():
    world = World()
    world.hosting.refuse("create", "falcon", ResourceLimitExceeded("64 workers are in use"))
    world.add(amount=600)
    tried = []
    for minute in range(120):
        before = len(world.hosting.calls)
        world.sweep.run()
        tried += [minute] * (len(world.hosting.calls) - before)
        world.clock.advance(minutes(1))
    assert tried == [0, 1, 3, 7, 15, 31]
    lease = world.book.get("falcon")
    assert (lease.ended, lease.retries) == (EndReason.FAILED, 5)
    assert lease.failure == "64 workers are in use"
    assert world.kinds().count("lease.refused") == 6
    assert world.kinds().count("lease.recreated") == 5
    told = [notice.text for notice in world.notices.told]
    assert told == [
        "hosting refused to start it: 64 workers are in use; it is tried again",
        "its lease is over: failed after 5 recreations: 64 workers are in use",
    ]


def test_a_coin_after_the_failure_tries_at_once():
    world = World()
    world.hosting.refuse("create", "falcon", ConfigNotFound("falcon-config is gone"))
    world.add(amount=600)
    world.sweep.run()
    world.hosting.refuse("create", "falcon", None)
    world.sweep.run()
    assert world.status() is None
    world.meter.extend("falcon", minutes(1), actor="ann")
    world.sweep.run()
    assert world.status() is EndpointStatus.CREATING


@pytest.mark.parametrize("error", [Unavailable("not now"), EndpointBusy("Deleting")])
def test_a_start_that_cannot_be_now_counts_as_no_refusal(error):
    world = World()
    world.add()
    world.hosting.refuse("create", "falcon", error)
    world.sweep.run()
    world.sweep.run()
    lease = world.book.get("falcon")
    assert (lease.refused_at, lease.retries) == (None, 0)
    assert len(world.events("falcon", "start.failed")) == 1
    world.hosting.refuse("create", "falcon", None)
    world.sweep.run()
    assert world.status() is EndpointStatus.CREATING


def test_a_failed_endpoint_is_recreated_and_forgiven_when_it_serves():
    world = World()
    world.running(amount=600)
    world.hosting.fail("falcon", "out of memory")
    world.clock.advance(seconds(59))
    assert world.sweep.run().done == ()
    world.clock.advance(seconds(1))
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    lease = world.book.get("falcon")
    assert (lease.retries, lease.failure) == (1, "out of memory")
    world.hosting.settle("falcon")
    world.sweep.run()
    assert world.status() is EndpointStatus.CREATING
    world.hosting.settle("falcon")
    world.sweep.run()
    lease = world.book.get("falcon")
    assert (lease.retries, lease.failure) == (0, "")
    assert world.kinds()[-1] == "lease.recovered"


def test_an_endpoint_that_always_fails_is_given_up_and_its_owner_told():
    world = World()
    world.add(amount=600)
    recreated = 0
    for _ in range(120):
        world.sweep.run()
        for status in (EndpointStatus.CREATING, EndpointStatus.DELETING):
            if world.status() is status is EndpointStatus.CREATING:
                world.hosting.fail("falcon", "bad archive: ../evil")
            elif world.status() is status:
                world.hosting.settle("falcon")
                recreated += 1
        world.clock.advance(minutes(1))
    assert world.status() is None
    assert recreated == 6  # five recreations, and the end
    lease = world.book.get("falcon")
    assert (lease.ended, lease.failure) == (EndReason.FAILED, "bad archive: ../evil")
    (notice,) = [n for n in world.notices.told if n.kind is NoticeKind.FAILED]
    assert notice.owner == "ann"
    assert "bad archive: ../evil" in notice.text


def test_warnings_are_said_once_each():
    world = World()
    world.running(amount=30)
    for _ in range(30 * 4):
        world.sweep.run()
        world.clock.advance(seconds(15))
    warned = world.events("falcon", "lease.warned")
    assert [(e.data["minutes_before"], e.at) for e in warned] == [
        (10, NOW + minutes(20)),
        (2, NOW + minutes(28)),
    ]
    texts = [notice.text for notice in world.notices.told]
    assert texts == [
        "it stops in 10 min; parkade extend falcon --minutes 30",
        "it stops in 2 min; parkade extend falcon --minutes 30",
    ]
    assert world.notices.told[0].expires_at == NOW + minutes(30)


def test_a_coin_makes_warnings_due_again():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(29))
    world.sweep.run()
    world.meter.extend("falcon", minutes(30), actor="ann")
    world.clock.advance(minutes(29))
    world.sweep.run()
    assert [e.data["minutes_before"] for e in world.events("falcon", "lease.warned")] == [2, 2]


def test_what_runs_unmetered_is_told_once_for_each_endpoint_of_that_name():
    world = World()
    world.hosting.place(an_endpoint(name="wild"))
    for _ in range(3):
        world.sweep.run()
    assert len(world.events("wild", "endpoint.unmetered")) == 1
    world.hosting.place(an_endpoint(name="wild", created_at=NOW + minutes(1)))
    world.sweep.run()
    assert len(world.events("wild", "endpoint.unmetered")) == 2
    assert [notice.kind for notice in world.notices.told] == [NoticeKind.UNMETERED] * 2
    assert world.hosting.calls == []


def test_what_runs_unmetered_is_adopted_where_the_rules_say_so():
    world = World(adopts=True)
    world.hosting.place(an_endpoint(name="wild"))
    for _ in range(2):
        world.sweep.run()
    lease = world.book.get("wild")
    assert lease.config_name == "falcon-config"
    assert lease.expires_at == NOW + minutes(30)
    assert world.kinds("wild") == ["lease.adopted"]
    assert world.hosting.calls == []
    world.clock.advance(minutes(30))
    world.sweep.run()
    assert world.status("wild") is EndpointStatus.DELETING


def test_invariant_2_what_cannot_be_read_is_told_once_and_left_alone():
    world = World()
    world.running(amount=30)
    world.add("flan")
    world.book.damage("falcon", "expires_at is not an instant")
    world.clock.advance(minutes(60))
    for _ in range(3):
        world.sweep.run()
    assert world.status() is EndpointStatus.IN_SERVICE
    (event,) = world.events("falcon", "lease.unreadable")
    assert "expires_at is not an instant" in event.reason
    # Once it has been mended, the same damage is news.
    world.history.append(an_event("lease.extended"))
    world.sweep.run()
    assert len(world.events("falcon", "lease.unreadable")) == 2
    assert world.book.get("flan").ended is EndReason.EXPIRED


def test_what_only_a_person_can_mend_is_told_once():
    world = World()
    world.running(amount=30)
    world.hosting.enter("falcon", EndpointStatus.OUT_OF_SERVICE)
    for _ in range(3):
        world.sweep.run()
        world.clock.advance(minutes(1))
    assert len(world.events("falcon", "endpoint.stuck")) == 1
    (notice,) = world.notices.told
    assert (notice.kind, notice.owner) == (NoticeKind.STUCK, "ann")
    assert world.hosting.calls == [("create", "falcon")]


def test_hosting_out_of_sight_moves_nothing_and_is_told_once():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    world.hosting.hide(Unavailable("no route to hosting"))
    for _ in range(2):
        with pytest.raises(Unavailable, match="no route"):
            world.sweep.run()
    assert world.book.get("falcon").ended is None
    assert world.kinds("") == ["hosting.unavailable"]
    assert len(world.notices.told) == 1
    world.hosting.hide(None)
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    assert world.kinds("") == ["hosting.unavailable", "hosting.available"]
    world.hosting.hide(Unavailable("no route to hosting"))
    with pytest.raises(Unavailable):
        world.sweep.run()
    assert world.kinds("").count("hosting.unavailable") == 2


class Overtaken:
    """A book in which somebody acts between the sweep's look and its act."""

    def __init__(self, book, act):
        self._book = book
        self._act = act

    def due(self, names):
        shelf = self._book.due(names)
        self._act()
        return shelf

    def __getattr__(self, name):
        return getattr(self._book, name)


def overtaken(world, act):
    return world.a_sweep(book=Overtaken(world.book, act)).run()


def test_invariant_2_a_coin_that_comes_between_plan_and_stop_wins():
    world = World()
    world.running(amount=30)
    world.clock.advance(minutes(30))
    report = overtaken(world, lambda: world.meter.extend("falcon", minutes(10), actor="ann"))
    assert (report.done, report.failed) == ((), ())
    assert world.status() is EndpointStatus.IN_SERVICE
    assert world.book.get("falcon").ended is None


def test_invariant_2_a_coin_that_comes_between_plan_and_a_repeated_stop_wins():
    world = World()
    world.running(amount=30)
    world.meter.stop("falcon", actor="ann")
    report = overtaken(world, lambda: world.meter.extend("falcon", minutes(10), actor="ann"))
    assert report.done == ()
    assert world.status() is EndpointStatus.IN_SERVICE


def test_an_end_that_comes_between_plan_and_start_wins():
    world = World()
    world.add()
    assert overtaken(world, lambda: world.meter.stop("falcon", actor="ann")).done == ()
    assert world.hosting.calls == []


def test_a_removal_that_comes_between_plan_and_act_wins():
    world = World()
    world.add()
    assert overtaken(world, lambda: world.meter.remove("falcon", actor="ann")).done == ()
    assert world.hosting.calls == []


def test_a_coin_that_comes_before_the_end_as_failed_wins():
    world = World()
    world.running(amount=600)
    lease = world.book.get("falcon")
    world.book.put(replace(lease, retries=5), an_event("lease.recreated"))
    world.hosting.fail("falcon", "out of memory")
    report = overtaken(world, lambda: world.meter.extend("falcon", minutes(10), actor="ann"))
    assert report.done == ()
    assert world.book.get("falcon").ended is None
