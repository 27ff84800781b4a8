"""The seed's text forms of time."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.api.times import expiry_text, time_left_text


def test_an_expiry_is_written_as_the_seed_writes_it():
    instant = datetime(2023, 6, 26, 12, 39, 47, 999_999, tzinfo=UTC)
    assert expiry_text(instant) == "26-06-2023-12-39-47"


def test_an_expiry_is_written_in_utc():
    east = timezone(timedelta(hours=10))
    assert expiry_text(datetime(2023, 6, 27, 5, 0, tzinfo=east)) == "26-06-2023-19-00-00"


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(minutes=24, seconds=5, microseconds=157431), "0:24:05.157431"),
        (timedelta(minutes=30), "0:30:00.000000"),
        (timedelta(microseconds=1), "0:00:00.000001"),
        (timedelta(hours=9, minutes=5), "9:05:00.000000"),
        (timedelta(days=7), "168:00:00.000000"),
        (timedelta(0), "0:00:00"),
        (timedelta(seconds=-5), "0:00:00"),
    ],
)
def test_time_left(left, text):
    assert time_left_text(left) == text


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=365)))
def test_time_left_can_be_read_back(left):
    hours, minutes, rest = time_left_text(left).split(":")
    seconds, fraction = rest.split(".")
    assert re.fullmatch(r"\d\d", minutes)
    assert re.fullmatch(r"\d\d", seconds)
    assert re.fullmatch(r"\d{6}", fraction)
    parts = {"hours": int(hours), "minutes": int(minutes), "seconds": int(seconds)}
    assert timedelta(**parts, microseconds=int(fraction)) == left
