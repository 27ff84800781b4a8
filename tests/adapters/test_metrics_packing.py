"""Packed points lose nothing, and what is damaged is never taken for points."""

import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.adapters.sqlite import metricspacking
from parkade.domain.points import Points, united
from parkade.domain.series import NOTHING, Aggregate, rounded

START, MINUTE = 1_776_254_400, 60

_numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-300, 300).map(float),
    st.integers(-(2**60), 2**60).map(float),
    st.integers(-6400, 6400).map(lambda parts: parts / 64),
)
_amounts = st.one_of(st.integers(0, 2**40).map(float), st.floats(0, 1e300))
_aggregates = st.builds(
    Aggregate,
    count=_amounts,
    total=_numbers,
    least=_numbers,
    most=_numbers,
    buckets=st.dictionaries(st.integers(NOTHING, 4100), _amounts, max_size=6),
)
_points = st.dictionaries(st.integers(0, 1439), _aggregates, max_size=40)


def columns(points):
    found = Points()
    for minute in sorted(points):
        found.put(START + MINUTE * minute, points[minute])
    return found


@given(_points)
def test_packing_loses_nothing(points):
    packed = metricspacking.pack(columns(points), START, MINUTE)
    assert list(metricspacking.unpack(packed, START, MINUTE)) == list(columns(points))


@given(_points, st.integers(-5, 1445), st.integers(-5, 1445))
def test_of_a_pack_a_range_can_be_read(points, first, last):
    packed = metricspacking.pack(columns(points), START, MINUTE)
    start, end = (START + MINUTE * minute for minute in sorted((first, last)))
    found = metricspacking.unpack(packed, START, MINUTE, (start, end))
    inside = {m: v for m, v in points.items() if start <= START + MINUTE * m < end}
    assert list(found) == list(columns(inside))


@given(_points, _points)
def test_what_is_read_can_be_packed_with_more(points, later):
    """Histograms of one period that come from several packs are one in the new pack."""
    both = united([columns(points), columns(later)], MINUTE)
    packed = metricspacking.pack(both, START, MINUTE)
    assert list(metricspacking.unpack(packed, START, MINUTE)) == list(both)


@given(st.dictionaries(st.integers(NOTHING, 4100), _amounts))
def test_histograms_lose_nothing(buckets):
    packed = metricspacking.pack_buckets(buckets)
    assert metricspacking.unpack_buckets(packed) == buckets


@given(_points, st.data())
def test_damaged_bytes_are_refused_or_the_same(points, data):
    """zlib's checksum finds what changes any content."""
    packed = bytearray(metricspacking.pack(columns(points), START, MINUTE))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    try:
        found = metricspacking.unpack(bytes(packed), START, MINUTE)
    except ValueError:
        return
    # A bit that says nothing, as the level of compression that zlib's header has.
    assert list(found) == list(columns(points))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_histogram_or_refused(content):
    try:
        found = metricspacking.unpack_buckets(content)
    except ValueError:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize("content", [None, "text", 7, b"", b"\x02", b"\x01", b"\x01abc"])
def test_what_is_no_pack_is_refused(content):
    with pytest.raises(ValueError, match=r"it is no packed points|torn"):
        metricspacking.unpack(content, START, MINUTE)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_whole_numbers_that_are_none_are_damage(number):
    column = struct.pack("<cId", b"=", 3, number)
    with pytest.raises(ValueError, match=r"infinite|NaN"):
        metricspacking.unpack(b"\x01" + zlib.compress(column * 8), START, MINUTE)


def test_a_day_of_nothing_is_some_bytes():
    nothing = columns(dict.fromkeys(range(1440), Aggregate.of(0.0)))
    assert len(metricspacking.pack(nothing, START, MINUTE)) < 60


def test_a_day_of_a_gauge_is_some_kilobytes():
    """Rounded gauges are whole numbers of parts, not eight bytes each."""
    gauge = {n: Aggregate.of(rounded(40 + 15 * math.sin(n * n))) for n in range(1440)}
    assert len(metricspacking.pack(columns(gauge), START, MINUTE)) < 2700
