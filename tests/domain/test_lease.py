"""The rules of one lease: tables, then properties."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import InvalidInput
from parkade.domain.lease import (
    EndReason,
    asleep,
    awake,
    bought_by_wake,
    end,
    extend,
    grant,
    minutes,
    paid,
    rebased,
    recovered,
    refused,
    tried_again,
    warned,
    withdrawn,
)
from tests.builders import NOW, a_lease, some_rules
from tests.builders import minutes as span
from tests.domain import strategies

RULES = some_rules()


def granted(amount=RULES.initial, rules=RULES, now=NOW):
    return grant(
        endpoint_name="falcon",
        config_name="falcon-config",
        owner="ann",
        amount=amount,
        now=now,
        rules=rules,
    )


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (1, span(1)),
        (0.5, span(0.5)),
        (30, span(30)),
        (10**400, timedelta.max),
        (1e300, timedelta.max),
    ],
)
def test_minutes_are_a_number_above_zero(value, amount):
    assert minutes(value) == amount


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        -0.5,
        1e-12,
        -(10**400),
        -1e300,
        math.nan,
        -math.inf,
        True,
        False,
        "30",
        None,
        [30],
        {},
    ],
)
def test_anything_else_is_refused_by_the_name_of_its_field(value):
    with pytest.raises(InvalidInput) as refusal:
        minutes(value)
    assert refusal.value.field == "minutes"
    assert refusal.value.hint


def test_endless_minutes_are_more_than_any_limit_allows():
    with pytest.raises(InvalidInput, match="ahead"):
        granted(minutes(math.inf))


def test_a_lease_is_over_at_its_expiry_and_not_before():
    lease = a_lease(expires_at=NOW)
    assert not lease.over(NOW - timedelta.resolution)
    assert lease.over(NOW)
    assert lease.time_left(NOW - timedelta(seconds=2)) == timedelta(seconds=2)
    assert lease.time_left(NOW + span(1)) == timedelta(0)


@pytest.mark.parametrize(
    ("lease", "now", "expires_at"),
    [
        (a_lease(expires_at=NOW + span(5)), NOW, NOW + span(15)),
        (a_lease(expires_at=NOW), NOW, NOW + span(10)),
        (a_lease(expires_at=NOW - span(60)), NOW, NOW + span(10)),
        (
            a_lease(expires_at=NOW, ended=EndReason.FAILED, ended_at=NOW),
            NOW + span(1),
            NOW + span(11),
        ),
    ],
    ids=["running", "just over", "long over", "ended"],
)
def test_a_coin_counts_from_the_expiry_or_from_now(lease, now, expires_at):
    assert extend(lease, span(10), now, RULES).expires_at == expires_at


def test_a_coin_forgets_the_end_and_the_failures():
    lease = a_lease(
        expires_at=NOW,
        ended=EndReason.FAILED,
        ended_at=NOW,
        retries=5,
        refused_at=NOW,
        failure="no room",
    )
    assert extend(lease, span(10), NOW, RULES) == a_lease(
        expires_at=NOW + span(10), warned=frozenset({span(10)})
    )


@pytest.mark.parametrize("amount", [timedelta(0), -span(1), timedelta.min])
def test_no_time_is_no_extension(amount):
    with pytest.raises(InvalidInput):
        extend(a_lease(), amount, NOW, RULES)


def test_the_limit_is_allowed_and_one_tick_more_is_not():
    rules = some_rules(max_ahead=span(60))
    lease = granted(span(60), rules)
    assert lease.expires_at == NOW + span(60)
    with pytest.raises(InvalidInput) as refusal:
        extend(lease, timedelta.resolution, NOW, rules)
    assert refusal.value.field == "minutes"
    assert "at most 0 more minutes" in refusal.value.hint


def test_whoever_pays_little_is_not_warned_of_what_they_know():
    assert granted(span(1)).warned == {span(10), span(2)}
    assert granted(span(5)).warned == {span(10)}
    assert granted(span(30)).warned == set()


def test_ending_keeps_the_first_reason():
    ended = end(a_lease(), EndReason.IDLE, NOW)
    assert end(ended, EndReason.STOPPED, NOW + span(1)) == ended


def test_ending_early_gives_the_rest_up():
    ended = end(a_lease(expires_at=NOW + span(30)), EndReason.STOPPED, NOW + span(1))
    assert ended.expires_at == ended.ended_at == NOW + span(1)


def test_a_failure_is_counted_and_forgiven():
    lease = refused(a_lease(), "no room", NOW)
    assert (lease.refused_at, lease.failure, lease.retries) == (NOW, "no room", 0)
    again = tried_again(lease, "no room")
    assert (again.refused_at, again.failure, again.retries) == (None, "no room", 1)
    assert recovered(again) == a_lease()


def test_a_warning_overtakes_the_longer_ones():
    assert warned(a_lease(), span(2), RULES).warned == {span(10), span(2)}
    assert warned(a_lease(), span(10), RULES).warned == {span(10)}


def test_backoff_doubles():
    assert [RULES.backoff(n) for n in range(5)] == [span(m) for m in (1, 2, 4, 8, 16)]


@given(strategies.leases(), strategies.spans, strategies.instants)
def test_an_extension_adds_exactly_its_amount(lease, amount, now):
    rules = some_rules(max_ahead=timedelta(days=30))
    before = now if lease.over(now) else lease.expiry(now)
    extended = extend(lease, amount, now, rules)
    assert extended.expiry(now) - before == amount
    assert not extended.over(now)
    assert extended.time_left(now) >= amount


@given(strategies.leases(), strategies.spans, strategies.instants, strategies.spans)
def test_no_expiry_is_further_ahead_than_allowed(lease, amount, now, limit):
    rules = some_rules(max_ahead=limit)
    left = lease.time_left(now)
    if left + amount <= limit:
        assert extend(lease, amount, now, rules).expiry(now) - now <= limit
    else:
        with pytest.raises(InvalidInput, match="minutes ahead"):
            extend(lease, amount, now, rules)


@given(strategies.leases(), strategies.instants, strategies.spans)
def test_what_is_over_stays_over(lease, now, later):
    assert not (lease.over(now) and not lease.over(now + later))
    assert lease.time_left(now) >= lease.time_left(now + later) >= timedelta(0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["extend", "end", "refuse", "retry", "recover", "warn"]),
            strategies.spans,
            st.sampled_from(list(EndReason)),
        ),
        max_size=12,
    )
)
def test_whatever_happens_to_a_lease_an_ended_one_has_no_time_left(steps):
    rules = some_rules(max_ahead=timedelta(days=400))
    lease, now = granted(rules=rules), NOW
    for verb, amount, reason in steps:
        now += amount / 7
        if verb == "extend":
            lease = extend(lease, amount, now, rules)
            unsaid = set(rules.warnings) - lease.warned
            assert all(lease.expires_at - before > now for before in unsaid)
        elif verb == "end":
            lease = end(lease, reason, now)
        elif verb == "refuse":
            lease = refused(lease, "no room", now)
        elif verb == "retry":
            lease = tried_again(lease, "no room")
        elif verb == "recover":
            lease = recovered(lease)
        else:
            lease = warned(lease, span(2), rules)
        assert (lease.ended is None) == (lease.ended_at is None)
        assert lease.created_at == NOW
        if lease.ended_at is not None:
            assert lease.expires_at <= lease.ended_at <= now
            assert lease.over(now)


# -- asleep ---------------------------------------------------------------------------------


def dozing(at=10, **changes):
    """A lease of 30 minutes whose endpoint sleeps, with its clock paused, since `at` minutes."""
    return replace(asleep(granted(), NOW + span(at), pauses=True), **changes)


def test_a_paused_clock_stands_still_until_it_goes_on():
    lease = dozing()
    later = NOW + span(60)
    assert lease.time_left(later) == span(20)
    assert not lease.over(later)
    assert lease.expiry(later) == NOW + span(80)
    woken = awake(lease, later)
    assert (woken.expires_at, woken.asleep_at, woken.paused_at) == (NOW + span(80), None, None)
    assert woken.over(NOW + span(80))


def test_a_clock_that_goes_on_runs_out_asleep():
    lease = asleep(granted(), NOW + span(10), pauses=False)
    assert lease.time_left(NOW + span(20)) == span(10)
    assert lease.over(NOW + span(30))
    assert awake(lease, NOW + span(20)).expires_at == NOW + span(30)


def test_a_clock_that_was_set_back_takes_nothing_from_what_is_paused():
    assert rebased(dozing(), NOW) == dozing()
    assert awake(dozing(), NOW).time_left(NOW + span(10)) == span(20)


def test_a_coin_wakes_nothing_that_is_asleep_and_all_that_is_over():
    longer = extend(dozing(wanted_at=NOW), span(5), NOW + span(60), RULES)
    assert longer.asleep_at == NOW + span(10)
    assert longer.time_left(NOW + span(90)) == span(25)
    over = asleep(granted(), NOW + span(10), pauses=False)
    again = extend(over, span(5), NOW + span(31), RULES)
    assert (again.asleep_at, again.wanted_at, again.expires_at) == (None, None, NOW + span(36))


def test_no_more_is_paid_ahead_asleep_than_awake():
    rules = some_rules(max_ahead=span(40))
    later = NOW + span(600)
    assert extend(dozing(), span(20), later, rules).time_left(later) == span(40)
    with pytest.raises(InvalidInput, match="minutes ahead") as error:
        extend(dozing(), span(21), later, rules)
    assert "at most 20 more minutes now" in error.value.hint


def test_a_lease_that_is_ended_asleep_gives_up_what_was_left():
    later = NOW + span(60)
    ended = end(dozing(wanted_at=later), EndReason.STOPPED, later)
    assert (ended.expires_at, ended.asleep_at, ended.paused_at) == (later, None, None)
    assert ended.wanted_at is None
    assert ended.time_left(later) == span(0)


def test_what_parkade_paid_for_waits_with_the_rest():
    lease = replace(dozing(), paid_until=NOW + span(20))
    later = NOW + span(60)
    assert awake(lease, later).paid_until == NOW + span(70)
    assert withdrawn(lease, later, later).time_left(later) == span(10)
    assert paid(lease, later + span(15), later, RULES) == lease
    assert paid(lease, later + span(25), later, RULES).time_left(later) == span(25)


def test_wakes_add_up_until_a_person_pays():
    over = end(granted(), EndReason.EXPIRED, NOW + span(30))
    once = bought_by_wake(over, NOW + span(50), NOW + span(40), RULES)
    assert (once.woken, once.time_left(NOW + span(40))) == (span(10), span(10))
    assert once.bought_until == NOW + span(30)
    over = end(once, EndReason.EXPIRED, NOW + span(50))
    twice = bought_by_wake(over, NOW + span(65), NOW + span(60), RULES)
    assert twice.woken == span(15)
    assert extend(twice, span(1), NOW + span(61), RULES).woken == span(0)


@given(strategies.leases(), strategies.instants, strategies.spans)
def test_the_same_time_is_left_since_whenever_its_clock_is_said_to_be_paused(lease, now, later):
    then = rebased(lease, now)
    assert then.time_left(now + later) == lease.time_left(now + later)
    assert then.over(now + later) == lease.over(now + later)
    assert rebased(then, now + later) == rebased(lease, now + later)


@given(
    st.lists(
        st.tuples(st.sampled_from(["coin", "sleep", "doze", "wake", "wait"]), strategies.spans),
        max_size=20,
    )
)
def test_a_paused_clock_loses_no_paid_minute_and_gains_none(steps):
    rules = some_rules(max_ahead=timedelta(days=4000))
    lease, now = granted(rules=rules), NOW
    left, paused = RULES.initial, False
    for verb, amount in steps:
        if lease.over(now) and verb != "wait":
            lease, left, paused = extend(lease, amount, now, rules), amount, False
        elif verb == "coin":
            lease, left = extend(lease, amount, now, rules), left + amount
        elif verb in {"sleep", "doze"} and lease.asleep_at is None:
            paused = verb == "doze"
            lease = asleep(lease, now, pauses=paused)
        elif verb == "wake":
            lease, paused = awake(lease, now), False
        now += amount
        left -= timedelta(0) if paused else min(left, amount)
        assert lease.time_left(now) == left
