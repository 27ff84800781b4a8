"""The look at a lease whose time is up."""

from datetime import timedelta

import pytest

from parkade.adapters.aws.narrow import OneEndpoint, OneLease
from parkade.apps.lambdas.timer import TURNS, Means, Timer
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unavailable
from parkade.domain.event import written
from parkade.domain.standing import told_at
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, minutes, seconds
from tests.services.world import World


class Begun:
    def __init__(self):
        self.leases = []

    def missing(self, leases, now):
        raise AssertionError("one look begins no others' timers")

    def wait_for(self, lease):
        self.leases.append((lease.endpoint_name, lease.expires_at))


class Stage:
    def __init__(self):
        self.world = World()
        self.timers = Begun()
        self.looked = []
        self.timer = Timer(self.means)

    def means(self, name):
        def look(asked):
            self.looked.append(asked)
            return self.world.hosting.endpoints().get(asked)

        book = OneLease(self.world.book, name)
        hosting = OneEndpoint(self.world.hosting, look, name)
        return Means(
            sweep=self.world.a_sweep(book=book, hosting=hosting),
            book=book,
            hosting=hosting,
            timers=self.timers,
            clock=self.world.clock,
        )

    def look(self, name="falcon", turn=0):
        given = {"endpoint_name": name, "expires_at": "2026-03-01T12:30:00Z", "turn": turn}
        return self.timer(given, a_call())


@pytest.fixture
def stage():
    found = Stage()
    found.world.running("falcon", 30)
    found.world.running("flan", 30)
    return found


def test_a_lease_that_is_over_is_stopped_and_no_other_is_looked_at(stage):
    stage.world.clock.advance(minutes(30))
    answer = stage.look()
    assert answer["waits"] is False
    assert "expired" in answer["why"]
    assert stage.world.status("falcon") is EndpointStatus.DELETING
    assert stage.world.status("flan") is EndpointStatus.IN_SERVICE
    assert set(stage.looked) == {"falcon"}


def test_one_that_was_extended_goes_on_and_its_new_end_is_waited_for(stage):
    stage.world.meter.extend("falcon", minutes(10), actor="ann")
    stage.world.clock.advance(minutes(30))
    assert stage.look()["waits"] is False
    assert stage.world.status("falcon") is EndpointStatus.IN_SERVICE
    assert stage.timers.leases == [("falcon", NOW + minutes(40))]


def test_a_look_that_comes_too_early_comes_again_and_the_end_is_still_exact(stage):
    stage.world.clock.advance(minutes(30) - seconds(0.2))
    answer = stage.look()
    assert answer["waits"] is True
    assert answer["turn"] == 1
    assert stage.timers.leases == []
    stage.world.clock.advance(seconds(1.2))
    assert written(told_at(stage.world.clock.now())) >= answer["expires_at"]
    assert stage.look(turn=1)["waits"] is False
    assert stage.world.status("falcon") is EndpointStatus.DELETING


def test_a_clock_that_stays_behind_is_not_asked_for_ever(stage):
    assert stage.look(turn=TURNS)["waits"] is False


def test_what_cannot_be_stopped_yet_is_looked_at_again_for_a_limited_time(stage):
    stage.world.clock.advance(minutes(30))
    stage.world.hosting.enter("falcon", EndpointStatus.UPDATING)
    answer = stage.look()
    assert answer["waits"] is True
    assert answer["turn"] == 1
    again = NOW + minutes(30) + seconds(10)
    assert answer["expires_at"] == again.isoformat().replace("+00:00", "Z")
    assert stage.look(turn=TURNS)["waits"] is False
    assert TURNS * 12 < 25_000  # events of an execution's history


def test_a_lease_that_was_removed_is_no_concern(stage):
    stage.world.meter.remove("falcon", actor="ann")
    assert stage.look() == {
        "endpoint_name": "falcon", "waits": False, "why": "its lease was removed",
    }  # fmt: skip


def test_what_failed_is_raised_so_that_the_machine_tries_again(stage):
    stage.world.clock.advance(minutes(30))
    whole = stage.world.hosting.delete

    def refuse(_name):
        raise Unavailable("not now", retry_after=timedelta(seconds=1))

    stage.world.hosting.delete = refuse
    with pytest.raises(Unavailable):
        stage.look()
    stage.world.hosting.delete = whole
    assert stage.look()["waits"] is False
    assert stage.world.status("falcon") is EndpointStatus.DELETING


def test_a_watch_of_another_endpoint_is_left_as_it_is(stage):
    stage.world.tag("flan")
    stage.world.sweep.run()
    held = stage.world.watches.all().records
    assert [each.endpoint_name for each in held] == ["flan"]
    stage.world.clock.advance(minutes(30))
    stage.look("falcon")
    assert stage.world.watches.all().records == held
