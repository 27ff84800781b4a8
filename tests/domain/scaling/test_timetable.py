"""Scheduled actions: when at, rate and cron fire, on the wall clock of a place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import wallclock
from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.timetable import ScheduledAction
from tests.builders import minutes
from tests.domain.scaling.cases import RESOURCE

SATURDAY = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)  # clocks in Berlin go forward that night


def an_action(schedule, *, zone="", least=1, **changes):
    return ScheduledAction(
        name="hours",
        resource=RESOURCE,
        schedule=schedule,
        id="1f",
        zone=zone,
        least=least,
        **{"created_at": SATURDAY, "seen_to": SATURDAY, **changes},
    )


def times(action, count=3):
    at, found = SATURDAY, []
    while len(found) < count and (at := action.next_after(at)) is not None:
        found.append(f"{at:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.semantics("scaling.scheduled")
@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("at(2026-04-01T09:00:00)", "", ["2026-04-01 09:00"]),
        ("at(2026-04-01T09:00:00)", "Europe/Berlin", ["2026-04-01 07:00"]),
        # A time that clocks go forward over is when they do.
        ("at(2026-03-29T02:30:00)", "Europe/Berlin", ["2026-03-29 01:00"]),
        ("at(2026-03-28T11:59:59)", "", []),
        ("rate(1 minute)", "", ["2026-03-28 12:01", "2026-03-28 12:02", "2026-03-28 12:03"]),
        ("rate(2 days)", "", ["2026-03-30 12:00", "2026-04-01 12:00", "2026-04-03 12:00"]),
        (
            "cron(0 9 ? * MON-FRI *)",
            "Europe/Berlin",
            ["2026-03-30 07:00", "2026-03-31 07:00", "2026-04-01 07:00"],
        ),
        # A time that comes twice is its first.
        ("cron(30 2 25 10 ? 2026)", "Europe/Berlin", ["2026-10-25 00:30"]),
        ("cron(0/20 8,20 28 3 ? 2026)", "", ["2026-03-28 20:00", "2026-03-28 20:20", "2026-03-28 20:40"]),
        ("cron(0 0 L 2 ? *)", "", ["2027-02-28 00:00", "2028-02-29 00:00", "2029-02-28 00:00"]),
        ("cron(0 0 15W * ? *)", "", ["2026-04-15 00:00", "2026-05-15 00:00", "2026-06-15 00:00"]),
        ("cron(0 0 1W 8 ? *)", "", ["2026-08-03 00:00", "2027-08-02 00:00", "2028-08-01 00:00"]),
        ("cron(0 0 31W 5 ? *)", "", ["2026-05-29 00:00", "2027-05-31 00:00", "2028-05-31 00:00"]),
        ("cron(0 0 LW * ? 2026)", "", ["2026-03-31 00:00", "2026-04-30 00:00", "2026-05-29 00:00"]),
        ("cron(0 0 ? * 6L *)", "", ["2026-04-24 00:00", "2026-05-29 00:00", "2026-06-26 00:00"]),
        # The last day of a week is its Saturday.
        ("cron(0 0 ? * L 2026)", "", ["2026-04-04 00:00", "2026-04-11 00:00", "2026-04-18 00:00"]),
        ("cron(0 0 ? * TUE#2 *)", "", ["2026-04-14 00:00", "2026-05-12 00:00", "2026-06-09 00:00"]),
        ("cron(0 0 ? NOV-JAN SAT-SUN *)", "", ["2026-11-01 00:00", "2026-11-07 00:00", "2026-11-08 00:00"]),
        ("cron(0 0 1 1 ? 2020)", "", []),
    ],
)  # fmt: skip
def test_the_next_times(schedule, zone, expected):
    assert times(an_action(schedule, zone=zone)) == expected


def test_it_fires_between_its_start_and_its_end_alone():
    start, end = SATURDAY + minutes(90), SATURDAY + minutes(180)
    hourly = an_action("cron(0 * * * ? *)", starts_at=start, ends_at=end)
    assert times(hourly) == ["2026-03-28 14:00", "2026-03-28 15:00"]
    rate = an_action("rate(1 hour)", starts_at=start, ends_at=end)
    assert times(rate) == ["2026-03-28 13:30", "2026-03-28 14:30"]


@pytest.mark.parametrize("schedule", ["rate(1 minute)", "cron(* * * * ? *)"])
def test_what_was_missed_is_due_once(schedule):
    action = an_action(schedule)
    now = SATURDAY + minutes(90) + timedelta(seconds=20)
    assert action.due(now) == SATURDAY + minutes(90)
    assert replace(action, seen_to=now).due(now) is None
    assert replace(action, seen_to=now).due(now + minutes(1)) == SATURDAY + minutes(91)


def test_nothing_is_due_after_its_end():
    action = an_action("rate(10 minutes)", ends_at=SATURDAY + minutes(25))
    assert action.due(SATURDAY + minutes(90)) == SATURDAY + minutes(20)
    assert action.due(SATURDAY + minutes(9)) is None


@given(
    st.sampled_from(["rate(7 minutes)", "cron(3/11 * * * ? *)", "cron(30 1-3 * * ? *)"]),
    st.sampled_from(["", "Europe/Berlin", "America/St_Johns"]),
    st.integers(0, 3 * 24 * 60),
)
def test_what_is_due_was_next_before(schedule, zone, later):
    action = an_action(schedule, zone=zone)
    now = SATURDAY + minutes(later)
    due, following = action.due(now), action.next_after(now)
    assert following is not None
    assert following > now
    if due is None:
        assert action.next_after(SATURDAY) == following
    else:
        assert SATURDAY < due <= now
        assert action.next_after(due) == following


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("daily", "neither at"),
        ("at(tomorrow)", "neither at"),
        ("at(2026-02-30T09:00:00)", "day"),
        ("at(0001-01-01T00:00:00)", "1970 to 2199"),
        ("at(9999-12-31T23:59:59)", "1970 to 2199"),
        ("rate(0 minutes)", "rate"),
        ("rate(2 minute)", "rate"),
        ("rate(1 minutes)", "rate"),
        ("rate(999999999 days)", "longer"),
        ("cron(0 9 * * MON *)", "exactly one"),
        ("cron(0 9 ? * ? *)", "exactly one"),
        ("cron(0 9 * *)", "4 fields instead of 6"),
        ("cron(60 9 * * ? *)", "60"),
        ("cron(0 9 * 13 ? *)", "13"),
        ("cron(0 9 32W * ? *)", "32"),
        ("cron(0 9 ? * 8 *)", "8"),
        ("cron(0 9 ? * MOON *)", "MOON"),
        ("cron(0/0 9 * * ? *)", "increment"),
        ("cron(0 9-3 * * ? *)", "ends before"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule, said):
    with pytest.raises(InvalidInput, match=said) as refused:
        an_action(schedule)
    assert refused.value.field == "Schedule"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Europe/Berln"}, "Timezone"),
        ({"zone": "europe/berlin"}, "Timezone"),
        ({"least": None}, "ScalableTargetAction"),
        ({"least": -1}, "MinCapacity"),
        ({"least": 3, "most": 2}, "MinCapacity"),
        ({"starts_at": SATURDAY, "ends_at": SATURDAY}, "EndTime"),
        ({"starts_at": datetime.min.replace(tzinfo=UTC)}, "StartTime"),
        ({"ends_at": datetime.max.replace(tzinfo=UTC)}, "EndTime"),
    ],
)
def test_what_it_cannot_do_is_refused_by_its_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        an_action("rate(1 day)", **changes)
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["", " a", "a ", "a:b", "a/b", "a|b", "a\x00", "x" * 257])
def test_a_name_is_one_of_botocores(name):
    with pytest.raises(InvalidInput) as refused:
        replace(an_action("rate(1 day)"), name=name)
    assert refused.value.field == "ScheduledActionName"


@pytest.mark.parametrize(
    "schedule", ["at(2199-12-31T00:00:00)", "rate(1 day)", "cron(0 0 31 12 ? 2199)"]
)
@pytest.mark.parametrize("zone", ["", "America/New_York", "Pacific/Kiritimati"])
def test_the_last_there_is_can_be_told_in_every_zone(schedule, zone):
    action = an_action(schedule, zone=zone, starts_at=datetime(2199, 12, 30, tzinfo=UTC))
    assert action.due(datetime(2200, 12, 31, tzinfo=UTC)) is not None


@given(
    schedule=st.sampled_from(
        ["cron(0/20 * * * ? *)", "cron(30 2 ? * * *)", "cron(15 0,23 L * ? *)", "rate(7 hours)"]
    ),
    zone=st.sampled_from(["", "Europe/Berlin", "America/Havana", "Pacific/Apia"]),
    passed=st.timedeltas(timedelta(0), timedelta(days=5400)),
    waited=st.timedeltas(timedelta(0), timedelta(hours=60)),
)
def test_what_is_due_is_the_newest_of_all_that_were_missed(schedule, zone, passed, waited):
    seen = datetime(2011, 12, 28, tzinfo=UTC) + passed
    action = an_action(schedule, zone=zone, created_at=seen, seen_to=seen)
    at, newest = action.next_after(seen), None
    while at is not None and at <= seen + waited:
        newest, at = at, action.next_after(at)
    assert action.due(seen + waited) == newest


def test_years_that_were_missed_are_not_counted_minute_by_minute(monkeypatch):
    counted = []
    told = wallclock.instant
    monkeypatch.setattr(wallclock, "instant", lambda *given: counted.append(1) or told(*given))
    action = an_action("cron(* * * * ? *)", zone="Europe/Berlin")
    later = SATURDAY + timedelta(days=3650)
    assert action.due(later) == later
    assert action.next_after(later) == later + minutes(1)
    assert len(counted) < 100
