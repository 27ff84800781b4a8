"""The rules of one lease: tables, then properties."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import InvalidInput
from parkade.domain.lease import (
    EndReason,
    end,
    extend,
    grant,
    minutes,
    recovered,
    refused,
    tried_again,
    warned,
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
    before = now if lease.over(now) else lease.expires_at
    extended = extend(lease, amount, now, rules)
    assert extended.expires_at - before == amount
    assert not extended.over(now)
    assert extended.time_left(now) >= amount


@given(strategies.leases(), strategies.spans, strategies.instants, strategies.spans)
def test_no_expiry_is_further_ahead_than_allowed(lease, amount, now, limit):
    rules = some_rules(max_ahead=limit)
    left = lease.time_left(now)
    if left + amount <= limit:
        assert extend(lease, amount, now, rules).expires_at - now <= limit
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
