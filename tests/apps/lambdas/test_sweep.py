"""The sweep as a function: within its time, with nothing lost."""

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from parkade.adapters.memory.ticks import MemoryTicks
from parkade.apps.lambdas.sweep import FROM, Means, Sweeper
from parkade.apps.lambdas.sweeping import NoTimers
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Throttled, Unavailable
from parkade.domain.lease import EndReason
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, minutes
from tests.services.world import World


class Counted:
    """A port that counts what it is asked."""

    def __init__(self, port):
        self._port = port
        self.calls = Counter()

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def counted(*args, **kwargs):
            self.calls[name] += 1
            return method(*args, **kwargs)

        return counted


class KeptTimers:
    """Timers that remember for whom they were begun, and fail for some."""

    def __init__(self, failing=()):
        self.begun = []
        self.failing = failing

    def missing(self, leases, now):
        running = [lease for lease in leases if not lease.over(now)]
        return sorted(running, key=lambda lease: lease.expires_at)

    def wait_for(self, lease):
        if lease.endpoint_name in self.failing:
            raise Throttled("too many", retry_after=minutes(1))
        self.begun.append((lease.endpoint_name, lease.expires_at))


class Stage:
    """A world, and the function over it."""

    def __init__(self, timers=None, **ports):
        self.world = World()
        self.again = []
        self.metered = []
        self.tidied = []
        self.lines = []
        self.timers = timers or NoTimers()
        self.ports = ports

    def function(self, **changes):
        parts = {
            "sweep": self.world.a_sweep(**self.ports),
            "timers": self.timers,
            "meter": self.metered.append,
            "tidy": self.tidied.append,
            "again": self.again.append,
            "ticks": MemoryTicks(),
            "project": "Demo",
            "tell": self.lines.append,
        }
        return Sweeper(Means(**{**parts, **changes}))

    def leases(self, count, amount=30):
        """Have so many endpoints in service, each with a lease."""
        for number in range(count):
            self.world.add(f"endpoint-{number:04}", amount)
        self.function()({}, a_call())
        self.world.settle_all()
        return [f"endpoint-{number:04}" for number in range(count)]

    def figures(self):
        return json.loads(self.lines[-1])


def test_a_minute_s_sweep_starts_stops_and_tells_in_figures():
    stage = Stage()
    stage.leases(3)
    assert stage.figures()["Started"] == 3
    stage.world.clock.advance(minutes(31))
    answer = stage.function()({}, a_call())
    assert answer == {
        "leases": 3, "started": 0, "stopped": 3, "failed": 0, "left": 0, "untimed": 0,
    }  # fmt: skip
    line = stage.figures()
    assert line["Project"] == "Demo"
    told = line["_aws"]["CloudWatchMetrics"][0]
    assert told["Namespace"] == "Parkade"
    assert {each["Name"] for each in told["Metrics"]} <= line.keys()
    assert stage.metered == stage.tidied == [NOW, NOW + minutes(31)]
    assert stage.again == []


def test_five_thousand_leases_take_one_look_at_book_and_hosting_and_one_write_each():
    stage = Stage()
    stage.leases(5000)
    book, hosting = Counted(stage.world.book), Counted(stage.world.hosting)
    stage.ports = {"book": book, "hosting": hosting}
    stage.world.clock.advance(minutes(30))
    answer = stage.function()({}, a_call())
    assert answer["stopped"] == 5000
    assert hosting.calls == {"endpoints": 1, "delete": 5000}
    assert book.calls["put"] == 5000
    assert book.calls["due"] + book.calls["all"] == 1
    assert book.calls["get"] == 0


def test_what_there_is_no_time_for_is_continued_where_it_was_left_and_nothing_is_lost():
    stage = Stage()
    names = stage.leases(400)
    stage.world.clock.advance(minutes(30))
    asked = []

    def left():
        asked.append(None)
        return 60 if len(asked) < 100 else 1

    first = stage.function()({}, a_call(left))
    assert 0 < first["stopped"] < 400
    assert first["left"] > 0
    assert stage.figures()["Left"] == first["left"]
    assert stage.metered == stage.tidied == [NOW]  # what is late does nothing beside
    (event,) = stage.again
    assert event == {FROM: names[400 - first["left"]]}
    second = stage.function()(event, a_call())
    assert first["stopped"] + second["stopped"] == 400
    assert {stage.world.status(name) for name in names} == {EndpointStatus.DELETING}
    for name in names:
        assert stage.world.book.get(name).ended is EndReason.EXPIRED
        assert stage.world.kinds(name).count("lease.ended") == 1


def test_where_it_cannot_be_continued_the_next_minute_does_it(caplog):
    stage = Stage()
    stage.leases(40)
    stage.world.clock.advance(minutes(30))

    def refuse(_event):
        raise Unavailable("no function")

    asked = []

    def left():
        asked.append(None)
        return 60 if len(asked) < 10 else 1

    assert stage.function(again=refuse)({}, a_call(left))["left"] > 0
    assert "the next minute's sweep continues: no function" in caplog.text
    stage.function()({}, a_call())
    seen = stage.world.hosting.endpoints().values()
    assert {each.status for each in seen} == {EndpointStatus.DELETING}


@pytest.mark.parametrize("first", ["", "endpoint-0001"])
def test_one_that_came_no_further_does_not_call_itself_for_ever(first, caplog):
    stage = Stage()
    stage.leases(3)
    stage.world.clock.advance(minutes(30))
    told = stage.function()({FROM: first}, a_call(0))
    assert told["left"] > 0
    assert stage.again == []
    assert "no time for any" in caplog.text


def test_one_that_fails_holds_up_no_other():
    stage = Stage()
    stage.leases(20)
    whole = stage.world.hosting.delete

    def delete(name):
        if name.endswith("7"):
            raise RuntimeError("a bug of this one")
        whole(name)

    hosting = Counted(stage.world.hosting)
    hosting.delete = delete
    stage.ports = {"hosting": hosting}
    stage.world.clock.advance(minutes(30))
    answer = stage.function()({}, a_call())
    assert (answer["stopped"], answer["failed"]) == (18, 2)


def test_each_running_lease_has_a_timer_and_what_cannot_have_one_is_told():
    stage = Stage(timers=KeptTimers(failing={"endpoint-0001"}))
    stage.leases(3)
    assert sorted(stage.timers.begun) == [
        ("endpoint-0000", NOW + minutes(30)),
        ("endpoint-0002", NOW + minutes(30)),
    ]
    assert stage.figures()["Untimed"] == 1


def test_no_timer_is_begun_when_it_is_late():
    stage = Stage(timers=KeptTimers())
    stage.world.add("falcon")
    answer = stage.function()({}, a_call(1))
    assert stage.timers.begun == []
    assert answer["untimed"] == 1


def test_unseen_hosting_fails_the_call_so_that_lambda_counts_it():
    stage = Stage(hosting=SimpleNamespace(endpoints=lambda: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        stage.function()({}, a_call())


def test_a_lease_that_cannot_be_read_is_told_and_the_others_are_seen_to():
    stage = Stage()
    stage.leases(3)
    stage.world.book.damage("endpoint-0001", "it is no JSON")
    stage.world.clock.advance(minutes(30))
    assert stage.function()({}, a_call())["stopped"] == 2
    assert stage.world.status("endpoint-0001") is EndpointStatus.IN_SERVICE
    assert stage.world.events("endpoint-0001", "lease.unreadable")
