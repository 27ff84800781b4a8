"""One endpoint under one rule: cases whose answer one can work out, and what always holds."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.simulation.replay import replay
from parkade.domain.simulation.rule import ALWAYS, parse
from parkade.domain.simulation.traffic import Burst, Traffic
from tests.builders import minutes, seconds
from tests.domain.simulation.traffics import (
    DAY,
    START,
    hours,
    outcome,
    texts,
    traffic,
    traffics,
)


def test_always_on_is_up_all_the_time_and_serves_everything():
    done = outcome("", 0, 700, 1439)
    assert (done.up, done.served, done.stopped, done.waking) == (hours(24), 3, 0, 0)
    assert (done.coins, done.starts, done.longest_wait) == (0, 0, minutes(0))


def test_nobody_comes_and_nothing_is_paid():
    assert outcome("lease=60").up == minutes(0)


def test_a_coin_pays_from_the_return_of_whoever_was_refused():
    done = outcome("lease=60 back=2 start=60", 10, 11, 12, 13, 40)
    assert done.up == minutes(60)
    assert (done.coins, done.starts) == (1, 1)
    # Refused at 10 and 11, paid for at 12 and starting until 13.
    assert (done.stopped, done.waking, done.served) == (2, 1, 2)
    assert done.longest_wait == minutes(3)
    assert not done.unanswered


def test_each_request_after_the_time_is_over_takes_another_coin():
    done = outcome("lease=60 back=0 start=0", 0, 60, 119, 120)
    assert (done.up, done.coins, done.stopped) == (hours(3), 3, 3)


def test_the_end_of_the_time_that_is_looked_at_ends_the_bill():
    assert outcome("lease=60 back=0", 1430).up == minutes(10)


def test_idle_endpoints_stop_after_their_windows_counted_from_the_last_use():
    # In service at 1, used until 16; the windows begin then and are over at 31.
    done = outcome("lease=600 back=0 idle=3x5", 0, 5, 15)
    assert done.up == minutes(31)
    assert done.idle_stops == 1


def test_the_grace_goes_before_the_windows_of_one_that_is_never_used():
    assert outcome("lease=600 back=0 idle=3x5 grace=20", 0).up == minutes(1 + 20 + 15)
    assert outcome("lease=600 back=0 idle=3x5 grace=0", 0).up == minutes(1 + 15)


def test_a_long_request_keeps_it_busy():
    long = Traffic([Burst(at=START), Burst(at=START + minutes(5), lasting=hours(2))])
    assert outcome("lease=600 back=0 idle=3x5", long).up == minutes(5 + 120 + 15)


def test_use_adds_time_while_requests_come():
    # Looked at with 5 minutes left: used at 24, and at 38; at 55 nobody has come since 40.
    done = outcome("lease=30 back=0 keep=15/5/120", *range(0, 41, 2))
    assert (done.up, done.coins, done.by_itself) == (minutes(60), 1, 2)


def test_use_adds_no_more_than_its_limit():
    done = outcome("lease=30 back=0 keep=15/5/60", *range(0, 91, 2))
    assert (done.up, done.coins, done.by_itself) == (minutes(120), 2, 4)


def test_office_hours_are_paid_for_by_the_meter_and_warm_when_they_begin():
    done = outcome("schedule='mon-fri 09:00-17:00 UTC' start=120", 8 * 60, 9 * 60, 16 * 60)
    assert done.up == hours(8) + minutes(2)
    assert (done.coins, done.by_itself, done.served, done.stopped) == (0, 1, 2, 1)


def test_a_request_on_saturday_waits_for_monday():
    done = outcome("schedule='mon-fri 09:00-17:00 UTC'", (5 * 24 + 10) * 60, days=14)
    assert done.longest_wait == timedelta(days=2) - hours(1)
    assert not done.unanswered


def test_a_wait_that_never_ends_is_told_as_such():
    done = outcome("schedule='mon-fri 09:00-17:00 UTC'", 18 * 60)
    assert (done.longest_wait, done.unanswered) == (hours(6), True)


def test_one_that_sleeps_is_woken_by_a_request_that_waits():
    done = outcome("sleep=10 start=45", 0, 5, 100)
    # Awake from the beginning, asleep at 16, woken at 100 and asleep at 111.
    assert done.up == minutes(16) + minutes(11)
    assert (done.served, done.waking, done.stopped) == (2, 1, 0)
    assert done.longest_wait == seconds(45)


def test_sleep_costs_nothing_until_the_lease_is_over():
    done = outcome("lease=600 back=0 sleep=10 start=60", 0, 700)
    assert done.up == (minutes(1) + minutes(10)) * 2


def test_a_lease_shorter_than_the_start_serves_nobody_and_ends():
    done = outcome("lease=1 back=0 start=600", 0)
    assert done.up == minutes(10)  # what is starting cannot be deleted before it has
    assert done.served == 0


@pytest.mark.parametrize("start", [0, 60])
def test_requests_of_one_instant_share_one_fate_but_for_the_first(start):
    same = Traffic([Burst(at=START, count=3), Burst(at=START, count=4)])
    done = outcome("lease=60 back=0", same, start=start)
    assert (done.stopped, done.waking, done.served) == ((3, 4, 0) if start else (3, 0, 4))


@given(traffics, texts)
@settings(deadline=None, max_examples=150)
def test_every_request_is_served_or_meets_it_stopped_or_waking(given_traffic, text):
    done = outcome(text, given_traffic)
    assert done.requests == given_traffic.requests


@given(traffics, texts)
@settings(deadline=None, max_examples=150)
def test_no_rule_costs_more_than_always_on(given_traffic, text):
    assert outcome(text, given_traffic).up <= replay("falcon", given_traffic, ALWAYS, DAY).up


@given(traffics, st.integers(1, 120), st.integers(1, 600), st.sampled_from([0, 1, 5]))
@settings(deadline=None, max_examples=150)
def test_longer_leases_are_never_paid_for_more_often(given_traffic, lease, more, back):
    short = outcome(f"lease={lease} back={back}", given_traffic)
    long = outcome(f"lease={lease + more} back={back}", given_traffic)
    assert long.coins <= short.coins


@given(traffics, st.integers(2, 120), st.integers(2, 5), st.sampled_from([0, 1, 5]))
@settings(deadline=None, max_examples=150)
def test_leases_that_are_whole_times_as_long_never_cost_less(given_traffic, lease, times, back):
    """Whatever a long lease covers, so many short ones can cover, no more of them."""
    short = outcome(f"lease={lease} back={back}", given_traffic)
    long = outcome(f"lease={lease * times} back={back}", given_traffic)
    assert long.up >= short.up


@given(traffics, texts)
@settings(deadline=None, max_examples=50)
def test_the_same_again_is_the_same(given_traffic, text):
    assert outcome(text, given_traffic) == outcome(text, given_traffic)


@given(traffics, st.sampled_from(["idle=3x5", "idle=1x2 grace=0", "idle=2x30"]))
@settings(deadline=None, max_examples=100)
def test_stopping_what_is_idle_is_never_dearer_without_another_coin(given_traffic, idle):
    """Against the same lease, each idle stop gives time back; each new coin may take it again."""
    with_idle = outcome(f"lease=1440 back=0 {idle}", given_traffic)
    without = outcome("lease=1440 back=0", given_traffic)
    assert with_idle.up <= without.up


def test_the_rule_that_is_always_on_is_the_one_that_says_nothing():
    assert parse("always on:") == ALWAYS
    assert replay("falcon", traffic(1), ALWAYS, DAY).up == hours(24)
