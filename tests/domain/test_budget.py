from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.budget import Budget, Claim, Per, Period, Standing, reserved
from parkade.domain.errors import InvalidInput
from tests.money import a_budget

HOUR = timedelta(hours=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # its clocks were set over midnight
    "Asia/Beirut",  # skips midnight
    "Asia/Kathmandu",  # 5 h 45 min
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Apia",  # left out a day
)
INSTANTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the zone is given apart


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(now=INSTANTS, zone=st.sampled_from(ZONES), per=st.sampled_from(Per))
def test_an_instant_lies_in_its_period_and_periods_follow_each_other_without_a_gap(now, zone, per):
    budget = a_budget(per=per, zone=zone)
    period = budget.period(now)
    assert period.start <= now < period.end
    following = budget.period(period.end)
    assert following.start == period.end
    assert budget.period(period.start) == period
    assert budget.period(period.end - timedelta(microseconds=1)) == period


@given(now=INSTANTS, zone=st.sampled_from(ZONES), per=st.sampled_from(Per))
def test_periods_begin_with_their_day_where_the_budget_is(now, zone, per):
    period = a_budget(per=per, zone=zone).period(now)
    begins = period.start.astimezone(ZoneInfo(zone))
    assert begins.date() >= period.day
    assert begins - timedelta(hours=2) < datetime.combine(
        begins.date(), datetime.min.time(), begins.tzinfo
    )
    if per is Per.WEEK:
        assert period.day.weekday() == 0
    if per is Per.MONTH:
        assert period.day.day == 1


@given(
    start=INSTANTS,
    span=st.timedeltas(timedelta(0), timedelta(days=40)),
    zone=st.sampled_from(ZONES),
    per=st.sampled_from(Per),
)
def test_the_parts_of_a_claim_in_all_its_periods_are_the_claim(start, span, zone, per):
    periods = list(a_budget(per=per, zone=zone).periods(start, start + span))
    assert sum((p.within(start, start + span) for p in periods), timedelta(0)) == span


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", 25),
        ("Europe/Berlin", "2026-06-01T12:00", 24),
        ("Australia/Lord_Howe", "2026-04-05T06:00", 24.5),
        ("Asia/Beirut", "2026-03-29T12:00", 23),
    ],
)
def test_a_day_is_as_long_as_it_is_there(zone, now, hours):
    period = a_budget(per="day", zone=zone).period(at(now))
    assert period.end - period.start == hours * HOUR


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-02-28T23:59", "2026-02-01", "2026-03-01"),
        ("2028-02-29T12:00", "2028-02-01", "2028-03-01"),
        ("2026-12-31T23:59", "2026-12-01", "2027-01-01"),
        ("2026-01-31T00:00", "2026-01-01", "2026-02-01"),
    ],
)
def test_months_end_as_months_do(now, start, end):
    period = a_budget(per="month").period(at(now))
    assert (period.start, period.end) == (at(start), at(end))


def test_weeks_begin_on_monday():
    period = a_budget(per="week", zone="Europe/Berlin").period(at("2026-03-01T23:30"))
    assert period.day == date(2026, 3, 2)
    assert period.start == at("2026-03-01T23:00")


def test_a_claim_counts_in_a_period_for_as_long_as_it_lies_in_it():
    period = Period(start=at("2026-03-02"), end=at("2026-03-09"), day=date(2026, 3, 2))
    claim = Claim(hourly=Decimal(10), start=at("2026-03-08T22:00"), end=at("2026-03-09T03:00"))
    earlier = Claim(hourly=Decimal(10), start=at("2026-02-01"), end=at("2026-03-01"))
    assert reserved([claim, earlier], period) == 20


def test_exactly_as_much_as_was_spent_is_used_up():
    budget = a_budget("1.00")
    period = budget.period(at("2026-03-01"))

    def used_up(spent):
        standing = Standing(budget=budget, period=period, spent=Decimal(spent), reserved=Decimal(0))
        return standing.used_up

    assert [used_up(spent) for spent in ("0.99", "0.99999999", "1", "1.01")] == [
        False, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("usd", ["-1", "NaN", "Infinity", "1e12"])
def test_a_limit_is_an_amount(usd):
    with pytest.raises(InvalidInput, match="not an amount"):
        a_budget(usd)


@pytest.mark.parametrize("zone", ["Mars", "", "../../etc/passwd", "Europe"])
def test_a_zone_is_one_that_is_known(zone):
    with pytest.raises(InvalidInput, match="time zone"):
        Budget(owner="ann", usd=Decimal(1), per=Per.DAY, zone=zone)
