"""Wall clocks that are set, scales that change, and sleepers on other threads."""

import asyncio
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.system.clock import Scale, ScaledClock, SystemClock
from tests.builders import NOW, minutes, seconds

HOUR = minutes(60)
instants = st.datetimes(
    min_value=NOW.replace(tzinfo=None), max_value=NOW.replace(tzinfo=None, year=2040)
).map(lambda naive: naive.replace(tzinfo=NOW.tzinfo))
factors = st.floats(min_value=0.01, max_value=100_000)


class Hands:
    """A machine's two clocks, moved by the test."""

    def __init__(self):
        self.wall = NOW
        self.tick = 1000.0
        self.clock = SystemClock(wall=lambda: self.wall, monotonic=lambda: self.tick)

    def go(self, span):
        self.wall += span
        self.tick += span.total_seconds()


def test_a_system_clock_shows_the_wall_clock():
    hands = Hands()
    for span in (seconds(0), seconds(0.000001), minutes(3), timedelta(days=2)):
        hands.go(span)
        assert hands.clock.now() == hands.wall


def test_a_wall_clock_set_forward_is_followed():
    hands = Hands()
    hands.wall += HOUR
    assert hands.clock.now() == NOW + HOUR


def test_a_wall_clock_set_back_neither_turns_time_back_nor_stops_it():
    """Invariant 1: an hour set back does not give every endpoint an hour for nothing."""
    hands = Hands()
    hands.go(minutes(1))
    before = hands.clock.now()
    hands.wall -= HOUR
    assert hands.clock.now() == before
    hands.go(minutes(10))
    assert hands.clock.now() == before + minutes(10) * 0.99


def test_after_a_wall_clock_was_set_back_time_comes_round_to_it():
    hands = Hands()
    hands.wall -= minutes(1)
    last = hands.clock.now()
    for _ in range(101):
        hands.go(minutes(1))
        now = hands.clock.now()
        assert minutes(0.98) < now - last <= minutes(1)
        last = now
    assert last == hands.wall


@given(st.lists(st.tuples(st.integers(-9000, 9000), st.integers(0, 9000)), max_size=30))
def test_a_system_clock_never_runs_back_whatever_is_done_to_the_wall_clock(moves):
    hands = Hands()
    last = hands.clock.now()
    for jump, passed in moves:
        hands.wall += seconds(jump)
        hands.go(seconds(passed))
        now = hands.clock.now()
        assert now >= last + seconds(passed) * 0.98
        assert now >= hands.wall
        last = now


@pytest.mark.parametrize("factor", [1, 60])
def test_sleepers_wake_soon_after_the_wall_clock_is_set_forward(factor):
    ahead = [timedelta(0)]
    real = SystemClock()
    jumping = SystemClock(wall=lambda: real.now() + ahead[0])
    clock = ScaledClock(jumping, Scale(real=jumping.now(), scaled=NOW, factor=factor))

    async def sleep():
        sleeper = asyncio.create_task(clock.sleep_until(clock.now() + HOUR * factor))
        await asyncio.sleep(0.05)
        assert not sleeper.done()
        ahead[0] = HOUR
        await sleeper

    asyncio.run(asyncio.wait_for(sleep(), 30))


def test_scaled_time_runs_as_many_times_as_fast():
    scale = Scale(real=NOW, scaled=NOW + HOUR, factor=1440)
    assert scale.at(NOW) == NOW + HOUR
    assert scale.at(NOW + minutes(1)) == NOW + HOUR + timedelta(days=1)
    assert scale.when(NOW + HOUR + timedelta(days=1)) == NOW + minutes(1)


def test_scaled_time_stands_still_before_its_origin():
    scale = Scale(real=NOW, scaled=NOW, factor=10)
    assert scale.at(NOW - HOUR) == NOW
    assert scale.when(NOW - HOUR) == NOW


@given(instants, instants, factors, instants)
def test_when_is_the_first_instant_at_which_scaled_time_is_there(real, scaled, factor, wanted):
    scale = Scale(real=real, scaled=scaled, factor=factor)
    if wanted - scaled > timedelta(days=365) * factor:
        return  # further away than dates reach
    due = scale.when(wanted)
    assert scale.at(due) >= wanted
    if due > real:
        assert scale.at(due - timedelta(microseconds=2)) <= wanted


@given(factors, factors, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_another_speed_goes_on_from_where_time_was(former, present, ran):
    before = Scale(real=NOW, scaled=NOW + HOUR, factor=former)
    after = before.rescaled(NOW + ran, present)
    assert after.at(NOW + ran) == before.at(NOW + ran)
    assert after.at(NOW + ran + minutes(1)) == before.at(NOW + ran) + minutes(1) * present


def test_another_speed_never_turns_time_back_though_the_wall_clock_was_set_back():
    before = Scale(real=NOW, scaled=NOW + HOUR, factor=60)
    after = before.rescaled(NOW - HOUR, 1)
    assert after.at(NOW - HOUR) == NOW + HOUR
    assert after.at(NOW + minutes(1)) == NOW + HOUR + minutes(1)


def test_a_manual_clock_stands_still_and_does_not_run_back():
    clock = ManualClock(NOW)
    assert clock.now() == clock.now() == NOW
    clock.set(NOW + minutes(1))
    with pytest.raises(ValueError, match="run back"):
        clock.set(NOW)
    assert clock.now() == NOW + minutes(1)


def test_a_manual_clock_wakes_just_those_whose_instant_has_come():
    clock = ManualClock(NOW)

    async def sleep():
        sleepers = [
            asyncio.create_task(clock.sleep_until(NOW + minutes(number))) for number in (3, 1, 2)
        ]
        await asyncio.sleep(0)
        assert clock.sleepers == tuple(NOW + minutes(number) for number in (1, 2, 3))
        clock.advance(minutes(2))
        clock.advance(seconds(1))
        await asyncio.gather(*sleepers[1:])
        assert not sleepers[0].done()
        assert clock.sleepers == (NOW + minutes(3),)
        clock.advance(minutes(1))
        await sleepers[0]
        assert clock.sleepers == ()

    asyncio.run(asyncio.wait_for(sleep(), 30))


def test_a_manual_clock_wakes_sleepers_on_other_threads():
    clock = ManualClock(NOW)
    done = threading.Event()

    def sleep():
        asyncio.run(clock.sleep_until(NOW + minutes(1)))
        done.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    while not clock.sleepers:
        done.wait(0.001)
    clock.advance(minutes(1))
    thread.join(30)
    assert done.is_set()
