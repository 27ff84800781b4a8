"""Sleep and wake in a whole small world: asked for once, paid for, and beside all else."""

import threading
from dataclasses import replace

import pytest

from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    BudgetExceeded,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    ResourceLimitExceeded,
    Unreadable,
)
from parkade.domain.lease import EndReason
from parkade.domain.price import EMPTY
from parkade.domain.standing import State, standing
from parkade.domain.terms import Keep, Sleep, Terms, Wake
from parkade.services.sleeping import Sleeping
from parkade.services.waking import Waking
from tests.builders import NOW, an_endpoint, minutes, seconds, some_use
from tests.services.world import World

SLEEP = Sleep(after=minutes(10), pauses=True)
WAKE = Wake(minutes=minutes(15), at_most=minutes(20))


def a_world(*, amount=120, **settled):
    """A world with `falcon` in service since NOW, about which something is settled."""
    world = World()
    world.running(amount=amount)
    if settled:
        world.terms.put(Terms(endpoint_name="falcon", **settled), "ann")
    return world


def asking(world):
    return Waking(book=world.book, terms=world.terms_store, clock=world.clock, changed=world.nudge)


def sleeping(world, *, usage=True):
    return Sleeping(
        terms=world.terms,
        book=world.book,
        hosting=world.hosting,
        usage=world.usage if usage else None,
        clock=world.clock,
        hourly=lambda *_: EMPTY,
        changed=world.nudge,
    )


def slept(world, at=10):
    """Let it fall asleep, and be at rest."""
    world.sweep_at(NOW + minutes(at))
    world.hosting.settle("falcon")
    assert world.hosting.endpoints()["falcon"].asleep
    return world.book.get("falcon")


def moved(world):
    return [call for call, _ in world.hosting.calls if call in {"sleep", "wake", "create"}]


def test_what_nobody_uses_sleeps_is_asked_for_and_wakes_with_all_its_time():
    world = a_world(sleep=SLEEP)
    lease = slept(world)
    assert (lease.asleep_at, lease.paused_at) == (NOW + minutes(10), NOW + minutes(10))
    world.clock.advance(minutes(600))
    world.rest()
    assert world.book.get("falcon") == lease
    assert asking(world).ask("falcon", "a request") is True
    world.rest()
    lease = world.book.get("falcon")
    assert (lease.asleep_at, lease.wanted_at) == (None, None)
    assert lease.time_left(world.clock.now()) == minutes(110)
    assert world.status() is EndpointStatus.IN_SERVICE
    assert moved(world) == ["create", "sleep", "wake"]
    [told] = world.events("falcon", "lease.awake")
    assert told.data["asleep_minutes"] == 600
    # It has slept, so that its idle time begins anew.
    world.sweep_at(world.clock.now() + minutes(9))
    assert moved(world) == ["create", "sleep", "wake"]
    world.sweep_at(world.clock.now() + minutes(1))
    assert moved(world) == ["create", "sleep", "wake", "sleep"]


def test_nobody_gets_a_letter_about_sleep():
    world = a_world(sleep=SLEEP)
    slept(world)
    asking(world).ask("falcon", "a request")
    world.rest()
    assert world.notices.told == []


def test_two_hundred_who_ask_at_once_are_one_ask_and_one_wake():
    world = a_world(sleep=SLEEP)
    slept(world)
    waking, answers = asking(world), []
    begin = threading.Barrier(20)

    def ask():
        begin.wait()
        answers.extend(waking.ask("falcon", "a request") for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 200
    assert len(world.events("falcon", "lease.wanted")) == 1
    world.rest()
    assert moved(world).count("wake") == 1
    assert waking.ask("falcon", "another") is True
    assert len(world.events("falcon", "lease.wanted")) == 1


def test_who_asks_while_it_falls_asleep_is_answered_once_it_sleeps():
    world = a_world(sleep=SLEEP)
    world.sweep_at(NOW + minutes(10))
    assert world.status() is EndpointStatus.UPDATING
    asking(world).ask("falcon", "a request")
    assert world.sweep.run().done == ()
    world.hosting.settle("falcon")
    world.rest()
    assert world.hosting.endpoints()["falcon"].healthy == 1


def test_whoever_uses_it_in_the_last_instant_keeps_it_awake():
    world = a_world(sleep=SLEEP)
    world.clock.set(NOW + minutes(10))
    looks = iter([some_use()])
    # The second look, right before it is done, sees a request.
    world.usage.told["falcon"] = lambda _: next(looks, some_use(in_flight=1))
    report = world.sweep.run()
    assert [action.kind for action in report.plan.acts] == [ActionKind.SLEEP]
    assert report.done == ()
    assert world.book.get("falcon").asleep_at is None
    assert moved(world) == ["create"]


def test_idle_time_begins_anew_with_another_rule_and_not_with_the_same():
    world = a_world(sleep=SLEEP)
    world.clock.set(NOW + minutes(9))

    def settle(sleep):
        world.terms.change("falcon", "ann", lambda terms: replace(terms, sleep=sleep))
        return world.terms.get("falcon").sleep.since

    assert settle(replace(SLEEP, hold=seconds(5))) == NOW
    assert settle(replace(SLEEP, after=minutes(5))) == NOW + minutes(9)
    world.sweep_at(NOW + minutes(13))
    assert moved(world) == ["create"]
    world.sweep_at(NOW + minutes(14))
    assert moved(world) == ["create", "sleep"]


def test_a_coin_adds_time_and_wakes_nothing():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.clock.advance(minutes(30))
    world.meter.extend("falcon", minutes(20), actor="ann")
    world.rest()
    lease = world.book.get("falcon")
    assert lease.asleep_at is not None
    assert lease.time_left(world.clock.now()) == minutes(130)
    assert moved(world) == ["create", "sleep"]


def test_a_lease_that_runs_out_asleep_lets_its_endpoint_go_and_a_coin_brings_it_back():
    world = a_world(amount=60, sleep=replace(SLEEP, pauses=False))
    slept(world)
    world.sweep_at(NOW + minutes(60))
    assert world.book.get("falcon").ended is EndReason.EXPIRED
    assert world.status() is EndpointStatus.DELETING
    assert asking(world).ask("falcon", "a request") is False
    world.rest()
    world.meter.extend("falcon", minutes(20), actor="ann")
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    assert not world.hosting.endpoints()["falcon"].asleep


def test_a_coin_between_the_expiry_and_the_sweep_wakes_it():
    world = a_world(amount=60, sleep=replace(SLEEP, pauses=False))
    slept(world)
    world.clock.set(NOW + minutes(61))
    world.meter.extend("falcon", minutes(20), actor="ann")
    world.rest()
    assert moved(world) == ["create", "sleep", "wake"]


def test_what_is_stopped_asleep_gives_up_what_was_left():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.clock.advance(minutes(600))
    world.meter.stop("falcon", actor="ann")
    [event] = world.events("falcon", "lease.ended")
    assert event.data["minutes_given_up"] == 110
    world.rest()
    assert world.status() is None
    assert asking(world).ask("falcon", "a request") is False
    with pytest.raises(Conflict, match="is over \\(stopped\\)"):
        asking(world).wake("falcon", actor="ann")


def test_what_is_removed_while_it_wakes_goes_once_it_can():
    world = a_world(sleep=SLEEP)
    slept(world)
    asking(world).ask("falcon", "a request")
    world.sweep.run()
    assert world.status() is EndpointStatus.SYSTEM_UPDATING
    with pytest.raises(EndpointBusy, match="SystemUpdating"):
        world.meter.remove("falcon", actor="ann")
    world.rest()
    assert world.status() is None
    world.meter.remove("falcon", actor="ann")
    assert world.book.all().leases == ()


def test_what_is_removed_asleep_is_gone_at_once():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.meter.remove("falcon", actor="ann")
    world.rest()
    assert (world.status(), world.book.all().leases) == (None, ())


def test_what_somebody_deleted_asleep_is_made_again_when_it_is_asked_for():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.hosting.vanish("falcon")
    world.rest()
    assert moved(world) == ["create", "sleep"]
    asking(world).ask("falcon", "a request")
    world.rest()
    assert moved(world) == ["create", "sleep", "create"]
    assert world.hosting.endpoints()["falcon"].healthy == 1


def test_what_cannot_be_made_again_is_told_and_given_up_like_any_start():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.hosting.vanish("falcon")
    world.hosting.refuse("create", "falcon", ConfigNotFound("no config 'falcon-config'"))
    asking(world).ask("falcon", "a request")
    for _ in range(60):
        world.rest()
        world.clock.advance(minutes(1))
    assert world.book.get("falcon").ended is EndReason.FAILED
    assert {notice.kind for notice in world.notices.told} >= {NoticeKind.FAILED}


def test_what_has_no_room_to_wake_wakes_once_there_is_and_its_owner_hears_once():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.hosting.refuse("wake", "falcon", ResourceLimitExceeded("64 of 64 workers are taken"))
    asking(world).ask("falcon", "a request")
    for _ in range(3):
        world.sweep.run()
    assert [notice.kind for notice in world.notices.told] == [NoticeKind.FAILED]
    assert "64 of 64" in world.notices.told[0].text
    world.hosting.refuse("wake", "falcon", None)
    world.rest()
    assert world.hosting.endpoints()["falcon"].healthy == 1


def test_what_fails_to_wake_is_recreated():
    world = a_world(sleep=SLEEP)
    slept(world)
    asking(world).ask("falcon", "a request")
    world.sweep.run()
    world.hosting.fail("falcon", "no ping")
    world.clock.advance(minutes(2))
    world.rest()
    assert world.events("falcon", "lease.recreated")
    assert world.hosting.endpoints()["falcon"].healthy == 1


def test_the_maintainer_stops_nothing_that_sleeps_and_gives_it_its_grace_when_it_wakes():
    world = a_world(amount=600, sleep=replace(SLEEP, after=minutes(2)))
    world.tag()
    slept(world, at=2)
    world.sweep_at(NOW + minutes(120))
    assert world.book.get("falcon").ended is None
    world.terms.change("falcon", "ann", lambda terms: replace(terms, sleep=None))
    asking(world).ask("falcon", "a request")
    world.rest()
    woken = world.clock.now()
    # A grace of 5 minutes, and three windows of 5.
    world.sweep_at(woken + minutes(19))
    assert world.book.get("falcon").ended is None
    world.sweep_at(woken + minutes(20))
    assert world.book.get("falcon").ended is EndReason.IDLE


def test_use_extends_nothing_that_sleeps():
    keep = Keep(by=minutes(15), when_left=minutes(30), at_most=minutes(60))
    world = a_world(amount=40, sleep=replace(SLEEP, pauses=False), keep=keep)
    slept(world)
    world.usage.told["falcon"] = some_use(used_at=NOW + minutes(20))
    world.sweep_at(NOW + minutes(39))
    assert world.events("falcon", "lease.paid") == []
    assert world.book.get("falcon").expires_at == NOW + minutes(40)


def test_a_request_buys_time_for_what_has_run_out_and_no_more_than_was_settled():
    world = a_world(amount=30, wake=WAKE)
    world.sweep_at(NOW + minutes(30))
    world.rest()
    assert world.status() is None
    waking = asking(world)
    assert waking.ask("falcon", "a request") is True
    world.rest()
    lease = world.book.get("falcon")
    assert (lease.time_left(world.clock.now()), lease.woken) == (minutes(15), minutes(15))
    assert lease.bought_until == NOW + minutes(30)
    [paid] = world.events("falcon", "lease.paid")
    assert (paid.data["by"], paid.actor) == ("wake", "meter")
    world.sweep_at(NOW + minutes(50))
    world.rest()
    waking.ask("falcon", "a request")
    world.rest()
    assert world.book.get("falcon").woken == minutes(20)
    world.sweep_at(NOW + minutes(60))
    world.rest()
    assert waking.ask("falcon", "a request") is False
    assert [n.kind for n in world.notices.told if n.kind is NoticeKind.LIMIT] == [NoticeKind.LIMIT]
    world.meter.extend("falcon", minutes(1), actor="ann")
    world.sweep_at(NOW + minutes(62))
    world.rest()
    assert waking.ask("falcon", "a request") is True


def test_a_wake_that_a_budget_refuses_is_told_once_and_forgotten_in_time():
    world = a_world(amount=30, wake=WAKE)
    spent = [BudgetExceeded("0.00 of 5.00 USD left today", until=NOW + minutes(60))]

    def admit(*_):
        if spent:
            raise spent[0]

    world.sweep = world.a_sweep(admit=admit)
    world.sweep_at(NOW + minutes(30))
    world.rest()
    waking = asking(world)
    for _ in range(4):
        assert waking.ask("falcon", "a request") is True
        world.rest()
        world.clock.advance(minutes(1))
    assert len(world.events("falcon", "lease.wanted")) == 1
    assert len(world.events("falcon", "lease.unpaid")) == 1
    [told] = [notice for notice in world.notices.told if notice.kind is NoticeKind.BUDGET]
    assert told.text.startswith("not paid for although it is asked for: it is over the budget")
    # A new day begins when whoever asked has long gone.
    spent.clear()
    world.clock.advance(minutes(10))
    world.rest()
    assert world.status() is None
    waking.ask("falcon", "a request")
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE


class Damaged(MemoryTermsStore):
    """Terms that nobody can read any more."""

    def get(self, endpoint_name):
        raise Unreadable(f"the terms of {endpoint_name!r} cannot be read")


def test_terms_that_cannot_be_read_let_nobody_buy_but_keep_nothing_asleep():
    world = a_world(amount=60, sleep=replace(SLEEP, pauses=False), wake=WAKE)
    slept(world)
    world.terms_store = Damaged(world.history, world.book)
    assert asking(world).ask("falcon", "a request") is True
    world.sweep_at(NOW + minutes(60))
    world.rest()
    world.sweep_at(NOW + minutes(200))
    assert asking(world).ask("falcon", "a request") is False


def test_a_person_puts_to_sleep_what_is_not_used_now():
    world = a_world(sleep=SLEEP)
    world.usage.told["falcon"] = some_use(in_flight=1)
    with pytest.raises(Conflict, match="1 request under way"):
        sleeping(world).now("falcon", actor="ann")
    with pytest.raises(Conflict, match="not known"):
        sleeping(world, usage=False).now("falcon", actor="ann")
    world.usage.told["falcon"] = some_use()
    lease = sleeping(world).now("falcon", actor="ann")
    assert (lease.asleep_at, lease.paused_at) == (NOW, NOW)
    assert sleeping(world).now("falcon", actor="ann") == lease
    world.rest()
    assert world.hosting.endpoints()["falcon"].asleep
    [event] = world.events("falcon", "lease.asleep")
    assert (event.actor, event.reason) == ("ann", "ann put it to sleep")


def test_what_does_not_run_is_not_put_to_sleep():
    world = World()
    world.add()
    with pytest.raises(Conflict, match="nothing runs"):
        sleeping(world).now("falcon", actor="ann")
    world.sweep.run()
    with pytest.raises(EndpointBusy, match="Creating"):
        sleeping(world).now("falcon", actor="ann")


def test_what_is_adopted_asleep_is_woken_for_it_is_paid_for():
    world = World(adopts=True)
    world.hosting.place(an_endpoint(asleep=True, wanted=0, healthy=0))
    world.rest()
    assert moved(world) == ["wake"]
    assert world.hosting.endpoints()["falcon"].healthy == 1


def test_what_cannot_be_woken_says_why_to_those_who_wait_and_is_forgiven_once_it_runs():
    world = a_world(sleep=SLEEP)
    slept(world)
    no_room = ResourceLimitExceeded("8 of 8 workers are taken")
    world.hosting.refuse("wake", "falcon", no_room)
    asking(world).ask("falcon", "a request")
    for _ in range(3):
        world.sweep.run()
    lease = world.book.get("falcon")
    told = standing(lease, world.hosting.endpoints()["falcon"], NOW, expected=lambda _: minutes(1))
    assert (told.state, told.expected_at) == (State.STARTING, None)
    assert "could not be woken yet" in told.hint
    assert "8 of 8 workers are taken" in told.hint
    assert len(world.events("falcon", "lease.refused")) == 1
    assert lease.retries == 0
    world.hosting.refuse("wake", "falcon", None)
    world.rest()
    lease = world.book.get("falcon")
    assert (lease.refused_at, lease.failure) == (None, "")
    assert standing(lease, world.hosting.endpoints()["falcon"], NOW).state is State.RUNNING


def test_what_could_not_be_woken_and_has_run_out_is_stopped_and_counts_no_start():
    world = a_world(sleep=SLEEP)
    slept(world)
    world.hosting.refuse("wake", "falcon", ResourceLimitExceeded("no room"))
    world.hosting.refuse("delete", "falcon", EndpointBusy("not now"))
    asking(world).ask("falcon", "a request")
    world.sweep.run()
    world.clock.advance(minutes(600))
    world.sweep.run()
    world.sweep.run()
    assert world.book.get("falcon").ended is EndReason.EXPIRED
    assert world.events("falcon", "lease.recreated") == []
    world.hosting.refuse("delete", "falcon", None)
    world.rest()
    assert "falcon" not in world.hosting.endpoints()
