"""Idleness: what is not known counts as busy, and rules that a server caps."""

from datetime import timedelta

import pytest
from hypothesis import given

from parkade.domain.errors import InvalidInput
from parkade.domain.idle import IdleRules
from tests.builders import NOW, a_reading, minutes, some_use
from tests.domain import strategies

UNKNOWN = {"quiet_since": None, "why": "no point since 12:03"}
USED = {"quiet_since": None, "why": "12 invocations at 12:03", "used": True}


def test_it_is_quiet_since_the_last_of_its_series_is():
    use = some_use(
        a_reading("blue", quiet_since=NOW - minutes(30)),
        a_reading("green", quiet_since=NOW - minutes(4)),
    )
    assert use.quiet_since == NOW - minutes(4)
    assert use.why_not == use.unknown == ""
    assert not use.in_use


@pytest.mark.parametrize(
    ("use", "why", "unknown"),
    [
        (some_use(readings=()), "no series is known of it", True),
        (some_use(a_reading(), a_reading("green", **UNKNOWN)), "no point since 12:03", True),
        (some_use(a_reading(), a_reading("green", **USED)), "12 invocations at 12:03", False),
        (some_use(in_flight=None), "not known how many requests are under way", True),
        (some_use(backlog=None), "not known how many requests are waiting", True),
        (some_use(in_flight=2), "2 requests under way", False),
        (some_use(backlog=1), "1 request waiting", False),
    ],
)
def test_use_and_want_of_knowledge_both_keep_it_from_being_idle(use, why, unknown):
    assert use.quiet_since is None
    assert why in use.why_not
    assert bool(use.unknown) is unknown
    assert use.in_use is (not unknown)


def test_what_is_not_known_is_told_also_where_another_series_is_used():
    use = some_use(a_reading("blue", **USED), a_reading("green", **UNKNOWN))
    assert "VariantName=green: no point since 12:03" in use.unknown
    assert use.in_use


def test_the_evidence_names_every_series_with_its_newest_point():
    evidence = some_use(a_reading("blue"), a_reading("green", newest=None, **UNKNOWN)).evidence()
    assert [each["series"].split("=")[-1] for each in evidence["series"]] == ["blue", "green"]
    assert [each["newest_point"] for each in evidence["series"]] == ["2026-03-01T12:00:00Z", None]
    assert evidence["series"][1]["why"] == "no point since 12:03"
    assert (evidence["in_flight"], evidence["backlog"]) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grace": timedelta(seconds=-1)}, "grace"),
        ({"window": timedelta(seconds=59)}, "window"),
        ({"window": timedelta(days=366)}, "window"),
        ({"notice_after": 0}, "notice_after"),
        ({"stop_after": 0}, "stop_after"),
        ({"stop_after": 10_001}, "stop_after"),
        ({"delete_after": timedelta(seconds=-1)}, "delete_after"),
    ],
)
def test_rules_that_would_mean_nothing_are_refused_by_name(changes, field):
    with pytest.raises(InvalidInput) as caught:
        IdleRules(**changes)
    assert caught.value.field == field


def test_by_default_it_stops_after_a_grace_and_three_windows():
    assert IdleRules().stops_at == minutes(20)
    assert IdleRules(stop_after=None).stops_at is None
    assert IdleRules(stop_after=None).stops_after_use is None


@pytest.mark.parametrize(
    ("own", "within"),
    [
        ({}, {}),
        ({"stop_after": 2}, {"stop_after": 2}),
        ({"stop_after": 4}, {}),
        ({"stop_after": None}, {}),
        ({"window": minutes(20), "stop_after": 3}, {}),
        # At first as early as the cap, after use later.
        ({"grace": minutes(0), "window": minutes(20), "stop_after": 1}, {}),
        ({"grace": minutes(9), "window": minutes(3)}, {"grace": minutes(9), "window": minutes(3)}),
        ({"notice_after": None}, {"notice_after": None}),
        ({"delete_after": minutes(5)}, {"delete_after": minutes(5)}),
    ],
)
def test_rules_within_a_cap_have_none_of_its_timers_longer(own, within):
    assert IdleRules(**own).within(IdleRules()) == IdleRules(**within)


def test_a_cap_that_removes_leases_is_not_passed_either():
    cap = IdleRules(delete_after=minutes(60))
    assert IdleRules().within(cap).delete_after == minutes(60)
    assert IdleRules(delete_after=minutes(90)).within(cap).delete_after == minutes(60)
    assert IdleRules(delete_after=minutes(30)).within(cap).delete_after == minutes(30)


def later(timer, cap):
    return cap is not None and (timer is None or timer > cap)


@given(strategies.idle_rules(), strategies.idle_rules())
def test_no_rules_are_later_than_their_cap_in_any_way(own, cap):
    rules = own.within(cap)
    assert not later(rules.stops_at, cap.stops_at)
    assert not later(rules.stops_after_use, cap.stops_after_use)
    assert not later(rules.delete_after, cap.delete_after)
    assert rules.within(cap) == rules
