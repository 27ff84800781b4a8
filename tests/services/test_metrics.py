"""What is told of stored series: statistics by period, ranges, limits, damage."""

from datetime import datetime, timedelta

import pytest

from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.statistics import Statistic
from parkade.services.metrics import MOST_POINTS, Metrics, Wanted, aligned
from tests.ports.test_metrics import CALLS, LATENCY, NOON, OTHER, after, sample, spread

SUM, P50, COUNT = map(Statistic.of, ("Sum", "p50", "SampleCount"))


@pytest.fixture
def store():
    return MemoryMetricStore()


@pytest.fixture
def metrics(store):
    return Metrics(store)


def test_each_series_is_told_by_its_own_statistics(store, metrics):
    store.add([sample(CALLS, value=3), sample(LATENCY, value=spread(10, 1000, 1000))])
    wanted = [Wanted(LATENCY, (COUNT, P50)), Wanted(OTHER, (SUM,)), Wanted(CALLS, (SUM,))]
    answers = metrics.query(wanted, NOON, after(minutes=5), 60)
    assert [each.wanted for each in answers] == wanted
    ((latency,), other, (calls,)) = (each.points for each in answers)
    assert latency.at == NOON
    assert latency.values == (3, pytest.approx(1000, rel=0.1))
    assert other == ()
    assert calls.values == (3,)


def test_one_series_may_be_asked_for_twice(store, metrics):
    store.add([sample(CALLS, value=3)])
    wanted = [Wanted(CALLS, (SUM,)), Wanted(CALLS, (COUNT,))]
    answers = metrics.query(wanted, NOON, after(minutes=1), 60)
    assert [each.points[0].values for each in answers] == [(3,), (1,)]


def test_a_range_is_widened_to_whole_periods():
    first, last = aligned(after(minutes=3), after(minutes=11, seconds=1), 300)
    assert (first, last) == (NOON, after(minutes=15))
    assert aligned(NOON, after(minutes=5), 300) == (NOON, after(minutes=5))


@pytest.mark.parametrize(
    ("start", "end", "seconds", "field"),
    [
        (NOON, NOON, 60, "start"),
        (after(hours=1), NOON, 60, "start"),
        (NOON, after(hours=1), 61, "period"),
        (NOON, after(days=71), 60, "period"),
        (NOON, datetime.max.replace(tzinfo=NOON.tzinfo), 86400, "end"),
    ],
)
def test_what_cannot_be_told_is_refused(metrics, start, end, seconds, field):
    with pytest.raises(InvalidInput) as raised:
        metrics.query([Wanted(CALLS, (SUM,))], start, end, seconds)
    assert raised.value.field == field


def test_the_most_that_may_be_asked_for_is_counted_over_all_series(metrics):
    span = timedelta(minutes=MOST_POINTS // 2)
    both = [Wanted(CALLS, (SUM,)), Wanted(OTHER, (SUM,)), Wanted(OTHER, (P50,))]
    metrics.query(both, NOON, NOON + span, 60)
    with pytest.raises(InvalidInput, match=str(MOST_POINTS)):
        metrics.query(both, NOON, NOON + span + timedelta(minutes=1), 60)


def test_damage_is_told_beside_what_can_be_read(store, metrics):
    store.add([sample(CALLS), sample(OTHER)])
    store.damage(CALLS, NOON)
    calls, other = metrics.query(
        [Wanted(CALLS, (SUM,)), Wanted(OTHER, (SUM,))], NOON, after(minutes=1), 60
    )
    assert isinstance(calls.unreadable, Unreadable)
    assert calls.points == ()
    assert other.unreadable is None
    assert other.points
