"""Office hours: how they are written, and when it is open, over years and zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import InvalidInput
from parkade.domain.schedule import parse

BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    BERLIN,
    "America/New_York",
    "America/Santiago",  # clocks change at midnight
    "Asia/Kolkata",  # never
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # a whole day was left out
    "Pacific/Chatham",
    "UTC",
)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opening(text, at):
    found = parse(text).open_at(utc(at))
    return found and (f"{found.opens_at:%dT%H:%M}", f"{found.closes_at:%dT%H:%M}")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("mon-fri 09:00-17:00 Europe/Berlin", "mon-fri 09:00-17:00 Europe/Berlin"),
        ("Mon, WED fri 9:00-12:00,13:00-17:00 utc", "mon,wed,fri 09:00-12:00,13:00-17:00 UTC"),
        ("fri-mon 22:00-06:00 UTC", "mon,fri-sun 22:00-06:00 UTC"),
        ("sunday 00:00-24:00 asia/kolkata", "sun 00:00-24:00 Asia/Kolkata"),
        (
            "mon 09:00-17:00; sat 10:00-14:00 Europe/Berlin",
            "mon 09:00-17:00 Europe/Berlin; sat 10:00-14:00 Europe/Berlin",
        ),
        (
            "mon 09:00-12:00 13:00-17:00 UTC sat 10:00-14:00 Europe/Berlin",
            "mon 09:00-12:00,13:00-17:00 UTC; sat 10:00-14:00 Europe/Berlin",
        ),
        ("tue 09:00-10:00,09:00-10:00 Etc/GMT+5", "tue 09:00-10:00 Etc/GMT+5"),
    ],
)
def test_every_way_to_write_it_has_one_form_that_means_the_same(text, canonical):
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "it is empty", "mon-fri 09:00-17:00 Europe/Berlin"),
        ("mno-fri 09:00-17:00 UTC", "word 1, 'mno-fri': 'mno' is no day", "'mon'"),
        ("mon-fir 09:00-17:00 UTC", "word 1, 'mon-fir': 'fir' is no day", "'fri'"),
        ("teu 09:00-17:00 UTC", "word 1, 'teu': is no day", "'tue'"),
        ("mon 9-17 UTC", "word 2, '9-17': is no time from and to", "09:00-17:00"),
        ("mon 09:60-17:00 UTC", "word 2, '09:60-17:00': is no time of a day", "24:00"),
        ("mon 09:00-24:30 UTC", "word 2, '09:00-24:30': is no time of a day", "24:00"),
        ("mon 24:00-06:00 UTC", "word 2, '24:00-06:00': begins at 24:00", "00:00"),
        ("mon 09:00-09:00 UTC", "word 2, '09:00-09:00': is no time at all", "00:00-24:00"),
        ("09:00-17:00 mon UTC", "word 1, '09:00-17:00': comes before any day", "mon-fri"),
        ("mon 09:00-17:00 Europe/Berln", "word 3, 'Europe/Berln': is no time zone", BERLIN),
        ("mon 09:00-17:00 localtime", "word 3, 'localtime': is no time zone", ""),
        ("mon 09:00-17:00", "it names no time zone", BERLIN),
        ("mon 09:00-17:00 UTC tue", "its last days have no times", ""),
        ("mon-sun 00:00-24:00 UTC", "never closes", "may stop"),
        ("mon-sun 00:00-13:00,12:00-24:00 Europe/Berlin", "never closes", "may stop"),
        ("mon " * 200, "has 800 characters", ""),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_word(text, message, hint):
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.field == "schedule"


def test_it_is_open_from_the_first_instant_up_to_and_without_the_last():
    hours = "mon-fri 09:00-17:00 Europe/Berlin"
    assert opening(hours, "2026-11-23T07:59:59") is None
    assert opening(hours, "2026-11-23T08:00") == ("23T08:00", "23T16:00")
    assert opening(hours, "2026-11-23T15:59:59") == ("23T08:00", "23T16:00")
    assert opening(hours, "2026-11-23T16:00") is None
    assert opening(hours, "2026-11-22T10:00") is None  # a Sunday


def test_hours_over_midnight_belong_to_the_day_they_begin_on():
    assert opening("fri 22:00-06:00 UTC", "2026-11-28T05:00") == ("27T22:00", "28T06:00")
    assert opening("fri 22:00-06:00 UTC", "2026-11-27T05:00") is None


def test_hours_that_touch_or_overlap_are_one_opening():
    parts = "mon 20:00-24:00 UTC; tue 00:00-06:00,05:00-07:00 UTC"
    assert opening(parts, "2026-11-23T23:00") == ("23T20:00", "24T07:00")
    several = "mon 09:00-12:00 UTC; mon 12:00-14:00 Europe/London"
    assert opening(several, "2026-11-23T13:00") == ("23T09:00", "23T14:00")


@pytest.mark.parametrize(
    ("text", "at", "wanted"),
    [
        # 2026-03-29: clocks go forward at 02:00 in Berlin, which is 01:00 UTC.
        ("sun 02:30-09:00 Europe/Berlin", "2026-03-29T03:00", ("29T01:00", "29T07:00")),
        ("sun 01:00-02:30 Europe/Berlin", "2026-03-29T00:30", ("29T00:00", "29T01:00")),
        ("sun 09:00-17:00 Europe/Berlin", "2026-03-29T08:00", ("29T07:00", "29T15:00")),
        ("sat 22:00-06:00 Europe/Berlin", "2026-03-29T00:00", ("28T21:00", "29T04:00")),
        # 2026-10-25: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
        ("sun 02:30-09:00 Europe/Berlin", "2026-10-25T03:00", ("25T00:30", "25T08:00")),
        ("sun 01:00-02:30 Europe/Berlin", "2026-10-25T00:00", ("24T23:00", "25T01:30")),
        ("sat 22:00-06:00 Europe/Berlin", "2026-10-25T00:00", ("24T20:00", "25T05:00")),
        # In Santiago midnight itself does not exist on 2026-09-06.
        ("sun 00:00-09:00 America/Santiago", "2026-09-06T05:00", ("06T04:00", "06T12:00")),
        # By half an hour: 02:00 to 02:30 does not exist on 2026-10-04.
        ("sun 02:15-03:00 Australia/Lord_Howe", "2026-10-03T15:45", ("03T15:30", "03T16:00")),
    ],
)
def test_clocks_that_change_move_openings_as_people_read_them(text, at, wanted):
    assert opening(text, at) == wanted


def test_hours_that_clocks_go_forward_over_are_left_out():
    hours = parse("sun 02:10-02:50 Europe/Berlin")
    assert hours.open_at(utc("2026-03-29T01:00")) is None
    assert hours.next_after(utc("2026-03-28T12:00")).opens_at == utc("2026-04-05T00:10")
    whole = parse("fri 09:00-17:00 Pacific/Apia")  # there was no Friday, 2011-12-30
    assert whole.next_after(utc("2011-12-29T12:00")).opens_at == utc("2012-01-05T19:00")


@st.composite
def schedules(draw):
    rules = []
    for _ in range(draw(st.integers(1, 3))):
        days = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
        begin = draw(st.integers(0, 95)) * 15
        end = draw(st.integers(1, 96).filter(lambda n, begin=begin: n * 15 != begin)) * 15
        span = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
        rules.append(f"{','.join(days)} {span} {draw(st.sampled_from(ZONES))}")
    return "; ".join(rules)


instants = st.datetimes(
    datetime(2010, 1, 1),  # noqa: DTZ001  hypothesis gives them their zone
    datetime(2035, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def parsed(text):
    try:
        return parse(text)
    except InvalidInput as error:
        assert "never closes" in error.message  # noqa: PT017  the only thing that can be wrong
        return None


@given(schedules(), instants)
def test_openings_are_in_order_apart_and_of_some_length(text, now):
    schedule = parsed(text)
    if schedule is None:
        return
    around = schedule.around(now)
    for opened in around:
        assert opened.opens_at < opened.closes_at
    for former, later in pairwise(around):
        assert former.closes_at < later.opens_at
    following = schedule.next_after(now)
    assert following is None or following.opens_at > now
    within = schedule.open_at(now)
    assert within is None or within.opens_at <= now < within.closes_at
    assert str(parse(str(schedule))) == str(schedule)


@given(st.sampled_from(ZONES), instants, st.integers(0, 23), st.integers(1, 10), st.integers(0, 6))
def test_one_span_lasts_as_long_as_the_wall_clock_says_but_for_a_change_of_clocks(
    zone, now, begin, hours, day
):
    name = DAYS[day]
    text = f"{name} {begin:02}:00-{(begin + hours) % 24 or 24:02}:00 {zone}"
    for opened in parse(text).around(now):
        place = ZoneInfo(zone)
        first, last = opened.opens_at.astimezone(place), opened.closes_at.astimezone(place)
        change = last.utcoffset() - first.utcoffset()
        length = opened.closes_at - opened.opens_at
        if change == timedelta(0) and (first.hour, first.minute) == (begin, 0):
            assert length == hours * HOUR
        assert abs(length - hours * HOUR) <= HOUR
        before = (opened.opens_at - timedelta(seconds=1)).astimezone(place)
        jumps = before.utcoffset() != first.utcoffset()
        assert jumps or (first.weekday(), first.hour) == (day, begin)


@given(schedules(), instants)
def test_whatever_instant_is_looked_from_the_openings_are_the_same(text, now):
    schedule = parsed(text)
    if schedule is None:
        return
    following = schedule.next_after(now)
    if following is not None:
        assert schedule.open_at(following.opens_at) == following
        middle = following.opens_at + (following.closes_at - following.opens_at) / 2
        assert schedule.open_at(middle) == following
