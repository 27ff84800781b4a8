"""The contract of the metric store, held by every implementation."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import reduce
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.adapters.aws.cloudwatch.metrics import CloudWatchMetrics
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.domain import statistics
from parkade.domain.errors import Unreadable
from parkade.domain.series import PARKADE, SAGEMAKER, Aggregate, Point, Series, bucket
from parkade.ports.metrics import FINE, HOUR, MINUTE, Kept, Sample
from tests.ports import cloudwatch

#: A Wednesday's noon: neither the begin of an hour's day nor of a day's week.
NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)
CALLS = Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName="blue")
OTHER = Series.of(SAGEMAKER, "Invocations", EndpointName="other", VariantName="blue")
LATENCY = Series.of(SAGEMAKER, "ModelLatency", EndpointName="falcon", VariantName="blue")
MODEL = Series.of(PARKADE, "Loads", EndpointName="falcon", VariantName="blue", TargetModel='a"b')


def after(**span):
    return NOON + timedelta(**span)


def sample(series=CALLS, at=NOON, value=1.0, seconds=MINUTE, unit="Count"):
    value = value if isinstance(value, Aggregate) else Aggregate.of(value)
    return Sample(series=series, at=at, value=value, seconds=seconds, unit=unit)


def spread(*values):
    """What was measured, with its histogram."""
    return Aggregate(
        count=len(values),
        total=sum(values),
        least=min(values),
        most=max(values),
        buckets={
            number: sum(bucket(v) == number for v in values) for number in map(bucket, values)
        },
    )


class Room:
    """A store, and what can be done to it."""

    def __init__(self, store, damage):
        self.store = store
        self.damage = damage

    def points(self, series=CALLS, start=NOON, end=None, seconds=MINUTE):
        end = after(hours=1) if end is None else end
        return list(self.store.points([series], start, end, seconds)[series])

    def sums(self, *arguments, **options):
        return {point.at: point.value.total for point in self.points(*arguments, **options)}

    def settle(self, now):
        """Tidy until nothing is due."""
        while self.store.tidy(now):
            pass


def damage_in_sqlite(path, series, at):
    """Break the bytes, or the row, that hold the series at this instant."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (number,) = connection.execute(
            "SELECT id FROM series WHERE namespace = ? AND name = ? AND instr(dimensions, ?)",
            (series.namespace, series.name, dict(series.dimensions)["EndpointName"]),
        ).fetchone()
        seconds = int(at.timestamp())
        rows = connection.execute(
            "UPDATE points SET total = 'lots' WHERE series = ? AND at = ?", (number, seconds)
        ).rowcount
        packs = connection.execute(
            "UPDATE packs SET content = substr(content, 1, length(content) - 2) || x'0000'"
            " WHERE series = ? AND at <= ? AND at + CASE level WHEN 1 THEN 3600 WHEN 2 THEN 86400"
            " ELSE 604800 END > ?",
            (number, seconds, seconds),
        ).rowcount
        assert rows + packs


@pytest.fixture(params=["memory", "sqlite", "cloudwatch"])
def kind(request):
    if request.param == "cloudwatch":
        cloudwatch.require_held(request.node)
    return request.param


@pytest.fixture
def in_cloudwatch(request, monkeypatch):
    """A store in an account of its own, where series of AWS's may be written."""
    monkeypatch.setattr("parkade.adapters.aws.cloudwatch.metrics._RESERVED", ())
    return CloudWatchMetrics(
        request.getfixturevalue("apart").account(), ManualClock(after(hours=1))
    )


def room_of(kind, folder):
    """A store on this machine."""
    if kind == "memory":
        store = MemoryMetricStore()
        return Room(store, store.damage)
    path = folder / "metrics.db"
    store = SqliteMetricStore(path)
    return Room(store, lambda series, at: damage_in_sqlite(path, series, at))


@pytest.fixture
def room(kind, tmp_path, request):
    if kind == "cloudwatch":
        yield Room(request.getfixturevalue("in_cloudwatch"), None)
        return
    room = room_of(kind, tmp_path)
    yield room
    if kind == "sqlite":
        room.store.close()


# -- adding and reading --------------------------------------------------------------------


def test_what_was_added_is_there(room):
    room.store.add([sample(at=NOON, value=3), sample(at=after(minutes=2), value=5)])
    assert room.points() == [
        Point(NOON, Aggregate.of(3.0)),
        Point(after(minutes=2), Aggregate.of(5.0)),
    ]


def test_samples_of_one_period_add_up(room):
    room.store.add([sample(value=spread(10, 20)), sample(value=spread(400))])
    room.store.add([sample(value=spread(15, 10))])
    assert room.points() == [Point(NOON, spread(10, 20, 400, 15, 10))]


def test_series_are_kept_apart(room):
    room.store.add([sample(CALLS, value=1), sample(OTHER, value=2), sample(LATENCY, value=3)])
    found = room.store.points([OTHER, CALLS, MODEL], NOON, after(hours=1), MINUTE)
    assert {series: [p.value.total for p in points] for series, points in found.items()} == {
        OTHER: [2], CALLS: [1], MODEL: [],
    }  # fmt: skip


def test_the_end_of_a_range_is_outside(room):
    room.store.add([sample(at=after(minutes=each)) for each in range(-1, 4)])
    assert list(room.sums(end=after(minutes=2))) == [NOON, after(minutes=1)]


def test_minutes_are_merged_into_longer_periods(room):
    room.store.add([sample(at=after(minutes=each), value=each) for each in range(10)])
    assert room.sums(seconds=300) == {NOON: 10, after(minutes=5): 35}


def test_fine_points_are_seen_fine_and_in_their_minutes(room):
    room.store.add([sample(at=after(seconds=each), value=1, seconds=FINE) for each in (0, 10, 70)])
    room.store.add([sample(at=after(minutes=1), value=100)])
    assert room.sums(seconds=FINE) == {NOON: 1, after(seconds=10): 1, after(seconds=70): 1}
    assert room.sums(seconds=30) == {NOON: 2, after(seconds=60): 1}
    assert room.sums() == {NOON: 2, after(minutes=1): 101}


def test_nothing_is_added_where_one_sample_is_none(room):
    def broken():
        yield sample()
        raise RuntimeError("the second sample")

    with pytest.raises(RuntimeError):
        room.store.add(broken())
    assert room.points() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": HOUR},
        {"seconds": 1},
        {"at": after(seconds=30)},
        {"at": after(microseconds=1)},
        {"value": float("nan")},
        {"value": Aggregate(count=-1, total=0, least=0, most=0)},
        {"value": Aggregate(count=1, total=1, least=1, most=1, buckets={0: float("inf")})},
    ],
)
def test_what_is_no_sample_cannot_be_made(wrong):
    with pytest.raises(ValueError, match="Invocations"):
        sample(**wrong)


# -- which series there are ----------------------------------------------------------------


def test_known_series_come_with_unit_and_newest_point(room):
    room.store.add([sample(at=after(minutes=5)), sample(at=NOON, unit="Seconds")])
    (known,) = room.store.known()
    assert (known.series, known.unit, known.newest) == (CALLS, "Count", after(minutes=5))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [CALLS, OTHER, LATENCY, MODEL]),
        ({"namespace": PARKADE}, [MODEL]),
        ({"name": "Invocations"}, [CALLS, OTHER]),
        ({"dimensions": {"EndpointName": "falcon"}}, [CALLS, LATENCY, MODEL]),
        ({"dimensions": {"EndpointName": "falc"}}, []),
        ({"dimensions": {"VariantName": "blue", "EndpointName": "other"}}, [OTHER]),
        ({"dimensions": {"TargetModel": None}}, [MODEL]),
        ({"dimensions": {"TargetModel": 'a"b'}}, [MODEL]),
        ({"dimensions": {"InstanceId": None}}, []),
        ({"since": after(minutes=1)}, [OTHER]),
    ],
)
def test_known_series_by_their_properties(room, query, expected):
    room.store.add([sample(each) for each in (MODEL, LATENCY, OTHER, CALLS)])
    room.store.add([sample(OTHER, at=after(minutes=1))])
    in_order = sorted(expected, key=lambda series: series.sorting)
    assert [known.series for known in room.store.known(**query)] == in_order


# -- time passes ---------------------------------------------------------------------------


def test_tidying_changes_nothing_that_can_be_read(room):
    many = [
        sample(each, at=NOON + timedelta(minutes=17 * n), value=spread(n + 1, 3 * n + 0.5, 1e6))
        for n in range(700)
        for each in (CALLS, LATENCY)
    ]
    room.store.add(many)
    end = after(days=9)
    before = {s: room.points(LATENCY, end=end, seconds=s) for s in (MINUTE, 300, HOUR, 86400)}
    assert len(before[MINUTE]) == 700
    for days in range(10):
        room.settle(after(days=days))
        for seconds, points in before.items():
            begin = statistics.begin(NOON, seconds)
            assert room.points(LATENCY, begin, end, seconds) == points


def test_late_samples_find_their_place(room):
    """Into hours and days that are packed already, and from a clock that was set."""
    room.store.add([sample(at=after(minutes=each)) for each in range(120)])
    room.settle(after(hours=3))
    room.store.add([sample(at=after(minutes=1), value=10)])
    room.settle(after(hours=4))
    room.settle(after(days=2))
    room.store.add([sample(at=after(minutes=1), value=100), sample(at=after(hours=5), value=7)])
    whole_day = statistics.begin(NOON, 86400)
    for _ in range(2):
        assert room.sums(end=after(minutes=3)) == {
            NOON: 1, after(minutes=1): 111, after(minutes=2): 1,
        }  # fmt: skip
        assert room.sums(start=whole_day, end=after(days=1), seconds=HOUR) == {
            NOON: 170, after(hours=1): 60, after(hours=5): 7,
        }  # fmt: skip
        room.settle(after(days=2))


def test_points_of_the_future_are_kept_and_harm_nothing(room):
    """A clock that ran ahead was set back."""
    room.store.add([sample(at=after(days=40), value=4), sample(at=NOON, value=1)])
    for hours in (0, 1, 30, 200):
        room.settle(after(hours=hours))
    room.store.add([sample(at=after(minutes=1), value=2)])
    assert room.sums() == {NOON: 1, after(minutes=1): 2}
    assert room.sums(start=after(days=39), end=after(days=41)) == {after(days=40): 4}


def test_fine_points_become_minutes_after_some_hours(room):
    room.store.add(
        [sample(at=after(seconds=10 * n), value=spread(n, 2 * n), seconds=FINE) for n in range(12)]
    )
    fine, minutes = room.points(seconds=FINE), room.points()
    room.settle(after(hours=2))
    assert room.points(seconds=FINE) == fine
    assert room.points() == minutes
    room.settle(after(hours=5))
    assert room.points(seconds=FINE) == []
    assert room.points() == minutes


def test_minutes_become_hours_after_some_days_and_those_are_gone_after_months(room):
    at = [after(days=each) for each in (0, 14)]
    room.store.add([sample(at=each + timedelta(minutes=m)) for each in at for m in (3, 4, 63)])
    room.settle(after(days=10))
    room.settle(after(days=17))
    hours = {NOON: 2, after(hours=1): 1}
    assert room.sums(end=after(hours=3)) == hours
    assert room.sums(end=after(hours=3), seconds=HOUR) == hours
    assert list(room.sums(start=at[1], end=after(days=15))) == [
        at[1] + timedelta(minutes=m) for m in (3, 4, 63)
    ]
    room.settle(after(days=88))
    assert room.sums(end=after(hours=3), seconds=HOUR) == hours
    room.settle(after(days=99))
    assert room.sums(end=after(hours=3), seconds=HOUR) == {}
    assert [known.series for known in room.store.known()] == [CALLS]
    room.settle(after(days=130))
    assert room.store.known() == []


def test_minutes_that_come_too_late_are_hours(room):
    room.settle(after(days=20))
    room.store.add([sample(at=after(minutes=each)) for each in (1, 2)])
    room.settle(after(days=20))
    assert room.sums() == {NOON: 2}


def test_nothing_is_missing_or_there_twice_between_two_slices(room):
    """Rows of ten seconds, minutes in all forms, and late ones of days that are hours by now."""
    old = after(days=-20)
    room.store.add([sample(at=old + timedelta(minutes=each)) for each in (0, 61)])
    room.settle(after(days=-1))
    room.store.add(
        [
            *(sample(at=after(days=-20, minutes=each)) for each in (0, 3, 200)),
            *(sample(at=after(minutes=each)) for each in range(-30 * 60, 60, 7)),
            *(sample(at=after(seconds=10 * each), seconds=FINE) for each in range(12)),
        ]
    )
    whole = {"start": after(days=-21), "end": after(days=1)}
    expected = sum(room.sums(**whole).values())
    more = True
    while more:
        more = room.store.tidy(after(hours=30))
        for seconds in (MINUTE, 300):
            assert sum(room.sums(**whole, seconds=seconds).values()) == expected
        start = statistics.begin(whole["start"], HOUR)
        hours = room.sums(start=start, end=whole["end"], seconds=HOUR)
        assert sum(hours.values()) == expected


def test_a_series_that_was_forgotten_begins_anew(room):
    room.store.add([sample(unit="Count")])
    room.settle(after(days=200))
    room.store.add([sample(at=after(days=200), unit="Seconds")])
    assert room.points() == []
    assert [known.unit for known in room.store.known()] == ["Seconds"]


# -- damage --------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 3, 50], ids=["as a row", "in an hour", "in a day"])
def test_damage_harms_one_series_and_period_alone(room, hours):
    ats = [after(minutes=each) for each in range(-24 * 60, 24 * 60, 6)]
    room.store.add([sample(each, at=at) for each in (CALLS, OTHER) for at in ats])
    room.settle(after(hours=hours))
    room.damage(CALLS, after(hours=7))
    span = {"end": after(days=1)}
    expected = room.sums(OTHER, after(days=-1), **span)
    assert len(expected) == len(ats)
    for now in (after(hours=hours), after(days=4)):
        found = room.store.points([CALLS, OTHER], NOON, after(days=1), MINUTE)
        with pytest.raises(Unreadable, match="EndpointName=falcon"):
            found[CALLS]
        assert isinstance(found.unreadable[CALLS], Unreadable)
        assert set(found) == {CALLS, OTHER}
        assert room.sums(OTHER, after(days=-1), **span) == expected
        assert len(room.sums(start=after(days=-1), end=after(hours=-12))) > 100
        # What is new is stored as if nothing were wrong.
        room.store.add([sample(at=now + timedelta(days=6), value=9)])
        assert room.sums(start=now + timedelta(days=6), end=now + timedelta(days=6, minutes=1))
        room.settle(now)


def test_a_damaged_fine_point_is_left_alone(room):
    ats = [after(seconds=10 * each) for each in range(30)]
    room.store.add([sample(each, at=at, seconds=FINE) for each in (CALLS, OTHER) for at in ats])
    room.damage(CALLS, after(seconds=130))
    for hours in (0, 5):
        room.settle(after(hours=hours))
        found = room.store.points([CALLS, OTHER], NOON, after(minutes=5), MINUTE)
        assert set(found.unreadable) == {CALLS}
        assert sum(point.value.total for point in found[OTHER]) == 30
        assert room.sums(end=after(minutes=2)) == {NOON: 6, after(minutes=1): 6}


def test_damage_is_forgotten_when_it_is_too_old(room):
    room.store.add([sample(at=after(minutes=each)) for each in (0, 1)])
    room.settle(after(hours=3))
    room.damage(CALLS, NOON)
    room.settle(after(days=300))
    assert room.store.known() == []


# -- many at once --------------------------------------------------------------------------


def test_it_is_read_and_tidied_while_it_is_written_to(room):
    """Every reader sees whole batches: as many of the one series as of the other."""
    done = threading.Event()
    odd = []

    def read():
        while not done.is_set():
            found = room.store.points([CALLS, OTHER], NOON, after(days=1), 86400 // 2)
            sums = [sum(point.value.total for point in points) for points in found.values()]
            if sums[0] != sums[1]:
                odd.append(sums)

    def tidy():
        while not done.is_set():
            room.store.tidy(after(hours=30))

    threads = [threading.Thread(target=each) for each in (read, read, tidy)]
    for each in threads:
        each.start()
    try:
        for n in range(150):
            at = after(minutes=n % 200)
            room.store.add([sample(CALLS, at=at), sample(OTHER, at=at)])
    finally:
        done.set()
        for each in threads:
            each.join()
    assert odd == []
    assert sum(room.sums(OTHER, end=after(days=1)).values()) == 150


# -- properties ----------------------------------------------------------------------------

_values = st.one_of(
    st.integers(-5, 300).map(float),
    st.floats(-1e9, 1e9),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
_aggregates = st.builds(lambda values: spread(*values), st.lists(_values, min_size=1, max_size=4))
_steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"),
            st.lists(
                st.tuples(
                    st.integers(-60 * 30, 60 * 30), st.sampled_from([FINE, MINUTE]), _aggregates
                ),
                max_size=12,
            ),
        ),
        st.tuples(st.just("tidy"), st.integers(-40, 15 * 24)),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_steps, seconds=st.sampled_from([60, 300, 5400, 3600, 86400]))
def test_whatever_happens_in_whichever_order_all_that_was_added_is_there(
    kind, steps, seconds, tmp_path_factory
):
    """Rollups equal the merging of the raw samples, for as long as minutes are kept."""
    room = room_of(kind, tmp_path_factory.mktemp("metrics"))
    raw = []
    for what, value in steps:
        if what == "tidy":
            room.settle(NOON + timedelta(hours=value))
            continue
        samples = [
            sample(at=NOON + timedelta(minutes=minute), value=each, seconds=period)
            for minute, period, each in value
        ]
        raw += samples
        room.store.add(samples)
    start = statistics.begin(after(days=-3), 86400 * 3)
    expected = {}
    for each in raw:
        expected.setdefault(statistics.begin(each.at, seconds), []).append(each.value)
    found = {
        p.at: p.value
        for p in room.points(start=start, end=start + timedelta(days=9), seconds=seconds)
    }
    assert found.keys() == expected.keys()
    for at, value in found.items():
        assert_equal(value, reduce(Aggregate.plus, expected[at]))
    if kind == "sqlite":
        room.store.close()


def assert_equal(one, other):
    """Equal but for the order in which floats were added."""
    assert one.count == other.count
    assert (one.least, one.most) == (other.least, other.most)
    assert dict(one.buckets) == dict(other.buckets)
    tolerance = 1e-9 * max(abs(one.least), abs(one.most)) * one.count
    assert one.total == pytest.approx(other.total, abs=tolerance)


def test_settings_say_how_long_points_are_kept(kind, tmp_path):
    kept = SimpleNamespace(now=Kept(minutes=timedelta(days=1)))
    stores = {
        "memory": lambda: MemoryMetricStore(lambda: kept.now),
        "sqlite": lambda: SqliteMetricStore(tmp_path / "metrics.db", lambda: kept.now),
    }
    room = Room(stores[kind](), None)
    room.store.add([sample(at=after(minutes=1))])
    room.settle(after(days=3))
    assert room.sums() == {NOON: 1}
    kept.now = Kept(minutes=timedelta(days=1), hours=timedelta(days=2))
    room.settle(after(days=12))
    assert room.sums() == {}
