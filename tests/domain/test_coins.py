"""Coins that are due without a person: each kind, and what none of them ever does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import coins, schedule, wallclock
from parkade.domain import lease as leases
from parkade.domain.actions import ActionKind, NoticeKind, PaidBy
from parkade.domain.circumstances import Circumstances
from parkade.domain.lease import EndReason
from parkade.domain.plan import plan
from parkade.domain.terms import Booking, Keep, Terms
from tests.builders import a_lease, an_endpoint, minutes, seconds, some_rules, some_use

#: A Monday morning, an hour before office hours open.
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOURS = "mon-fri 09:00-17:00 Europe/Berlin"
OPENS, CLOSES = NOW + minutes(60), NOW + minutes(9 * 60)
LEAD = minutes(2)
KEEP = Keep(by=minutes(15), when_left=minutes(5), at_most=minutes(40))
RULES = some_rules()


def lease_until(expires_at, **changes):
    return a_lease(created_at=NOW - timedelta(days=30), expires_at=expires_at, **changes)


OVER = lease_until(NOW - minutes(600), ended=EndReason.EXPIRED, ended_at=NOW - minutes(600))


def a_booking(booking_id="b-1", **changes):
    defaults = {
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "owner": "ann",
        "starts_at": OPENS,
        "ends_at": OPENS + minutes(90),
        "made_at": NOW - minutes(60),
    }
    return Booking(id=booking_id, **{**defaults, **changes})


def used(now, ago=1):
    return some_use(used_at=None if ago is None else now - minutes(ago))


def due(now, lease=OVER, *, hours="", keep=None, bookings=(), use=None, rules=RULES):
    return coins.due(
        now,
        lease,
        terms=Terms(endpoint_name="falcon", schedule=hours, keep=keep),
        bookings=bookings,
        leads={"falcon-config": LEAD},
        use=use,
        rules=rules,
    )


def test_nothing_is_due_without_terms_and_bookings():
    found = coins.due(NOW, OVER, terms=None, bookings=(), leads={}, use=used(NOW), rules=RULES)
    assert found == coins.Due()


def test_office_hours_are_paid_from_the_lead_before_they_open_until_they_close():
    before = due(OPENS - LEAD - seconds(1), hours=HOURS)
    assert (before.coin, before.ahead) == (None, (OPENS - LEAD,))
    for now in (OPENS - LEAD, OPENS, CLOSES - seconds(1)):
        coin = due(now, hours=HOURS).coin
        assert (coin.until, coin.by) == (CLOSES, PaidBy.SCHEDULE)
        assert coin.reason == f"open until 2026-11-23T16:00:00Z by its schedule {HOURS}"
    closed = due(CLOSES, hours=HOURS)
    assert (closed.coin, closed.ahead) == (None, (OPENS - LEAD + timedelta(days=1),))


def test_a_lease_that_lasts_beyond_closing_needs_no_coin():
    assert due(OPENS, lease_until(CLOSES), hours=HOURS).coin is None
    assert due(OPENS, lease_until(CLOSES + minutes(1)), hours=HOURS).coin is None
    assert due(OPENS, lease_until(CLOSES - minutes(1)), hours=HOURS).coin.until == CLOSES


@pytest.mark.parametrize("reason", [*EndReason])
def test_what_was_ended_within_the_present_opening_waits_for_the_next(reason):
    stays = reason is not EndReason.EXPIRED
    for ended_at in (OPENS - LEAD, OPENS + minutes(60)):
        ended = lease_until(ended_at, ended=reason, ended_at=ended_at)
        today = due(OPENS + minutes(61), ended, hours=HOURS)
        assert (today.coin is None) is stays
        assert due(OPENS + timedelta(days=1), ended, hours=HOURS).coin is not None
    earlier = OPENS - LEAD - seconds(1)
    assert due(OPENS, lease_until(earlier, ended=reason, ended_at=earlier), hours=HOURS).coin


def test_hours_that_cannot_be_read_any_more_are_told_and_pay_nothing(monkeypatch):
    monkeypatch.setattr(wallclock, "_zones", dict)
    schedule.parse.cache_clear()
    found = due(OPENS, hours=HOURS)
    schedule.parse.cache_clear()
    assert found.coin is None
    [(notice, text)] = found.notices
    assert notice is NoticeKind.UNUSABLE
    assert "'Europe/Berlin': is no time zone" in text


def test_a_booking_makes_the_lease_and_starts_early_by_the_lead():
    before = due(NOW, None, bookings=[a_booking()])
    assert (before.coin, before.ahead) == (None, (OPENS - LEAD,))
    coin = due(OPENS - LEAD, None, bookings=[a_booking()]).coin
    assert (coin.until, coin.by, coin.booking_id) == (OPENS + minutes(90), PaidBy.BOOKING, "b-1")
    assert (coin.owner, coin.config_name) == ("ann", "falcon-config")


def test_a_booking_that_begins_late_has_what_is_left():
    assert due(OPENS + minutes(60), None, bookings=[a_booking()]).coin.until == OPENS + minutes(90)
    assert due(OPENS + minutes(90), None, bookings=[a_booking()]).coin is None


def test_a_booking_that_was_stopped_is_not_paid_for_again():
    stopped = lease_until(OPENS, ended=EndReason.STOPPED, ended_at=OPENS)
    assert due(OPENS + minutes(1), stopped, bookings=[a_booking()]).coin is None


def test_the_coin_that_lasts_longest_is_the_one():
    short = a_booking("b-0", ends_at=OPENS + minutes(30))
    found = due(OPENS, hours=HOURS, bookings=[a_booking(), short])
    assert found.coin.by is PaidBy.SCHEDULE
    late = a_booking("b-2", ends_at=CLOSES + minutes(1))
    assert due(OPENS, hours=HOURS, bookings=[short, late]).coin.booking_id == "b-2"


def test_use_extends_a_lease_before_it_runs_out_up_to_the_hard_limit():
    bought = NOW + minutes(30)
    lease = lease_until(bought)
    early = due(NOW, lease, keep=KEEP, use=used(NOW))
    assert (early.coin, early.ahead) == (None, (bought - minutes(5),))
    now, ends = bought - minutes(5), []
    while coin := due(now, lease, keep=KEEP, use=used(now)).coin:
        assert coin.by is PaidBy.USE
        lease = leases.paid(lease, coin.until, now, RULES)
        ends.append(lease.expires_at - bought)
        now = lease.expires_at - minutes(5)
    assert ends == [minutes(15), minutes(30), minutes(40)]
    assert lease.bought_until == bought


def test_at_the_hard_limit_the_owner_hears_that_it_is_used_and_stops():
    lease = replace(lease_until(NOW + minutes(4)), paid_until=NOW - minutes(36))
    found = due(NOW, lease, keep=KEEP, use=used(NOW))
    assert found.coin is None
    [(notice, text)] = found.notices
    assert notice is NoticeKind.LIMIT
    assert text == (
        "it is used, and use extends it no further than 40 min beyond what people paid for: "
        "it stops at 2026-11-23T07:04:00Z"
    )


def test_the_settings_bound_what_terms_may_ask():
    rules = some_rules(keep_at_most=minutes(10))
    lease = lease_until(NOW + minutes(4))
    coin = due(NOW, lease, keep=KEEP, use=used(NOW), rules=rules).coin
    assert coin.until == NOW + minutes(14)


@pytest.mark.parametrize("use", [None, used(NOW, None), used(NOW, 5.1)])
def test_only_known_and_recent_use_extends_and_it_is_looked_at_again(use):
    found = due(NOW, lease_until(NOW + minutes(4)), keep=KEEP, use=use)
    assert (found.coin, found.ahead) == (None, (NOW + minutes(2),))


def test_use_starts_nothing_that_is_over():
    assert due(NOW, OVER, keep=KEEP, use=used(NOW)).coin is None


def test_what_closes_too_far_ahead_is_paid_for_bit_by_bit():
    rules = some_rules(max_ahead=minutes(120))
    assert due(OPENS, hours=HOURS, rules=rules).coin
    paid = leases.paid(OVER, OPENS + minutes(120), OPENS, rules)
    later = due(OPENS + minutes(1), paid, hours=HOURS, rules=rules)
    assert later.coin is None
    assert OPENS + minutes(60) in later.ahead
    assert due(OPENS + minutes(60), paid, hours=HOURS, rules=rules).coin


def test_a_stop_stands_behind_the_payment_of_a_lease_that_is_over():
    around = Circumstances(
        terms={"falcon": Terms(endpoint_name="falcon", schedule=HOURS)},
        leads={"falcon-config": LEAD},
    )
    over = lease_until(OPENS)
    decided = plan(OPENS, [over], {"falcon": an_endpoint()}, RULES, around=around)
    assert [action.kind for action in decided.actions] == [ActionKind.PAY, ActionKind.STOP]
    assert decided.actions[1].reason == "expired 0.0 s ago, if it is not paid for"


def test_the_plan_looks_again_when_an_opening_or_a_booking_begins():
    around = Circumstances(
        terms={"falcon": Terms(endpoint_name="falcon", schedule=HOURS)},
        bookings={"flan": [a_booking(endpoint_name="flan", starts_at=NOW + minutes(30))]},
        leads={"falcon-config": LEAD},
    )
    decided = plan(NOW, [OVER], {}, RULES, around=around)
    assert decided.next_at == NOW + minutes(28)
    assert not decided.acts


# What holds whatever the world looks like.

hours = st.sampled_from(
    ["", HOURS, "mon-sun 22:00-06:00 UTC", "mon,tue 06:00-08:30,09:00-12:00 America/New_York"]
)
offsets = st.integers(-3 * 86_400, 3 * 86_400).map(lambda each: timedelta(seconds=each))
lengths = st.integers(1, 86_400).map(lambda each: timedelta(seconds=each))


@st.composite
def situations(draw):
    now = NOW + draw(offsets)
    expires_at = now + draw(offsets)
    ended = draw(st.sampled_from([None, *EndReason]))
    if ended:
        expires_at = min(expires_at, now)
    lease = lease_until(
        expires_at,
        ended=ended,
        ended_at=expires_at if ended else None,
        paid_until=draw(st.one_of(st.none(), lengths.map(lambda each: expires_at - each))),
    )
    booked = []
    for number in range(draw(st.integers(0, 3))):
        starts_at = now + draw(offsets)
        ends_at = starts_at + draw(lengths)
        if now < ends_at:
            booked.append(a_booking(f"b-{number}", starts_at=starts_at, ends_at=ends_at))
    keep = draw(
        st.one_of(st.none(), st.builds(Keep, by=lengths, when_left=lengths, at_most=lengths))
    )
    return {
        "now": now,
        "lease": draw(st.sampled_from([lease, lease, lease, None])),
        "hours": draw(hours),
        "keep": keep,
        "bookings": booked,
        "use": draw(st.sampled_from([None, used(now), used(now, 30), used(now, None)])),
    }


def limit(coin, situation):
    """How far the coin may go: to the closing time, the booking's end, or the hard limit."""
    now, lease = situation["now"], situation["lease"]
    if coin.by is PaidBy.BOOKING:
        [booking] = [each for each in situation["bookings"] if each.id == coin.booking_id]
        return booking.starts_at - LEAD, booking.ends_at
    if coin.by is PaidBy.SCHEDULE:
        hours = schedule.parse(situation["hours"])
        openings = [each for each in hours.around(now) if each.closes_at == coin.until]
        return openings[0].opens_at - LEAD, openings[0].closes_at
    most = min(situation["keep"].at_most, RULES.keep_at_most)
    return None, lease.bought_until + most


@given(situations())
def test_no_coin_pays_for_more_than_it_is_for(situation):
    coin = due(**situation).coin
    if coin is None:
        return
    now, lease = situation["now"], situation["lease"]
    begins, end = limit(coin, situation)
    assert now < coin.until <= end
    assert lease is None or lease.over(now) or coin.until > lease.expires_at
    if begins is None:
        assert lease is not None
        assert not lease.over(now)
    else:
        assert begins <= now
        assert not coins.given_up(lease, begins)


@given(situations())
def test_paying_twice_is_paying_once_and_never_takes_time_away(situation):
    coin, now, lease = due(**situation).coin, situation["now"], situation["lease"]
    if coin is None or lease is None or coin.until > now + RULES.max_ahead:
        return
    once = leases.paid(lease, coin.until, now, RULES)
    assert once.expires_at == coin.until
    assert once.bought_until == lease.bought_until
    assert leases.paid(once, coin.until, now, RULES) == once
    again = due(**{**situation, "lease": once}).coin
    assert again is None or again.by is PaidBy.USE


@given(situations())
def test_the_first_instant_ahead_is_later_than_now(situation):
    found = due(**situation)
    assert all(instant > situation["now"] for instant in found.ahead)
