"""Invariant 5: whatever goes wrong between any two steps of a sweep, the next ones repair it."""

from dataclasses import replace

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ResourceLimitExceeded, Unavailable
from parkade.domain.lease import EndReason
from parkade.domain.terms import Booking, Sleep, Terms
from tests.builders import NOW, a_lease, an_endpoint, an_event, minutes
from tests.services.faults import Crash, Fault, faulty
from tests.services.world import World

PAID = NOW + minutes(600)
UNTOUCHED = {"stuck", "torn", "wild"}
STOPPED = {"ended", "expired", "hopeless"}
SERVING = {"booked", "broken", "fresh", "healed", "open", "refused", "soon"}
#: One that is to fall asleep, and one that was asked for after half an hour of a paused clock.
SLEEPY, WANTED = "sleepy", "wanted"


def a_busy_world():
    """A world in which one sweep has something of every kind to do."""
    world = World()

    def lease(name, **changes):
        world.book.put(
            replace(a_lease(endpoint_name=name), **{"expires_at": PAID, **changes}),
            an_event(endpoint_name=name),
        )

    def endpoint(name, status=EndpointStatus.IN_SERVICE, **changes):
        world.hosting.place(an_endpoint(status, name=name, **changes))

    long_ago = NOW - minutes(60)
    lease("fresh")
    lease("soon", expires_at=NOW + minutes(9))
    endpoint("soon")
    lease("expired", expires_at=NOW)
    endpoint("expired")
    lease("ended", expires_at=NOW, ended=EndReason.STOPPED, ended_at=NOW)
    endpoint("ended")
    lease("broken")
    endpoint("broken", EndpointStatus.FAILED, changed_at=long_ago, failure_reason="died")
    lease("hopeless", retries=5)
    endpoint("hopeless", EndpointStatus.FAILED, changed_at=long_ago, failure_reason="died")
    lease("refused", refused_at=long_ago, failure="no room")
    lease("healed", retries=2, failure="died")
    endpoint("healed")
    lease("stuck")
    endpoint("stuck", EndpointStatus.OUT_OF_SERVICE)
    lease("torn")
    endpoint("torn")
    world.book.damage("torn", "expires_at is not an instant")
    endpoint("wild")
    lease(SLEEPY)
    endpoint(SLEEPY, changed_at=long_ago)
    sleep = Sleep(after=minutes(10), pauses=True, since=long_ago)
    world.terms_store.put(Terms(endpoint_name=SLEEPY, sleep=sleep), an_event())
    dozing = {"asleep_at": NOW - minutes(30), "paused_at": NOW - minutes(30)}
    lease(WANTED, **dozing, wanted_at=NOW)
    endpoint(WANTED, changed_at=NOW - minutes(30), asleep=True, wanted=0, healthy=0)
    lease("open", expires_at=long_ago, ended=EndReason.EXPIRED, ended_at=long_ago)
    world.terms.put(Terms(endpoint_name="open", schedule="sun 09:00-23:00 UTC"), "ann")
    world.booking_store.add(
        Booking(
            id="b-1",
            endpoint_name="booked",
            config_name="falcon-config",
            owner="ann",
            starts_at=NOW,
            ends_at=PAID,
            made_at=long_ago,
        ),
        an_event("booking.added", endpoint_name="booked"),
        beside=frozenset(),
    )
    return world


def assert_repaired(world):
    """After some sweeps and minutes everything is as it should be, whatever went wrong."""
    for _ in range(5):
        world.rest()
        world.clock.advance(minutes(1))
    seen = world.hosting.endpoints()
    assert set(seen) == UNTOUCHED | SERVING | {SLEEPY, WANTED}
    assert seen[SLEEPY].asleep
    assert world.book.get(SLEEPY).time_left(world.clock.now()) == PAID - NOW
    assert not seen[WANTED].asleep
    assert seen[WANTED].status is EndpointStatus.IN_SERVICE
    assert world.book.get(WANTED).expires_at == PAID + minutes(30)
    put_to_sleep = [name for call, name in world.hosting.calls if call == "sleep"]
    assert set(put_to_sleep) == {SLEEPY}
    assert all(seen[name].status is EndpointStatus.IN_SERVICE for name in SERVING)
    assert not {name for _, name in world.hosting.calls} & UNTOUCHED
    assert {name for call, name in world.hosting.calls if call == "delete"} == STOPPED | {"broken"}
    ended = {lease.endpoint_name: lease.ended for lease in world.book.all().leases if lease.ended}
    assert ended == {
        "ended": EndReason.STOPPED,
        "expired": EndReason.EXPIRED,
        "hopeless": EndReason.FAILED,
    }
    told = [(n.kind, n.endpoint_name, n.text) for n in world.notices.told]
    assert len(told) == len(set(told)), "somebody was told twice"


def steps():
    """Every port call of an undisturbed sweep of the busy world."""
    fault = Fault()
    faulty(a_busy_world(), fault).run()
    return fault.calls


STEPS = list(enumerate(steps()))
#: What a sweep reads before it decides; without one of these it can do nothing.
LOOKING = ["clock.now", "book.due", "hosting.endpoints", "book.of", "clock.now"]
IDS = [f"{number}-{name}" for number, name in STEPS]


def test_a_sweep_looks_first_at_leases_and_then_at_endpoints():
    assert steps()[: len(LOOKING)] == LOOKING


def test_the_busy_world_has_something_of_every_kind():
    kinds = {(action.kind, action.notice) for action in a_busy_world().sweep.plan().actions}
    assert len(kinds) == 11
    assert {
        "book.put",
        "hosting.create",
        "hosting.delete",
        "hosting.sleep",
        "hosting.wake",
        "history.append",
        "notices.tell",
    } <= set(steps())


def test_an_undisturbed_sweep_needs_no_repair():
    world = a_busy_world()
    assert world.sweep.run().failed == ()
    assert_repaired(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "name"), STEPS, ids=IDS)
def test_invariant_5_a_crash_at_any_step_is_repaired(number, name, after):
    world = a_busy_world()
    with pytest.raises(Crash):
        faulty(world, Fault(number, Crash(name), after=after)).run()
    world.sweep = world.a_sweep()
    assert_repaired(world)


@pytest.mark.parametrize(
    "error", [Unavailable("not now"), ZeroDivisionError("a bug")], ids=["unavailable", "bug"]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "name"), STEPS, ids=IDS)
def test_an_error_at_any_step_stops_no_other_action_and_is_repaired(number, name, after, error):
    world = a_busy_world()
    undisturbed = len(a_busy_world().sweep.run().done)
    fault = Fault(number, error, after=after)
    sweep = faulty(world, fault)
    if number < len(LOOKING):
        with pytest.raises(type(error)):
            sweep.run()
    else:
        report = sweep.run()
        assert len(report.failed) == 1
        assert len(report.done) == undisturbed - 1
    world.sweep = world.a_sweep()
    assert_repaired(world)


def test_a_refusal_that_cannot_be_recorded_is_still_seen(caplog):
    world = World()
    world.add()
    world.hosting.refuse("create", "falcon", ResourceLimitExceeded("64 workers are in use"))
    undisturbed = Fault()
    faulty(world, undisturbed).run()
    number = undisturbed.calls.index("book.put")

    world = World()
    world.add()
    world.hosting.refuse("create", "falcon", ResourceLimitExceeded("64 workers are in use"))
    report = faulty(world, Fault(number, Unavailable("the disk is full"))).run()
    assert [str(failure.error) for failure in report.failed] == ["64 workers are in use"]
    assert "the disk is full" in caplog.text
