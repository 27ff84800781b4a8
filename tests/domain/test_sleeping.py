"""Sleep and wake as the plan decides them: tables, then properties."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.actions import ActionKind, NoticeKind, PaidBy
from parkade.domain.budget import Overspent, WhenSpent
from parkade.domain.circumstances import Circumstances
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import InvalidInput
from parkade.domain.lease import EndReason
from parkade.domain.plan import plan
from parkade.domain.terms import Booking, Sleep, Terms, Wake
from parkade.domain.waking import LAPSES_AFTER, asked, buys, wakes
from tests.builders import (
    NOW,
    a_lease,
    a_reading,
    a_watch,
    an_endpoint,
    minutes,
    seconds,
    some_rules,
    some_use,
)
from tests.domain import strategies

SLEEP = Sleep(after=minutes(10))
LEASE = a_lease(expires_at=NOW + minutes(120))
ASLEEP = replace(LEASE, asleep_at=NOW)
ASKED = replace(ASLEEP, wanted_at=NOW + minutes(5))
SLEEPER = an_endpoint(asleep=True, wanted=0, healthy=0)
UNKNOWN = some_use(a_reading(quiet_since=None, why="no point since 11:00"))


def settled(sleep=SLEEP, **changes):
    return Terms(endpoint_name="falcon", sleep=sleep, **changes)


def decided(at, lease=LEASE, seen=None, *, use=None, terms=None, **around):
    """The plan at so many minutes; an endpoint in service that nobody uses, if none is given."""
    seen = an_endpoint() if seen is None else seen
    return plan(
        NOW + minutes(at),
        [lease],
        {"falcon": seen} if seen else {},
        some_rules(warnings=()),
        around=Circumstances(
            uses={"falcon": some_use() if use is None else use},
            terms={"falcon": terms} if terms else {},
            **around,
        ),
    )


def kinds(found):
    return [action.kind for action in found.acts]


def test_what_nobody_uses_sleeps_after_its_time_and_not_before():
    early = decided(9, terms=settled())
    assert (kinds(early), early.next_at) == ([], NOW + minutes(10))
    assert early.actions[-1].reason == "it sleeps in 1 min if it is not used"
    (act,) = decided(10, terms=settled()).acts
    assert (act.kind, act.reason) == (ActionKind.SLEEP, "without use for 10 min")
    assert (act.pauses, act.evidence["use"]["in_flight"]) == (False, 0)
    (act,) = decided(10, terms=settled(replace(SLEEP, pauses=True))).acts
    assert act.pauses


@pytest.mark.parametrize(
    ("changes", "idle_for"),
    [
        ({"seen": an_endpoint(awake_since=NOW + minutes(3))}, 7),
        ({"terms": settled(replace(SLEEP, since=NOW + minutes(4)))}, 6),
        ({"use": some_use(a_reading(quiet_since=NOW + minutes(2)))}, 8),
        ({"watches": {"falcon": a_watch(snoozed_until=NOW + minutes(5))}}, 5),
    ],
)
def test_idle_time_begins_with_its_wake_its_rule_its_last_use_and_a_snooze(changes, idle_for):
    around = {"terms": settled(), **changes}
    assert ActionKind.SLEEP not in kinds(decided(10, **around))
    assert ActionKind.SLEEP in kinds(decided(20 - idle_for, **around))


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": None},
        {"terms": settled(replace(SLEEP, after=None))},
        {"use": UNKNOWN},
        {"use": some_use(in_flight=1)},
        {"use": some_use(in_flight=None)},
        {"use": some_use(backlog=2)},
        {"use": some_use(backlog=None)},
        {"seen": an_endpoint(changing=True)},
        *({"seen": an_endpoint(status)} for status in sorted(TRANSIENT)),
    ],
)
def test_nothing_sleeps_that_is_used_or_on_its_way_or_of_which_that_is_not_known(changes):
    assert ActionKind.SLEEP not in kinds(decided(60, **{"terms": settled(), **changes}))


def test_what_is_asleep_stays_so_until_it_is_asked_for():
    found = decided(30, ASLEEP, SLEEPER, terms=settled())
    assert [(a.kind, a.reason) for a in found.actions] == [
        (ActionKind.NOTHING, "asleep for 30 min")
    ]
    assert found.next_at == LEASE.expires_at
    paused = decided(600, replace(ASLEEP, paused_at=NOW), SLEEPER)
    assert (kinds(paused), paused.next_at) == ([], None)


@pytest.mark.parametrize(
    ("seen", "config"), [(SLEEPER, ""), (an_endpoint(), ""), (False, "falcon-config")]
)
def test_what_is_asked_for_wakes_and_is_made_where_it_is_not_there(seen, config):
    (act,) = decided(6, ASKED, seen).acts
    assert (act.kind, act.config_name) == (ActionKind.WAKE, config)
    assert act.reason == "asleep for 6 min; asked for at 12:05:00 UTC"


@pytest.mark.parametrize("status", sorted(TRANSIENT))
def test_what_is_asked_for_while_on_its_way_is_waited_for(status):
    found = decided(6, ASKED, an_endpoint(status, asleep=True))
    assert kinds(found) == []
    assert f"waiting while it is {status}; asked for" in found.actions[0].reason
    assert kinds(decided(6, ASKED, replace(SLEEPER, changing=True))) == []


def test_a_mark_that_the_endpoint_has_not_followed_is_made_up_for_unless_it_is_used():
    assert kinds(decided(1, ASLEEP)) == [ActionKind.SLEEP]
    assert kinds(decided(1, ASLEEP, use=some_use(in_flight=1))) == [ActionKind.WAKE]
    assert kinds(decided(1, ASLEEP, use=some_use(backlog=1))) == [ActionKind.WAKE]
    unknown = decided(1, ASLEEP, use=some_use(in_flight=None))
    assert (kinds(unknown), unknown.next_at) == ([], NOW + minutes(1) + seconds(1))
    assert kinds(decided(1, LEASE, SLEEPER)) == [ActionKind.WAKE]
    assert kinds(decided(1, LEASE, replace(SLEEPER, status=EndpointStatus.UPDATING))) == []


@pytest.mark.parametrize(
    "seen",
    [
        an_endpoint(created_at=NOW + seconds(1)),
        an_endpoint(EndpointStatus.CREATING, created_at=NOW + seconds(1)),
        an_endpoint(awake_since=NOW + seconds(1)),
        an_endpoint(EndpointStatus.SYSTEM_UPDATING, awake_since=NOW + seconds(1)),
    ],
)
def test_what_somebody_has_started_since_is_awake(seen):
    (act,) = decided(1, ASLEEP, seen).acts
    assert (act.kind, act.config_name) == (ActionKind.WAKE, "")


def test_what_failed_or_was_deleted_asleep_stays_asleep():
    failed = an_endpoint(EndpointStatus.FAILED, created_at=NOW - minutes(5))
    assert kinds(decided(5, ASLEEP, failed)) == []
    assert kinds(decided(5, ASLEEP, False)) == []
    assert kinds(decided(6, ASKED, failed)) == [ActionKind.WAKE]


def test_a_lease_that_runs_out_asleep_is_closed_and_its_endpoint_goes():
    (act,) = decided(120, ASLEEP, SLEEPER).acts
    assert (act.kind, act.ends, act.deletes) == (ActionKind.STOP, EndReason.EXPIRED, True)


def test_a_budget_that_is_used_up_ends_what_sleeps_too():
    spent = Overspent(owner="ann", then=WhenSpent.STOP, reason="used up")
    (act,) = decided(5, ASLEEP, SLEEPER, overspent={"ann": spent}).acts
    assert (act.kind, act.ends) == (ActionKind.STOP, EndReason.BUDGET)


def test_what_sleeps_is_not_idle_for_the_maintainer_and_its_clock_warns_unless_it_is_paused():
    watched = {"watches": {"falcon": a_watch()}}
    assert kinds(decided(100, ASLEEP, SLEEPER, **watched)) == []
    at = NOW + minutes(115)
    for lease, told in ((ASLEEP, [NoticeKind.EXPIRY]), (replace(ASLEEP, paused_at=NOW), [])):
        found = plan(at, [lease], {"falcon": SLEEPER}, some_rules(warnings=(minutes(10),)))
        assert [action.notice for action in found.acts] == told


# -- time that comes ------------------------------------------------------------------------


OPEN = Terms(endpoint_name="falcon", schedule="sun 12:30-18:00 UTC", sleep=SLEEP)


@pytest.mark.parametrize("paused_at", [None, NOW])
def test_what_fell_asleep_before_its_office_hours_is_warm_when_they_begin(paused_at):
    lease = replace(ASLEEP, paused_at=paused_at)
    assert decided(29, lease, SLEEPER, terms=OPEN).next_at == NOW + minutes(30)
    (act, *coins) = decided(30, lease, SLEEPER, terms=OPEN).acts
    assert act.kind is ActionKind.WAKE
    assert act.reason.endswith("open by its schedule sun 12:30-18:00 UTC")
    # A lease whose clock stands still is paid for once it goes on.
    assert [coin.kind for coin in coins] == ([] if paused_at else [ActionKind.PAY])


def test_what_falls_asleep_within_its_office_hours_sleeps():
    lease = replace(LEASE, asleep_at=NOW + minutes(40), expires_at=NOW + minutes(360))
    assert kinds(decided(50, lease, SLEEPER, terms=OPEN)) == []


def test_what_is_booked_is_warm_when_the_booking_begins():
    booking = Booking(
        id="b-1",
        endpoint_name="falcon",
        config_name="falcon-config",
        owner="ann",
        starts_at=NOW + minutes(20),
        ends_at=NOW + minutes(50),
        made_at=NOW,
    )
    bookings = {"bookings": {"falcon": (booking,)}}
    assert kinds(decided(19, ASLEEP, SLEEPER, **bookings)) == []
    assert kinds(decided(20, ASLEEP, SLEEPER, **bookings)) == [ActionKind.WAKE]


# -- wakes that buy time --------------------------------------------------------------------

WAKE = Wake(minutes=minutes(15), at_most=minutes(20))
ALLOWED = Terms(endpoint_name="falcon", wake=WAKE)


def over(reason, **changes):
    at = NOW + minutes(30)
    return a_lease(expires_at=at, ended=reason, ended_at=at, **changes)


@pytest.mark.parametrize(
    ("reason", "bought"),
    [
        (EndReason.EXPIRED, minutes(15)),
        (EndReason.IDLE, minutes(15)),
        (EndReason.STOPPED, minutes(0)),
        (EndReason.BUDGET, minutes(0)),
        (EndReason.FAILED, minutes(0)),
    ],
)
def test_only_what_ran_out_or_was_idle_is_woken_by_a_request(reason, bought):
    at = NOW + minutes(40)
    lease = over(reason, wanted_at=at)
    assert buys(lease, ALLOWED, at) == bought
    assert wakes(lease, ALLOWED, at) == bool(bought)
    assert not wakes(lease, None, at)
    assert not wakes(lease, settled(), at)
    acts = decided(40, lease, False, terms=ALLOWED).acts
    if bought:
        (act,) = acts
        assert (act.coin.by, act.coin.until) == (PaidBy.WAKE, at + bought)
        assert act.reason == f"asked for while it was {reason}"
    else:
        assert acts == ()


def test_wakes_buy_so_much_and_then_nothing_which_the_owner_hears():
    at = NOW + minutes(40)
    some = over(EndReason.EXPIRED, wanted_at=at, woken=minutes(15))
    assert buys(some, ALLOWED, at) == minutes(5)
    (act,) = decided(40, replace(some, woken=minutes(20)), False, terms=ALLOWED).acts
    assert (act.kind, act.notice) == (ActionKind.NOTIFY, NoticeKind.LIMIT)
    assert "requests have started it for 20 min, which is as far as they may" in act.reason


def test_what_nobody_asks_for_any_more_is_not_paid_for():
    at = NOW + minutes(40)
    lease = over(EndReason.EXPIRED, wanted_at=at)
    assert asked(lease, at + LAPSES_AFTER - seconds(1))
    assert not asked(lease, at + LAPSES_AFTER)
    assert asked(ASKED, NOW + minutes(90))  # what is asleep is paid for already
    assert decided(46, lease, False, terms=ALLOWED).acts == ()


def test_a_lease_that_has_run_out_and_is_asked_for_before_it_is_closed_goes_on():
    lease = replace(ASLEEP, expires_at=NOW + minutes(30), wanted_at=NOW + minutes(31))
    pay, stop = decided(31, lease, SLEEPER, terms=ALLOWED).acts
    assert (pay.kind, pay.coin.by) == (ActionKind.PAY, PaidBy.WAKE)
    assert (stop.kind, stop.reason.endswith("if it is not paid for")) == (ActionKind.STOP, True)


# -- terms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Sleep(after=seconds(59)), "sleep.after"),
        (lambda: Sleep(after=minutes(60 * 24 * 366)), "sleep.after"),
        (lambda: Sleep(after=None, hold=seconds(-1)), "sleep.hold"),
        (lambda: Sleep(after=None, hold=seconds(3601)), "sleep.hold"),
        (lambda: Wake(minutes=minutes(0), at_most=minutes(5)), "wake.minutes"),
        (lambda: Wake(minutes=minutes(10), at_most=minutes(5)), "wake.at_most"),
    ],
)
def test_what_no_terms_can_say(make, field):
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field


# -- properties -----------------------------------------------------------------------------


MOVES = {ActionKind.START, ActionKind.RECREATE, ActionKind.SLEEP, ActionKind.WAKE}


@st.composite
def sleepy_worlds(draw):
    """A world in which some endpoints may sleep, with whatever is known of how they are used."""
    world = draw(strategies.worlds())
    terms, uses = {}, {}
    for name in strategies.NAMES:
        if draw(st.booleans()):
            sleep = Sleep(
                after=draw(st.none() | strategies.short),
                pauses=draw(st.booleans()),
                since=draw(st.none() | strategies.instants),
            )
            wake = Wake(minutes=minutes(10), at_most=minutes(30))
            terms[name] = Terms(
                endpoint_name=name, sleep=sleep, wake=draw(st.sampled_from([None, wake]))
            )
        if draw(st.booleans()):
            uses[name] = draw(strategies.uses() | strategies.quiet_uses())
    return {**world, "around": Circumstances(terms=terms, uses=uses)}


def the_plan(world, now=None):
    return plan(
        now or world["now"],
        world["leases"],
        world["endpoints"],
        world["rules"],
        unreadable=world["unreadable"],
        around=world["around"],
    )


@given(sleepy_worlds())
def test_only_what_is_known_to_be_without_use_sleeps(world):
    now = world["now"]
    for act in the_plan(world).acts:
        if act.kind is not ActionKind.SLEEP:
            continue
        use, seen = world["around"].uses[act.endpoint_name], world["endpoints"][act.endpoint_name]
        assert (use.in_flight, use.backlog) == (0, 0)
        assert seen.status is EndpointStatus.IN_SERVICE
        assert (seen.asleep, seen.changing) == (False, False)
        if act.lease.asleep_at is None:  # nobody has said so before
            sleep = world["around"].terms[act.endpoint_name].sleep
            assert use.readings
            assert all(now - each.quiet_since >= sleep.after for each in use.readings)
            assert now - (seen.awake_since or seen.changed_at) >= sleep.after


@given(sleepy_worlds())
def test_what_is_over_neither_sleeps_nor_wakes_and_each_is_moved_one_way_at_a_time(world):
    moves = []
    for act in the_plan(world).acts:
        if act.kind in {ActionKind.SLEEP, ActionKind.WAKE}:
            assert not act.lease.over(world["now"])
        if act.kind is ActionKind.STOP and not act.lease.over(world["now"]):
            assert act.ends is EndReason.FAILED  # sleep ends no lease
        if act.kind in MOVES:
            moves.append(act.endpoint_name)
    assert len(moves) == len(set(moves))


@given(sleepy_worlds(), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_nothing_changes_by_time_alone_before_the_next_look(world, part):
    def shape(found):
        # What wakes buy lapses, at worst a minute late: a sweep looks every minute.
        return [(a.kind, a.endpoint_name) for a in found.acts if a.kind is not ActionKind.PAY]

    first = the_plan(world)
    ahead = first.next_at or first.now + minutes(60 * 24)
    later = first.now + (ahead - first.now) * part
    assert shape(the_plan(world, later)) == shape(first)
