"""Load in steps: the greatest rate that holds is found, and why it is no greater."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import load
from parkade.domain.errors import InvalidInput
from parkade.domain.load import Aim, Finding, Held


def a_finding(rate, latency=10.0, **changes):
    values = {
        "sent": 1000,
        "answered": 1000,
        "errors": 0,
        "p50": latency,
        "p90": latency,
        "p95": latency,
        "p99": latency,
        "latency": latency,
        "lag": 0.1,
    }
    return Finding(rate=rate, **{**values, **changes})


def search(aim, server):
    """Try rates on a server, a function from rate to finding, until the search is over."""
    steps = []
    while (rate := load.following(aim, steps)) is not None:
        assert aim.first <= rate <= aim.last
        assert len(steps) < 100
        steps.append(load.judged(aim, server(rate)))
    return steps


def queue(capacity, share=0.99):
    """An M/M/1 queue: its sojourn times are exponential with the rate that is left of its own."""

    def serve(rate):
        if rate >= capacity:
            return a_finding(rate, None, ended="2048 requests waited for their answers")
        return a_finding(rate, -math.log(1 - share) / (capacity - rate) * 1000)

    return serve


@given(
    capacity=st.floats(20, 50_000),
    target=st.floats(1, 2000),
    first=st.floats(0.5, 10),
    precision=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_capacity_of_a_queue_is_found_within_the_precision(capacity, target, first, precision):
    aim = Aim(target_ms=target, first=first, last=100_000, precision=precision)
    known = capacity - math.log(100) / (target / 1000)
    steps = search(aim, queue(capacity))
    best = load.greatest(steps)
    if known < first:
        assert best is None
        assert "not even" in load.verdict(aim, steps)
        return
    assert best.finding.rate <= known * (1 + 1e-9)
    assert best.finding.rate >= known * (1 - precision) * (1 - 1e-9)
    assert len(steps) < 40


def simulated(rate, capacity, count, dice):
    """Serve so many requests one by one, at random; return their latencies in milliseconds."""
    now = free = 0.0
    latencies = []
    for _ in range(count):
        now += dice.expovariate(rate)
        free = max(now, free) + dice.expovariate(capacity)
        latencies.append((free - now) * 1000)
    return sorted(latencies)


@pytest.mark.parametrize("seed", range(3))
def test_the_capacity_of_a_simulated_queue_is_found_nearly(seed):
    dice = random.Random(seed)  # noqa: S311  no secret
    aim = Aim(target_ms=50, first=10, last=10_000)

    def serve(rate):
        latencies = simulated(rate, 1000, 30_000, dice)
        return a_finding(rate, latencies[int(len(latencies) * 0.99)])

    known = 1000 - math.log(100) / 0.05
    assert load.greatest(search(aim, serve)).finding.rate == pytest.approx(known, rel=0.1)


def test_rates_double_until_one_does_not_hold_and_then_close_in():
    steps = search(Aim(target_ms=50, first=10, last=1000), queue(160))
    rates = [each.finding.rate for each in steps]
    assert rates[:4] == [10, 20, 40, 80]
    assert rates[4:] == [60, 70, 65, 68]
    assert load.greatest(steps).finding.rate == 65


def test_the_search_ends_at_the_last_rate_that_was_asked_for():
    aim = Aim(target_ms=50, first=10, last=35)
    steps = search(aim, queue(1e6))
    assert [each.finding.rate for each in steps] == [10, 20, 35]
    assert (
        load.verdict(aim, steps) == "35 requests a second within 50 ms, the most that was asked for"
    )


def test_a_client_that_cannot_keep_up_ends_the_search_without_a_finding():
    aim = Aim(target_ms=50, first=10, last=1000)

    def serve(rate):
        return a_finding(rate, 60.0 if rate > 30 else 10.0, lag=40.0 if rate > 30 else 1.0)

    steps = search(aim, serve)
    assert [each.held for each in steps] == [Held.YES, Held.YES, Held.CLIENT]
    assert load.greatest(steps).finding.rate == 20
    assert "at least 20" in load.verdict(aim, steps)
    assert "the client sent 40 ms late" in load.verdict(aim, steps)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"latency": 51.0}, "51.0 ms is more than 50 ms"),
        ({"errors": 1, "trouble": "case a: 503 busy"}, "0.10% errors: case a: 503 busy"),
        ({"ended": "2048 requests waited for their answers"}, "2048 requests waited"),
        ({"latency": None, "answered": 0, "sent": 0}, "nothing was answered"),
    ],
)
def test_a_rate_does_not_hold(changes, why):
    found = load.judged(Aim(target_ms=50), a_finding(5, **changes))
    assert found.held is Held.NO
    assert why in found.reason


def test_errors_may_be_allowed():
    aim = Aim(target_ms=50, errors=0.01)
    assert load.judged(aim, a_finding(5, errors=10)).held is Held.YES
    assert load.judged(aim, a_finding(5, errors=11)).held is Held.NO


def test_the_lag_of_an_event_loop_is_no_limit():
    def held(target, latency, lag):
        return load.judged(Aim(target_ms=target), a_finding(5, latency, lag=lag)).held

    assert held(10, 11.0, 4.9) is Held.NO
    assert held(10, 11.0, 5.1) is Held.CLIENT
    assert held(1000, 1001.0, 90) is Held.NO
    assert held(1000, 1001.0, 110) is Held.CLIENT


def test_a_target_that_holds_in_spite_of_a_late_client_holds():
    assert load.judged(Aim(target_ms=50), a_finding(5, 49.0, lag=40.0)).held is Held.YES


def test_errors_are_the_servers_however_late_the_client_was():
    found = a_finding(5, 60.0, lag=40.0, errors=3)
    assert load.judged(Aim(target_ms=50), found).held is Held.NO


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_ms": 0},
        {"target_ms": math.nan},
        {"target_ms": 1, "first": 10, "last": 5},
        {"target_ms": 1, "first": 0},
        {"target_ms": 1, "last": 1e9},
        {"target_ms": 1, "share": 1.0},
        {"target_ms": 1, "share": 0.0},
        {"target_ms": 1, "errors": -0.1},
        {"target_ms": 1, "precision": 0},
    ],
)
def test_what_cannot_be_aimed_at_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Aim(**wrong)


def test_a_step_is_written_with_all_its_numbers():
    told = load.written(load.judged(Aim(target_ms=50), a_finding(5, errors=10)))
    assert told["error_rate"] == 0.01
    assert not told["holds"]
    assert told["p95_ms"] == 10.0
